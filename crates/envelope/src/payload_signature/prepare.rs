use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use gangplank_key::{PublicKey, Signature, SigningError, SigningKey};

use super::{PayloadSignature, value};
use crate::json_object::is_json_object;

impl PayloadSignature {
    /// Prepares a body for signing by whatever signs: a key in memory, a TPM, a remote service.
    ///
    /// `signer` is the public half of the key that will sign; it travels in the header.
    ///
    /// # Errors
    /// [`PrepareError`] when the body is something that nobody would accept.
    pub fn prepare(body: Vec<u8>, signer: &PublicKey) -> Result<ToBeSigned, PrepareError> {
        if !is_json_object(&body) {
            return Err(PrepareError::NoObject);
        }
        Ok(ToBeSigned {
            body,
            signer: signer.clone(),
        })
    }
}

/// A body that lacks its signature.
#[derive(Clone)]
pub struct ToBeSigned {
    body: Vec<u8>,
    signer: PublicKey,
}

impl ToBeSigned {
    /// The bytes to sign: the whole body.
    pub fn message(&self) -> &[u8] {
        &self.body
    }

    /// Signs with `key`.
    ///
    /// # Errors
    /// [`SealError`] when the key store fails or `key` is another than the one prepared for.
    pub fn sign_with(self, key: &dyn SigningKey) -> Result<SignedBody, SealError> {
        if *key.public_key() != self.signer {
            return Err(SealError::OtherKey);
        }
        let signature = key.sign(self.message())?;
        self.complete(&signature)
    }

    /// Takes the signature of [`message`](Self::message) that somebody else made.
    ///
    /// # Errors
    /// [`SealError::OtherKey`] when the signature is of another algorithm than the key's. That of
    /// another key is noticed by the verifier.
    pub fn complete(self, signature: &Signature) -> Result<SignedBody, SealError> {
        if signature.algorithm() != self.signer.algorithm() {
            return Err(SealError::OtherKey);
        }
        Ok(SignedBody {
            header: value(self.signer.spki(), &signature.to_wire()),
            body: self.body,
        })
    }
}

impl fmt::Debug for ToBeSigned {
    /// Without the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToBeSigned")
            .field("body_length", &self.body.len())
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

/// What goes over the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedBody {
    /// The value of `X-Payload-Signature`.
    pub header: String,
    /// The body, to be sent byte for byte.
    pub body: Vec<u8>,
}

impl fmt::Debug for SignedBody {
    /// Without the body, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedBody")
            .field("header", &self.header)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why a body cannot be signed so. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// It might pass for another thing that the same key signs.
    #[error("a body signed by a header must be one whole JSON object")]
    NoObject,
}

/// Why a body could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Another key signs than the one that the header would carry.
    #[error("the signing key is not the one that the header was prepared for")]
    OtherKey,
    /// The key store failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}
