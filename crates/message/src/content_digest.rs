//! Digests of content (RFC 9530): Content-Digest and Repr-Digest, made, read and compared; and what
//! a peer would like to get.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gangplank_key::Backend;
use sha2::{Digest as _, Sha512};

use crate::Limits;
use crate::message::Field;
use crate::read_field::{FieldError, read_field};
use crate::structured::{Member, StructuredError};

/// An algorithm that counts (RFC 9530 §7.2, status "Active").
///
/// The deprecated ones, `md5`, `sha`, `unixsum`, `unixcksum`, `adler` and `crc32c`, never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// `sha-256`.
    Sha256,
    /// `sha-512`.
    Sha512,
}

impl DigestAlgorithm {
    /// The name in the fields.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }

    /// The algorithm of this name, if it counts.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha512]
            .into_iter()
            .find(|known| known.name() == name)
    }
}

/// Which field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestField {
    /// `Content-Digest`: of the body as sent, content coding included (RFC 9530 §2).
    ContentDigest,
    /// `Repr-Digest`: of the selected representation, whole (RFC 9530 §3).
    ReprDigest,
}

impl DigestField {
    /// The field's name, in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::ContentDigest => "content-digest",
            Self::ReprDigest => "repr-digest",
        }
    }
}

/// The value of Content-Digest or Repr-Digest for these bytes, such as `sha-256=:…:`.
pub fn field_value(algorithm: DigestAlgorithm, content: &[u8], backend: Backend) -> String {
    match algorithm {
        DigestAlgorithm::Sha256 => sha256_field_value(&backend.sha256(&[content])),
        DigestAlgorithm::Sha512 => written(algorithm, &Sha512::digest(content)),
    }
}

/// The value of Content-Digest or Repr-Digest for content with this SHA-256.
pub fn sha256_field_value(digest: &[u8; 32]) -> String {
    written(DigestAlgorithm::Sha256, digest)
}

/// What a message says the digests of its content are. Not believed until compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedDigests {
    sha256: Option<[u8; 32]>,
    sha512: Option<[u8; 64]>,
}

impl ClaimedDigests {
    /// Reads the field; `None` when the message does not have it. Algorithms that do not count are
    /// passed over (RFC 9530 §2).
    ///
    /// # Errors
    /// [`DigestError`]: the field is malformed, or names no algorithm that counts.
    pub fn read(
        fields: &[Field<'_>],
        field: DigestField,
        limits: &Limits,
    ) -> Result<Option<Self>, DigestError> {
        let members = read_field(fields, field.name(), limits.field, &limits.structured)?;
        let Some(members) = members else {
            return Ok(None);
        };
        let mut digests = Self {
            sha256: None,
            sha512: None,
        };
        for (key, member) in &members {
            let bytes = match member {
                Member::Item(item) => item.value.as_bytes(),
                Member::InnerList(_) => None,
            };
            let malformed = || DigestError::Value {
                algorithm: key.as_str().to_string(),
            };
            let bytes = bytes.ok_or_else(malformed)?;
            match DigestAlgorithm::from_name(key.as_str()) {
                Some(DigestAlgorithm::Sha256) => {
                    digests.sha256 = Some(bytes.try_into().map_err(|_| malformed())?);
                }
                Some(DigestAlgorithm::Sha512) => {
                    digests.sha512 = Some(bytes.try_into().map_err(|_| malformed())?);
                }
                None => {}
            }
        }
        if digests.sha256.is_none() && digests.sha512.is_none() {
            return Err(DigestError::NoneCounts);
        }
        Ok(Some(digests))
    }

    /// The claimed SHA-256.
    pub fn claimed_sha256(&self) -> Option<&[u8; 32]> {
        self.sha256.as_ref()
    }

    /// Compares with the content: each digest of an algorithm that counts must match it.
    ///
    /// RFC 9530 §2 would let a recipient be content with one. But of a signature that covers
    /// `"content-digest";key="sha-256"` anybody could then keep the wrong SHA-256 and add the right
    /// SHA-512 of other content.
    ///
    /// # Errors
    /// [`DigestError::Mismatch`] when one does not.
    pub fn check(&self, content: &[u8], backend: Backend) -> Result<(), DigestError> {
        let sha256 = |claimed: &[u8; 32]| *claimed == backend.sha256(&[content]);
        let sha512 = |claimed: &[u8; 64]| claimed[..] == Sha512::digest(content)[..];
        // `read` made sure that one of them is there.
        if self.sha256.as_ref().is_none_or(sha256) && self.sha512.as_ref().is_none_or(sha512) {
            return Ok(());
        }
        Err(DigestError::Mismatch)
    }
}

/// Why content is not what a digest says, or the field says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The field is longer than the limit.
    #[error("the digest field is longer than {limit} bytes")]
    TooLong {
        /// Bytes accepted.
        limit: usize,
    },
    /// The field is no dictionary.
    #[error("the digest field is not a dictionary: {0}")]
    Structured(#[from] StructuredError),
    /// A value of the wrong type, or a digest of the wrong length.
    #[error("the value of {algorithm} in the digest field is none of its kind")]
    Value {
        /// The algorithm, as the field names it.
        algorithm: String,
    },
    /// No algorithm that counts.
    #[error("the digest field has neither sha-256 nor sha-512")]
    NoneCounts,
    /// Other content.
    #[error("the content does not have the digest that the message states")]
    Mismatch,
}

impl From<FieldError> for DigestError {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::TooLong { limit } => Self::TooLong { limit },
            FieldError::Structured(reason) => Self::Structured(reason),
        }
    }
}

/// What a peer would like to get: the value of Want-Content-Digest or Want-Repr-Digest, best first
/// (RFC 9530 §4).
///
/// # Errors
/// [`DigestError`]: the field is malformed, or a weight is no integer from 0 to 10.
pub fn read_wanted(
    fields: &[Field<'_>],
    field: DigestField,
    limits: &Limits,
) -> Result<Vec<(DigestAlgorithm, u8)>, DigestError> {
    let name = match field {
        DigestField::ContentDigest => "want-content-digest",
        DigestField::ReprDigest => "want-repr-digest",
    };
    let mut wanted: Vec<(DigestAlgorithm, u8)> = Vec::new();
    let members = read_field(fields, name, limits.field, &limits.structured)?;
    for (key, member) in members.unwrap_or_default() {
        let weight = match &member {
            Member::Item(item) => item.value.as_integer(),
            Member::InnerList(_) => None,
        };
        let weight = weight.and_then(|weight| u8::try_from(weight).ok());
        let weight = weight
            .filter(|weight| *weight <= 10)
            .ok_or_else(|| DigestError::Value {
                algorithm: key.as_str().to_string(),
            })?;
        if let Some(algorithm) = DigestAlgorithm::from_name(key.as_str()) {
            wanted.retain(|(known, _)| *known != algorithm);
            wanted.push((algorithm, weight));
        }
    }
    // Zero means "not acceptable".
    wanted.retain(|(_, weight)| *weight > 0);
    wanted.sort_by_key(|(_, weight)| core::cmp::Reverse(*weight));
    Ok(wanted)
}

fn written(algorithm: DigestAlgorithm, digest: &[u8]) -> String {
    let mut value = String::with_capacity(100);
    value.push_str(algorithm.name());
    value.push_str("=:");
    STANDARD.encode_string(digest, &mut value);
    value.push(':');
    value
}

#[cfg(test)]
mod tests;
