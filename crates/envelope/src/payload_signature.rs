//! The header `X-Payload-Signature` of Margo 2024: a signed body without an envelope.
//!
//! Its value is `base64( base64(SPKI DER) ";" base64(signature) )` (RFC 4648 §4, padded, canonical at
//! each level); the signature covers the exact bytes of the body, which is one whole JSON object.
//! The key in it proves nothing: it must be the one that was registered.
//!
//! Route, method, receiver and time are not covered, so the bytes of a replay are those of the first
//! message: nothing here can refuse it. Whoever reads such messages binds them to the bearer token
//! of the same device and remembers the bodies it has seen (`docs/onboarding-api.md`).
//!
//! ```
//! use gangplank_envelope::Limits;
//! use gangplank_envelope::payload_signature::{PayloadSignature, Spelling};
//! use gangplank_key::{CertificateId, SigningKey, SoftwareKey, TrustedKey};
//!
//! # const DEVICE_KEY: &str = include_str!("../../key/tests/data/p256.key.pem");
//! let device = SoftwareKey::from_pem(DEVICE_KEY)?;
//! let signed = PayloadSignature::prepare(b"{}".to_vec(), device.public_key())?.sign_with(&device)?;
//!
//! // The server knows by the bearer token whose key is registered.
//! let registered = TrustedKey::vouch(CertificateId::parse("SN-0001")?, device.public_key().clone());
//! let header = PayloadSignature::decode(signed.header.as_bytes(), Spelling::Wrapped)?;
//! let verified = header.verify(&signed.body, &registered, &Limits::DEFAULT)?;
//! assert_eq!(verified.body(), b"{}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use gangplank_key::{CertificateId, Signature, TrustedKey};

use crate::Limits;
use crate::base64_text::{append_standard, read_standard, standard};
use crate::json_object::is_json_object;
use crate::limits::{PUBLIC_KEY, SIGNATURE, base64_length};

mod prepare;

pub use prepare::{PrepareError, SealError, SignedBody, ToBeSigned};

/// A decoded header. Nothing in it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadSignature {
    spki: Vec<u8>,
    signature: Vec<u8>,
}

impl PayloadSignature {
    /// The header's name, as HTTP libraries spell it.
    pub const HEADER: &'static str = "x-payload-signature";

    /// Reads the header's value: strict, bounded, and without believing any of it.
    ///
    /// # Errors
    /// [`DecodeError`]: the sender wrote something else.
    pub fn decode(value: &[u8], spelling: Spelling) -> Result<Self, DecodeError> {
        if value.len() > LONGEST_VALUE {
            return Err(DecodeError::TooLong {
                length: value.len(),
            });
        }
        // No base64 has a semicolon, so no value has two readings.
        if spelling == Spelling::WrappedOrBare && value.contains(&SEPARATOR) {
            return pair(value);
        }
        pair(&base64(value, "header")?)
    }

    /// The one canonical value, with the outer base64. Decoding it gives this header again.
    pub fn encode(&self) -> String {
        value(&self.spki, &self.signature)
    }

    /// DER SubjectPublicKeyInfo of the key that claims to have signed: for a log, not a fact.
    pub fn claimed_key(&self) -> &[u8] {
        &self.spki
    }

    /// The only road to a signed body.
    ///
    /// `key` is the key registered for the bearer of the request, never one out of the header.
    ///
    /// # Errors
    /// [`VerifyError`], for the verifier's own log: a peer learns nothing but that it was refused.
    pub fn verify<'b>(
        &self,
        body: &'b [u8],
        key: &'b TrustedKey,
        limits: &Limits,
    ) -> Result<VerifiedBody<'b>, VerifyError> {
        if body.len() > limits.payload {
            return Err(VerifyError::TooLarge {
                length: body.len(),
                limit: limits.payload,
            });
        }
        if self.spki != key.key().spki() {
            return Err(VerifyError::OtherKey {
                trusted: key.id().clone(),
            });
        }
        Signature::from_wire(key.key().algorithm(), &self.signature)
            .ok()
            .and_then(|signature| key.key().verify(body, &signature).ok())
            .ok_or(VerifyError::Signature)?;
        if !is_json_object(body) {
            return Err(VerifyError::NoObject);
        }
        Ok(VerifiedBody {
            body,
            signer: key.id(),
        })
    }
}

/// Which spellings of the value are read. Margo's text gives none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spelling {
    /// `base64( base64(SPKI) ";" base64(signature) )` alone.
    #[default]
    Wrapped,
    /// Also the bare pair, `base64(SPKI) ";" base64(signature)`.
    WrappedOrBare,
}

/// A body that the holder of the registered key signed: one whole JSON object.
///
/// Only [`PayloadSignature::verify`] makes one. It may be a repetition.
#[derive(Clone, Copy)]
pub struct VerifiedBody<'b> {
    body: &'b [u8],
    signer: &'b CertificateId,
}

impl<'b> VerifiedBody<'b> {
    /// The body's bytes.
    pub fn body(&self) -> &'b [u8] {
        self.body
    }

    /// Who signed.
    pub fn signer(&self) -> &'b CertificateId {
        self.signer
    }
}

impl fmt::Debug for VerifiedBody<'_> {
    /// Without the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedBody")
            .field("body_length", &self.body.len())
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

/// Why a value is no `X-Payload-Signature`. The sender is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Longer than any key and any signature can make it.
    #[error("the header's value has {length} bytes, more than the {LONGEST_VALUE} accepted")]
    TooLong {
        /// Bytes in the value.
        length: usize,
    },
    /// Not base64 in its one canonical spelling.
    #[error("the {part} is not canonical, padded base64 (RFC 4648 §4)")]
    Base64 {
        /// `header`, `public key` or `signature`.
        part: &'static str,
    },
    /// Not two texts with one semicolon between them.
    #[error(
        "the header does not hold a public key and a signature with one semicolon between them"
    )]
    NoPair,
    /// A part that is there, but empty.
    #[error("the {part} is empty")]
    Empty {
        /// `public key` or `signature`.
        part: &'static str,
    },
    /// A part larger than that of any supported algorithm.
    #[error("the {part} has more than the {limit} bytes accepted")]
    TooLarge {
        /// `public key` or `signature`.
        part: &'static str,
        /// Bytes accepted.
        limit: usize,
    },
}

/// Why a signed body is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The body is longer than the verifier accepts.
    #[error("the body has {length} bytes, more than the {limit} accepted")]
    TooLarge {
        /// Bytes in the body.
        length: usize,
        /// Bytes accepted.
        limit: usize,
    },
    /// The key in the header is not the one that was registered.
    #[error("the key in the header is not the one registered for {trusted}")]
    OtherKey {
        /// Whose registered key it was held against.
        trusted: CertificateId,
    },
    /// The signature does not verify, or is none.
    #[error("the signature does not verify")]
    Signature,
    /// The body might be something else that the same key signs.
    #[error("the signed body is not one whole JSON object")]
    NoObject,
}

fn pair(text: &[u8]) -> Result<PayloadSignature, DecodeError> {
    let mut parts = text.split(|byte| *byte == SEPARATOR);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(spki), Some(signature), None) => Ok(PayloadSignature {
            spki: part(spki, "public key", PUBLIC_KEY)?,
            signature: part(signature, "signature", SIGNATURE)?,
        }),
        _ => Err(DecodeError::NoPair),
    }
}

fn part(text: &[u8], part: &'static str, limit: usize) -> Result<Vec<u8>, DecodeError> {
    let bytes = base64(text, part)?;
    match bytes.len() {
        0 => Err(DecodeError::Empty { part }),
        length if length > limit => Err(DecodeError::TooLarge { part, limit }),
        _ => Ok(bytes),
    }
}

fn base64(text: &[u8], part: &'static str) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::new();
    match read_standard(text, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(DecodeError::Base64 { part }),
    }
}

fn value(spki: &[u8], signature: &[u8]) -> String {
    let mut inner = Vec::new();
    append_standard(spki, &mut inner);
    inner.push(SEPARATOR);
    append_standard(signature, &mut inner);
    standard(&inner)
}

const SEPARATOR: u8 = b';';
/// The longest key and the longest signature, in the spelling that takes more room.
const LONGEST_VALUE: usize =
    base64_length(base64_length(PUBLIC_KEY) + 1 + base64_length(SIGNATURE));

#[cfg(test)]
mod tests;
