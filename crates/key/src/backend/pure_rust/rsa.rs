//! RSA signatures (RFC 8017 §8), verified only: signing in this crate's pure Rust leaks the private
//! key through time (RUSTSEC-2023-0071), verifying involves none.

use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::digest::{Digest, FixedOutputReset, const_oid::AssociatedOid};
use sha2::{Sha256, Sha384, Sha512};

use crate::public_key::RsaNumbers;

macro_rules! algorithm {
    ($name:ident, $verify:ident, $hash:ty, $signature:ident) => {
        #[derive(Debug)]
        pub(super) struct $name;

        impl SignatureVerificationAlgorithm for $name {
            fn verify_signature(
                &self,
                public_key: &[u8],
                message: &[u8],
                signature: &[u8],
            ) -> Result<(), InvalidSignature> {
                $verify::<$hash>(public_key, &<$hash>::digest(message), signature)
            }

            fn public_key_alg_id(&self) -> AlgorithmIdentifier {
                alg_id::RSA_ENCRYPTION
            }

            fn signature_alg_id(&self) -> AlgorithmIdentifier {
                alg_id::$signature
            }
        }
    };
}

algorithm!(Pkcs1Sha256, verify_pkcs1, Sha256, RSA_PKCS1_SHA256);
algorithm!(Pkcs1Sha384, verify_pkcs1, Sha384, RSA_PKCS1_SHA384);
algorithm!(Pkcs1Sha512, verify_pkcs1, Sha512, RSA_PKCS1_SHA512);
algorithm!(PssSha256, verify_pss, Sha256, RSA_PSS_SHA256);
algorithm!(PssSha512, verify_pss, Sha512, RSA_PSS_SHA512);

/// `public_key` is the DER `RSAPublicKey` of RFC 8017 §A.1.1.
pub(super) fn verify_pkcs1<D: Digest + AssociatedOid>(
    public_key: &[u8],
    hash: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    read(public_key)?
        .verify(Pkcs1v15Sign::new::<D>(), hash, signature)
        .map_err(|_| InvalidSignature)
}

/// The salt is as long as the hash.
pub(super) fn verify_pss<D: Digest + FixedOutputReset>(
    public_key: &[u8],
    hash: &[u8],
    signature: &[u8],
) -> Result<(), InvalidSignature> {
    read(public_key)?
        .verify(Pss::<D>::new(), hash, signature)
        .map_err(|_| InvalidSignature)
}

fn read(public_key: &[u8]) -> Result<RsaPublicKey, InvalidSignature> {
    // Keys in certificates come here without having been registered, so they are checked here too.
    let numbers = RsaNumbers::read(public_key).map_err(|_| InvalidSignature)?;
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    RsaPublicKey::new(number(numbers.modulus), number(numbers.exponent))
        .map_err(|_| InvalidSignature)
}
