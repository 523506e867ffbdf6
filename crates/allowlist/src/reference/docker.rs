use core::fmt;

use super::compose::write_after_name;
use super::pattern::matches;
use super::{ImageReference, LONGEST_PATH, ReferenceError};
use crate::{ImageDigest, OciDigest};

/// What Docker makes of a reference: short names are those of `docker.io`, and of `library/` there.
///
/// Printed, it is the full name. Other programs make something else of short names: Podman asks
/// `registries.conf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DockerReference<'a> {
    reference: ImageReference<'a>,
    domain: &'a str,
    /// `library/`, or nothing: what stands before the path that was written.
    prefix: &'static str,
    path: &'a str,
}

impl<'a> DockerReference<'a> {
    /// Reads a reference with Docker's defaults.
    ///
    /// # Errors
    /// [`ReferenceError`]: as [`ImageReference::parse`] has it, and [`Host`](ReferenceError::Host) or
    /// [`Identifier`](ReferenceError::Identifier).
    pub fn parse(text: &'a str) -> Result<Self, ReferenceError> {
        if ImageDigest::from_hex(text.as_bytes()).is_ok() {
            return Err(ReferenceError::Identifier);
        }
        let reference = ImageReference::parse(text)?;
        let (domain, path) = split(&reference)?;
        let prefix = match path.contains('/') {
            false if domain == DEFAULT_DOMAIN => OFFICIAL,
            _ => "",
        };
        let length = prefix.len() + path.len();
        if length > LONGEST_PATH {
            return Err(ReferenceError::PathTooLong { length });
        }
        Ok(Self {
            reference,
            domain,
            prefix,
            path,
        })
    }

    /// What was read.
    pub const fn reference(&self) -> &ImageReference<'a> {
        &self.reference
    }

    /// Host and perhaps port.
    pub const fn domain(&self) -> &'a str {
        self.domain
    }

    /// The path in two parts that follow each other: `library/` where it was left out, else nothing;
    /// and the path that was written.
    pub const fn path(&self) -> (&'static str, &'a str) {
        (self.prefix, self.path)
    }

    /// As short as Docker shows it, with tag and digest: always the end of what was read.
    pub fn familiar(&self) -> &'a str {
        let text = self.reference.as_str();
        let left_out = self.reference.name().len() - self.familiar_name().len();
        text.get(left_out..).unwrap_or_default()
    }

    /// As short as Docker shows it, without tag and digest.
    pub fn familiar_name(&self) -> &'a str {
        if self.domain != DEFAULT_DOMAIN {
            return self.reference.name();
        }
        match self.path.strip_prefix(OFFICIAL) {
            Some(name) if !name.contains('/') => name,
            _ => self.path,
        }
    }

    /// Whether [`familiar`](Self::familiar) or [`familiar_name`](Self::familiar_name) fits a shell
    /// pattern, in which `*`, `?` and `[a-z]` stand for anything but a slash. Ranges are of bytes, and a
    /// pattern that is none fits nothing.
    pub fn is_like(&self, pattern: &str) -> bool {
        matches(pattern, self.familiar()) || matches(pattern, self.familiar_name())
    }

    /// What Docker would pull, to be printed: without the tag if there is a digest, and `:latest` if
    /// there is neither.
    pub const fn pulled(self) -> impl fmt::Display + use<'a> {
        Pulled(self)
    }

    fn write_name(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.domain, self.prefix, self.path)
    }
}

/// In full: domain, path, and tag and digest as they were written.
impl fmt::Display for DockerReference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_name(f)?;
        write_after_name(f, self.reference.tag(), self.reference.digest())
    }
}

struct Pulled<'a>(DockerReference<'a>);

impl fmt::Display for Pulled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.0.reference.digest();
        let tag = match digest {
            Some(_) => None,
            None => Some(self.0.reference.tag().unwrap_or("latest")),
        };
        self.0.write_name(f)?;
        write_after_name(f, tag, digest)
    }
}

/// What Docker's commands take for an image: a name, or its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyReference<'a> {
    /// 64 hex digits: the id of an image.
    Identifier(ImageDigest),
    /// A digest alone.
    Digest(OciDigest<'a>),
    /// A reference.
    Name(DockerReference<'a>),
}

impl<'a> AnyReference<'a> {
    /// Reads an id, a digest of a registered algorithm, or a reference.
    ///
    /// # Errors
    /// [`ReferenceError`], as [`DockerReference::parse`] has it.
    pub fn parse(text: &'a str) -> Result<Self, ReferenceError> {
        if let Ok(id) = ImageDigest::from_hex(text.as_bytes()) {
            return Ok(Self::Identifier(id));
        }
        match OciDigest::parse(text) {
            Ok(digest) if digest.registered().is_some() => Ok(Self::Digest(digest)),
            _ => DockerReference::parse(text).map(Self::Name),
        }
    }
}

impl fmt::Display for AnyReference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identifier(id) => id.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// Domain and path.
fn split<'a>(reference: &ImageReference<'a>) -> Result<(&'a str, &'a str), ReferenceError> {
    let name = reference.name();
    let Some((first, rest)) = name.split_once('/') else {
        return Ok((DEFAULT_DOMAIN, name));
    };
    let is_host = first == "localhost"
        || first
            .bytes()
            .any(|byte| matches!(byte, b'.' | b':' | b'A'..=b'Z'));
    match is_host {
        // By the grammar it is an address; for Docker it has to have a colon to be one.
        false if first.starts_with('[') => Err(ReferenceError::Host),
        false => Ok((DEFAULT_DOMAIN, name)),
        true if first == LEGACY_DOMAIN => Ok((DEFAULT_DOMAIN, rest)),
        true if reference.domain() == Some(first) => Ok((first, rest)),
        true => Err(ReferenceError::Host),
    }
}

const DEFAULT_DOMAIN: &str = "docker.io";
const LEGACY_DOMAIN: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
