use core::fmt;

use crate::{Denied, Entry, ImageDigest, Mode, PinnedImage};

/// The proof that a list was asked, and of which image: what a launcher takes.
///
/// Only [`Allowlist::permit`](crate::Allowlist::permit) makes one. It is good for one launch, so it can
/// be neither cloned
///
/// ```compile_fail,E0599
/// fn twice(permit: gangplank_allowlist::Permit<'_>) {
///     let again = permit.clone();
/// }
/// ```
///
/// nor made of its parts:
///
/// ```compile_fail,E0451
/// use gangplank_allowlist::{Mode, Permit, PinnedImage};
///
/// fn forged(image: PinnedImage<'_>) -> Permit<'_> {
///     Permit { image, entry: None, mode: Mode::Enforce, would_be_denied: None }
/// }
/// ```
#[derive(Debug)]
#[must_use = "a permit starts nothing by itself"]
pub struct Permit<'a> {
    image: PinnedImage<'a>,
    entry: Option<Entry<'a>>,
    mode: Mode,
    would_be_denied: Option<Denied>,
}

impl<'a> Permit<'a> {
    pub(crate) const fn new(
        image: PinnedImage<'a>,
        entry: Option<Entry<'a>>,
        mode: Mode,
        would_be_denied: Option<Denied>,
    ) -> Self {
        Self {
            image,
            entry,
            mode,
            would_be_denied,
        }
    }

    /// Which image may run.
    pub const fn image(&self) -> &PinnedImage<'a> {
        &self.image
    }

    /// Its digest.
    pub const fn digest(&self) -> &ImageDigest {
        self.image.digest()
    }

    /// What the list says of it; `None` only if it [would be denied](Self::would_be_denied).
    pub const fn entry(&self) -> Option<&Entry<'a>> {
        self.entry.as_ref()
    }

    /// How the list was asked.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Why the image runs in [`Mode::Audit`] only.
    pub const fn would_be_denied(&self) -> Option<&Denied> {
        self.would_be_denied.as_ref()
    }
}

/// One line for a log; in [`Mode::Audit`] it begins with `AUDIT MODE`.
impl fmt::Display for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mode == Mode::Audit {
            f.write_str("AUDIT MODE: ")?;
        }
        match &self.would_be_denied {
            None => write!(f, "{} may run", self.image),
            Some(denied) => write!(f, "{} would be denied: {denied}", self.image),
        }
    }
}
