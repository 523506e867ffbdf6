use alloc::{
    borrow::{Cow, ToOwned as _},
    string::{String, ToString as _},
    vec::Vec,
};
use core::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{AccessToken, BASIC_CHALLENGE, TokenError, exposed};

/// What the token endpoint grants (RFC 6749 §5.1), with `token_type` always `Bearer`.
///
/// An answer goes out with [`CACHE_CONTROL`].
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// The token.
    pub access_token: AccessToken,
    /// How long it lives, counted from the server's answer; whole seconds on the wire. Ours is
    /// always there, but RFC 6749 only recommends it.
    pub expires_in: Option<Duration>,
}

impl TokenResponse {
    /// The JSON body of a 200.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let wire = GrantedWire {
            access_token: self.access_token.clone(),
            token_type: Cow::Borrowed("Bearer"),
            expires_in: self.expires_in.map(|lifetime| lifetime.as_secs()),
        };
        Zeroizing::new(serde_json::to_vec(&wire).unwrap_or_default())
    }

    /// Reads the body of a 200. Unknown members are ignored, as RFC 6749 §5.1 demands.
    ///
    /// # Errors
    /// [`ResponseError`], always the server's fault.
    pub fn decode(body: &[u8]) -> Result<Self, ResponseError> {
        let wire: GrantedWire<'_> = read(body)?;
        // "Value is case insensitive."
        if !wire.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(ResponseError::TokenType);
        }
        Ok(Self {
            access_token: wire.access_token,
            expires_in: wire.expires_in.map(Duration::from_secs),
        })
    }
}

/// What the token endpoint answers when it refuses (RFC 6749 §5.2), as a client reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// What is wrong.
    pub error: ErrorCode,
    /// A sentence for a developer, at most 1024 bytes of printable ASCII; anything else the server
    /// wrote is dropped.
    pub description: Option<String>,
}

impl ErrorResponse {
    /// Reads the body of a refusal.
    ///
    /// # Errors
    /// [`ResponseError`], always the server's fault.
    pub fn decode(body: &[u8]) -> Result<Self, ResponseError> {
        let wire: RefusedWire<'_> = read(body)?;
        if wire.error.is_empty() || !is_error_text(&wire.error, 64) {
            return Err(ResponseError::Unreadable);
        }
        let description = wire.error_description.map(Cow::into_owned);
        Ok(Self {
            error: ErrorCode::from_wire(&wire.error),
            description: description.filter(|text| is_error_text(text, 1024)),
        })
    }
}

/// The values of `error` (RFC 6749 §5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `invalid_request`: the request is malformed.
    InvalidRequest,
    /// `invalid_client`: the client did not authenticate.
    InvalidClient,
    /// `invalid_grant`: not for client credentials, but servers send it.
    InvalidGrant,
    /// `unauthorized_client`: this client may not use this grant.
    UnauthorizedClient,
    /// `unsupported_grant_type`: the server does not know this grant.
    UnsupportedGrantType,
    /// `invalid_scope`: the scope is unknown or too wide.
    InvalidScope,
    /// Any other code.
    Other(String),
}

impl ErrorCode {
    /// The code as it is written on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::Other(code) => code,
        }
    }

    fn from_wire(code: &str) -> Self {
        match code {
            "invalid_request" => Self::InvalidRequest,
            "invalid_client" => Self::InvalidClient,
            "invalid_grant" => Self::InvalidGrant,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "invalid_scope" => Self::InvalidScope,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl TokenError {
    /// The value of `error` on the wire.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidRequest(_) => ErrorCode::InvalidRequest,
            Self::InvalidClient(_) => ErrorCode::InvalidClient,
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::InvalidScope => ErrorCode::InvalidScope,
        }
    }

    /// The HTTP status: 401 for an `invalid_client`, else 400 (RFC 6749 §5.2).
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidClient(_) => 401,
            _ => 400,
        }
    }

    /// The value of `WWW-Authenticate` that must be sent. RFC 6749 §5.2 demands it where the client
    /// tried Basic; RFC 9110 §15.5.2 demands it beside every 401.
    pub fn www_authenticate(&self) -> Option<&'static str> {
        match self {
            Self::InvalidClient(_) => Some(BASIC_CHALLENGE),
            _ => None,
        }
    }

    /// The JSON body. It goes out with [`CACHE_CONTROL`]. Every `invalid_client` reads the same,
    /// so that it does not tell an unknown id from a wrong secret.
    pub fn encode(&self) -> Vec<u8> {
        let description = match self {
            Self::InvalidClient(_) => "the client is not authenticated".to_owned(),
            said => said.to_string(),
        };
        let wire = RefusedWire {
            error: Cow::Owned(self.code().as_str().to_owned()),
            error_description: Some(Cow::Owned(description)),
        };
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

/// Why an answer of a token endpoint is not believed; the server's fault. Nothing of the answer is
/// kept, since it may hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The body is longer than [`MAX_TOKEN_RESPONSE`].
    #[error("the answer is longer than {MAX_TOKEN_RESPONSE} bytes")]
    TooLarge,
    /// The body is no JSON object with the members of RFC 6749 §5, each once.
    #[error("the answer is not a token endpoint's")]
    Unreadable,
    /// The token is of a type other than `Bearer`.
    #[error("the token is not a bearer token")]
    TokenType,
}

#[derive(Serialize, Deserialize)]
struct GrantedWire<'a> {
    #[serde(with = "exposed")]
    access_token: AccessToken,
    token_type: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct RefusedWire<'a> {
    error: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_description: Option<Cow<'a, str>>,
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ResponseError> {
    if body.len() > MAX_TOKEN_RESPONSE {
        return Err(ResponseError::TooLarge);
    }
    // A derived reader also takes an array in the place of an object.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(ResponseError::Unreadable);
    }
    // serde_json's error may quote a value: it is not passed on.
    serde_json::from_slice(body).map_err(|_| ResponseError::Unreadable)
}

/// `%x20-21 / %x23-5B / %x5D-7E` (RFC 6749 Appendix A.7, A.8).
fn is_error_text(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
}

/// The value of `Cache-Control` with which every answer of the token endpoint goes out (RFC 6749
/// §5.1).
pub const CACHE_CONTROL: &str = "no-store";

/// The longest answer that is read, in bytes.
pub const MAX_TOKEN_RESPONSE: usize = 16 * 1024;

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
