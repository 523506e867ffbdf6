//! Bodies that are one JSON object.

use serde::de::DeserializeOwned;

use super::devices::unreadable;
use crate::api::Refusal;

pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    // serde also reads an array of the members' values as the object.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(unreadable("the body is not a JSON object"));
    }
    serde_json::from_slice(body).map_err(unreadable)
}

/// No body is as good as `{}`.
pub(super) fn optional_object<T: Default + DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    match body.trim_ascii() {
        [] => Ok(T::default()),
        _ => object(body),
    }
}
