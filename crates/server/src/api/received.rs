//! A request whole, for routes where its signature may cover any part of it.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use gangplank_onboarding::ProblemName;

use super::Refusal;

/// A request in memory. Its path is the one below the public URL: nesting took the prefix away.
pub(super) struct Received(pub(super) http::Request<Bytes>);

impl<S: Send + Sync> FromRequest<S> for Received {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let body = Bytes::from_request(Request::new(body), state)
            .await
            .map_err(|error| Refusal::new(ProblemName::UnreadableRequest, error))?;
        Ok(Self(http::Request::from_parts(parts, body)))
    }
}
