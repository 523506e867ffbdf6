//! A request whole, for routes where its signature may cover any part of it.

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use gangplank_onboarding::ProblemName;

use super::Refusal;
use crate::reached::Reached;
use crate::server::Server;

/// A request in memory.
pub(super) struct Received {
    pub(super) reached: Reached,
    /// Its path is the one below the URL that the device reached: nesting took the prefix away.
    pub(super) request: http::Request<Bytes>,
}

impl FromRequest<Server> for Received {
    type Rejection = Refusal;

    async fn from_request(request: Request, server: &Server) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let reached = Reached::from_request_parts(&mut parts, server).await?;
        let body = Bytes::from_request(Request::new(body), server)
            .await
            .map_err(|error| Refusal::new(ProblemName::UnreadableRequest, error))?;
        Ok(Self {
            reached,
            request: http::Request::from_parts(parts, body),
        })
    }
}
