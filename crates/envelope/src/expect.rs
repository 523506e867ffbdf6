use gangplank_freshness::Freshness;

use crate::{Audience, PayloadType};

/// What a verifier insists on. It has no default: every route says what it expects.
#[derive(Clone, Debug)]
pub struct Expect<'a> {
    /// Which form, and what the payload must be.
    pub form: ExpectedForm,
    /// For whom it must be meant.
    pub audience: ExpectedAudience,
    /// What proves that a bound envelope is not an old one. The plain form cannot be fresh.
    pub freshness: Freshness<'a>,
}

/// Which form is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedForm {
    /// The bound form of exactly this type.
    Bound(PayloadType),
    /// The bound form of any type: for tools that look at other people's envelopes.
    BoundAnyType,
    /// The plain form, for devices that know no other; it has no freshness and no audience.
    Plain,
    /// The plain form, or the bound form of exactly this type.
    PlainOrBound(PayloadType),
    /// Any form of any type: for tools that look at other people's envelopes.
    Any,
}

/// Which audience is accepted in the bound form. The plain form has none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedAudience {
    /// Exactly this one; it must be there.
    Exactly(Audience),
    /// Whatever it is, or none.
    NotCompared,
}
