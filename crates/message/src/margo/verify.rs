use alloc::string::{String, ToString};
use alloc::vec::Vec;

use gangplank_freshness::{Freshness, OnceKey, Stale, Window};
use gangplank_key::{Algorithm, PublicKey};

use super::{AuthorityRule, ComponentNames, Ed25519Rule, LABEL, Profile, RsaPaddings};
use crate::component::FieldNames;
use crate::content_digest::{ClaimedDigests, DigestError, DigestField};
use crate::verify::{check_freshness, is_signed_by};
use crate::{
    BaseError, ClaimError, Component, Limits, ReadError, Request, SignatureParams, Signatures,
};

/// A request as it came in. Its body can be read only once it is verified.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'m> {
    request: &'m Request<'m>,
    body: &'m [u8],
}

impl<'m> Incoming<'m> {
    /// Takes a request, whose target is built from the server's own public URL and not from fields
    /// of the request, and its body before any content coding is undone; empty if there is none.
    pub fn new(request: &'m Request<'m>, body: &'m [u8]) -> Self {
        Self { request, body }
    }
}

/// Verifies that the client `client_id`, whose registered key is `key`, signed this request.
///
/// The one key of [`Verified::once_keys`] must be recorded, once and durably, before the request has
/// an effect.
///
/// # Errors
/// [`VerifyError`], for the server's own log, and [the status](VerifyError::http_status) to answer
/// with.
pub fn verify<'m>(
    incoming: &Incoming<'m>,
    client_id: &str,
    key: &PublicKey,
    profile: &Profile,
    window: &Window,
    limits: &Limits,
) -> Result<Verified<'m>, VerifyError> {
    let fields = incoming.request.fields();
    let signatures = Signatures::read(fields, limits)?;
    let digests = digests(incoming, limits)?;
    let claimed = signatures.claimed_with(LABEL, profile.names.into())?;
    check_covered(&claimed.params, profile, incoming)?;
    check_key_id(&claimed.params, key)?;
    let candidates = candidates(&claimed.params, key, profile)?;
    let base = claimed.base(incoming.request.into(), limits)?;
    let backend = key.backend();
    let base_sha256 = base.sha256(backend);
    let verifies = |key: &&PublicKey| is_signed_by(key, &claimed, &base, &base_sha256);
    let verified = candidates.iter().find(verifies);
    let algorithm = verified.ok_or(VerifyError::Signature)?.algorithm();
    let length = (client_id.len() as u64).to_be_bytes();
    let seen = backend.sha256(&[SEEN, &length, client_id.as_bytes(), &base_sha256]);
    let once = check_freshness(&claimed.params, &Freshness::Created(*window), seen)?;
    // Last, since it is the dearest: nobody without the key makes the server hash a large body.
    if let Some(claimed) = digests
        && backend.sha256(&[incoming.body]) != claimed
    {
        return Err(VerifyError::DigestMismatch);
    }
    Ok(Verified {
        body: incoming.body,
        params: claimed.params,
        algorithm,
        once,
    })
}

/// A request that a client signed, and its body. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified<'m> {
    body: &'m [u8],
    params: SignatureParams<'m>,
    algorithm: Algorithm,
    once: Vec<OnceKey>,
}

impl<'m> Verified<'m> {
    /// The body, whose digest the signature covers; empty if there is none.
    pub fn body(&self) -> &'m [u8] {
        self.body
    }

    /// What is covered, and what the client said: `created`, `keyid`, `nonce`.
    pub fn params(&self) -> &SignatureParams<'m> {
        &self.params
    }

    /// The algorithm that the signature verified with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What must not have been seen before, and must be remembered from now on: the hash of the
    /// client id and the signature base.
    pub fn once_keys(&self) -> &[OnceKey] {
        &self.once
    }
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A body without Content-Digest.
    #[error("the request has a body but no content-digest field")]
    DigestMissing,
    /// Content-Digest is malformed.
    #[error(transparent)]
    Digest(DigestError),
    /// Content-Digest does not have SHA-256.
    #[error("the content-digest field does not have sha-256")]
    Sha256Missing,
    /// The body is another.
    #[error("the body does not have the digest that the request states")]
    DigestMismatch,
    /// The signature fields are missing or malformed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no signature labelled `sig1`, or what it claims is not understood.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A component that must be covered is not.
    #[error("the signature does not cover {component}")]
    NotCovered {
        /// The component.
        component: String,
    },
    /// `keyid` is the hash of another key.
    #[error("the key id is the hash of another key than the registered one")]
    KeyId,
    /// The profile accepts no signature of the registered key, whatever the message says.
    #[error("signatures of {0} keys are not accepted here")]
    Key(Algorithm),
    /// The message names an algorithm that the key does not have, or the profile does not accept.
    #[error("the algorithm {named} is not one of the registered key that is accepted here")]
    Algorithm {
        /// What the message names.
        named: String,
    },
    /// The request does not have what is covered.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The signature does not verify, or is none.
    #[error("the signature does not verify")]
    Signature,
    /// It is an old one, or one of the future.
    #[error(transparent)]
    Stale(#[from] Stale),
}

impl VerifyError {
    /// The status code that Margo 1.0 has for it: 400 when the body and Content-Digest do not go
    /// together, 401 for all else.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::DigestMissing | Self::Digest(_) | Self::Sha256Missing | Self::DigestMismatch => {
                400
            }
            _ => 401,
        }
    }
}

impl From<ComponentNames> for FieldNames {
    fn from(names: ComponentNames) -> Self {
        match names {
            ComponentNames::SmallLetters => Self::SmallLetters,
            ComponentNames::ContentDigestWithCapitals => Self::ContentDigestWithCapitals,
        }
    }
}

/// The SHA-256 that the body must have; none when there is neither a body nor a claim about it.
fn digests(incoming: &Incoming<'_>, limits: &Limits) -> Result<Option<[u8; 32]>, VerifyError> {
    let fields = incoming.request.fields();
    match ClaimedDigests::read(fields, DigestField::ContentDigest, limits) {
        Ok(Some(digests)) => match digests.claimed_sha256() {
            Some(digest) => Ok(Some(*digest)),
            None => Err(VerifyError::Sha256Missing),
        },
        Ok(None) if incoming.body.is_empty() => Ok(None),
        Ok(None) => Err(VerifyError::DigestMissing),
        Err(DigestError::NoneCounts) => Err(VerifyError::Sha256Missing),
        Err(error) => Err(VerifyError::Digest(error)),
    }
}

fn check_covered(
    params: &SignatureParams<'_>,
    profile: &Profile,
    incoming: &Incoming<'_>,
) -> Result<(), VerifyError> {
    let required = [
        (true, Component::METHOD),
        (true, Component::TARGET_URI),
        (
            profile.authority == AuthorityRule::Required,
            Component::AUTHORITY,
        ),
        (!incoming.body.is_empty(), Component::CONTENT_DIGEST),
    ];
    let missing = required
        .iter()
        .find(|(is_required, component)| *is_required && !params.covers(component));
    match missing {
        Some((_, component)) => Err(VerifyError::NotCovered {
            component: component.to_string(),
        }),
        None => Ok(()),
    }
}

/// A key id that looks like a key's hash must be this key's; any other name is the client's own.
fn check_key_id(params: &SignatureParams<'_>, key: &PublicKey) -> Result<(), VerifyError> {
    let Some(key_id) = params.key_id() else {
        return Ok(());
    };
    let is_hash = key_id.len() == 64 && key_id.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hash && !key_id.eq_ignore_ascii_case(&super::key_id(key)) {
        return Err(VerifyError::KeyId);
    }
    Ok(())
}

/// The registered key under each algorithm that it may have verified with, in the order to try. A
/// name in the message only narrows the choice.
fn candidates(
    params: &SignatureParams<'_>,
    key: &PublicKey,
    profile: &Profile,
) -> Result<Vec<PublicKey>, VerifyError> {
    let accepted: &[Algorithm] = match (key.algorithm(), profile.rsa) {
        (Algorithm::EcdsaP256Sha256, _) => &[Algorithm::EcdsaP256Sha256],
        (Algorithm::EcdsaP384Sha384, _) => &[Algorithm::EcdsaP384Sha384],
        (Algorithm::Ed25519, _) if profile.ed25519 == Ed25519Rule::Accepted => {
            &[Algorithm::Ed25519]
        }
        (other, _) if !other.is_rsa() => return Err(VerifyError::Key(other)),
        (_, RsaPaddings::PssThenPkcs1) => &[Algorithm::RsaPssSha256, Algorithm::RsaPkcs1Sha256],
        (_, RsaPaddings::Pss) => &[Algorithm::RsaPssSha256],
        (_, RsaPaddings::Pkcs1) => &[Algorithm::RsaPkcs1Sha256],
    };
    let is_named =
        |algorithm: &&Algorithm| params.alg().is_none_or(|named| named == algorithm.name());
    let mut candidates = Vec::with_capacity(accepted.len());
    for algorithm in accepted.iter().filter(is_named) {
        let key = key.using(*algorithm);
        candidates.push(key.map_err(|_| VerifyError::Key(*algorithm))?);
    }
    match params.alg() {
        Some(named) if candidates.is_empty() => Err(VerifyError::Algorithm {
            named: named.to_string(),
        }),
        _ => Ok(candidates),
    }
}

/// Keeps these hashes apart from those of other messages.
const SEEN: &[u8] = b"gangplank seen margo request/1\0";
