/// What a fleet manager accepts where Margo 1.0 leaves the choice. It has no default: every server
/// says what it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Whether `"@authority"` must be covered.
    pub authority: AuthorityRule,
    /// Which paddings an RSA key may sign with.
    pub rsa: RsaPaddings,
    /// Whether Ed25519 keys may sign.
    pub ed25519: Ed25519Rule,
    /// How the names of covered fields may be written.
    pub names: ComponentNames,
}

impl Profile {
    /// What Margo 1.0 obliges a server to accept, and nothing more.
    pub const MARGO_1_0: Self = Self {
        authority: AuthorityRule::Optional,
        rsa: RsaPaddings::PssThenPkcs1,
        ed25519: Ed25519Rule::Refused,
        names: ComponentNames::SmallLetters,
    };
}

/// Whether `"@authority"` must be covered. `"@target-uri"` holds it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityRule {
    /// Margo's text asks for `"@method"` and `"@target-uri"` only.
    Optional,
    /// As the reference server has it.
    Required,
}

/// Which paddings an RSA key may sign with. Margo wants both accepted, and lets a client leave out
/// `alg`: then they are tried in this order. A key may be used for both, since no message that is
/// well-formed under one is under the other (RFC 8017 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaPaddings {
    /// RSASSA-PSS with SHA-256 (`rsa-pss-sha256`), then PKCS#1 v1.5 (`rsa-v1_5-sha256`).
    PssThenPkcs1,
    /// RSASSA-PSS with SHA-256 only.
    Pss,
    /// PKCS#1 v1.5 only.
    Pkcs1,
}

/// Whether Ed25519 keys may sign, which Margo does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ed25519Rule {
    /// No.
    Refused,
    /// Yes.
    Accepted,
}

/// How the names of covered fields may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComponentNames {
    /// In small letters (RFC 9421 §2.1).
    SmallLetters,
    /// `"Content-Digest"` is accepted, too: Margo's text prints it so.
    ContentDigestWithCapitals,
}
