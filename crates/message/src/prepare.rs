use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gangplank_key::{Algorithm, PublicKey, Signature, SigningError, SigningKey};

use crate::structured::Key;
use crate::{BaseError, Limits, Message, SignatureBase, SignatureParams};

/// Prepares a signature of `message` for whatever signs: a key in memory, a TPM, a remote service.
///
/// # Errors
/// [`PrepareError`]: the label is none, or the message does not have what shall be covered.
pub fn prepare(
    message: Message<'_>,
    label: &str,
    params: &SignatureParams<'_>,
    limits: &Limits,
) -> Result<ToBeSigned, PrepareError> {
    let label = Key::new(label).map_err(|_| PrepareError::Label {
        label: label.to_string(),
    })?;
    let base = SignatureBase::build(message, params, limits)?;
    let mut input = String::with_capacity(256);
    input.push_str(label.as_str());
    input.push('=');
    params.write(&mut input);
    Ok(ToBeSigned {
        base,
        input,
        label: label.as_str().to_string(),
        alg: params.alg().map(ToString::to_string),
    })
}

/// A signature that lacks its value.
#[derive(Clone, Debug)]
pub struct ToBeSigned {
    base: SignatureBase,
    input: String,
    label: String,
    alg: Option<String>,
}

impl ToBeSigned {
    /// The bytes to sign: the signature base.
    pub fn message(&self) -> &[u8] {
        self.base.as_bytes()
    }

    /// What a TPM, a token or a key service is given to sign instead of the message: its hash, by
    /// the hash function of `key`. `None` for Ed25519, which signs the message.
    pub fn digest(&self, key: &PublicKey) -> Option<Vec<u8>> {
        key.digest(self.message())
    }

    /// The base, to look at.
    pub fn base(&self) -> &SignatureBase {
        &self.base
    }

    /// Signs with `key`.
    ///
    /// # Errors
    /// [`SignError`] when the key store fails, or the parameters name another algorithm than the
    /// key's.
    pub fn sign_with(self, key: &dyn SigningKey) -> Result<SignatureFields, SignError> {
        let algorithm = key.public_key().algorithm();
        self.check(algorithm)?;
        let signature = key.sign(self.message())?;
        self.complete(&signature)
    }

    /// Takes the signature that some signer made over [`message`](Self::message).
    ///
    /// # Errors
    /// [`SignError::Algorithm`] when the parameters name another algorithm than the signature's. A
    /// signature of another key is noticed by the verifier.
    pub fn complete(self, signature: &Signature) -> Result<SignatureFields, SignError> {
        self.check(signature.algorithm())?;
        let mut value = String::with_capacity(160);
        value.push_str(&self.label);
        value.push_str("=:");
        // RFC 9421 §3.3.4 and §3.3.5 have r and s side by side, never DER.
        STANDARD.encode_string(signature.to_fixed(), &mut value);
        value.push(':');
        Ok(SignatureFields {
            signature_input: self.input,
            signature: value,
        })
    }

    fn check(&self, algorithm: Algorithm) -> Result<(), SignError> {
        match &self.alg {
            Some(named) if named != algorithm.name() => Err(SignError::Algorithm {
                named: named.clone(),
                algorithm,
            }),
            _ => Ok(()),
        }
    }
}

/// The values of the two fields to add to the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureFields {
    /// The value of `Signature-Input`.
    pub signature_input: String,
    /// The value of `Signature`.
    pub signature: String,
}

/// Why there is nothing to sign. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The label is no key of a dictionary.
    #[error("{label:?} is not a label: small letters, digits and _ - . *, the first a letter or *")]
    Label {
        /// The label.
        label: String,
    },
    /// The message does not have what shall be covered.
    #[error(transparent)]
    Base(#[from] BaseError),
}

/// Why a message could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The parameters name another algorithm than the key's.
    #[error("the parameters name {named}, but the key signs with {algorithm}")]
    Algorithm {
        /// What the parameters name.
        named: String,
        /// The key's.
        algorithm: Algorithm,
    },
    /// The key store failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}
