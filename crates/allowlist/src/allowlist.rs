use core::fmt;
use core::str::FromStr;

use crate::{Denied, Entry, ImageDigest, Listing, Permit, PinnedImage, Why};

/// Asks a listing whether an image may run, for one tenant, at one time.
///
/// What is not on the list is denied, and so is what cannot be decided: without a listing everything,
/// without a time what begins or ends, without a tenant what counts for one only.
#[derive(Clone, Copy)]
pub struct Allowlist<'l> {
    listing: Option<&'l dyn Listing>,
    tenant: Option<&'l str>,
    now: Option<u64>,
    mode: Mode,
}

impl<'l> Allowlist<'l> {
    /// Without any listing: permits nothing.
    pub const EMPTY: Self = Self {
        listing: None,
        tenant: None,
        now: None,
        mode: Mode::Enforce,
    };

    /// Over a listing, with neither time nor tenant, and enforced.
    pub const fn new(listing: &'l dyn Listing) -> Self {
        Self {
            listing: Some(listing),
            ..Self::EMPTY
        }
    }

    /// At this time, in Unix seconds of a clock that is trusted.
    #[must_use]
    pub const fn at(self, now: u64) -> Self {
        Self {
            now: Some(now),
            ..self
        }
    }

    /// For the devices of this tenant.
    #[must_use]
    pub const fn in_tenant(self, tenant: &'l str) -> Self {
        Self {
            tenant: Some(tenant),
            ..self
        }
    }

    /// Enforced, or only watched.
    #[must_use]
    pub const fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Whether `image` may run.
    ///
    /// # Errors
    /// [`Denied`]: why not. Never in [`Mode::Audit`].
    pub fn permit<'a>(&self, image: PinnedImage<'a>) -> Result<Permit<'a>, Denied>
    where
        'l: 'a,
    {
        let (entry, judged) = match self.look_up(image.digest()) {
            Ok(entry) => (Some(entry), self.judge(&entry, &image)),
            Err(why) => (None, Err(why)),
        };
        let denied = judged.err().map(|why| Denied {
            digest: *image.digest(),
            why,
        });
        match (denied, self.mode) {
            (Some(denied), Mode::Enforce) => Err(denied),
            (would_be_denied, mode) => Ok(Permit::new(image, entry, mode, would_be_denied)),
        }
    }

    fn look_up(&self, digest: &ImageDigest) -> Result<Entry<'l>, Why> {
        let found = self.listing.ok_or(Why::NoList)?.find(digest);
        found.map_err(Why::Damaged)?.ok_or(Why::NotListed)
    }

    /// Whether what the list says of the image counts here and now.
    fn judge(&self, entry: &Entry<'_>, image: &PinnedImage<'_>) -> Result<(), Why> {
        if entry.tenant.is_some() && entry.tenant != self.tenant {
            return Err(Why::OtherTenant);
        }
        let repository = image.reference().name();
        if entry.repository.is_some_and(|only| only != repository) {
            return Err(Why::OtherRepository);
        }
        match (entry.not_before, entry.expires, self.now) {
            (None, None, _) => Ok(()),
            (_, _, None) => Err(Why::NoClock),
            (Some(from), _, Some(now)) if now < from => Err(Why::NotYet { from }),
            (_, Some(at), Some(now)) if now >= at => Err(Why::Expired { at }),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Allowlist<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allowlist")
            .field("tenant", &self.tenant)
            .field("now", &self.now)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// Whether a denial keeps an image from running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// It does not: everything that is pinned runs, and each answer says so. For the days before a list
    /// is complete; whoever switches it on names it.
    Audit,
}

impl Mode {
    /// As configurations name it: `enforce` or `audit`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
        }
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        match name {
            "enforce" => Ok(Self::Enforce),
            "audit" => Ok(Self::Audit),
            _ => Err(UnknownMode),
        }
    }
}

/// A [`Mode`] is named otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mode is enforce or audit")]
pub struct UnknownMode;

#[cfg(test)]
mod tests;
