mod compose;
mod docker;
mod error;
mod pattern;
pub(crate) mod scan;

use core::fmt;

pub use compose::ComposedReference;
pub use docker::{AnyReference, DockerReference};
pub use error::ReferenceError;

use crate::OciDigest;

/// What an image is called: `[domain/]path[:tag][@digest]`, by the grammar of distribution/reference.
///
/// The text is taken as it is: nothing is trimmed, folded or filled in. What Docker makes of a short
/// name is [`DockerReference`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageReference<'a> {
    text: &'a str,
    /// 0 if there is no domain, else the byte after the slash that follows it.
    path_at: usize,
    name_end: usize,
    /// That of the name if there is no tag.
    tag_end: usize,
    digest: Option<OciDigest<'a>>,
}

impl<'a> ImageReference<'a> {
    /// Reads all of `text`.
    ///
    /// # Errors
    /// [`ReferenceError`]: what is wrong, and at which byte.
    pub fn parse(text: &'a str) -> Result<Self, ReferenceError> {
        let bytes = text.as_bytes();
        let (path_at, name_end) = name(bytes)?;
        let tag_end = match bytes.get(name_end) {
            Some(b':') => tag(bytes, name_end + 1)?,
            _ => name_end,
        };
        let digest = match bytes.get(tag_end) {
            None => None,
            Some(b'@') => Some(digest(text, tag_end + 1)?),
            Some(_) => return Err(ReferenceError::unfit(bytes, tag_end)),
        };
        Ok(Self {
            text,
            path_at,
            name_end,
            tag_end,
            digest,
        })
    }

    /// Reads a name with neither tag nor digest, such as a repository's.
    ///
    /// # Errors
    /// [`ReferenceError`], also where a tag or digest begins.
    pub fn parse_name(text: &'a str) -> Result<Self, ReferenceError> {
        let bytes = text.as_bytes();
        let (path_at, name_end) = name(bytes)?;
        if name_end < bytes.len() {
            return Err(ReferenceError::unfit(bytes, name_end));
        }
        Ok(Self {
            text,
            path_at,
            name_end,
            tag_end: name_end,
            digest: None,
        })
    }

    /// All of it.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Domain and path: what a repository is called.
    pub fn name(&self) -> &'a str {
        self.text.get(..self.name_end).unwrap_or_default()
    }

    /// Host and perhaps port. A name without a slash has none, and so has one whose first part can be
    /// none.
    pub fn domain(&self) -> Option<&'a str> {
        self.text.get(..self.path_at.checked_sub(1)?)
    }

    /// The name without the domain: at most 255 bytes.
    pub fn path(&self) -> &'a str {
        let path = self.text.get(self.path_at..self.name_end);
        path.unwrap_or_default()
    }

    /// What stands behind the colon: at most 128 bytes.
    pub fn tag(&self) -> Option<&'a str> {
        self.text.get(self.name_end + 1..self.tag_end)
    }

    /// What stands behind the `@`; its algorithm is a registered one.
    pub const fn digest(&self) -> Option<OciDigest<'a>> {
        self.digest
    }
}

/// As it was read.
impl fmt::Display for ImageReference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// Where the path begins, and where the name ends.
fn name(bytes: &[u8]) -> Result<(usize, usize), ReferenceError> {
    if bytes.is_empty() {
        return Err(ReferenceError::Empty);
    }
    let slash = bytes.iter().position(|byte| *byte == b'/');
    let first = slash.map(|slash| bytes.get(..slash).unwrap_or_default());
    let no_domain = first.and_then(|first| Some((first.len(), scan::domain(first).err()?)));
    let path_at = match first {
        Some(first) if no_domain.is_none() => first.len() + 1,
        _ => 0,
    };
    let end = match (path(bytes, path_at), no_domain) {
        // Before a slash, a colon is that of a port, and the domain is none.
        (Ok(end), Some((slash, at))) if end < slash && bytes.get(end) == Some(&b':') => Err(at),
        // Only an address in a domain begins with a bracket.
        (Err(0), Some((_, at))) if bytes.first() == Some(&b'[') => Err(at),
        (end, _) => end,
    };
    let end = end.map_err(|at| ReferenceError::unfit(bytes, at))?;
    let length = end - path_at;
    if length > LONGEST_PATH {
        return Err(ReferenceError::PathTooLong { length });
    }
    Ok((path_at, end))
}

fn path(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut at = from;
    loop {
        let end = scan::component(bytes, at)?;
        if bytes.get(end) != Some(&b'/') {
            return Ok(end);
        }
        at = end + 1;
    }
}

fn tag(bytes: &[u8], from: usize) -> Result<usize, ReferenceError> {
    let end = scan::tag(bytes, from).map_err(|at| ReferenceError::unfit(bytes, at))?;
    let length = end - from;
    if length > LONGEST_TAG {
        return Err(ReferenceError::TagTooLong { length });
    }
    Ok(end)
}

/// distribution/reference refuses other algorithms, though OCI would pass them on.
fn digest(text: &str, from: usize) -> Result<OciDigest<'_>, ReferenceError> {
    let text = text.get(from..).unwrap_or_default();
    let digest =
        OciDigest::parse(text).map_err(|source| ReferenceError::Digest { from, source })?;
    if digest.registered().is_none() {
        return Err(ReferenceError::Algorithm { at: from });
    }
    Ok(digest)
}

const LONGEST_PATH: usize = 255;
const LONGEST_TAG: usize = 128;

#[cfg(test)]
mod tests;
