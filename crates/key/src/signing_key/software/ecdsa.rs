//! ECDSA with the deterministic nonces of RFC 6979, the same code for each curve.

macro_rules! curve {
    ($feature:literal, $curve:ident, $scalar_length:literal) => {
        #[cfg(feature = $feature)]
        pub(super) mod $curve {
            use alloc::vec::Vec;

            use ::$curve::SecretKey;
            use ::$curve::ecdsa::signature::Signer;
            use ::$curve::ecdsa::{Signature, SigningKey};
            use ::$curve::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
            use rand_core::CryptoRng;
            use zeroize::Zeroizing;

            use crate::signing_key::software::Family;

            pub(in super::super) fn read(pkcs8: &[u8]) -> Option<SigningKey> {
                SecretKey::from_pkcs8_der(pkcs8).ok().map(SigningKey::from)
            }

            /// FIPS 186-5 §A.2.2: draw until the number is in range.
            pub(in super::super) fn generate(rng: &mut dyn CryptoRng) -> SigningKey {
                let mut candidate = Zeroizing::new([0; $scalar_length]);
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
        }
    };
}

curve!("p256", p256, 32);
curve!("p384", p384, 48);
