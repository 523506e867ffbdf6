use gangplank_allowlist::{Damaged, Entry, ImageDigest, Listing};
use gangplank_trust::TenantId;
use rustls_pki_types::UnixTime;

use super::{Actor, Expected, Store, StoreError};

/// An image on a tenant's allowlist, and what is said of it. Nothing said is no bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedImage {
    /// Which it is.
    pub digest: ImageDigest,
    /// From when on it counts.
    pub not_before: Option<UnixTime>,
    /// When it counts no more.
    pub expires: Option<UnixTime>,
    /// The only repository that it may be named after.
    pub repository: Option<String>,
    /// Who put it on the list.
    pub owner: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl AllowedImage {
    /// Without bounds.
    pub fn new(digest: ImageDigest) -> Self {
        Self {
            digest,
            not_before: None,
            expires: None,
            repository: None,
            owner: None,
            reason: None,
        }
    }

    /// As a list answers; the tenant is that of the list.
    pub fn entry(&self) -> Entry<'_> {
        let mut entry = Entry::default();
        entry.not_before = self.not_before.map(|time| time.as_secs());
        entry.expires = self.expires.map(|time| time.as_secs());
        entry.repository = self.repository.as_deref();
        entry.owner = self.owner.as_deref();
        entry.reason = self.reason.as_deref();
        entry
    }
}

/// What the store answered about the one digest that it was asked for, as a list of that one.
pub(crate) struct Found(pub(crate) Option<AllowedImage>);

impl Listing for Found {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        let found = self.0.as_ref().filter(|image| image.digest == *digest);
        Ok(found.map(AllowedImage::entry))
    }
}

/// Whether the tenant is there, and so its list: what is said of one digest does not tell.
pub(crate) async fn has_allowlist(
    store: &dyn Store,
    tenant: &TenantId,
) -> Result<bool, StoreError> {
    let query = AllowlistQuery {
        tenant: tenant.clone(),
        after: None,
        limit: 0,
    };
    Ok(store.allowlist(&query).await?.is_some())
}

/// How a tenant's allowlist stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllowlistHead {
    /// Greater after each change; 0 of a list that nobody ever changed.
    pub revision: u64,
    /// How many images it has.
    pub images: u64,
}

/// Which images to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowlistQuery {
    /// Whose list.
    pub tenant: TenantId,
    /// Only those after this one; all from the first if [`None`].
    pub after: Option<ImageDigest>,
    /// At most so many, and never more than [`MAX_PAGE`](super::MAX_PAGE).
    pub limit: usize,
}

/// A part of a tenant's allowlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowlistPage {
    /// How the whole list stands.
    pub head: AllowlistHead,
    /// In the order of their digests.
    pub images: Vec<AllowedImage>,
}

/// What [`Store::change_allowlist`](super::Store::change_allowlist) is to do.
#[derive(Clone, Debug)]
pub struct AllowlistChange {
    /// Whose list.
    pub tenant: TenantId,
    /// Its revision. A list is always there, if the tenant is.
    pub expected: Expected,
    /// One after the other.
    pub edits: Vec<AllowlistEdit>,
    /// Who asks.
    pub actor: Actor,
    /// When.
    pub at: UnixTime,
}

/// One step of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowlistEdit {
    /// Takes all images off the list.
    Clear,
    /// Puts an image on it; what was said of it before is forgotten.
    Add(AllowedImage),
    /// Puts an image on it, unless its digest is there: then what was said of it stays.
    AddIfAbsent(AllowedImage),
    /// Takes an image off it, if it is there.
    Remove(ImageDigest),
}

/// The answer to a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowlistOutcome {
    /// The list as it is now. The revision is that of before if nothing had to be changed.
    Done {
        /// How it stands.
        head: AllowlistHead,
        /// Images that were put on it, or of which something else is said.
        added: u64,
        /// Images that were taken off it.
        removed: u64,
    },
    /// There is no such tenant; nothing changed.
    NoSuchTenant,
    /// The list has another revision; nothing changed.
    Unexpected {
        /// The one that it has.
        current: u64,
    },
    /// There would be more than [`MAX_ALLOWED_IMAGES`](super::MAX_ALLOWED_IMAGES); nothing changed.
    Full,
}
