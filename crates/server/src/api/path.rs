//! A route's parameters, refused in the words of this API.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Refusal;

/// As [`Path`]; what is no UTF-8 text names nothing, and is a 404.
pub(super) struct Parameters<T>(pub(super) T);

/// The device of a route. Others of its parameters are not looked at: the one of a tenant may stand
/// before.
#[derive(Debug, Deserialize)]
pub(super) struct OfDevice {
    pub(super) device_id: String,
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        Path::from_request_parts(parts, state)
            .await
            .map(|Path(parameters)| Self(parameters))
            .map_err(Refusal::not_found)
    }
}
