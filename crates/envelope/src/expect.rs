use core::time::Duration;

use gangplank_key::UnixTime;

use crate::{Audience, Nonce, NonceIssuer, PayloadType};

/// What a verifier insists on. It has no default: every route says what it expects.
#[derive(Clone, Debug)]
pub struct Expect<'a> {
    /// Which form, and what the payload must be.
    pub form: ExpectedForm,
    /// For whom it must be meant.
    pub audience: ExpectedAudience,
    /// What proves that it is not an old one.
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

/// What proves that a bound envelope is fresh. The plain form cannot be fresh.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Freshness<'a> {
    /// Nothing.
    NotRequired,
    /// `created` within a window.
    Created(Window),
    /// `nonce` equal to the one in the request that this envelope answers.
    Echo(&'a Nonce),
    /// `nonce` issued by this server and not expired at `now`.
    ServerNonce(&'a NonceIssuer, UnixTime),
    /// `created` within the window when it is there, else a nonce of this server: devices with a
    /// clock need one round trip, devices without one are not shut out.
    CreatedOrServerNonce(Window, &'a NonceIssuer),
    /// Both.
    Both(Window, &'a NonceIssuer),
}

/// When `created` counts as now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The verifier's time.
    pub now: UnixTime,
    /// How far `created` may lie in the past.
    pub max_age: Duration,
    /// How far `created` may lie in the future.
    pub max_lead: Duration,
}
