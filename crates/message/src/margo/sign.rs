use alloc::string::String;
use alloc::vec::Vec;

use gangplank_freshness::Nonce;
use gangplank_key::{PublicKey, Signature, SigningKey, UnixTime};

use super::LABEL;
use crate::content_digest::{DigestAlgorithm, field_value};
use crate::{
    Component, Field, Limits, ParamsError, Request, SignError, SignatureFields, SignatureParams,
    Target, ToBeSigned,
};

/// Prepares a request for whatever signs with the client's key: in memory, in a TPM, far away.
///
/// `body` is what is sent, after any content coding; `None` for a request without one. `key` is the
/// public half of the key that will sign; its hash is the key id. `nonce` is random, so that two
/// equal requests of one second differ.
///
/// # Errors
/// [`PrepareError`]: such a request cannot be signed.
pub fn prepare(
    method: &str,
    target: Target<'_>,
    body: Option<&[u8]>,
    created: UnixTime,
    nonce: &Nonce,
    key: &PublicKey,
) -> Result<Outgoing, PrepareError> {
    let backend = key.backend();
    let content_digest = body.map(|body| field_value(DigestAlgorithm::Sha256, body, backend));
    let mut covered = Vec::with_capacity(4);
    covered.extend([
        Component::METHOD,
        Component::TARGET_URI,
        Component::AUTHORITY,
    ]);
    let mut fields: Vec<Field<'_>> = Vec::with_capacity(1);
    if let Some(value) = &content_digest {
        covered.push(Component::CONTENT_DIGEST);
        fields.push(("content-digest", value.as_bytes()));
    }
    let params = SignatureParams::new(covered)?
        .with_created(created.as_secs())?
        .with_key_id(key_id(key))?
        .with_nonce(nonce.as_str())?;
    let request = Request::new(method, target, &fields);
    let to_be_signed = crate::prepare((&request).into(), LABEL, &params, &Limits::DEFAULT)?;
    Ok(Outgoing {
        content_digest,
        to_be_signed,
    })
}

/// The key id of a key: SHA-256 of its SubjectPublicKeyInfo, in 64 small hexadecimal digits.
pub fn key_id(key: &PublicKey) -> String {
    let mut digits = String::with_capacity(64);
    for byte in key.spki_sha256() {
        for half in [byte >> 4, byte & 15] {
            digits.extend(char::from_digit(u32::from(half), 16));
        }
    }
    digits
}

/// A request that lacks its signature.
#[derive(Clone, Debug)]
pub struct Outgoing {
    content_digest: Option<String>,
    to_be_signed: ToBeSigned,
}

impl Outgoing {
    /// The bytes to sign: the signature base.
    pub fn message(&self) -> &[u8] {
        self.to_be_signed.message()
    }

    /// As [`ToBeSigned::digest`].
    pub fn digest(&self, key: &PublicKey) -> Option<Vec<u8>> {
        self.to_be_signed.digest(key)
    }

    /// Signs with `key`.
    ///
    /// # Errors
    /// [`SignError`] when the key store fails.
    pub fn sign_with(self, key: &dyn SigningKey) -> Result<Headers, SignError> {
        let fields = self.to_be_signed.sign_with(key)?;
        Ok(headers(self.content_digest, fields))
    }

    /// Takes the signature that some signer made over [`message`](Self::message).
    ///
    /// # Errors
    /// As [`ToBeSigned::complete`], which the parameters of Margo give no reason to: they name no
    /// algorithm. A signature of another key is noticed by the verifier.
    pub fn complete(self, signature: &Signature) -> Result<Headers, SignError> {
        let fields = self.to_be_signed.complete(signature)?;
        Ok(headers(self.content_digest, fields))
    }
}

/// The fields to add to the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The value of `Content-Digest`; `None` for a request without a body.
    pub content_digest: Option<String>,
    /// The value of `Signature-Input`.
    pub signature_input: String,
    /// The value of `Signature`.
    pub signature: String,
}

/// Why a request cannot be signed. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A parameter that cannot be written: a time beyond 15 digits.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A method that is no token, or a target of more than 64 KiB.
    #[error(transparent)]
    Base(#[from] crate::PrepareError),
}

fn headers(content_digest: Option<String>, fields: SignatureFields) -> Headers {
    Headers {
        content_digest,
        signature_input: fields.signature_input,
        signature: fields.signature,
    }
}
