use core::fmt;

/// The one algorithm a key signs with.
///
/// It follows from the key alone. No name taken from the wire is ever obeyed. An RSA key signs
/// with [`RsaPkcs1Sha256`](Self::RsaPkcs1Sha256) unless its holder says
/// [otherwise](crate::PublicKey::using).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA over NIST P-256 with SHA-256 (FIPS 186-5 §6).
    EcdsaP256Sha256,
    /// ECDSA over NIST P-384 with SHA-384 (FIPS 186-5 §6).
    EcdsaP384Sha384,
    /// Ed25519, strictly: no small-order and no non-canonical points (RFC 8032 §5.1).
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    RsaPkcs1Sha256,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and 32 bytes of salt (RFC 8017 §8.1), as Margo
    /// 1.0 uses it in HTTP message signatures.
    RsaPssSha256,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512 and 64 bytes of salt (RFC 9421 §3.3.1).
    RsaPssSha512,
}

impl Algorithm {
    /// The algorithm's name in the HTTP Signature Algorithms registry (RFC 9421 §6.2.2).
    /// `rsa-pss-sha256` is not in it, but in Margo 1.0.
    pub fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Self::Ed25519 => "ed25519",
            Self::RsaPkcs1Sha256 => "rsa-v1_5-sha256",
            Self::RsaPssSha256 => "rsa-pss-sha256",
            Self::RsaPssSha512 => "rsa-pss-sha512",
        }
    }

    /// Whether it is one of the paddings that an RSA key can be used with.
    pub fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::RsaPkcs1Sha256 | Self::RsaPssSha256 | Self::RsaPssSha512
        )
    }

    /// Whether the message is hashed with SHA-256 before anything else happens to it.
    pub(crate) fn hashes_with_sha256(self) -> bool {
        matches!(
            self,
            Self::EcdsaP256Sha256 | Self::RsaPkcs1Sha256 | Self::RsaPssSha256
        )
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
