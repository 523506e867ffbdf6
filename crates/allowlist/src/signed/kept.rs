use alloc::vec::Vec;

use gangplank_key::{Backend, CertificateId};

use super::{Content, ListFormat, ListName};
use crate::{Damaged, Entry, ImageDigest, Listing};

/// What a device remembers of the newest list that it took, through restarts: so that an older one is
/// refused, and the list stays usable without a network.
///
/// Keep its [bytes](Self::encode) where only the device writes. Who can take them away or put back old ones
/// can bring back an old list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub(super) list: ListName,
    pub(super) signer: CertificateId,
    pub(super) version: u64,
    pub(super) format: ListFormat,
    pub(super) content: Content,
    pub(super) not_before: Option<u64>,
    pub(super) expires: u64,
    pub(super) manifest: [u8; 32],
}

impl Kept {
    /// Which list.
    pub const fn list(&self) -> &ListName {
        &self.list
    }

    /// Who signed it.
    pub const fn signer(&self) -> &CertificateId {
        &self.signer
    }

    /// Its version, from 1.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What its bytes are.
    pub const fn format(&self) -> ListFormat {
        self.format
    }

    /// Its bytes, to [check](Content::check) those of a file.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// Unix seconds from which on it counts.
    pub const fn not_before(&self) -> Option<u64> {
        self.not_before
    }

    /// Unix seconds at which it counts no more.
    pub const fn expires(&self) -> u64 {
        self.expires
    }

    /// The list as one whose entries count no longer than it does itself.
    ///
    /// An [`Allowlist`](crate::Allowlist) over it denies everything before the list begins (`not-yet`), once
    /// it has expired (`expired`), and always if it is not told the time (`no-clock`).
    pub const fn over<L: Listing>(&self, listing: L) -> Dated<L> {
        Dated {
            listing,
            not_before: self.not_before,
            expires: self.expires,
        }
    }

    /// Its bytes (docs/allowlist.md, "What a device remembers").
    pub fn encode(&self, backend: Backend) -> Vec<u8> {
        let (list, signer) = (self.list.as_str(), self.signer.as_str());
        let mut bytes = Vec::from(*MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.push(match self.format {
            ListFormat::Text => 1,
            ListFormat::Indexed => 2,
        });
        bytes.push(u8::from(self.not_before.is_some()));
        for text in [list, signer] {
            // Names have at most 64 bytes and ids 128.
            bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        }
        let not_before = self.not_before.unwrap_or_default();
        for number in [self.version, not_before, self.expires, self.content.size] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.content.digest);
        bytes.extend(self.manifest);
        bytes.extend(list.as_bytes());
        bytes.extend(signer.as_bytes());
        let checksum = backend.sha256(&[&bytes]);
        bytes.extend(checksum);
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// [`KeptError`]: the bytes are not whole, or of another version. They are not to be passed over: without
    /// them an old list would pass for a new one.
    pub fn decode(bytes: &[u8], backend: Backend) -> Result<Self, KeptError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(KeptError::NotKept)?;
        let (version, _) = body.split_first_chunk().ok_or(KeptError::Damaged)?;
        if u32::from_le_bytes(*version) != VERSION {
            return Err(KeptError::Version(u32::from_le_bytes(*version)));
        }
        let (before, checksum) = bytes.split_last_chunk::<32>().ok_or(KeptError::Damaged)?;
        if backend.sha256(&[before]) != *checksum {
            return Err(KeptError::Damaged);
        }
        let body = before.get(MAGIC.len() + 4..).unwrap_or_default();
        read(body).ok_or(KeptError::Damaged)
    }
}

/// Made by [`Kept::over`].
#[derive(Clone, Copy, Debug)]
pub struct Dated<L> {
    listing: L,
    not_before: Option<u64>,
    expires: u64,
}

impl<L: Listing> Listing for Dated<L> {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        let found = self.listing.find(digest)?;
        Ok(found.map(|entry| Entry {
            not_before: entry.not_before.max(self.not_before),
            expires: Some(
                entry
                    .expires
                    .map_or(self.expires, |at| at.min(self.expires)),
            ),
            ..entry
        }))
    }
}

/// Bytes are not what a device remembers of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeptError {
    /// They begin otherwise.
    #[error("these bytes are not what is remembered of a signed list")]
    NotKept,
    /// They were written by another version.
    #[error("what is remembered of the list is of version {0}, which this program does not know")]
    Version(u32),
    /// They are not as they were written.
    #[error("what is remembered of the list is damaged")]
    Damaged,
}

/// What stands behind the version.
fn read(body: &[u8]) -> Option<Kept> {
    let ([format, flags, list_length, signer_length], body) = body.split_first_chunk()?;
    let (numbers, body) = body.split_first_chunk::<32>()?;
    let [version, not_before, expires, size] = *numbers.as_chunks::<8>().0 else {
        return None;
    };
    let (digest, body) = body.split_first_chunk()?;
    let (manifest, body) = body.split_first_chunk()?;
    let (list, signer) = body.split_at_checked(usize::from(*list_length))?;
    if signer.len() != usize::from(*signer_length) {
        return None;
    }
    let not_before = u64::from_le_bytes(not_before);
    Some(Kept {
        list: ListName::parse(core::str::from_utf8(list).ok()?).ok()?,
        signer: CertificateId::parse(core::str::from_utf8(signer).ok()?).ok()?,
        version: u64::from_le_bytes(version),
        format: match format {
            1 => ListFormat::Text,
            2 => ListFormat::Indexed,
            _ => return None,
        },
        content: Content {
            size: u64::from_le_bytes(size),
            digest: *digest,
        },
        not_before: match flags {
            0 if not_before == 0 => None,
            1 => Some(not_before),
            _ => return None,
        },
        expires: u64::from_le_bytes(expires),
        manifest: *manifest,
    })
}

const MAGIC: &[u8; 16] = b"gangplank kept\n\x1a";
const VERSION: u32 = 1;
