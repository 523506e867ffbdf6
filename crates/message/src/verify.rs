use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use gangplank_freshness::{Claims, Freshness, Nonce, OnceKey, Stale};
use gangplank_key::{Algorithm, PublicKey, Signature, UnixTime};

use crate::{
    BaseError, ClaimError, ClaimedSignature, Component, Limits, Message, SignatureBase,
    SignatureParams, Signatures,
};

impl<'m> Signatures<'m> {
    /// Verifies the signature called `label` over `message` with a key that the caller trusts for
    /// it, never one that the message brought.
    ///
    /// What [`Verified::once_keys`] names must be recorded, once and durably, before the message has
    /// an effect.
    ///
    /// # Errors
    /// [`VerifyError`], for the verifier's own log: a peer learns nothing but that it was refused.
    pub fn verify(
        &self,
        message: Message<'_>,
        label: &str,
        key: &PublicKey,
        expect: &Expect<'_>,
        limits: &Limits,
    ) -> Result<Verified<'m>, VerifyError> {
        let claimed = self.claimed(label)?;
        check_params(&claimed.params, expect)?;
        check_alg(&claimed.params, key.algorithm())?;
        let base = claimed.base(message, limits)?;
        let base_sha256 = base.sha256(key.backend());
        if !is_signed_by(key, &claimed, &base, &base_sha256) {
            return Err(VerifyError::Signature);
        }
        let seen = key
            .backend()
            .sha256(&[SEEN, &key.spki_sha256(), &base_sha256]);
        let once = check_freshness(&claimed.params, &expect.freshness, seen)?;
        Ok(Verified {
            params: claimed.params,
            base,
            once,
        })
    }
}

/// What a verifier insists on (RFC 9421 §3.2.1). It has no default: every caller says what it
/// expects.
#[derive(Clone, Debug)]
pub struct Expect<'a> {
    /// What must be covered, and may be among more.
    pub covered: &'a [Component<'a>],
    /// What proves that it is not an old one. Where nothing is required, `expires` is not looked at.
    pub freshness: Freshness<'a>,
    /// For which application it must be.
    pub tag: ExpectedTag<'a>,
}

/// For which application a signature must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedTag<'a> {
    /// Exactly this tag.
    Exactly(&'a str),
    /// Any, or none.
    NotCompared,
}

/// A signature that verified, and what it covers. Only [`Signatures::verify`] makes one.
///
/// What is not covered, anybody may have changed; the body is covered only if `content-digest` is
/// and matches it ([`content_digest`](crate::content_digest)).
#[derive(Clone, Debug)]
pub struct Verified<'m> {
    params: SignatureParams<'m>,
    base: SignatureBase,
    once: Vec<OnceKey>,
}

impl<'m> Verified<'m> {
    /// What is covered, and what the signer said.
    pub fn params(&self) -> &SignatureParams<'m> {
        &self.params
    }

    /// The covered components and their values, as they were signed.
    pub fn base(&self) -> &SignatureBase {
        &self.base
    }

    /// Whether `component` is covered.
    pub fn covers(&self, component: &Component<'_>) -> bool {
        self.params.covers(component)
    }

    /// What must not have been seen before, and must be remembered from now on. Empty where
    /// freshness was not required.
    pub fn once_keys(&self) -> &[OnceKey] {
        &self.once
    }
}

/// Why a signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no such signature, or what it claims is not understood.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A component that must be covered is not.
    #[error("the signature does not cover {component}")]
    NotCovered {
        /// The component.
        component: String,
    },
    /// The message names another algorithm than the key's.
    #[error("the signature names the algorithm {named}, but the key verifies {algorithm}")]
    Algorithm {
        /// What the message names.
        named: String,
        /// The key's.
        algorithm: Algorithm,
    },
    /// It is an old one, or one of the future.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// It is meant for another application, or for none in particular.
    #[error("the signature does not have the tag {expected}")]
    Tag {
        /// The tag that was expected.
        expected: String,
    },
    /// The message does not have what is covered.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The signature does not verify, or is none.
    #[error("the signature does not verify")]
    Signature,
}

fn check_params(params: &SignatureParams<'_>, expect: &Expect<'_>) -> Result<(), VerifyError> {
    if let Some(missing) = expect.covered.iter().find(|wanted| !params.covers(wanted)) {
        return Err(VerifyError::NotCovered {
            component: missing.to_string(),
        });
    }
    match expect.tag {
        ExpectedTag::Exactly(tag) if params.tag() != Some(tag) => Err(VerifyError::Tag {
            expected: tag.to_string(),
        }),
        _ => Ok(()),
    }
}

/// The key has one algorithm; a name in the message can only agree (RFC 9421 §3.2 step 6).
fn check_alg(params: &SignatureParams<'_>, algorithm: Algorithm) -> Result<(), VerifyError> {
    match params.alg() {
        Some(named) if named != algorithm.name() => Err(VerifyError::Algorithm {
            named: named.to_string(),
            algorithm,
        }),
        _ => Ok(()),
    }
}

/// Whether `key` made the signature that is claimed of this base.
pub(crate) fn is_signed_by(
    key: &PublicKey,
    claimed: &ClaimedSignature<'_>,
    base: &SignatureBase,
    base_sha256: &[u8; 32],
) -> bool {
    Signature::from_fixed(key.algorithm(), &claimed.value).is_ok_and(|signature| {
        key.verify_hashed(base.as_bytes(), base_sha256, &signature)
            .is_ok()
    })
}

/// Judges `created`, `expires` and `nonce` of a signature that verified.
pub(crate) fn check_freshness(
    params: &SignatureParams<'_>,
    freshness: &Freshness<'_>,
    seen: [u8; 32],
) -> Result<Vec<OnceKey>, Stale> {
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    // Another form of nonce proves nothing, but is signed and so does no harm.
    let nonce = params.nonce().and_then(|text| Nonce::parse(text).ok());
    let claims = Claims {
        created: params.created().map(at),
        expires: params.expires().map(at),
        nonce: nonce.as_ref(),
    };
    freshness.check(&claims, seen)
}

/// Keeps these hashes apart from those of other messages that the same key signs.
const SEEN: &[u8] = b"gangplank seen http signature/1\0";
