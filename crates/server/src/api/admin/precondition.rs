//! Versions of resources in header fields: `ETag` and `If-Match` (RFC 9110 §8.8.3, §13.1.1).

use http::header::IF_MATCH;
use http::{HeaderMap, HeaderValue};

use super::devices::unreadable;
use crate::api::Refusal;
use crate::store::Expected;

/// The strong entity tag of a revision.
pub(super) fn entity_tag(revision: u64) -> HeaderValue {
    let tag = HeaderValue::from_str(&format!("\"{revision}\""));
    // Digits between quotation marks are always a value.
    tag.unwrap_or(HeaderValue::from_static("\"\""))
}

/// What a request says that it changes: anything, unless it has one `If-Match`.
pub(super) fn expected(headers: &HeaderMap) -> Result<Expected, Refusal> {
    let mut values = headers.get_all(IF_MATCH).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(Expected::Present),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => return Err(unreadable("there are several If-Match")),
    };
    if value == b"*" {
        return Ok(Expected::Present);
    }
    let text = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    let digits = text.and_then(|text| core::str::from_utf8(text).ok());
    let revision = digits.and_then(|digits| digits.parse().ok());
    // A tag that is none of ours matches nothing that there is, and neither does a weak one.
    revision.map(Expected::Revision).ok_or_else(|| {
        unreadable("If-Match is * or the one entity tag of an answer, such as \"7\"")
    })
}
