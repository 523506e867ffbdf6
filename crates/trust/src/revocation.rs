//! What is known about certificates that were taken back.

mod list;

use alloc::vec::Vec;

use rustls_pki_types::UnixTime;

pub(crate) use list::RevocationList;

use crate::DistinguishedName;

/// What the caller knows about the revocation of the certificates of a path.
#[derive(Clone, Copy, Debug, Default)]
pub enum Revocation<'r> {
    /// Nothing. A path to an anchor whose policy wants a status of the leaf is refused.
    #[default]
    NotChecked,
    /// Revocation lists. Every certificate below the anchor then needs a current list of its issuer
    /// that does not name it (RFC 5280 §6.3).
    Lists(&'r RevocationLists),
    /// What was asked about the leaf, over OCSP for instance. It counts where the policy of the
    /// anchor that verifies the path wants a status, and nowhere else.
    Leaf(LeafStatus),
}

/// What somebody who should know said about a leaf (RFC 6960 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafStatus {
    /// It is not revoked.
    Good,
    /// It is revoked.
    Revoked,
    /// He does not know, or there was no answer that could be believed.
    Unknown,
}

/// Certificate revocation lists (RFC 5280 §5), read and not believed yet: their signatures are
/// verified with the keys of the path that they are used for: that of the certificate's issuer, or
/// another key of the same name if its certificate is for signing lists (`cRLSign`) and an authority of
/// the path issued it (RFC 5280 §6.3.3 (f)).
///
/// A list counts from its `thisUpdate` to its `nextUpdate`, both included, and never without the
/// latter, which §5.1.2.5 demands. Lists of changes (delta), for other issuers (indirect), for some
/// certificates (with an issuing distribution point), with an unknown critical extension, or without
/// a number cannot be used: while one of its issuer counts, nobody knows about a certificate, whatever
/// other lists say.
#[derive(Clone, Debug, Default)]
pub struct RevocationLists {
    lists: Vec<RevocationList>,
}

impl RevocationLists {
    /// Reads lists, each in DER. Several of one issuer may be there: who is named by one that is
    /// current is revoked.
    ///
    /// # Errors
    /// [`RevocationListError`]: too much to read, or the bytes are no list.
    pub fn read<'d>(
        lists: impl IntoIterator<Item = &'d [u8]>,
    ) -> Result<Self, RevocationListError> {
        let (mut read, mut total) = (Vec::new(), 0_usize);
        for (position, der) in lists.into_iter().enumerate() {
            if position == MAX_REVOCATION_LISTS {
                return Err(RevocationListError::TooMany);
            }
            total = total.saturating_add(der.len());
            if total > MAX_REVOCATION_LIST_BYTES {
                return Err(RevocationListError::TooLong);
            }
            let list = RevocationList::read(der);
            read.push(list.ok_or(RevocationListError::Malformed { position })?);
        }
        Ok(Self { lists: read })
    }

    /// What each says about itself, in the order in which they were given.
    pub fn outlines(&self) -> impl Iterator<Item = RevocationListOutline<'_>> {
        self.lists.iter().map(RevocationList::outline)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &RevocationList)> {
        self.lists.iter().enumerate()
    }
}

/// What a revocation list says about itself, for people; nothing of it is verified.
#[derive(Clone, Copy, Debug)]
pub struct RevocationListOutline<'r> {
    /// `issuer`.
    pub issuer: &'r DistinguishedName,
    /// `thisUpdate`.
    pub this_update: UnixTime,
    /// `nextUpdate`; a list without it counts never.
    pub next_update: Option<UnixTime>,
}

/// Why revocation lists cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationListError {
    /// More than [`MAX_REVOCATION_LISTS`].
    #[error("at most {MAX_REVOCATION_LISTS} revocation lists are read")]
    TooMany,
    /// More than [`MAX_REVOCATION_LIST_BYTES`].
    #[error("at most {MAX_REVOCATION_LIST_BYTES} bytes of revocation lists are read")]
    TooLong,
    /// The bytes are no DER `CertificateList` (RFC 5280 §5.1).
    #[error("revocation list {position} is malformed")]
    Malformed {
        /// Which one, from 0.
        position: usize,
    },
}

/// Why nobody knows whether a certificate is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoStatus {
    /// The anchor's policy wants a status of the leaf, and there is none.
    #[error("nobody said so")]
    NotGiven,
    /// No list has its issuer's name.
    #[error("there is no revocation list of its issuer")]
    NoList,
    /// The issuer's list has an extension, or an entry with one, that is not supported (RFC 5280
    /// §5.2, §5.3).
    #[error("its issuer's revocation list has an extension that is not supported")]
    Unsupported,
    /// The issuer's list lacks the version, the number or the next update that RFC 5280 §5.1.2 and
    /// §5.2.3 demand.
    #[error("its issuer's revocation list does not conform")]
    NotConformant,
    /// The issuer's list has not begun.
    #[error("its issuer's revocation list has not begun")]
    NotYetValid,
    /// The issuer should have made a newer list.
    #[error("its issuer's revocation list is out of date")]
    OutOfDate,
    /// The issuer may not sign lists (RFC 5280 §6.3.3 (f)).
    #[error("its issuer's key is not for signing revocation lists")]
    SignerNotAllowed,
    /// The key that signed the certificate did not sign the list.
    #[error("its issuer did not sign the revocation list")]
    BadSignature,
}

impl NoStatus {
    /// Whether there is a list that cannot be used, and may say what others do not.
    pub(crate) fn hides(self) -> bool {
        matches!(self, Self::Unsupported | Self::NotConformant)
    }
}

/// Lists read at once: one for each authority that some dozens of anchors have below them.
pub const MAX_REVOCATION_LISTS: usize = 64;

/// Bytes read of all lists together: some 400,000 revoked certificates.
pub const MAX_REVOCATION_LIST_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;
