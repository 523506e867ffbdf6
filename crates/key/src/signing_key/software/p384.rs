//! ECDSA over P-384, with the deterministic nonces of RFC 6979.

use alloc::vec::Vec;

use p384::SecretKey;
use p384::ecdsa::signature::Signer;
use p384::ecdsa::{Signature, SigningKey};
use p384::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::Family;

pub(super) fn read(pkcs8: &[u8]) -> Option<SigningKey> {
    SecretKey::from_pkcs8_der(pkcs8).ok().map(SigningKey::from)
}

/// FIPS 186-5 §A.2.2: draw until the number is in range.
pub(super) fn generate(rng: &mut dyn CryptoRng) -> SigningKey {
    let mut candidate = Zeroizing::new([0; 48]);
    loop {
        rng.fill_bytes(candidate.as_mut());
        if let Ok(key) = SecretKey::from_slice(candidate.as_ref()) {
            return SigningKey::from(key);
        }
    }
}

impl Family for SigningKey {
    fn spki(&self) -> Option<Vec<u8>> {
        let document = self.verifying_key().to_public_key_der().ok()?;
        Some(document.into_vec())
    }

    fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        let key = SecretKey::from(self.as_nonzero_scalar());
        Some(key.to_pkcs8_der().ok()?.to_bytes())
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let signature: Signature = self.try_sign(message).ok()?;
        Some(signature.to_bytes().to_vec())
    }
}
