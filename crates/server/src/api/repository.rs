//! `/git/{deviceId}.git/…`: a device reads its desired state, and only its own.

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::response::Response;
use gangplank_onboarding::ProblemName;
use http::StatusCode;

use super::Refusal;
use crate::git::{Access, BackendError, Caller, Route};
use crate::listen::Peer;
use crate::server::Server;

pub(super) async fn serve(
    State(server): State<Server>,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Result<Response, Refusal> {
    let route = route(&request)?;
    // Before any credential is looked at: a device never writes, whatever it holds.
    if !route.service().allowed(Access::ReadOnly) {
        return Err(Refusal::not_found("devices do not push"));
    }
    let access = server
        .device_of_git_token(request.headers(), &route, server.now())
        .await?;
    let user = route.device().as_str().to_owned();
    server.repository(route, access, &user, peer, request).await
}

/// The route of a request, as git's own clients spell it.
pub(super) fn route(request: &Request<Body>) -> Result<Route, Refusal> {
    let uri = request.uri();
    Route::parse(request.method(), uri.path(), uri.query())
        .ok_or_else(|| Refusal::not_found("this is no request of git's smart protocol"))
}

impl Server {
    /// Hands an authorised request to git.
    pub(super) async fn repository(
        &self,
        route: Route,
        access: Access,
        user: &str,
        peer: Option<Extension<Peer>>,
        request: Request,
    ) -> Result<Response, Refusal> {
        let device = route.device();
        let turn = self.turn().await;
        // Also one that was there when the caller was let in may have been removed since.
        if self.shared.store.device(device).await?.is_none() {
            return Err(Refusal::not_found(format!("there is no device {device}")));
        }
        let directory = self
            .shared
            .repositories
            .ensure(device)
            .await
            .map_err(|error| Refusal::new(ProblemName::InternalError, error))?;
        drop(turn);
        let (head, body) = request.into_parts();
        let address = peer.map(|Extension(peer)| peer.address);
        let caller = Caller {
            access,
            user,
            address,
        };
        self.shared
            .git
            .serve(&directory, route.service(), &head.headers, body, &caller)
            .await
            .map_err(|error| refused(&error))
    }
}

fn refused(error: &BackendError) -> Refusal {
    let name = match error.status() {
        StatusCode::NOT_FOUND => ProblemName::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => ProblemName::TooLarge,
        StatusCode::REQUEST_TIMEOUT => ProblemName::RequestTimeout,
        StatusCode::SERVICE_UNAVAILABLE => ProblemName::Unavailable,
        status if status.is_client_error() => ProblemName::UnreadableRequest,
        _ => ProblemName::InternalError,
    };
    Refusal::new(name, error)
}
