//! `GET /livez`, `GET /readyz`: for whoever watches the process.

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::Refusal;
use crate::server::Server;

pub(super) fn routes() -> Router<Server> {
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
}

/// Ready when the store reads and writes.
async fn ready(State(server): State<Server>) -> Result<&'static str, Refusal> {
    server.shared.store.ready().await?;
    Ok("ready\n")
}
