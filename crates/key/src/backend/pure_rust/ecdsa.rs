//! ECDSA (FIPS 186-5 §6), the same code for each curve.

macro_rules! curve {
    (
        $feature:literal, $curve:ident, $public_key:ident,
        $($name:ident: $hash:ident, $signature:ident;)+
    ) => {
        #[cfg(feature = $feature)]
        pub(super) mod $curve {
            use ::$curve::ecdsa::signature::hazmat::PrehashVerifier;
            use ::$curve::ecdsa::{Signature, VerifyingKey};
            use rustls_pki_types::{
                AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
            };
            use sha2::{Digest, $($hash),+};

            $(
                #[derive(Debug)]
                pub(in super::super) struct $name;

                impl SignatureVerificationAlgorithm for $name {
                    fn verify_signature(
                        &self,
                        public_key: &[u8],
                        message: &[u8],
                        signature: &[u8],
                    ) -> Result<(), InvalidSignature> {
                        verify_hash(public_key, &$hash::digest(message), signature)
                    }

                    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
                        alg_id::$public_key
                    }

                    fn signature_alg_id(&self) -> AlgorithmIdentifier {
                        alg_id::$signature
                    }
                }
            )+

            pub(in super::super) fn verify_hash(
                public_key: &[u8],
                hash: &[u8],
                signature: &[u8],
            ) -> Result<(), InvalidSignature> {
                let key =
                    VerifyingKey::from_sec1_bytes(public_key).map_err(|_| InvalidSignature)?;
                let signature = Signature::from_der(signature).map_err(|_| InvalidSignature)?;
                key.verify_prehash(hash, &signature)
                    .map_err(|_| InvalidSignature)
            }
        }
    };
}

curve!("p256", p256, ECDSA_P256, WithSha256: Sha256, ECDSA_SHA256;);
// Some authorities with P-384 keys sign certificates with SHA-256.
curve!("p384", p384, ECDSA_P384, WithSha384: Sha384, ECDSA_SHA384; WithSha256: Sha256, ECDSA_SHA256;);
