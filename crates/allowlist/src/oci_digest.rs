use core::fmt;

use crate::ImageDigest;
use crate::reference::scan::{ENCODED, HEX, LOWER, run};

/// A digest as OCI writes it: `algorithm:encoded` (image-spec, descriptor.md, "Digests").
///
/// One of a registered algorithm has that algorithm's form. Others parse, since the specification wants
/// them passed on, and can never be a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OciDigest<'a> {
    text: &'a str,
    colon: usize,
    registered: Option<DigestAlgorithm>,
}

impl<'a> OciDigest<'a> {
    /// Reads all of `text`.
    ///
    /// # Errors
    /// [`DigestError`]: which byte does not fit, or which length.
    pub fn parse(text: &'a str) -> Result<Self, DigestError> {
        if let Some(digest) = Self::sha256(text) {
            return Ok(digest);
        }
        let bytes = text.as_bytes();
        let colon = algorithm(bytes).map_err(|at| DigestError::Format { at })?;
        let end = run(bytes, colon + 1, ENCODED);
        if end == colon + 1 || end < bytes.len() {
            return Err(DigestError::Format { at: end });
        }
        let name = bytes.get(..colon).unwrap_or_default();
        let registered = DigestAlgorithm::of_name(name);
        if let Some(algorithm) = registered {
            let found = end - colon - 1;
            if found != algorithm.digits() {
                return Err(DigestError::Length { algorithm, found });
            }
            let at = run(bytes, colon + 1, HEX);
            if at < end {
                return Err(DigestError::Format { at });
            }
        }
        Ok(Self {
            text,
            colon,
            registered,
        })
    }

    /// What nearly every digest is, many digits at a time.
    fn sha256(text: &'a str) -> Option<Self> {
        let encoded = text.strip_prefix("sha256:")?;
        ImageDigest::from_digits(encoded.as_bytes().try_into().ok()?)?;
        Some(Self {
            text,
            colon: text.len() - encoded.len() - 1,
            registered: Some(DigestAlgorithm::Sha256),
        })
    }

    /// All of it.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// What stands before the colon.
    pub fn algorithm(&self) -> &'a str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// What stands after the colon.
    pub fn encoded(&self) -> &'a str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }

    /// The algorithm, if OCI has registered it.
    pub const fn registered(&self) -> Option<DigestAlgorithm> {
        self.registered
    }

    /// The hash, if it is a SHA-256.
    pub fn image_digest(&self) -> Option<ImageDigest> {
        match self.registered {
            Some(DigestAlgorithm::Sha256) => ImageDigest::from_hex(self.encoded().as_bytes()).ok(),
            _ => None,
        }
    }
}

impl fmt::Display for OciDigest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// The algorithms that OCI has registered (image-spec, descriptor.md, "Registered algorithms").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// `sha256`: the only one that a list of this crate knows.
    Sha256,
    /// `sha512`.
    Sha512,
    /// `blake3`, whose digests look like those of SHA-256.
    Blake3,
}

impl DigestAlgorithm {
    /// As digests begin.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Blake3 => "blake3",
        }
    }

    /// How many lower-case hex digits its digests have.
    pub const fn digits(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake3 => 64,
            Self::Sha512 => 128,
        }
    }

    const fn of_name(name: &[u8]) -> Option<Self> {
        match name {
            b"sha256" => Some(Self::Sha256),
            b"sha512" => Some(Self::Sha512),
            b"blake3" => Some(Self::Blake3),
            _ => None,
        }
    }
}

/// Why a text is no [`OciDigest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// No digest has there what stands at this byte; if it is the text's length, the text ends too soon.
    #[error("nothing that fits a digest at byte {at}")]
    Format {
        /// From 0.
        at: usize,
    },
    /// Another length than the algorithm's.
    #[error("{} has {} hex digits, not {found}", .algorithm.name(), .algorithm.digits())]
    Length {
        /// The algorithm that the digest names.
        algorithm: DigestAlgorithm,
        /// How many bytes there are after the colon.
        found: usize,
    },
}

/// Where the colon after the algorithm is: `[a-z0-9]+ ([+._-] [a-z0-9]+)*`.
fn algorithm(bytes: &[u8]) -> Result<usize, usize> {
    let mut at = 0;
    loop {
        let end = run(bytes, at, LOWER);
        match bytes.get(end) {
            _ if end == at => return Err(at),
            Some(b':') => return Ok(end),
            Some(b'+' | b'.' | b'_' | b'-') => at = end + 1,
            _ => return Err(end),
        }
    }
}
