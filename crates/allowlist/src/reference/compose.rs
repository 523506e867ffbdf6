use core::fmt;

use super::{ImageReference, ReferenceError, digest, tag};
use crate::OciDigest;

/// A reference made of its parts, to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComposedReference<'a> {
    name: ImageReference<'a>,
    tag: Option<&'a str>,
    digest: Option<OciDigest<'a>>,
}

impl<'a> ImageReference<'a> {
    /// Of a name, and a tag and a digest where they are given.
    ///
    /// # Errors
    /// [`ReferenceError`] of the first part that is none; its places count within that part.
    pub fn compose(
        name: &'a str,
        tag_text: Option<&'a str>,
        digest_text: Option<&'a str>,
    ) -> Result<ComposedReference<'a>, ReferenceError> {
        if let Some(text) = tag_text {
            let end = tag(text.as_bytes(), 0)?;
            if end < text.len() {
                return Err(ReferenceError::Format { at: end });
            }
        }
        Ok(ComposedReference {
            name: ImageReference::parse_name(name)?,
            tag: tag_text,
            digest: digest_text.map(|text| digest(text, 0)).transpose()?,
        })
    }
}

impl fmt::Display for ComposedReference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        write_after_name(f, self.tag, self.digest)
    }
}

/// Tag and digest, as they follow a name.
pub(super) fn write_after_name(
    f: &mut fmt::Formatter<'_>,
    tag: Option<&str>,
    digest: Option<OciDigest<'_>>,
) -> fmt::Result {
    if let Some(tag) = tag {
        write!(f, ":{tag}")?;
    }
    match digest {
        Some(digest) => write!(f, "@{digest}"),
        None => Ok(()),
    }
}
