use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use crate::{DigestError, ImageDigest, OciDigest, Permit};

impl<'a> Permit<'a> {
    /// Permits one manifest of an image index (OCI Image Index Specification; Docker's manifest list),
    /// whose bytes are shown: the index itself is what the list permits.
    ///
    /// `digest` has to be listed for `platform`. What an index lists for no platform or an unknown one,
    /// such as attestations, never runs, and neither does an index in an index.
    ///
    /// # Errors
    /// [`IndexFault`]: these are not the bytes that are permitted, or they do not list the manifest so.
    pub fn manifest(
        self,
        index: &[u8],
        digest: &ImageDigest,
        platform: Platform<'_>,
    ) -> Result<PermittedManifest<'a>, IndexFault> {
        if index.len() > MAX_INDEX_BYTES {
            return Err(IndexFault::TooLarge {
                length: index.len(),
            });
        }
        let found = ImageDigest::from_bytes(Sha256::digest(index).into());
        if found != *self.digest() {
            return Err(IndexFault::OtherBytes { found });
        }
        let listed = read(index)?;
        let mut same = listed.iter().filter(|one| names(one, digest)).peekable();
        if same.peek().is_none() {
            return Err(IndexFault::NotListed);
        }
        match same.any(|one| one.is_image() && platform.is_of(one)) {
            true => Ok(PermittedManifest {
                index: self,
                digest: *digest,
            }),
            false => Err(IndexFault::OtherPlatform),
        }
    }
}

/// The proof that a manifest is one of a permitted index.
///
/// Only [`Permit::manifest`] makes one, and it cannot be cloned.
#[derive(Debug)]
#[must_use = "it starts nothing by itself"]
pub struct PermittedManifest<'a> {
    index: Permit<'a>,
    digest: ImageDigest,
}

impl<'a> PermittedManifest<'a> {
    /// What was permitted: the index.
    pub const fn index(&self) -> &Permit<'a> {
        &self.index
    }

    /// The manifest that may run.
    pub const fn digest(&self) -> &ImageDigest {
        &self.digest
    }
}

/// What an image runs on, in the words of the Go language: `linux`, `arm64`, `v8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform<'p> {
    /// The operating system.
    pub os: &'p str,
    /// The processor.
    pub architecture: &'p str,
    /// Which of its kind; any, if [`None`].
    pub variant: Option<&'p str>,
}

impl Platform<'_> {
    fn is_of(&self, listed: &Descriptor) -> bool {
        listed.platform.as_ref().is_some_and(|found| {
            let variant = self.variant.is_none() || self.variant == found.variant.as_deref();
            found.os == self.os && found.architecture == self.architecture && variant
        })
    }
}

/// Why a manifest is not permitted by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexFault {
    /// More than [`MAX_INDEX_BYTES`].
    #[error("an image index has at most {MAX_INDEX_BYTES} bytes, this one has {length}")]
    TooLarge {
        /// Bytes given.
        length: usize,
    },
    /// They are those of another index than the permitted one.
    #[error("the bytes are those of {found}, which nobody permitted")]
    OtherBytes {
        /// What they are.
        found: ImageDigest,
    },
    /// They are not the JSON of an image index.
    #[error("the permitted bytes are no image index")]
    Malformed,
    /// The index does not list the manifest.
    #[error("the index does not list the manifest")]
    NotListed,
    /// It lists it for other platforms only, for none, or as something that does not run.
    #[error("the index does not list the manifest for this platform")]
    OtherPlatform,
}

fn read(index: &[u8]) -> Result<Vec<Descriptor>, IndexFault> {
    // serde also reads an array of the members' values as the object.
    if !index.trim_ascii_start().starts_with(b"{") {
        return Err(IndexFault::Malformed);
    }
    let index: Index = serde_json::from_slice(index).map_err(|_| IndexFault::Malformed)?;
    let kind = index.media_type.as_deref();
    // Without a type of its own, what could be read as an image as well is refused.
    let ambiguous = kind.is_none() && (index.config.is_some() || index.layers.is_some());
    let known = kind.is_none_or(|kind| INDEX_TYPES.contains(&kind));
    match index.schema_version == 2 && known && !ambiguous {
        true => Ok(index.manifests),
        false => Err(IndexFault::Malformed),
    }
}

fn names(listed: &Descriptor, digest: &ImageDigest) -> bool {
    let listed: Result<OciDigest<'_>, DigestError> = OciDigest::parse(&listed.digest);
    listed.is_ok_and(|listed| listed.image_digest() == Some(*digest))
}

/// Members that this does not read may say what they like.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u64,
    media_type: Option<String>,
    manifests: Vec<Descriptor>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    platform: Option<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Descriptor {
    fn is_image(&self) -> bool {
        IMAGE_TYPES.contains(&self.media_type.as_str())
    }
}

const INDEX_TYPES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
const IMAGE_TYPES: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// What registries take for a manifest (distribution's specification, "Pushing Manifests").
pub const MAX_INDEX_BYTES: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
