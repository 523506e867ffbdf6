//! `GET /admin/audit`: what happened, in one order.

use axum::Json;
use axum::extract::{Query, State};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::view::AuditView;
use crate::api::Refusal;
use crate::server::Server;

pub(super) async fn list(
    State(server): State<Server>,
    headers: HeaderMap,
    query: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Entries>, Refusal> {
    server.operator(&headers)?;
    let Query(page) = query.map_err(super::devices::unreadable)?;
    let records = server
        .shared
        .store
        .audit(page.after.unwrap_or(0), page.limit.unwrap_or(100))
        .await?;
    Ok(Json(Entries {
        entries: records.into_iter().map(AuditView::new).collect(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    after: Option<u64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Entries {
    entries: Vec<AuditView>,
}
