//! The endpoints of LF Edge's Secure Manager, for tools that speak to it: which containers may run, and
//! the order to run one.
//!
//! They work on the allowlist of one tenant. What they share with the original is what its documentation
//! promises: paths, bodies and messages; where the original permits by mistake, they do not
//! (`docs/allowlist.md` has the list). Its tokens, users and roles are not here yet: who calls needs the
//! operator's token, as a bearer's or bare.

mod body;
mod commands;
mod launcher;
mod services;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use gangplank_allowlist::OptionPolicy;
use gangplank_onboarding::ProblemName;
use gangplank_trust::TenantId;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use ipnet::IpNet;
use serde::Serialize;

pub use launcher::{CommandLauncher, LaunchFailed, Launcher};

use crate::api::Refusal;
use crate::listen::{Peer, limit_requests, security_headers};
use crate::server::Server;

/// What the endpoints work on, and for whom.
#[derive(Clone)]
#[non_exhaustive]
pub struct SecureManager {
    /// Whose allowlist.
    pub tenant: TenantId,
    /// Who may call, by address; the port has no TLS.
    pub callers: Vec<IpNet>,
    /// What is said of a launch's options.
    pub options: OptionPolicy,
    /// Starts what is permitted; without one nothing is started.
    pub launcher: Option<Arc<dyn Launcher>>,
    /// What an answer names as the place where a container runs.
    pub target: String,
}

impl SecureManager {
    /// For callers on this machine, with strict options, and starting nothing.
    pub fn new(tenant: TenantId) -> Self {
        let loopback = [IpNet::from(LOOPBACK_V4), IpNet::from(LOOPBACK_V6)];
        Self {
            tenant,
            callers: loopback.into(),
            options: OptionPolicy::Strict,
            launcher: None,
            target: "localhost".into(),
        }
    }
}

impl core::fmt::Debug for SecureManager {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SecureManager")
            .field("tenant", &self.tenant)
            .field("callers", &self.callers)
            .field("options", &self.options)
            .field("starts_containers", &self.launcher.is_some())
            .finish_non_exhaustive()
    }
}

/// The routes, for a listener of their own: the original's is port 56001.
///
/// A request needs a [`Peer`] among its extensions, as [`PlainListener`](crate::listen::PlainListener)
/// gives it; without one nobody knows where it is from, and it is refused.
pub fn secure_manager_router(server: Server, settings: SecureManager) -> Router {
    let limits = server.shared.limits;
    let callers: Arc<[IpNet]> = settings.callers.as_slice().into();
    let routes = Router::new()
        .route("/api/v1/orchestration/securemgr", post(commands::post))
        .route("/api/v1/orchestration/services", post(services::post))
        .with_state(Shared {
            server,
            settings: Arc::new(settings),
            printing: Arc::default(),
        });
    let bounded = limit_requests(routes.layer(DefaultBodyLimit::disable()), limits);
    let not_found =
        || async { Refusal::new(ProblemName::NotFound, "no such path").into_response() };
    // Outside of all: of a body from elsewhere nothing is read, and no answer leaves the connection open.
    let called = bounded
        .fallback(not_found)
        .layer(from_fn_with_state(callers, only_callers))
        .layer(map_response(closed));
    security_headers(called)
}

#[derive(Clone)]
struct Shared {
    server: Server,
    settings: Arc<SecureManager>,
    /// Held while the list is printed.
    printing: Arc<tokio::sync::Mutex<()>>,
}

impl Shared {
    /// Where a caller is authorised, by its token. The answer to one that is not.
    fn refuse(&self, headers: &HeaderMap) -> Option<Response> {
        let admitted = self.server.operator_of_secure_manager(headers);
        admitted.err().map(IntoResponse::into_response)
    }
}

/// 406 to all who call from elsewhere, whatever they ask for.
async fn only_callers(
    State(callers): State<Arc<[IpNet]>>,
    request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>();
    let is_caller = |peer: &Peer| {
        let address = peer.address.to_canonical();
        callers.iter().any(|network| network.contains(&address))
    };
    if peer.is_some_and(is_caller) {
        return next.run(request).await;
    }
    tracing::warn!(?peer, "the Secure Manager's port was called from elsewhere");
    StatusCode::NOT_ACCEPTABLE.into_response()
}

/// 200, as the original answers whatever a command came to.
fn answer(body: &impl Serialize) -> Response {
    let Ok(text) = serde_json::to_vec(body) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    ([(CONTENT_TYPE, JSON)], text).into_response()
}

fn unreadable(reason: impl core::fmt::Display) -> Response {
    let refusal = Refusal::new(ProblemName::UnreadableRequest, reason);
    refusal.explained().into_response()
}

/// The original closes each connection, and its clients may rely on it.
async fn closed(mut response: Response) -> Response {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

const JSON: &str = "application/json; charset=UTF-8";
const LOOPBACK_V4: ipnet::Ipv4Net =
    ipnet::Ipv4Net::new_assert(core::net::Ipv4Addr::new(127, 0, 0, 0), 8);
const LOOPBACK_V6: ipnet::Ipv6Net = ipnet::Ipv6Net::new_assert(core::net::Ipv6Addr::LOCALHOST, 128);
