use alloc::string::String;

use zeroize::Zeroizing;

use crate::{AccessToken, SecretError};

/// Reads the access token from the value of an `Authorization` header (RFC 6750 §2.1).
///
/// The scheme's case does not matter (RFC 9110 §11.1). Tokens in a form or a query (RFC 6750 §2.2,
/// §2.3) are not read at all: they end up in logs.
///
/// # Errors
/// [`BearerError`]; answer a malformed token like an unknown one.
pub fn parse_bearer(authorization: &str) -> Result<AccessToken, BearerError> {
    let (scheme, token) = authorization
        .split_once(' ')
        .ok_or(BearerError::OtherScheme)?;
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(BearerError::OtherScheme);
    }
    Ok(AccessToken::from_wire(String::from(
        token.trim_matches(' '),
    ))?)
}

/// The value of the `Authorization` header that presents `token`.
pub fn bearer_header(token: &AccessToken) -> Zeroizing<String> {
    let mut value = Zeroizing::new(String::with_capacity(PREFIX.len() + token.expose().len()));
    value.push_str(PREFIX);
    value.push_str(token.expose());
    value
}

/// Why an `Authorization` header presents no bearer token; the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BearerError {
    /// The scheme is not `Bearer`.
    #[error("the authorization header presents no bearer token")]
    OtherScheme,
    /// What follows the scheme is no token.
    #[error("the bearer token is malformed")]
    Malformed(#[from] SecretError),
}

/// The value of `WWW-Authenticate` beside a 401 to a request that presents no bearer token: no
/// error is named then (RFC 6750 §3.1).
pub const BEARER_CHALLENGE: &str = "Bearer";

/// The value of `WWW-Authenticate` beside a 401 to a token that is malformed, unknown, expired,
/// revoked or another device's (RFC 6750 §3.1): one for all of them.
pub const INVALID_TOKEN_CHALLENGE: &str = "Bearer error=\"invalid_token\"";

const PREFIX: &str = "Bearer ";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_rfc_6750_section_2_1() {
        let token = parse_bearer("Bearer mF_9.B5f-4.1JqM").unwrap();
        assert_eq!(token.expose(), "mF_9.B5f-4.1JqM");
        assert_eq!(bearer_header(&token).as_str(), "Bearer mF_9.B5f-4.1JqM");
    }

    #[test]
    fn the_scheme_is_compared_without_case() {
        assert_eq!(parse_bearer("bEARER  abc").unwrap().expose(), "abc");
    }

    #[test]
    fn what_is_no_bearer_token_is_refused() {
        let fault = |value: &str| parse_bearer(value).err().unwrap();
        assert_eq!(fault(""), BearerError::OtherScheme);
        assert_eq!(fault("Bearer"), BearerError::OtherScheme);
        assert_eq!(fault("Basic czZCaGRSa3F0Mw=="), BearerError::OtherScheme);
        assert_eq!(fault("Bearerabc d"), BearerError::OtherScheme);
        assert_eq!(fault("Bearer "), BearerError::Malformed(SecretError::Empty));
        assert_eq!(
            fault("Bearer a b"),
            BearerError::Malformed(SecretError::Character)
        );
        assert_eq!(
            fault("Bearer a, Bearer b"),
            BearerError::Malformed(SecretError::Character)
        );
    }

    proptest! {
        #[test]
        fn what_is_presented_is_read(text in "[A-Za-z0-9._~+/-]{1,80}={0,2}") {
            let token = AccessToken::from_wire(text.clone()).unwrap();
            let read = parse_bearer(&bearer_header(&token)).unwrap();
            prop_assert_eq!(read.expose(), text);
        }

        #[test]
        fn no_text_panics(text in ".{0,64}") {
            let _ = parse_bearer(&text);
        }
    }
}
