use core::fmt;

use crate::{ImageDigest, ImageReference, ReferenceError};

/// An image that is named by its SHA-256, which no registry can change: what a list is asked about.
///
/// The digest alone decides which image it is. Domain and path only say where it is found, and a tag
/// says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinnedImage<'a> {
    reference: ImageReference<'a>,
    digest: ImageDigest,
}

impl<'a> PinnedImage<'a> {
    /// Reads a reference that has to end with `@sha256:` and 64 lower-case hex digits.
    ///
    /// # Errors
    /// [`NotPinned`]: it is no reference, or not pinned by a SHA-256.
    pub fn parse(text: &'a str) -> Result<Self, NotPinned> {
        ImageReference::parse(text)
            .map_err(NotPinned::Reference)?
            .try_into()
    }

    /// What it is called.
    pub const fn reference(&self) -> &ImageReference<'a> {
        &self.reference
    }

    /// Which image it is.
    pub const fn digest(&self) -> &ImageDigest {
        &self.digest
    }
}

impl<'a> TryFrom<ImageReference<'a>> for PinnedImage<'a> {
    type Error = NotPinned;

    fn try_from(reference: ImageReference<'a>) -> Result<Self, NotPinned> {
        let digest = reference.digest().ok_or(NotPinned::NoDigest)?;
        let digest = digest.image_digest().ok_or(NotPinned::Algorithm)?;
        Ok(Self { reference, digest })
    }
}

/// The reference, as it was read.
impl fmt::Display for PinnedImage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reference.fmt(f)
    }
}

/// Why a text is no [`PinnedImage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotPinned {
    /// A tag, or nothing, says which image it is: something else tomorrow.
    #[error("the image is not pinned by a digest")]
    NoDigest,
    /// It is pinned by another digest than a SHA-256.
    #[error("the image is pinned by another digest than a SHA-256")]
    Algorithm,
    /// It is no reference at all.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
}

impl NotPinned {
    /// A word for programs, which stays as it is: `no-digest`, `algorithm` or `malformed`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoDigest => "no-digest",
            Self::Algorithm => "algorithm",
            Self::Reference(ReferenceError::Algorithm { .. }) => "algorithm",
            Self::Reference(_) => "malformed",
        }
    }
}
