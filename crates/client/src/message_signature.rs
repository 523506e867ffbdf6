//! HTTP message signatures (RFC 9421) in the types of the crate `http`: of requests, as Margo 1.0 has
//! them, and of the responses to them.
//!
//! ```
//! use gangplank_client::key::{SigningKey, SoftwareKey, UnixTime};
//! use gangplank_client::message::Nonce;
//! use gangplank_client::message_signature::{self, add, prepare};
//!
//! # const DEVICE_KEY: &str = include_str!("../../key/tests/data/p256.key.pem");
//! let key = SoftwareKey::from_pem(DEVICE_KEY)?;
//! let nonce = Nonce::from_bytes(&[7; 16])?; // random in earnest
//! let mut request = http::Request::post("https://wfm.example/api/v1/clients/c-1/deployments")
//!     .header("content-type", "application/json")
//!     .body("{}")?;
//!
//! // With a key at hand:
//! message_signature::sign(&mut request, &key, UnixTime::now(), &nonce)?;
//! assert!(request.headers().contains_key("signature"));
//!
//! // With a key far away: it signs the bytes of `message` whenever it can.
//! let unsigned = prepare(&request, UnixTime::now(), &nonce, key.public_key())?;
//! let signature = key.sign(unsigned.message())?;
//! add(&mut request, unsigned.complete(&signature)?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use gangplank_key::{PublicKey, SigningKey, UnixTime};
use gangplank_message::margo::{self, Headers, Outgoing};
use gangplank_message::{Nonce, Target, TargetError};
use http::HeaderValue;
use http::header::{HeaderName, InvalidHeaderValue};

mod response;

pub use response::{ResponseError, verify_response};

/// Signs a request whose URI is absolute, with its body as it will be sent: [`prepare`], sign,
/// [`add`].
///
/// The URI must be spelt as the server spells its own: `https` in small letters, the host, too, and
/// no port 443. It is covered as it stands, and the answer to another spelling is a mute 401.
///
/// `nonce` is random, so that two equal requests of one second differ.
///
/// # Errors
/// [`SignError`]: such a request cannot be signed, or the key store failed.
pub fn sign<B: AsRef<[u8]>>(
    request: &mut http::Request<B>,
    key: &dyn SigningKey,
    created: UnixTime,
    nonce: &Nonce,
) -> Result<(), SignError> {
    let unsigned = prepare(request, created, nonce, key.public_key())?;
    add(request, unsigned.sign_with(key)?)
}

/// Prepares a request for whatever signs with the private half of `key`. Method, URI and body must
/// not change any more; header fields may. The URI must be spelt as for [`sign`].
///
/// # Errors
/// [`SignError`]: such a request cannot be signed.
pub fn prepare<B: AsRef<[u8]>>(
    request: &http::Request<B>,
    created: UnixTime,
    nonce: &Nonce,
    key: &PublicKey,
) -> Result<Outgoing, SignError> {
    let uri = request.uri();
    if uri.scheme().is_none() || uri.authority().is_none() {
        return Err(SignError::NotAbsolute);
    }
    let uri = uri.to_string();
    let body = request.body().as_ref();
    let body = (!body.is_empty()).then_some(body);
    let method = request.method().as_str();
    Ok(margo::prepare(
        method,
        Target::parse(&uri)?,
        body,
        created,
        nonce,
        key,
    )?)
}

/// Adds the fields of a signature to the request that it was made for, in place of former ones.
///
/// # Errors
/// [`SignError::Value`], which no signature of this crate gives rise to.
pub fn add<B>(request: &mut http::Request<B>, signed: Headers) -> Result<(), SignError> {
    let fields = request.headers_mut();
    fields.remove(CONTENT_DIGEST);
    if let Some(digest) = signed.content_digest {
        fields.insert(CONTENT_DIGEST, HeaderValue::try_from(digest)?);
    }
    fields.insert(
        SIGNATURE_INPUT,
        HeaderValue::try_from(signed.signature_input)?,
    );
    fields.insert(SIGNATURE, HeaderValue::try_from(signed.signature)?);
    Ok(())
}

/// Why a request is not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The URI has no scheme or no authority, and both are covered.
    #[error("the request's uri is not absolute")]
    NotAbsolute,
    /// The URI cannot be covered.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The request cannot be signed.
    #[error(transparent)]
    Prepare(#[from] margo::PrepareError),
    /// The key store failed.
    #[error(transparent)]
    Sign(#[from] gangplank_message::SignError),
    /// A value cannot stand in a header.
    #[error(transparent)]
    Value(#[from] InvalidHeaderValue),
}

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gangplank_key::SoftwareKey;
    use gangplank_message::margo::{Incoming, Profile};
    use gangplank_message::{Field, Limits, Request, Window};
    use gangplank_testkit::{NOW, TestRng};

    use super::*;

    const URI: &str = "https://wfm.example:8443/a%20b?c=d";

    fn request(uri: &str, body: &'static str) -> http::Request<&'static str> {
        http::Request::put(uri).body(body).unwrap()
    }

    fn verify(request: &http::Request<&str>, uri: &str, key: &PublicKey) -> bool {
        let fields: Vec<Field<'_>> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let received = Request::new("PUT", Target::parse(uri).unwrap(), &fields);
        let window = Window {
            now: NOW,
            max_age: Duration::ZERO,
            max_lead: Duration::ZERO,
        };
        margo::verify(
            &Incoming::new(&received, request.body().as_bytes()),
            "c-1",
            key,
            &Profile::MARGO_1_0,
            &window,
            &Limits::DEFAULT,
        )
        .is_ok()
    }

    #[test]
    fn what_is_signed_is_the_whole_request() {
        let mut rng = TestRng::new(1);
        let key =
            SoftwareKey::generate(gangplank_key::Algorithm::EcdsaP256Sha256, &mut rng).unwrap();
        let nonce = Nonce::random(&mut rng);
        for body in ["", "{}"] {
            let mut signed = request(URI, body);
            sign(&mut signed, &key, NOW, &nonce).unwrap();
            assert!(verify(&signed, URI, key.public_key()));
            assert!(!verify(
                &signed,
                "https://wfm.example:8443/a%20b",
                key.public_key()
            ));
            let headers = signed.headers().clone();
            assert_eq!(headers.contains_key("content-digest"), !body.is_empty());
            let mut changed = request(URI, "{} ");
            *changed.headers_mut() = headers;
            assert!(!verify(&changed, URI, key.public_key()));
        }
        // A second signature takes the place of the first.
        let mut again = request(URI, "{}");
        sign(&mut again, &key, NOW, &nonce).unwrap();
        *again.body_mut() = "";
        sign(&mut again, &key, NOW, &nonce).unwrap();
        assert_eq!(again.headers().len(), 2);
        assert!(verify(&again, URI, key.public_key()));
    }

    #[test]
    fn a_uri_without_an_authority_is_refused() {
        let mut rng = TestRng::new(1);
        let key =
            SoftwareKey::generate(gangplank_key::Algorithm::EcdsaP256Sha256, &mut rng).unwrap();
        let nonce = Nonce::random(&mut rng);
        let outcome = sign(&mut request("/a", ""), &key, NOW, &nonce);
        assert!(matches!(outcome, Err(SignError::NotAbsolute)));
    }
}
