use alloc::{collections::BTreeSet, string::String};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{ClientId, ClientSecret, form};

/// A request for an access token by client credentials (RFC 6749 §4.4.2).
///
/// A client sends it as [`basic_header`](Self::basic_header) with
/// [`form_beside_basic`](Self::form_beside_basic) (`client_secret_basic`, which every server must
/// support), or as [`form`](Self::form) alone (`client_secret_post`, what Margo 2024 shows). Never
/// both: that is an `invalid_request`.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// What proves it.
    pub client_secret: ClientSecret,
}

impl TokenRequest {
    /// The value of the `Authorization` header: `Basic` and base64 of the id and the secret, each
    /// form-encoded first (RFC 6749 §2.3.1), joined by a colon.
    pub fn basic_header(&self) -> Zeroizing<String> {
        let secret = self.client_secret.expose();
        let longest = 3 * (self.client_id.as_str().len() + secret.len()) + 1;
        let mut pair = Zeroizing::new(String::with_capacity(longest));
        form::encode_into(self.client_id.as_str(), &mut pair);
        pair.push(':');
        form::encode_into(secret, &mut pair);
        let mut value = Zeroizing::new(String::with_capacity(16 + longest / 3 * 4));
        value.push_str("Basic ");
        STANDARD.encode_string(pair.as_bytes(), &mut value);
        value
    }

    /// The body beside a [`basic_header`](Self::basic_header).
    pub fn form_beside_basic(&self) -> &'static str {
        "grant_type=client_credentials"
    }

    /// The body that carries id and secret itself.
    pub fn form(&self) -> Zeroizing<String> {
        let secret = self.client_secret.expose();
        let longest = 3 * (self.client_id.as_str().len() + secret.len()) + 64;
        let mut body = Zeroizing::new(String::with_capacity(longest));
        body.push_str("grant_type=client_credentials&client_id=");
        form::encode_into(self.client_id.as_str(), &mut body);
        body.push_str("&client_secret=");
        form::encode_into(secret, &mut body);
        body
    }
}

/// Reads a request of the token endpoint from two header values and the body.
///
/// What it finds is only *claimed*: whether the secret is that of the client is for the caller to
/// look up, and to answer with [`TokenError::InvalidClient`] and [`ClientFault::Unknown`] if not.
///
/// # Errors
/// [`TokenError`], always the client's fault; send its [`encode`](TokenError::encode),
/// [`status`](TokenError::status) and [`www_authenticate`](TokenError::www_authenticate).
pub fn parse_token_request(
    authorization: Option<&str>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<TokenRequest, TokenError> {
    let parameters = Parameters::read(content_type, body)?;
    match parameters.grant_type.as_deref().map(String::as_str) {
        None => return Err(RequestFault::Missing("grant_type").into()),
        Some("client_credentials") => {}
        Some(_) => return Err(TokenError::UnsupportedGrantType),
    }
    let request = match authorization {
        Some(value) => with_basic(value, &parameters)?,
        None => with_form(parameters.client_id, parameters.client_secret)?,
    };
    // There are no scopes here, and dropping one silently would tell the client that it has it.
    match parameters.scope {
        Some(_) => Err(TokenError::InvalidScope),
        None => Ok(request),
    }
}

/// Why the token endpoint refuses (RFC 6749 §5.2); always the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The request is malformed. 400 `invalid_request`.
    #[error("{0}")]
    InvalidRequest(#[from] RequestFault),
    /// The client did not authenticate. 401 `invalid_client`; the reason is for the operator's log
    /// and never sent.
    #[error("{0}")]
    InvalidClient(#[from] ClientFault),
    /// A grant other than `client_credentials`. 400 `unsupported_grant_type`.
    #[error("the grant type is not client_credentials")]
    UnsupportedGrantType,
    /// A scope was asked for, and there are none. 400 `invalid_scope`.
    #[error("a scope was asked for where there are none")]
    InvalidScope,
}

/// Why a token request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestFault {
    /// The body is longer than [`MAX_TOKEN_REQUEST`].
    #[error("the body is longer than {MAX_TOKEN_REQUEST} bytes")]
    TooLarge,
    /// The content type is not [`FORM_MEDIA_TYPE`].
    #[error("the content type is not {FORM_MEDIA_TYPE}")]
    ContentType,
    /// A parameter is not form-encoded UTF-8.
    #[error("a parameter is not form-encoded")]
    Encoding,
    /// A parameter comes twice (RFC 6749 §3.2).
    #[error("a parameter comes twice")]
    Repeated,
    /// This parameter is missing or empty.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// The client authenticates in two ways at once (RFC 6749 §2.3).
    #[error("the client authenticates in two ways at once")]
    TwoMethods,
    /// The form names another client than the header.
    #[error("the form names another client than the authorization header")]
    OtherClient,
}

/// Why a client is not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientFault {
    /// The request carries no authentication at all.
    #[error("the request carries no client authentication")]
    Absent,
    /// The request uses a method other than `client_secret_basic` and `client_secret_post`.
    #[error("the client authentication method is not supported")]
    Method,
    /// The Basic credentials are malformed: base64, form-encoding or colon.
    #[error("the basic credentials are malformed")]
    Malformed,
    /// The id or the secret is one that no client has.
    #[error("the client id or secret is one that no client can have")]
    Impossible,
    /// For callers: no such client, not its secret, or the client may not have a token now.
    #[error("the client is unknown, has another secret or may have no token")]
    Unknown,
}

/// The parameters that mean something here; an empty one counts as omitted (RFC 6749 §3.2).
#[derive(Default)]
struct Parameters {
    grant_type: Option<Zeroizing<String>>,
    scope: Option<Zeroizing<String>>,
    client_id: Option<Zeroizing<String>>,
    client_secret: Option<Zeroizing<String>>,
    client_assertion: Option<Zeroizing<String>>,
}

impl Parameters {
    fn read(content_type: Option<&str>, body: &[u8]) -> Result<Self, TokenError> {
        if body.len() > MAX_TOKEN_REQUEST {
            return Err(RequestFault::TooLarge.into());
        }
        let media_type = content_type.and_then(|value| value.split(';').next());
        if !media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case(FORM_MEDIA_TYPE)) {
            return Err(RequestFault::ContentType.into());
        }
        let mut read = Self::default();
        let mut seen = BTreeSet::new();
        for (name, value) in form::pairs(body) {
            let name = form::decode(name).ok_or(RequestFault::Encoding)?;
            let value = form::decode(value).ok_or(RequestFault::Encoding)?;
            let value = Some(value).filter(|value| !value.is_empty());
            match name.as_str() {
                "grant_type" => read.grant_type = value,
                "scope" => read.scope = value,
                "client_id" => read.client_id = value,
                "client_secret" => read.client_secret = value,
                "client_assertion" => read.client_assertion = value,
                _ => {} // "The authorization server MUST ignore unrecognized request parameters."
            }
            if !seen.insert(String::from(name.as_str())) {
                return Err(RequestFault::Repeated.into());
            }
        }
        if read.client_assertion.is_some() {
            return Err(match read.client_secret {
                Some(_) => RequestFault::TwoMethods.into(),
                None => ClientFault::Method.into(),
            });
        }
        Ok(read)
    }
}

fn with_basic(authorization: &str, parameters: &Parameters) -> Result<TokenRequest, TokenError> {
    if parameters.client_secret.is_some() {
        return Err(RequestFault::TwoMethods.into());
    }
    let (scheme, credentials) = authorization.split_once(' ').ok_or(ClientFault::Method)?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(ClientFault::Method.into());
    }
    let pair = Zeroizing::new(
        STANDARD
            .decode(credentials.trim_matches(' '))
            .map_err(|_| ClientFault::Malformed)?,
    );
    let (id, secret) = form::split_once(&pair, b':').ok_or(ClientFault::Malformed)?;
    let id = form::decode(id).ok_or(ClientFault::Malformed)?;
    let secret = form::decode(secret).ok_or(ClientFault::Malformed)?;
    match &parameters.client_id {
        Some(named) if *named != id => Err(RequestFault::OtherClient.into()),
        _ => credentials_of(&id, secret),
    }
}

fn with_form(
    id: Option<Zeroizing<String>>,
    secret: Option<Zeroizing<String>>,
) -> Result<TokenRequest, TokenError> {
    match (id, secret) {
        (Some(id), Some(secret)) => credentials_of(&id, secret),
        (None, Some(_)) => Err(RequestFault::Missing("client_id").into()),
        // "no client authentication included" (RFC 6749 §5.2): an id alone proves nothing.
        (_, None) => Err(ClientFault::Absent.into()),
    }
}

fn credentials_of(id: &str, mut secret: Zeroizing<String>) -> Result<TokenRequest, TokenError> {
    Ok(TokenRequest {
        client_id: ClientId::parse(id).map_err(|_| ClientFault::Impossible)?,
        client_secret: ClientSecret::from_wire(core::mem::take(&mut *secret))
            .map_err(|_| ClientFault::Impossible)?,
    })
}

/// The media type of a token request.
pub const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// The longest body of a token request that is read, in bytes: three times the longest secret (all
/// of it escaped) and room for the rest.
pub const MAX_TOKEN_REQUEST: usize = 16 * 1024;

/// The value of `WWW-Authenticate` beside an `invalid_client` (RFC 7617 §2).
pub const BASIC_CHALLENGE: &str = "Basic realm=\"token\", charset=\"UTF-8\"";

#[cfg(test)]
#[path = "client_credentials_tests.rs"]
mod tests;
