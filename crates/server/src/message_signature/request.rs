use gangplank_key::{SigningKey, UnixTime};
use gangplank_message::content_digest::{DigestAlgorithm, field_value};
use gangplank_message::{Component, Limits, Request, SignatureParams, Target, margo, prepare};
use http::header::HeaderValue;

use super::fields;
use super::response::{CONTENT_DIGEST, SIGNATURE, SIGNATURE_INPUT, SignError};

/// Signs a request of the orchestrator's own, so that whoever gets it knows who sent what, where to and
/// when.
///
/// The signature `sig1` covers the method, the target URI, which is the request's own, and
/// `Content-Digest`, which is set here; it has `created` and, as `keyid`, the lower-case hex SHA-256 of
/// the key's SubjectPublicKeyInfo.
///
/// # Errors
/// [`SignError`]: the request cannot be covered, or the key store failed.
pub fn sign_request<B: AsRef<[u8]>>(
    request: &mut http::Request<B>,
    created: UnixTime,
    key: &dyn SigningKey,
) -> Result<(), SignError> {
    let backend = key.public_key().backend();
    let digest = field_value(DigestAlgorithm::Sha256, request.body().as_ref(), backend);
    let digest = HeaderValue::try_from(digest)?;
    request.headers_mut().insert(CONTENT_DIGEST, digest);
    let signed = {
        let uri = request.uri().to_string();
        let fields = fields(request.headers());
        let message = Request::new(request.method().as_str(), Target::parse(&uri)?, &fields);
        let covered = vec![
            Component::METHOD,
            Component::TARGET_URI,
            Component::CONTENT_DIGEST,
        ];
        let params = SignatureParams::new(covered)?
            .with_created(created.as_secs())?
            .with_key_id(margo::key_id(key.public_key()))?;
        prepare((&message).into(), "sig1", &params, &Limits::DEFAULT)?.sign_with(key)?
    };
    let headers = request.headers_mut();
    headers.insert(
        SIGNATURE_INPUT,
        HeaderValue::try_from(signed.signature_input)?,
    );
    headers.insert(SIGNATURE, HeaderValue::try_from(signed.signature)?);
    Ok(())
}
