//! `/admin/tenants/{tenantId}/notification`: where a tenant's events go.

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use gangplank_onboarding::ProblemName;
use gangplank_trust::TenantId;
use http::{HeaderMap, StatusCode};

use super::devices::{actor, invalid};
use super::tenants::no_tenant;
use crate::api::Refusal;
use crate::api::path::Parameters;
use crate::notify::NotificationTarget;
use crate::server::Server;

pub(super) async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
) -> Result<Json<NotificationTarget>, Refusal> {
    server.operator(&headers)?;
    let id = TenantId::parse(&id).map_err(invalid)?;
    let stored = server.shared.store.notification_target(&id).await?;
    let Some(stored) = stored else {
        return Err(Refusal::not_found(format!(
            "{id} has no notification target"
        )));
    };
    let target = NotificationTarget::parse(stored.as_bytes());
    target
        .map(Json)
        .map_err(|error| Refusal::new(ProblemName::InternalError, error))
}

pub(super) async fn set(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    server.operator(&headers)?;
    let target = NotificationTarget::parse(&body).map_err(invalid)?;
    let text = serde_json::to_string(&target)
        .map_err(|error| Refusal::new(ProblemName::InternalError, error))?;
    server.set_target(&id, Some(text)).await
}

pub(super) async fn remove(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
) -> Result<StatusCode, Refusal> {
    server.operator(&headers)?;
    server.set_target(&id, None).await
}

impl Server {
    async fn set_target(&self, id: &str, target: Option<String>) -> Result<StatusCode, Refusal> {
        let id = TenantId::parse(id).map_err(invalid)?;
        let (store, now) = (&self.shared.store, self.now());
        match store
            .set_notification_target(&id, target, actor(), now)
            .await?
        {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(no_tenant(&id)),
        }
    }
}
