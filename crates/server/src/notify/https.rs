use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gangplank_trust::TenantId;
use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{EventSink, Notification, NotificationTarget, SinkError};
use crate::authority::Authority;
use crate::message_signature::sign_request;
use crate::server::Clock;
use crate::store::Store;

/// Posts each event to where its tenant's operator said, signed by the orchestrator; an event of a
/// tenant without a target goes nowhere.
///
/// The body is a [`Notification`] with two members more: `custom`, the target's, and `signer`, base64
/// DER of the orchestrator's signing certificate, which is under its root and has its purpose
/// ([`verify_orchestrator`](gangplank_trust::orchestrator::verify_orchestrator)). The request is signed
/// with that certificate's key as [`sign_request`] says. Any 2xx takes the event.
pub struct HttpsSink {
    store: Arc<dyn Store>,
    authority: Arc<Authority>,
    clock: Clock,
    clients: Mutex<HashMap<Option<CertificateDer<'static>>, Client>>,
}

impl HttpsSink {
    /// Looks targets up in this store, and signs as this authority.
    pub fn new(store: Arc<dyn Store>, authority: Arc<Authority>, clock: Clock) -> Self {
        Self {
            store,
            authority,
            clock,
            clients: Mutex::default(),
        }
    }

    async fn target(&self, tenant: &str) -> Result<Option<NotificationTarget>, SinkError> {
        let tenant = TenantId::parse(tenant).map_err(failed)?;
        let target = self.store.notification_target(&tenant).await;
        let target = target.map_err(failed)?;
        let parse = |text: String| NotificationTarget::parse(text.as_bytes());
        target.map(parse).transpose().map_err(failed)
    }

    fn client(&self, ca: Option<CertificateDer<'static>>) -> Result<Client, SinkError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&ca) {
            return Ok(client.clone());
        }
        let client = connect(ca.as_ref())?;
        clients.insert(ca, client.clone());
        Ok(client)
    }
}

#[async_trait]
impl EventSink for HttpsSink {
    async fn deliver(&self, event: &Notification) -> Result<(), SinkError> {
        let Some(target) = self.target(&event.tenant_id).await? else {
            return Ok(());
        };
        let signer = self.authority.signer();
        let told = Told {
            event,
            custom: target.custom(),
            signer: STANDARD.encode(signer.certificate()),
        };
        let body = serde_json::to_vec(&told).map_err(failed)?;
        let mut request = http::Request::post(target.url())
            .header("content-type", "application/json")
            .body(body)
            .map_err(failed)?;
        sign_request(&mut request, (self.clock)(), signer.key()).map_err(failed)?;
        let request = reqwest::Request::try_from(request).map_err(|error| causes(&error))?;
        let client = self.client(target.ca())?;
        let answer = client
            .execute(request)
            .await
            .map_err(|error| causes(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(SinkError(format!("the receiver answered {status}"))),
        }
    }
}

#[derive(Serialize)]
struct Told<'e> {
    #[serde(flatten)]
    event: &'e Notification,
    custom: &'e Map<String, Value>,
    signer: String,
}

fn connect(ca: Option<&CertificateDer<'static>>) -> Result<Client, SinkError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(ca) => roots.add(ca.clone()).map_err(failed)?,
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(config)
        .https_only(true)
        .http1_only()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT)
        .timeout(WHOLE)
        .user_agent(concat!("gangplank/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| causes(&error))
}

fn failed(error: impl std::fmt::Display) -> SinkError {
    SinkError(error.to_string())
}

/// reqwest says what went wrong in the sources of its errors.
fn causes(error: &dyn std::error::Error) -> SinkError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    SinkError(text)
}

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
