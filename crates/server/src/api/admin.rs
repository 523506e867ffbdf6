//! The operator's API. Every handler begins by asking `access` who is there.

mod adapter;
mod allowed_image;
mod allowlist;
mod audit;
mod body;
mod devices;
#[cfg(feature = "notify")]
mod notification;
mod precondition;
mod registry;
mod revocation;
mod tenants;
mod view;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use axum::routing::{delete, get, post};

use super::Refusal;
use super::repository::route;
use crate::access::OPERATOR;
use crate::listen::Peer;
use crate::server::Server;

pub(super) fn routes() -> Router<Server> {
    let routes = Router::new();
    #[cfg(feature = "notify")]
    let routes = routes.route(
        "/admin/tenants/{tenant_id}/notification",
        get(notification::show)
            .put(notification::set)
            .delete(notification::remove),
    );
    routes
        .merge(device_routes())
        .merge(tenant_routes())
        .merge(registry_routes())
        .merge(allowlist_routes())
        .route("/admin/audit", get(audit::list))
}

fn device_routes() -> Router<Server> {
    Router::new()
        .route("/admin/devices", get(devices::list).post(devices::register))
        .route(
            "/admin/devices/{device_id}",
            get(devices::show).delete(devices::remove),
        )
        .route("/admin/devices/{device_id}/approve", post(devices::approve))
        .route("/admin/devices/{device_id}/reject", post(devices::reject))
        .route("/admin/devices/{device_id}/disable", post(devices::disable))
        .route("/admin/devices/{device_id}/enable", post(devices::enable))
        .route(
            "/admin/tenants/{tenant_id}/removed/{device_id}",
            delete(devices::readmit),
        )
}

fn tenant_routes() -> Router<Server> {
    Router::new()
        .route(
            "/admin/tenants",
            get(tenants::list).post(tenants::create_unnamed),
        )
        .route(
            "/admin/tenants/{tenant_id}",
            get(tenants::show)
                .post(tenants::create)
                .put(tenants::update)
                .delete(tenants::remove),
        )
        .route(
            "/admin/tenants/{tenant_id}/revocation-lists",
            get(revocation::show)
                .put(revocation::set)
                .delete(revocation::remove),
        )
}

/// What Hono's device registry has, and what its protocol adapters ask.
fn registry_routes() -> Router<Server> {
    Router::new()
        .route(
            "/admin/tenants/{tenant_id}/devices",
            get(registry::list).post(registry::create_unnamed),
        )
        .route(
            "/admin/tenants/{tenant_id}/devices/{device_id}",
            get(registry::show)
                .post(registry::create)
                .put(registry::update)
                .delete(registry::remove),
        )
        .route(
            "/admin/tenants/{tenant_id}/devices/{device_id}/credentials",
            get(registry::credentials).put(registry::set_credentials),
        )
        .route("/admin/tenants/{tenant_id}/import", post(registry::import))
        .route("/admin/adapter/tenant", post(adapter::tenant))
        .route(
            "/admin/adapter/tenants/{tenant_id}/credentials",
            post(adapter::credentials),
        )
        .route(
            "/admin/adapter/tenants/{tenant_id}/registrations/{device_id}",
            post(adapter::registration),
        )
}

fn allowlist_routes() -> Router<Server> {
    Router::new()
        .route(
            "/admin/tenants/{tenant_id}/allowlist",
            get(allowlist::list)
                .post(allowlist::edit)
                .delete(allowlist::clear),
        )
        .route(
            "/admin/tenants/{tenant_id}/allowlist/images/{digest}",
            get(allowlist::show)
                .put(allowlist::add)
                .delete(allowlist::remove),
        )
        .route(
            "/admin/tenants/{tenant_id}/allowlist/check",
            post(allowlist::check),
        )
}

/// `/git/{deviceId}.git/…`: the operator pushes.
pub(super) fn repository_routes() -> Router<Server> {
    Router::new().route("/git/{*rest}", get(repository).post(repository))
}

async fn repository(
    State(server): State<Server>,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Result<Response, Refusal> {
    let route = route(&request)?;
    let access = server.operator_of_git(request.headers())?;
    server
        .repository(route, access, OPERATOR, peer, request)
        .await
}
