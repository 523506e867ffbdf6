//! The HTTP API, one file per endpoint.

mod admin;
mod answer;
mod capabilities;
mod certificate;
mod git_credential;
mod health;
mod message;
mod onboarding;
mod path;
mod problems;
mod received;
mod refusal;
mod repository;
mod signed_by;
mod status;
mod token;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gangplank_onboarding::{ProblemName, v2024};

use crate::listen::{limit_requests, security_headers};
use crate::rate::limit_rate;
use crate::reached::{TENANT_PARAMETER, TENANT_PREFIX};
use crate::server::Server;

pub(crate) use refusal::Refusal;

/// The routes for devices.
///
/// They answer below the path of the public URL and at the root, since some balancers strip that
/// path and others do not; and below `/tenant/` and a tenant's id or alias, where the path names the
/// tenant of a device.
pub fn router(server: Server) -> Router {
    let limit = server.shared.rate_limit;
    let prefix = server.shared.public_url.path_prefix().to_owned();
    let routes = device_routes(server);
    let of_tenant = format!("{TENANT_PREFIX}/{{{TENANT_PARAMETER}}}");
    let routes = routes.clone().nest(&of_tenant, routes);
    let router = if prefix.is_empty() {
        routes
    } else {
        routes.clone().nest(&prefix, routes)
    };
    security_headers(limit_rate(router, limit))
}

/// The routes for operators; they belong on a listener of their own.
pub fn admin_router(server: Server) -> Router {
    let messages = admin::routes().with_state(server.clone());
    let streams = admin::repository_routes().with_state(server.clone());
    security_headers(whole(messages, streams, server))
}

fn device_routes(server: Server) -> Router {
    let messages = Router::new()
        .route(v2024::certificate::PATH, get(certificate::get))
        .route(v2024::onboarding::PATH, post(onboarding::post))
        .route(v2024::TOKEN_PATH, post(token::post))
        .route(
            "/device/{device_id}/git-credential",
            get(git_credential::get).head(not_by_head),
        )
        .route(
            "/device/{device_id}/capabilities",
            post(capabilities::put).put(capabilities::put),
        )
        .route(
            "/device/{device_id}/deployment/{deployment_id}/status",
            post(status::post),
        )
        .route("/problems/{name}", get(problems::get))
        .with_state(server.clone());
    let streams = Router::new()
        .route(
            "/git/{*rest}",
            get(repository::serve).post(repository::serve),
        )
        .with_state(server.clone());
    whole(messages, streams, server)
}

/// Messages are bounded and read whole; packs stream past that limit.
fn whole(messages: Router, streams: Router, server: Server) -> Router {
    // `limit_requests` has bounded the body before an extractor sees it.
    limit_requests(
        messages.layer(DefaultBodyLimit::disable()),
        server.shared.limits,
    )
    .merge(streams)
    .merge(health::routes().with_state(server))
    .fallback(async || answer(ProblemName::NotFound))
    .method_not_allowed_fallback(async || answer(ProblemName::MethodNotAllowed))
}

/// A HEAD must not make a credential that nobody receives.
async fn not_by_head() -> Response {
    answer(ProblemName::MethodNotAllowed)
}

fn answer(name: ProblemName) -> Response {
    Refusal::new(name, name.title()).into_response()
}
