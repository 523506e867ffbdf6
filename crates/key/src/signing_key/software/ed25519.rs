//! Ed25519 (RFC 8032 §5.1).

use alloc::vec::Vec;

use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::Family;

pub(super) fn read(pkcs8: &[u8]) -> Option<SigningKey> {
    SigningKey::from_pkcs8_der(pkcs8).ok()
}

pub(super) fn generate(rng: &mut dyn CryptoRng) -> SigningKey {
    let mut seed = Zeroizing::new([0; 32]);
    rng.fill_bytes(seed.as_mut());
    SigningKey::from_bytes(&seed)
}

impl Family for SigningKey {
    fn spki(&self) -> Option<Vec<u8>> {
        let document = self.verifying_key().to_public_key_der().ok()?;
        Some(document.into_vec())
    }

    /// Version 1 without the public key (RFC 8410 §7), which every reader accepts.
    fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        let pair = KeypairBytes {
            secret_key: self.to_bytes(),
            public_key: None,
        };
        Some(pair.to_pkcs8_der().ok()?.to_bytes())
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(self.try_sign(message).ok()?.to_bytes().to_vec())
    }
}
