use crate::{Damaged, ImageDigest};

/// An image may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{digest} {why}")]
pub struct Denied {
    /// What was asked about.
    pub digest: ImageDigest,
    /// Why not.
    pub why: Why,
}

impl Denied {
    /// A word for programs, which stays as it is: that of [`Why::code`].
    pub const fn code(&self) -> &'static str {
        self.why.code()
    }
}

/// Why an image may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// There is no list to look into.
    #[error("is denied, as there is no list")]
    NoList,
    /// The list does not have it.
    #[error("is not on the list")]
    NotListed,
    /// It counted until then.
    #[error("was listed until {at} (Unix seconds)")]
    Expired {
        /// Unix seconds: the first moment at which it did not count.
        at: u64,
    },
    /// It will count from then on.
    #[error("is listed from {from} on (Unix seconds)")]
    NotYet {
        /// Unix seconds.
        from: u64,
    },
    /// It counts for some time, and nobody said what time it is.
    #[error("is listed for some time, and there is no clock to tell")]
    NoClock,
    /// It counts for the devices of another tenant.
    #[error("is listed for another tenant")]
    OtherTenant,
    /// It counts under another name.
    #[error("is listed for another repository")]
    OtherRepository,
    /// The part of the list that could have it is not as it was written.
    #[error("cannot be looked up: {0}")]
    Damaged(Damaged),
}

impl Why {
    /// A word for programs, which stays as it is: `no-list`, `not-listed`, `expired`, `not-yet`,
    /// `no-clock`, `other-tenant`, `other-repository` or `damaged`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoList => "no-list",
            Self::NotListed => "not-listed",
            Self::Expired { .. } => "expired",
            Self::NotYet { .. } => "not-yet",
            Self::NoClock => "no-clock",
            Self::OtherTenant => "other-tenant",
            Self::OtherRepository => "other-repository",
            Self::Damaged(_) => "damaged",
        }
    }
}
