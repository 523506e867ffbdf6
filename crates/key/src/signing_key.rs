use crate::{PublicKey, Signature};

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(any(feature = "p256", feature = "p384", feature = "ed25519"))]
mod private_key;
#[cfg(any(feature = "p256", feature = "p384", feature = "ed25519"))]
mod software;

#[cfg(feature = "aws-lc-rs")]
pub use aws_lc::AwsLcKey;
#[cfg(any(feature = "p256", feature = "p384", feature = "ed25519"))]
pub use private_key::PrivateKeyError;
#[cfg(any(feature = "p256", feature = "p384", feature = "ed25519"))]
pub use software::SoftwareKey;

/// Anything that can sign: memory, a TPM, a PKCS#11 token, a key service.
///
/// It must not be asked to sign what it should not: whoever may call it speaks for the device. For
/// signers that are slow, remote or asynchronous the message formats offer a
/// `prepare()`/`complete(signature)` pair beside this trait.
pub trait SigningKey {
    /// The public half, which also says the algorithm.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`, hashing it first if the algorithm hashes.
    ///
    /// # Errors
    /// [`SigningError`] when the key store fails; never because of the message.
    fn sign(&self, message: &[u8]) -> Result<Signature, SigningError>;
}

/// The key store could not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key store could not sign: {reason}")]
pub struct SigningError {
    /// The key store's own words.
    pub reason: alloc::string::String,
}

#[cfg(test)]
mod tests;
