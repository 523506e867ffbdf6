use alloc::boxed::Box;

use gangplank_key::{Backend, Sha256Hasher};

use crate::text::{CanonicalText, NotCanonical};

/// How many bytes something has, and their SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Bytes.
    pub size: u64,
    /// Their SHA-256.
    pub digest: [u8; 32],
}

impl Content {
    /// Whether `bytes` are these, hashed by `backend`.
    ///
    /// # Errors
    /// [`ContentError`]: they are others.
    pub fn check<'b>(
        &self,
        bytes: &'b [u8],
        backend: Backend,
    ) -> Result<VerifiedBytes<'b>, ContentError> {
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if found != self.size {
            return Err(ContentError::Size {
                expected: self.size,
            });
        }
        match backend.sha256(&[bytes]) == self.digest {
            true => Ok(VerifiedBytes { bytes }),
            false => Err(ContentError::Digest),
        }
    }

    /// The same for bytes that come in parts.
    pub fn checking(&self, backend: Backend) -> Checking {
        Checking {
            expected: *self,
            left: self.size,
            hasher: backend.hasher(),
        }
    }
}

/// Bytes that are being compared with what they should be, part by part.
pub struct Checking {
    expected: Content,
    left: u64,
    hasher: Box<dyn Sha256Hasher>,
}

impl Checking {
    /// The next bytes. What they are part of is not known to be right before [`finish`](Self::finish).
    ///
    /// # Errors
    /// [`ContentError::Size`]: there are too many, so that nobody has to wait for their end.
    pub fn feed(&mut self, part: &[u8]) -> Result<(), ContentError> {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        let expected = self.expected.size;
        self.left = (self.left.checked_sub(length)).ok_or(ContentError::Size { expected })?;
        self.hasher.update(part);
        Ok(())
    }

    /// Whether all that was fed is what it should be.
    ///
    /// # Errors
    /// [`ContentError`]: it is not.
    pub fn finish(self) -> Result<(), ContentError> {
        if self.left != 0 {
            return Err(ContentError::Size {
                expected: self.expected.size,
            });
        }
        match self.hasher.finish() == self.expected.digest {
            true => Ok(()),
            false => Err(ContentError::Digest),
        }
    }
}

impl core::fmt::Debug for Checking {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Checking")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// The bytes of a list, as their signer signed them.
///
/// Only a check makes them, of a [`VerifiedManifest`](super::VerifiedManifest) or of what was
/// [`Kept`](super::Kept) of one.
#[derive(Clone, Copy)]
pub struct VerifiedBytes<'b> {
    bytes: &'b [u8],
}

impl<'b> VerifiedBytes<'b> {
    /// The bytes.
    pub const fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// The bytes as a list as text.
    ///
    /// # Errors
    /// [`NotCanonical`]: the signer signed something else.
    pub fn text(&self) -> Result<CanonicalText<'b>, NotCanonical> {
        CanonicalText::read(self.bytes)
    }
}

impl core::fmt::Debug for VerifiedBytes<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("VerifiedBytes")
            .field(&self.bytes.len())
            .finish()
    }
}

/// Bytes are not those that were signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// They are more or fewer.
    #[error("there are not {expected} bytes, as there have to be")]
    Size {
        /// How many there have to be.
        expected: u64,
    },
    /// They are as many, and others.
    #[error("the bytes do not have the SHA-256 that was signed")]
    Digest,
}
