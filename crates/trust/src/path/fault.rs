/// What in one certificate breaks RFC 5280's profile (§4), whatever stands around it in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// The issuer is an empty name (§4.1.2.4).
    #[error("its issuer has no name")]
    IssuerEmpty,
    /// An authority's subject is an empty name (§4.1.2.6).
    #[error("it is an authority without a name")]
    SubjectEmpty,
    /// An extension comes twice (§4.2).
    #[error("it has an extension twice")]
    ExtensionRepeated,
    /// The key usage cannot be read, or allows nothing (§4.2.1.3).
    #[error("its key usage is malformed")]
    KeyUsageMalformed,
    /// The key usage does not allow what the certificate is presented for (§4.2.1.12).
    #[error("its key usage does not allow what it is presented for")]
    KeyUsageNotAllowed,
    /// The extended key usage cannot be read (§4.2.1.12).
    #[error("its extended key usage is malformed")]
    PurposesMalformed,
    /// The basic constraints cannot be read (§4.2.1.9).
    #[error("its basic constraints are malformed")]
    BasicConstraintsMalformed,
    /// `keyCertSign` is set, and `cA` is not (§4.2.1.9).
    #[error("it may sign certificates without being an authority")]
    SignsWithoutAuthority,
    /// An authority's basic constraints are not critical (§4.2.1.9).
    #[error("it is an authority whose basic constraints are not critical")]
    BasicConstraintsNotCritical,
    /// The subject alternative names cannot be read, are none, or one is not of its kind's syntax
    /// (§4.2.1.6).
    #[error("a subject alternative name is malformed")]
    AlternativeNameMalformed,
    /// The subject is empty, and no critical subject alternative name stands in for it (§4.2.1.6).
    #[error("it has no subject and no critical subject alternative name")]
    Nameless,
    /// A certificate that is no authority has name constraints (§4.2.1.10).
    #[error("it has name constraints and is no authority")]
    ConstraintsWithoutAuthority,
    /// The name constraints cannot be read, are none, or one is not of its kind's syntax (§4.2.1.10).
    #[error("its name constraints are malformed")]
    ConstraintsMalformed,
}

impl CertificateFault {
    /// A stable name for logs and tests, in kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::IssuerEmpty => "issuer-empty",
            Self::SubjectEmpty => "subject-empty",
            Self::ExtensionRepeated => "extension-repeated",
            Self::KeyUsageMalformed => "key-usage-malformed",
            Self::KeyUsageNotAllowed => "key-usage-not-allowed",
            Self::PurposesMalformed => "extended-key-usage-malformed",
            Self::BasicConstraintsMalformed => "basic-constraints-malformed",
            Self::SignsWithoutAuthority => "signs-without-authority",
            Self::BasicConstraintsNotCritical => "basic-constraints-not-critical",
            Self::AlternativeNameMalformed => "alternative-name-malformed",
            Self::Nameless => "nameless",
            Self::ConstraintsWithoutAuthority => "constraints-without-authority",
            Self::ConstraintsMalformed => "constraints-malformed",
        }
    }
}
