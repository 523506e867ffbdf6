//! `POST /api/v1/orchestration/services`: starts a container whose image may run.

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use gangplank_allowlist::{Allowlist, Launch, PermittedLaunch};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::body::object;
use super::{Shared, answer, unreadable};
use crate::access::OPERATOR;
use crate::store::{Actor, AuditEntry, Found, StoreError, action, has_allowlist};

pub(super) async fn post(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = shared.refuse(&headers) {
        return refused;
    }
    let request: Request = match object(&body) {
        Ok(request) => request,
        Err(error) => return unreadable(error),
    };
    if request.service_name.chars().count() > MAX_NAME {
        return unreadable(format_args!(
            "ServiceName has at most {MAX_NAME} characters"
        ));
    }
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
        let (tenant, store) = (&self.settings.tenant, &self.server.shared.store);
        if !has_allowlist(&**store, tenant).await? {
            tracing::error!(%tenant, "there is no such tenant, and no allowlist to ask");
            return Ok(Message::Internal);
        }
        let service = &request.service_name;
        let mut ways = request.service_info.iter();
        let is_container =
            |way: &&Map<String, Value>| way.get("ExecutionType") == Some(&CONTAINER.into());
        let Some(way) = ways.find(is_container) else {
            return self
                .deny(service, "not-a-container", "it is no container")
                .await;
        };
        let Some(arguments) = way.get("ExecCmd").and_then(arguments) else {
            return self
                .deny(service, "malformed", "ExecCmd is no list of texts")
                .await;
        };
        let launch = match Launch::parse_exec_cmd(&arguments, self.settings.options) {
            Ok(launch) => launch,
            Err(fault) => return self.deny(service, fault.code(), fault).await,
        };
        let image = launch.image().to_string();
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
        tracing::warn!(subject = cut(subject), code, %why, "not started");
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
            detail: serde_json::json!({ "subject": cut(subject), "code": code }).to_string(),
        };
        self.server.shared.store.append_audit(entry).await.map(drop)
    }
}

fn arguments(command: &Value) -> Option<Vec<&str>> {
    command.as_array()?.iter().map(Value::as_str).collect()
}

/// What an image is called may be as long as a request.
fn cut(subject: &str) -> String {
    subject.chars().take(MAX_SUBJECT).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    service_name: String,
    /// Ways to run it.
    service_info: Vec<Map<String, Value>>,
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

/// Characters of a service's name.
const MAX_NAME: usize = 256;
/// Characters of what an audit entry is about: any name of an image that a registry takes.
const MAX_SUBJECT: usize = 1024;
const CONTAINER: &str = "container";
