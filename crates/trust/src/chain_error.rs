use alloc::string::String;

use gangplank_key::{KeyError, UnixTime};

use crate::{CertificateFault, NoStatus, Retry, SubjectError};

/// Why a certificate chain is not believed. Times are Unix seconds; a position counts from the leaf,
/// which is 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// There is no certificate.
    #[error("the sender presented no certificate")]
    Empty,
    /// More than [`MAX_CERTIFICATES`](crate::MAX_CERTIFICATES).
    #[error("the sender presented {count} certificates, at most 8 are read")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A certificate is longer than [`MAX_CERTIFICATE_BYTES`](crate::MAX_CERTIFICATE_BYTES).
    #[error("certificate {position} has {length} bytes, at most 16384 are read")]
    TooLong {
        /// Which one.
        position: usize,
        /// Its bytes.
        length: usize,
    },
    /// The bytes are no X.509 version 3 certificate that this crate can read.
    #[error("certificate {position} is malformed")]
    Malformed {
        /// Which one.
        position: usize,
    },
    /// The leaf's key cannot be used.
    #[error("the leaf's key cannot be used: {0}")]
    Key(KeyError),
    /// The key of an authority in the path cannot be used.
    #[error("the key of an authority in the path cannot be used: {0}")]
    AuthorityKey(KeyError),
    /// The leaf's subject yields no certificate id.
    #[error("the leaf names no device: {0}")]
    SubjectUnusable(SubjectError),
    /// The leaf has ended.
    #[error("the leaf ended at {}", not_after.as_secs())]
    LeafExpired {
        /// Its last second.
        not_after: UnixTime,
    },
    /// The leaf has not begun.
    #[error("the leaf begins at {}", not_before.as_secs())]
    LeafNotYetValid {
        /// Its first second.
        not_before: UnixTime,
    },
    /// A certificate between leaf and anchor has ended.
    #[error("the intermediate certificate ended at {}", not_after.as_secs())]
    IntermediateExpired {
        /// Its last second.
        not_after: UnixTime,
    },
    /// A certificate between leaf and anchor has not begun.
    #[error("the intermediate certificate begins at {}", not_before.as_secs())]
    IntermediateNotYetValid {
        /// Its first second.
        not_before: UnixTime,
    },
    /// The leaf is an authority (`cA` set).
    #[error(
        "the leaf is a certificate authority; pin it if it is a self-signed device certificate"
    )]
    LeafIsCa,
    /// A certificate has an extended key usage, and the purpose is not in it.
    #[error("a certificate of the path is not for {needed}")]
    PurposeNotAllowed {
        /// The purpose.
        needed: &'static str,
    },
    /// A certificate has a critical extension that is not supported (RFC 5280 §4.2).
    #[error("a certificate of the path has an unknown critical extension")]
    UnknownCriticalExtension,
    /// More authorities below one another than an authority allows (RFC 5280 §4.2.1.9), or than six.
    #[error("the path has too many intermediate certificates")]
    PathTooLong,
    /// A name that an authority above does not allow (RFC 5280 §4.2.1.10).
    #[error("a name in the path is outside an authority's name constraints")]
    NameNotAllowed,
    /// A certificate in the middle of the path is no authority.
    #[error("a certificate of the path was issued by one that is no authority")]
    IssuerIsNoCa,
    /// A certificate is signed with an algorithm the backend does not verify, or not for such a key.
    #[error("a certificate of the path is signed with an unsupported algorithm")]
    UnsupportedSignature,
    /// There is no trust anchor.
    #[error("the tenant has no trust anchor")]
    NoUsableAnchor,
    /// No anchor has the name of the path's last issuer.
    #[error("no trust anchor has the issuer's name")]
    NoAnchorForIssuer,
    /// An anchor has the issuer's name, but the signature is not its.
    #[error("no trust anchor of the issuer's name made the signature")]
    BadSignature,
    /// The anchor that verifies the path has ended.
    #[error("the trust anchor {anchor} ended at {}", not_after.as_secs())]
    AnchorExpired {
        /// Its id.
        anchor: String,
        /// Its last second.
        not_after: UnixTime,
    },
    /// The anchor that verifies the path has not begun.
    #[error("the trust anchor {anchor} begins at {}", not_before.as_secs())]
    AnchorNotYetValid {
        /// Its id.
        anchor: String,
        /// Its first second.
        not_before: UnixTime,
    },
    /// The certificate given as the root is no certificate authority.
    #[error("the root is not a certificate authority")]
    RootUnusable,
    /// The sender's certificates ask for more work than is spent on them.
    #[error("the certificates allow too many paths")]
    TooComplex,
    /// A certificate of the path breaks RFC 5280's profile by itself.
    #[error("certificate {position} of the path does not conform: {fault}")]
    NotConformant {
        /// Where it is in the path: 0 is the leaf, the last is the anchor.
        position: usize,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// A certificate of the path was taken back.
    #[error("certificate {position} of the path is revoked")]
    Revoked {
        /// Where it is in the path: 0 is the leaf.
        position: usize,
    },
    /// Whether a certificate of the path was taken back has to be known, and is not.
    #[error("nobody knows whether certificate {position} of the path is revoked: {why}")]
    RevocationUnknown {
        /// Where it is in the path: 0 is the leaf.
        position: usize,
        /// Why not.
        why: NoStatus,
    },
    /// Anything else that RFC 5280 §6 refuses.
    #[error("the path is invalid: {0}")]
    PathInvalid(String),
}

impl ChainError {
    /// A stable name for logs and tests, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "certificate-not-presented",
            Self::TooMany { .. } | Self::TooLong { .. } => "chain-too-large",
            Self::Malformed { .. } => "certificate-malformed",
            Self::Key(_) | Self::AuthorityKey(_) => "key-not-supported",
            Self::SubjectUnusable(_) => "subject-unusable",
            Self::LeafExpired { .. } => "leaf-expired",
            Self::LeafNotYetValid { .. } => "leaf-not-yet-valid",
            Self::IntermediateExpired { .. } => "intermediate-expired",
            Self::IntermediateNotYetValid { .. } => "intermediate-not-yet-valid",
            Self::LeafIsCa => "leaf-is-ca",
            Self::PurposeNotAllowed { .. } => "purpose-not-allowed",
            Self::UnknownCriticalExtension => "unknown-critical-extension",
            Self::PathTooLong => "path-too-long",
            Self::NameNotAllowed => "name-not-allowed",
            Self::IssuerIsNoCa => "issuer-is-no-ca",
            Self::UnsupportedSignature => "signature-not-supported",
            Self::NoUsableAnchor => "no-usable-anchor",
            Self::NoAnchorForIssuer => "no-anchor-for-issuer",
            Self::BadSignature => "bad-signature",
            Self::AnchorExpired { .. } => "anchor-expired",
            Self::AnchorNotYetValid { .. } => "anchor-not-yet-valid",
            Self::RootUnusable => "root-unusable",
            Self::TooComplex => "chain-too-complex",
            Self::NotConformant { fault, .. } => fault.code(),
            Self::Revoked { .. } => "revoked",
            Self::RevocationUnknown { .. } => "revocation-unknown",
            Self::PathInvalid(_) => "path-invalid",
        }
    }

    /// Whether the same certificates can be believed later without anybody's doing.
    pub fn retry(&self) -> Retry {
        match self {
            Self::LeafNotYetValid { .. }
            | Self::IntermediateNotYetValid { .. }
            | Self::AnchorNotYetValid { .. }
            // Somebody renews the list, or answers again.
            | Self::RevocationUnknown { .. } => Retry::Later,
            _ => Retry::Never,
        }
    }
}
