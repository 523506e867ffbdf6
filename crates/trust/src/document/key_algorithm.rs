use der::asn1::{AnyRef, ObjectIdentifier, UintRef};
use der::{Decode, Reader, SliceReader};
use gangplank_key::{Backend, KeyError, PublicKey};
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// The family of an anchor's key, by the name that Java has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA (RFC 8017).
    Rsa,
    /// A key on an elliptic curve that has a name (RFC 5480).
    Ec,
    /// Ed25519 (RFC 8410). Java, and so Eclipse Hono, calls it `EdDSA`.
    EdDsa,
}

impl KeyAlgorithm {
    /// The family of a key, if the bytes are DER SubjectPublicKeyInfo with a key of a family that is
    /// known. Whether gangplank verifies by a key of that size or curve is another question.
    pub(super) fn of(spki: &[u8]) -> Option<Self> {
        let info = SubjectPublicKeyInfoRef::from_der(spki).ok()?;
        let key = info.subject_public_key.as_bytes()?;
        let (algorithm, well_formed) = match info.algorithm.oid {
            RSA_ENCRYPTION => (Self::Rsa, is_rsa_key(key)),
            EC_PUBLIC_KEY => {
                let curve = info.algorithm.parameters_oid().is_ok();
                (Self::Ec, curve && is_point(key))
            }
            ED25519 => (Self::EdDsa, key.len() == 32),
            _ => return None,
        };
        // Where gangplank knows the curve, the point is on it.
        let known = PublicKey::from_spki(spki, Backend::PURE_RUST);
        let off_curve = matches!(known, Err(KeyError::Point(_)));
        (well_formed && !off_curve).then_some(algorithm)
    }

    /// `RSA`, `EC` or `EdDSA`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let mut all = [Self::Rsa, Self::Ec, Self::EdDsa].into_iter();
        all.find(|algorithm| algorithm.name() == name)
    }
}

/// RFC 8017 appendix A.1.1: modulus and exponent.
fn is_rsa_key(key: &[u8]) -> bool {
    let numbers = |key: &[u8]| -> der::Result<()> {
        let mut inner = SliceReader::new(AnyRef::from_der(key)?.value())?;
        let (_, _): (UintRef<'_>, UintRef<'_>) = (inner.decode()?, inner.decode()?);
        inner.finish()
    };
    key.first() == Some(&0x30) && numbers(key).is_ok()
}

/// SEC 1 §2.3.3: compressed or not.
fn is_point(key: &[u8]) -> bool {
    match key.first() {
        Some(4) => key.len() > 1 && key.len() % 2 == 1,
        Some(2 | 3) => key.len() > 1,
        _ => false,
    }
}

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
