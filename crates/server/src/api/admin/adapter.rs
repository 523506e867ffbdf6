//! `/admin/adapter`: what protocol adapters ask, as Eclipse Hono's ask its device registry.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gangplank_onboarding::ProblemName;
use gangplank_trust::{CredentialsLookup, DocumentError, TenantLookup};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::body::optional_object;
use crate::api::Refusal;
use crate::api::path::Parameters;
use crate::registry::{Acquaintance, AdapterError, Assertion};
use crate::server::Server;

pub(super) async fn tenant(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    server.operator(&headers)?;
    let asked = TenantLookup::decode(&body).map_err(wrong_document)?;
    let view = server.adapter().tenant(&asked).await;
    let view = view.map_err(|error| server.to_adapter(error))?;
    Ok(json(StatusCode::OK, view.encode()))
}

pub(super) async fn credentials(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(tenant): Parameters<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    server.operator(&headers)?;
    let asked = CredentialsLookup::decode(&body).map_err(wrong_document)?;
    let found = server.adapter().credentials(&tenant, &asked).await;
    let found = found.map_err(|error| server.to_adapter(error))?;
    let status = match found.acquaintance {
        Acquaintance::Known => StatusCode::OK,
        Acquaintance::Provisioned => StatusCode::CREATED,
    };
    let view = found.credential.adapter_view(found.device_id.as_str());
    Ok(json(status, view))
}

pub(super) async fn registration(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, device)): Parameters<(String, String)>,
    body: Bytes,
) -> Result<Json<AssertionView>, Refusal> {
    server.operator(&headers)?;
    let through: Through = optional_object(&body)?;
    let gateway = through.gateway_id.as_deref();
    let registry = server.adapter();
    let assertion = registry.registration(&tenant, &device, gateway).await;
    let assertion = assertion.map_err(|error| server.to_adapter(error))?;
    AssertionView::of(assertion).map(Json)
}

impl Server {
    /// An adapter may know why its device is refused.
    fn to_adapter(&self, error: AdapterError) -> Refusal {
        match error {
            AdapterError::Refused(reason) => Refusal::for_reason(&reason),
            AdapterError::Pending => {
                Refusal::awaiting_approval(self.shared.lifetimes.approval_retry, error)
            }
            AdapterError::TenantsFixed => Refusal::not_found(error).explained(),
            AdapterError::Busy => Refusal::new(ProblemName::Unavailable, error),
            AdapterError::Store(error) => error.into(),
            AdapterError::Corrupt { .. } => {
                tracing::error!(%error, "what is stored cannot be read");
                Refusal::new(ProblemName::InternalError, error)
            }
        }
    }
}

/// A document of an adapter or operator that is none.
pub(super) fn wrong_document(error: DocumentError) -> Refusal {
    let name = match error {
        DocumentError::Unreadable { .. } => ProblemName::UnreadableRequest,
        DocumentError::TooLarge { .. } => ProblemName::TooLarge,
        _ => ProblemName::InvalidMember,
    };
    Refusal::new(name, error).explained()
}

/// JSON that is written already.
pub(super) fn json(status: StatusCode, text: String) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, content_type)], text).into_response()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Through {
    gateway_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct AssertionView {
    device_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    via: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defaults: Option<Box<RawValue>>,
}

impl AssertionView {
    fn of(assertion: Assertion) -> Result<Self, Refusal> {
        let defaults = assertion.defaults;
        let defaults = (!defaults.is_empty()).then(|| RawValue::from_string(defaults.to_string()));
        let defaults = defaults.transpose();
        Ok(Self {
            device_id: assertion.device_id.to_string(),
            via: assertion.via,
            defaults: defaults.map_err(|error| Refusal::new(ProblemName::InternalError, error))?,
        })
    }
}
