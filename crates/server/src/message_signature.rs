//! HTTP message signatures (RFC 9421) in the types of the crate `http`: of requests, verified under
//! Margo 1.0's policy, and of responses; for the server's own routes and for a service of your own.
//!
//! ```
//! use std::time::Duration;
//! use bytes::Bytes;
//! use gangplank_server::key::{SigningKey, SoftwareKey, UnixTime};
//! use gangplank_server::message::margo::{self, Profile};
//! use gangplank_server::message::{Nonce, Target, Window};
//! use gangplank_server::message_signature::{Expect, verify};
//! use gangplank_server::onboarding::RootUrl;
//!
//! # const DEVICE_KEY: &str = include_str!("../../key/tests/data/p256.key.pem");
//! // What a client sends.
//! let client = SoftwareKey::from_pem(DEVICE_KEY)?;
//! let now = UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600));
//! let nonce = Nonce::from_bytes(&[7; 16])?; // random in earnest
//! let target = Target::parse("https://wfm.example/api/v1/clients/c-1/deployments")?;
//! let signed = margo::prepare("POST", target, Some(b"{}"), now, &nonce, client.public_key())?
//!     .sign_with(&client)?;
//! let request = http::Request::post("/api/v1/clients/c-1/deployments")
//!     .header("content-digest", signed.content_digest.unwrap_or_default())
//!     .header("signature-input", signed.signature_input)
//!     .header("signature", signed.signature)
//!     .body(Bytes::from_static(b"{}"))?;
//!
//! // What a service does with it.
//! let public_url = RootUrl::parse("https://wfm.example")?;
//! let expect = Expect {
//!     public_url: &public_url,
//!     client_id: "c-1",
//!     profile: Profile::MARGO_1_0,
//!     window: Window { now, max_age: Duration::from_secs(300), max_lead: Duration::from_secs(60) },
//! };
//! let verified = verify(&request, [client.public_key()], &expect)?;
//! // Record `verified.once_keys()` in the transaction that gives the request its effect; if one of
//! // them is there already, the request is a replay.
//! assert_eq!(verified.once_keys().len(), 1);
//! assert_eq!(verified.body(), b"{}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use gangplank_key::{Algorithm, PublicKey};
use gangplank_message::margo::{self, Incoming, Profile};
use gangplank_message::{Field, Limits, OnceKey, Request, Target, TargetError, Window};
use gangplank_onboarding::RootUrl;
use http::HeaderMap;

mod request;
mod response;

pub use request::sign_request;
pub use response::{SignError, sign_response};

/// What a service insists on.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// Where clients reach the service. Together with the path and query of the request it is the
    /// target URI; neither `Host` nor any `X-Forwarded-…` is looked at.
    pub public_url: &'a RootUrl,
    /// Whose request it must be, by the service's own name for that client. It is part of what is
    /// remembered, so it should not change while the client's key stays.
    pub client_id: &'a str,
    /// What is accepted where Margo 1.0 leaves the choice.
    pub profile: Profile,
    /// How far `created` may lie in the past and in the future.
    pub window: Window,
}

/// Verifies that the client signed this request with one of `keys`, which are all registered for it.
///
/// The path of `request` is the one below the public URL: a router that is nested below the URL's own
/// path takes that away, as axum's does. Trailers are not looked at. The body is as it was sent,
/// before any content coding is undone.
///
/// # Errors
/// [`VerifyError`], for the service's own log, and [the status](VerifyError::http_status) to answer
/// with.
pub fn verify<'r, 'k, B: AsRef<[u8]>>(
    request: &'r http::Request<B>,
    keys: impl IntoIterator<Item = &'k PublicKey>,
    expect: &Expect<'_>,
) -> Result<Verified<'r>, VerifyError> {
    let target_uri = target_uri(request, expect.public_url);
    let target = Target::parse(&target_uri)?;
    let fields = fields(request.headers());
    let body = request.body().as_ref();
    let borrowed = Request::new(request.method().as_str(), target, &fields);
    let incoming = Incoming::new(&borrowed, body);
    let mut refused = None;
    for key in keys {
        match verify_with(&incoming, key, expect) {
            Ok((algorithm, once)) => {
                return Ok(Verified {
                    body,
                    algorithm,
                    spki_sha256: key.spki_sha256(),
                    once,
                });
            }
            // Another key may be meant, and says more when it is.
            Err(error) if is_about_key(&error) => _ = refused.get_or_insert(error),
            Err(error @ margo::VerifyError::Signature) => refused = Some(error),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    Err(VerifyError::Message {
        reason: refused.unwrap_or(margo::VerifyError::Signature),
        target_uri,
    })
}

/// A request that a client signed. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified<'r> {
    body: &'r [u8],
    algorithm: Algorithm,
    spki_sha256: [u8; 32],
    once: Vec<OnceKey>,
}

impl<'r> Verified<'r> {
    /// The body, which the signature covers; empty if there is none.
    pub fn body(&self) -> &'r [u8] {
        self.body
    }

    /// The algorithm that the signature verified with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Which of the keys it verified with: SHA-256 of its SubjectPublicKeyInfo.
    pub fn spki_sha256(&self) -> &[u8; 32] {
        &self.spki_sha256
    }

    /// What must not have been seen before, and must be remembered from now on.
    pub fn once_keys(&self) -> &[OnceKey] {
        &self.once
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The request's path or query is none that a signature could cover.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The message is not signed as it must be.
    #[error("{reason}; the target URI is {target_uri} here")]
    Message {
        /// The target URI that the signature was held against. A client that signed for another
        /// does not verify.
        target_uri: String,
        /// What is wrong.
        reason: margo::VerifyError,
    },
}

impl VerifyError {
    /// The status code to answer with: 400 when the body and Content-Digest do not go together, 401
    /// for all else.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Target(_) => 401,
            Self::Message { reason, .. } => reason.http_status(),
        }
    }
}

fn target_uri<B>(request: &http::Request<B>, public_url: &RootUrl) -> String {
    let below = request.uri().path_and_query();
    public_url.join(below.map_or("/", |text| text.as_str()))
}

fn fields(headers: &HeaderMap) -> Vec<Field<'_>> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

fn verify_with(
    incoming: &Incoming<'_>,
    key: &PublicKey,
    expect: &Expect<'_>,
) -> Result<(Algorithm, Vec<OnceKey>), margo::VerifyError> {
    let verified = margo::verify(
        incoming,
        expect.client_id,
        key,
        &expect.profile,
        &expect.window,
        &Limits::DEFAULT,
    )?;
    Ok((verified.algorithm(), verified.once_keys().to_vec()))
}

fn is_about_key(error: &margo::VerifyError) -> bool {
    use margo::VerifyError::{Algorithm, Key, KeyId};
    matches!(error, KeyId | Key(_) | Algorithm { .. })
}
