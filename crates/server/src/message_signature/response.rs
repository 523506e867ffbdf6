use gangplank_key::{SigningKey, UnixTime};
use gangplank_message::content_digest::{DigestAlgorithm, field_value};
use gangplank_message::{
    Component, ComponentError, Field, Limits, ParamsError, PrepareError, Request, Response,
    SignatureParams, Target, TargetError, margo, prepare,
};
use gangplank_onboarding::RootUrl;
use http::header::{HeaderName, HeaderValue, InvalidHeaderValue};

use super::{fields, target_uri};

/// Signs a response, so that its reader knows who says what in answer to which request.
///
/// The signature `sig1` covers the status, `Content-Digest`, which is set here, and of the request
/// the method, the target URI under `public_url` and, if it was signed, its signature `sig1` (RFC 9421
/// §2.4): then the answer to one request is no answer to another. Margo 1.0 has no signed responses;
/// `gangplank_client::message_signature::verify_response` is the other side.
///
/// # Errors
/// [`SignError`]: the request cannot be covered, or the key store failed.
pub fn sign_response<B: AsRef<[u8]>, C>(
    response: &mut http::Response<B>,
    request: &http::Request<C>,
    public_url: &RootUrl,
    created: UnixTime,
    key: &dyn SigningKey,
) -> Result<(), SignError> {
    let backend = key.public_key().backend();
    let digest = field_value(DigestAlgorithm::Sha256, response.body().as_ref(), backend);
    response
        .headers_mut()
        .insert(CONTENT_DIGEST, HeaderValue::try_from(digest)?);
    let signed = {
        let uri = target_uri(request, public_url);
        let (asked, answered) = (fields(request.headers()), fields(response.headers()));
        let request = Request::new(request.method().as_str(), Target::parse(&uri)?, &asked);
        let response = Response::new(response.status().as_u16(), &answered).answering(&request);
        let params = SignatureParams::new(covered(&asked)?)?
            .with_created(created.as_secs())?
            .with_key_id(margo::key_id(key.public_key()))?;
        prepare((&response).into(), "sig1", &params, &Limits::DEFAULT)?.sign_with(key)?
    };
    let fields = response.headers_mut();
    fields.insert(
        SIGNATURE_INPUT,
        HeaderValue::try_from(signed.signature_input)?,
    );
    fields.insert(SIGNATURE, HeaderValue::try_from(signed.signature)?);
    Ok(())
}

/// Why a response is not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The request's path or query is none that a signature could cover.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The request cannot be covered.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A parameter cannot be written.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// The key store failed.
    #[error(transparent)]
    Sign(#[from] gangplank_message::SignError),
    /// A value cannot stand in a header.
    #[error(transparent)]
    Value(#[from] InvalidHeaderValue),
}

impl From<ComponentError> for SignError {
    fn from(error: ComponentError) -> Self {
        Self::Params(error.into())
    }
}

fn covered(asked: &[Field<'_>]) -> Result<Vec<Component<'static>>, ComponentError> {
    let mut covered = vec![
        Component::STATUS,
        Component::CONTENT_DIGEST,
        Component::METHOD.of_request()?,
        Component::TARGET_URI.of_request()?,
    ];
    if asked.iter().any(|(name, _)| *name == SIGNATURE.as_str()) {
        covered.push(
            Component::named("signature")?
                .member("sig1")?
                .of_request()?,
        );
    }
    Ok(covered)
}

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
pub(super) const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("signature");
