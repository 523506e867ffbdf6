use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use rustls_pki_types::SignatureVerificationAlgorithm;

use crate::{Algorithm, BadSignature};

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
mod pure_rust;

/// Where the cryptography comes from: a small value, not a feature.
///
/// A backend brings its SHA-256 as well as its signature verification, because over a large
/// payload the hash costs more than the signature. Whatever backend is chosen, this crate puts its
/// own checks in front, so all of them accept and refuse the same keys and signatures.
#[derive(Clone, Copy)]
pub struct Backend {
    name: &'static str,
    sha256: fn(&[&[u8]]) -> [u8; 32],
    hasher: fn() -> Box<dyn Sha256Hasher>,
    algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
    key_verifier: Option<KeyVerifier>,
}

/// Verifies one key's signatures over messages whose SHA-256 is known, so that they are not hashed
/// again. The key is parsed when this is made.
pub trait VerifySha256: fmt::Debug + Send + Sync {
    /// Verifies `signature`, encoded as in certificates.
    ///
    /// # Errors
    /// [`BadSignature`], without a reason.
    fn verify_sha256(&self, sha256: &[u8; 32], signature: &[u8]) -> Result<(), BadSignature>;
}

/// Makes a [`VerifySha256`] out of one of the algorithms that hash with SHA-256 (ECDSA P-256, RSA
/// PKCS#1 v1.5 and PSS) and the content of the key's `subjectPublicKey`. `None` if it cannot.
pub type KeyVerifier = fn(Algorithm, &[u8]) -> Option<Arc<dyn VerifySha256>>;

/// A SHA-256 (FIPS 180-4) of bytes that come in parts, made by [`Backend::hasher`].
pub trait Sha256Hasher: Send {
    /// The next bytes.
    fn update(&mut self, part: &[u8]);

    /// The hash of all bytes.
    fn finish(self: Box<Self>) -> [u8; 32];
}

impl Backend {
    /// Verification and hashing in portable Rust; nothing of it needs a C compiler.
    pub const PURE_RUST: Self = Self {
        name: "pure-rust",
        sha256: pure_rust::sha256,
        hasher: pure_rust::hasher,
        algorithms: pure_rust::ALGORITHMS,
        key_verifier: Some(pure_rust::key_verifier),
    };

    /// Verification and hashing by aws-lc-rs, about five times as fast on a server.
    #[cfg(feature = "aws-lc-rs")]
    pub const AWS_LC_RS: Self = Self {
        name: "aws-lc-rs",
        sha256: aws_lc::sha256,
        hasher: aws_lc::hasher,
        algorithms: aws_lc::ALGORITHMS,
        key_verifier: Some(aws_lc::key_verifier),
    };

    /// A backend of the caller's own, for example one built on a FIPS-validated module.
    ///
    /// `sha256` hashes the concatenation of its parts. `algorithms` may be any values that rustls'
    /// providers offer; those for other key types are never used.
    pub const fn new(
        name: &'static str,
        sha256: fn(&[&[u8]]) -> [u8; 32],
        algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
    ) -> Self {
        Self {
            name,
            sha256,
            hasher: pure_rust::hasher,
            algorithms,
            key_verifier: None,
        }
    }

    /// The same, able to verify over a finished SHA-256 as well. Without it such messages are
    /// hashed twice, and nothing else changes.
    #[must_use]
    pub const fn with_verify_sha256(mut self, verifier: KeyVerifier) -> Self {
        self.key_verifier = Some(verifier);
        self
    }

    /// The same, hashing bytes that come in parts by this too. Without it they are hashed in pure Rust.
    #[must_use]
    pub const fn with_hasher(mut self, hasher: fn() -> Box<dyn Sha256Hasher>) -> Self {
        self.hasher = hasher;
        self
    }

    /// A name for logs.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// SHA-256 (FIPS 180-4) of the concatenation of `parts`.
    pub fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        (self.sha256)(parts)
    }

    /// A SHA-256 of bytes that are not all at hand, such as those of a large file.
    pub fn hasher(&self) -> Box<dyn Sha256Hasher> {
        (self.hasher)()
    }

    /// The verification algorithms, in the form that webpki takes.
    pub fn algorithms(&self) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
        self.algorithms
    }

    pub(crate) fn verify_sha256(
        &self,
        algorithm: Algorithm,
        public_key: &[u8],
    ) -> Option<Arc<dyn VerifySha256>> {
        let verifier = self.key_verifier?;
        algorithm
            .hashes_with_sha256()
            .then(|| verifier(algorithm, public_key))?
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backend").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PublicKey, Signature};

    /// What a verifier over hashes is never asked for.
    #[derive(Debug)]
    struct Anything;

    impl VerifySha256 for Anything {
        fn verify_sha256(&self, _: &[u8; 32], _: &[u8]) -> Result<(), BadSignature> {
            Ok(())
        }
    }

    #[test]
    fn a_verifier_over_sha256_is_asked_for_no_other_hash() {
        let backend = Backend::PURE_RUST.with_verify_sha256(|_, _| Some(Arc::new(Anything)));
        let verify = |spki, algorithm, signature| {
            let key = PublicKey::from_spki(spki, backend).unwrap();
            let signature = Signature::from_wire(algorithm, signature).unwrap();
            key.verify_hashed(b"another", &[0; 32], &signature)
        };
        let p256 = include_bytes!("../tests/data/p256.spki.der");
        let signature = include_bytes!("../tests/data/p256.sig.der");
        assert_eq!(verify(p256, Algorithm::EcdsaP256Sha256, signature), Ok(()));
        #[cfg(feature = "p384")]
        assert_eq!(
            verify(
                include_bytes!("../tests/data/p384.spki.der"),
                Algorithm::EcdsaP384Sha384,
                include_bytes!("../tests/data/p384.sig.der"),
            ),
            Err(BadSignature)
        );
        #[cfg(feature = "ed25519")]
        assert_eq!(
            verify(
                include_bytes!("../tests/data/ed25519.spki.der"),
                Algorithm::Ed25519,
                include_bytes!("../tests/data/ed25519.sig.bin"),
            ),
            Err(BadSignature)
        );
    }

    #[test]
    fn a_backend_shows_its_name() {
        assert_eq!(
            format!("{:?}", Backend::PURE_RUST),
            "Backend(\"pure-rust\")"
        );
    }

    /// Nothing is listed that one backend alone would believe.
    #[cfg(feature = "aws-lc-rs")]
    #[test]
    fn both_backends_list_the_same_algorithms() {
        let listed = |backend: Backend| {
            let ids = backend
                .algorithms()
                .iter()
                .map(|algorithm| (algorithm.public_key_alg_id(), algorithm.signature_alg_id()));
            ids.collect::<Vec<_>>()
        };
        assert_eq!(listed(Backend::AWS_LC_RS), listed(Backend::PURE_RUST));
    }

    /// FIPS 180-4 example "abc"; `printf abc | openssl dgst -sha256` prints the same.
    const ABC: [u8; 32] = [
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22,
        0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00,
        0x15, 0xad,
    ];

    #[test]
    fn parts_are_hashed_as_one_text() {
        assert_eq!(Backend::PURE_RUST.sha256(&[b"a", b"", b"bc"]), ABC);
        assert_eq!(Backend::PURE_RUST.sha256(&[b"abc"]), ABC);
        #[cfg(feature = "aws-lc-rs")]
        assert_eq!(Backend::AWS_LC_RS.sha256(&[b"a", b"", b"bc"]), ABC);
        #[cfg(feature = "aws-lc-rs")]
        assert_eq!(Backend::AWS_LC_RS.sha256(&[b"abc"]), ABC);
    }

    #[test]
    fn parts_that_come_one_by_one_are_hashed_as_one_text() {
        let own = Backend::new("own", |_| [0; 32], &[]);
        for backend in [
            Backend::PURE_RUST,
            #[cfg(feature = "aws-lc-rs")]
            Backend::AWS_LC_RS,
            own,
            own.with_hasher(Backend::PURE_RUST.hasher),
        ] {
            let mut hasher = backend.hasher();
            [b"a".as_slice(), b"", b"bc"]
                .iter()
                .for_each(|part| hasher.update(part));
            assert_eq!(hasher.finish(), ABC, "{backend:?}");
        }
    }
}
