use gangplank_key::PublicKey;
use gangplank_message::content_digest::{ClaimedDigests, DigestError, DigestField};
use gangplank_message::{
    Component, ComponentError, Expect, ExpectedTag, Field, Freshness, Limits, ReadError, Request,
    Response, Signatures, Target, TargetError, VerifyError, Window,
};
use http::HeaderMap;

/// Verifies that the holder of `key` gave this answer to `request`, and gives its body.
///
/// `request` is the one that was sent, with its absolute URI and its fields. The signature `sig1`
/// has to cover the status, `Content-Digest` and, of the request, the method, the target URI and, if
/// the request was signed, its signature `sig1`; `gangplank_server::message_signature::sign_response`
/// makes such. Of a signed request, which has a nonce, an old answer is no answer to another; of one
/// that was not signed it is for as long as `window` says.
///
/// # Errors
/// [`ResponseError`]: why the answer is not believed.
pub fn verify_response<'r, B: AsRef<[u8]>, C>(
    response: &'r http::Response<B>,
    request: &http::Request<C>,
    key: &PublicKey,
    window: &Window,
) -> Result<&'r [u8], ResponseError> {
    let limits = &Limits::DEFAULT;
    let uri = request.uri().to_string();
    let (asked, answered) = (fields(request.headers()), fields(response.headers()));
    let asked_for = Request::new(request.method().as_str(), Target::parse(&uri)?, &asked);
    let answer = Response::new(response.status().as_u16(), &answered).answering(&asked_for);
    let expect = Expect {
        covered: &covered(request.headers())?,
        freshness: Freshness::Created(*window),
        tag: ExpectedTag::NotCompared,
    };
    Signatures::read(&answered, limits)?.verify((&answer).into(), "sig1", key, &expect, limits)?;
    let body = response.body().as_ref();
    ClaimedDigests::read(&answered, DigestField::ContentDigest, limits)?
        .ok_or(ResponseError::NoDigest)?
        .check(body, key.backend())?;
    Ok(body)
}

/// Why a response is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The request's URI cannot be covered.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A component cannot be named.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The response has no signatures that can be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The signature is not what it must be.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// There is no `Content-Digest`.
    #[error("the response has no digest of its content")]
    NoDigest,
    /// The body is another one.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

fn covered(asked: &HeaderMap) -> Result<Vec<Component<'static>>, ComponentError> {
    let mut covered = vec![
        Component::STATUS,
        Component::CONTENT_DIGEST,
        Component::METHOD.of_request()?,
        Component::TARGET_URI.of_request()?,
    ];
    if asked.contains_key("signature") {
        covered.push(
            Component::named("signature")?
                .member("sig1")?
                .of_request()?,
        );
    }
    Ok(covered)
}

fn fields(headers: &HeaderMap) -> Vec<Field<'_>> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}
