//! Lists that somebody signed: a manifest in an envelope says which bytes the list has, which version it is
//! and until when it counts (`docs/allowlist.md`, "Signed lists").
//!
//! This fetches nothing, keeps nothing and reads no clock. What a device does with it:
//!
//! ```
//! use gangplank_allowlist::signed::{ExpectedList, ExpectedName, Kept, ListName, SignedList};
//! use gangplank_allowlist::{Allowlist, PinnedImage};
//! use gangplank_envelope::ExpectedAudience;
//! use gangplank_key::{Backend, TrustedKey};
//!
//! fn may_run(
//!     image: PinnedImage<'_>,
//!     (envelope, list): (&[u8], &[u8]),
//!     signer: &TrustedKey,
//!     remembered: Option<&[u8]>,
//!     now: u64,
//! ) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
//!     let expect = ExpectedList {
//!         name: ExpectedName::Exactly(ListName::parse("plant-7")?),
//!         audience: ExpectedAudience::NotCompared,
//!     };
//!     let backend = Backend::PURE_RUST;
//!     let before = remembered.map(|bytes| Kept::decode(bytes, backend)).transpose()?;
//!
//!     let verified = SignedList::new(envelope).verify(signer, &expect)?;
//!     let kept = verified.follow(before.as_ref())?; // not older than what was there
//!     let list = verified.check(list)?.text()?; // the bytes that were signed
//!     let list = kept.over(list); // for as long as the list counts
//!     let _permit = Allowlist::new(&list).at(now).permit(image)?;
//!     Ok(kept.encode(backend)) // to be remembered, once it is on disk
//! }
//! ```

mod content;
mod delta;
mod json;
mod kept;
mod manifest;

use alloc::vec::Vec;

use gangplank_envelope::{
    DecodeError, Envelope, Expect, ExpectedAudience, ExpectedForm, Freshness, Limits, PayloadType,
    VerifyError,
};
use gangplank_key::{Backend, CertificateId, TrustedKey};

pub use content::{Checking, Content, ContentError, VerifiedBytes};
pub use delta::{DeltaError, write_delta};
pub use kept::{Dated, Kept, KeptError};
pub use manifest::{ListDelta, ListFormat, ListManifest, ListName, ListNameError, ManifestError};

/// An envelope that may hold a list's manifest. Nothing in it is believed.
#[derive(Clone, Copy)]
pub struct SignedList<'w> {
    envelope: &'w [u8],
}

/// Which list is expected. It has no default.
#[derive(Clone, Debug)]
pub struct ExpectedList {
    /// Its name.
    pub name: ExpectedName,
    /// For whom it must be meant.
    pub audience: ExpectedAudience,
}

/// Which name is accepted. A signer may have many lists, and each is signed for its own place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedName {
    /// Exactly this one.
    Exactly(ListName),
    /// Whatever it is: for tools that look at other people's lists. Of a list that
    /// [follows](VerifiedManifest::follow) another the name is compared nevertheless.
    NotCompared,
}

impl<'w> SignedList<'w> {
    /// Of the envelope's text.
    pub const fn new(envelope: &'w [u8]) -> Self {
        Self { envelope }
    }

    /// The only road to a [`VerifiedManifest`]. `key` is that of a signer who may decide what runs; the
    /// bytes of the list are hashed by its backend, too.
    ///
    /// Freshness is not asked of the envelope: the list's version and expiry are what makes it fresh.
    ///
    /// # Errors
    /// [`SignedListError`]: it is no envelope, nobody trusted signed it, or it is another list's.
    pub fn verify(
        &self,
        key: &TrustedKey,
        expect: &ExpectedList,
    ) -> Result<VerifiedManifest, SignedListError> {
        let mut scratch = Vec::new();
        let envelope = Envelope::decode(self.envelope, &LIMITS, &mut scratch)?;
        let verified = envelope.verify(
            key,
            &Expect {
                form: ExpectedForm::Bound(PayloadType::ALLOWLIST),
                audience: expect.audience.clone(),
                freshness: Freshness::NotRequired,
            },
        )?;
        let manifest = ListManifest::parse(verified.payload())?;
        match &expect.name {
            ExpectedName::Exactly(expected) if *expected != manifest.name => {
                return Err(SignedListError::OtherList {
                    expected: expected.clone(),
                    found: manifest.name,
                });
            }
            _ => {}
        }
        let backend = key.key().backend();
        Ok(VerifiedManifest {
            manifest,
            signer: key.id().clone(),
            payload: backend.sha256(&[verified.payload()]),
            backend,
        })
    }
}

/// A manifest that a trusted signer signed for the expected list.
///
/// Only [`SignedList::verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedManifest {
    manifest: ListManifest,
    signer: CertificateId,
    payload: [u8; 32],
    backend: Backend,
}

impl VerifiedManifest {
    /// What it says.
    pub const fn manifest(&self) -> &ListManifest {
        &self.manifest
    }

    /// Who signed it.
    pub const fn signer(&self) -> &CertificateId {
        &self.signer
    }

    /// The list's bytes. A list of any size is checked part by part with [`Content::checking`].
    pub const fn content(&self) -> Content {
        Content {
            size: self.manifest.size,
            digest: self.manifest.digest,
        }
    }

    /// Whether `bytes` are the list's.
    ///
    /// # Errors
    /// [`ContentError`]: they are others.
    pub fn check<'b>(&self, bytes: &'b [u8]) -> Result<VerifiedBytes<'b>, ContentError> {
        self.content().check(bytes, self.backend)
    }

    /// A check of bytes that come in parts.
    pub fn checking(&self) -> Checking {
        self.content().checking(self.backend)
    }

    /// What is to be remembered from now on, if this list may follow the one that was remembered: a later
    /// version, or the same manifest once more, which changes nothing.
    ///
    /// Remember it durably only when the list's bytes have been checked and are durable, and before an image
    /// is permitted by them.
    ///
    /// # Errors
    /// [`Rollback`]: an earlier version, the same version with other content, or another list or signer.
    pub fn follow(&self, previous: Option<&Kept>) -> Result<Kept, Rollback> {
        let ListManifest { name, version, .. } = &self.manifest;
        if let Some(kept) = previous {
            if kept.list != *name {
                return Err(Rollback::OtherList);
            }
            if kept.signer != self.signer {
                return Err(Rollback::OtherSigner {
                    kept: kept.signer.clone(),
                });
            }
            if *version < kept.version {
                return Err(Rollback::Older {
                    kept: kept.version,
                    found: *version,
                });
            }
            if *version == kept.version && self.payload != kept.manifest {
                return Err(Rollback::Replaced { version: *version });
            }
        }
        Ok(Kept {
            list: name.clone(),
            signer: self.signer.clone(),
            version: *version,
            format: self.manifest.format,
            content: self.content(),
            not_before: self.manifest.not_before,
            expires: self.manifest.expires,
            manifest: self.payload,
        })
    }

    const fn backend(&self) -> Backend {
        self.backend
    }
}

/// Why an envelope is no manifest to believe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignedListError {
    /// No envelope.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Not signed by this signer, as a list, for this audience.
    #[error(transparent)]
    Envelope(#[from] VerifyError),
    /// Signed, and no manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The manifest of another list.
    #[error("the manifest is that of the list {found}, not of {expected}")]
    OtherList {
        /// Which list was expected.
        expected: ListName,
        /// Whose manifest it is.
        found: ListName,
    },
}

/// Why a signed list may not follow the one that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rollback {
    /// Another list is remembered.
    #[error("what is remembered is of another list")]
    OtherList,
    /// The list is remembered from another signer.
    #[error("the list was signed by {kept} before")]
    OtherSigner {
        /// By whom.
        kept: CertificateId,
    },
    /// A later version was there.
    #[error("version {found} is older than version {kept}, which was there before")]
    Older {
        /// The version that is remembered.
        kept: u64,
        /// The version that was offered.
        found: u64,
    },
    /// The same version was there, and said something else.
    #[error("version {version} was there before with another manifest")]
    Replaced {
        /// The version.
        version: u64,
    },
}

/// A manifest has less than 1 KiB; the rest is room for space between its members.
const LIMITS: Limits = Limits {
    payload: 4 << 10,
    ..Limits::DEFAULT
};

#[cfg(test)]
mod tests;
