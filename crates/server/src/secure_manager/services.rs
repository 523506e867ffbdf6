//! `POST /api/v1/orchestration/services`: starts a container whose image may run.

use axum::extract::{Extension, State};
use axum::response::Response;
use bytes::Bytes;
use gangplank_allowlist::{Allowlist, Launch, PermittedLaunch};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::{Shared, answer, unreadable};
use crate::access::OPERATOR;
use crate::listen::Peer;
use crate::store::{Actor, AuditEntry, Found, StoreError, action};

pub(super) async fn post(
    State(shared): State<Shared>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = shared.refuse(peer, &headers) {
        return refused;
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        return unreadable("the body is not a JSON object");
    }
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return unreadable(error),
    };
    let message = match shared.start(&request).await {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(%error, "whether a container may run cannot be said");
            Message::Internal
        }
    };
    let target = match message {
        Message::None => shared.settings.target.as_str(),
        _ => "",
    };
    answer(&Answer {
        message,
        service_name: &request.service_name,
        target: Target {
            execution_type: CONTAINER,
            target,
        },
    })
}

impl Shared {
    /// Judges the first way to run the service that is a container, and starts it. The others are no
    /// containers, and no list knows what they run.
    async fn start(&self, request: &Request) -> Result<Message, StoreError> {
        let service = &request.service_name;
        let mut ways = request.service_info.iter();
        let Some(way) = ways.find(|way| way.execution_type == CONTAINER) else {
            return self
                .deny(service, "not-a-container", "it is no container")
                .await;
        };
        let arguments: Vec<&str> = way.exec_cmd.iter().map(String::as_str).collect();
        let launch = match Launch::parse_exec_cmd(&arguments, self.settings.options) {
            Ok(launch) => launch,
            Err(fault) => return self.deny(service, fault.code(), fault).await,
        };
        let (tenant, image) = (&self.settings.tenant, launch.image().to_string());
        let store = &self.server.shared.store;
        let found = Found(store.allowed(tenant, launch.image().digest()).await?);
        let now = self.server.now().as_secs();
        let judged = launch.permit(&Allowlist::new(&found).in_tenant(tenant.as_str()).at(now));
        match judged {
            Ok(permitted) => self.launch(&image, permitted).await,
            Err(denied) => self.deny(&image, denied.code(), denied).await,
        }
    }

    async fn launch(
        &self,
        image: &str,
        permitted: PermittedLaunch<'_>,
    ) -> Result<Message, StoreError> {
        let Some(launcher) = &self.settings.launcher else {
            tracing::warn!(image, "permitted, and this server starts no containers");
            return Ok(Message::ServiceNotFound);
        };
        // What is not in the audit is not started.
        self.record(action::IMAGE_PERMITTED, image, "permitted")
            .await?;
        match launcher.launch(permitted).await {
            Ok(()) => Ok(Message::None),
            Err(error) => {
                tracing::error!(image, %error, "not started");
                Ok(Message::Internal)
            }
        }
    }

    async fn deny(
        &self,
        subject: &str,
        code: &str,
        why: impl core::fmt::Display,
    ) -> Result<Message, StoreError> {
        tracing::warn!(subject, code, %why, "not started");
        self.record(action::IMAGE_DENIED, subject, code).await?;
        Ok(Message::NotAllowedCommand)
    }

    async fn record(
        &self,
        action: &'static str,
        subject: &str,
        code: &str,
    ) -> Result<(), StoreError> {
        let entry = AuditEntry {
            at: self.server.now(),
            actor: Actor::Operator(OPERATOR.to_owned()),
            action: action.into(),
            tenant: Some(self.settings.tenant.clone()),
            device: None,
            detail: serde_json::json!({ "subject": subject, "code": code }).to_string(),
        };
        self.server.shared.store.append_audit(entry).await.map(drop)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    service_name: String,
    service_info: Vec<Way>,
}

/// A way to run a service.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Way {
    execution_type: String,
    #[serde(default)]
    exec_cmd: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    message: Message,
    service_name: &'a str,
    #[serde(rename = "RemoteTargetInfo")]
    target: Target<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target<'a> {
    execution_type: &'static str,
    target: &'a str,
}

#[derive(Clone, Copy, Serialize)]
enum Message {
    #[serde(rename = "ERROR_NONE")]
    None,
    #[serde(rename = "NOT_ALLOWED_COMMAND")]
    NotAllowedCommand,
    #[serde(rename = "SERVICE_NOT_FOUND")]
    ServiceNotFound,
    #[serde(rename = "INTERNAL_SERVER_ERROR")]
    Internal,
}

const CONTAINER: &str = "container";
