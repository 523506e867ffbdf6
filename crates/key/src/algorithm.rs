use core::fmt;

/// The one algorithm a key signs with.
///
/// It follows from the key alone. No name taken from the wire is ever obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA over NIST P-256 with SHA-256 (FIPS 186-5 §6).
    EcdsaP256Sha256,
    /// Ed25519, strictly: no small-order and no non-canonical points (RFC 8032 §5.1).
    Ed25519,
}

impl Algorithm {
    /// The algorithm's name in the HTTP Signature Algorithms registry (RFC 9421 §6.2.2).
    pub fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
