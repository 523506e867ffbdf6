use crate::DigestError;

/// Why a text is no image reference. Places count bytes from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// There is nothing.
    #[error("an image reference is not empty")]
    Empty,
    /// No reference has there what stands at this byte; if it is the text's length, the text ends too
    /// soon.
    #[error("nothing that fits an image reference at byte {at}")]
    Format {
        /// Where.
        at: usize,
    },
    /// Paths have no upper-case letters.
    #[error("an upper-case letter at byte {at}, where an image reference has none")]
    UpperCase {
        /// Where.
        at: usize,
    },
    /// A path has at most 255 bytes, the domain not counted.
    #[error("a path of {length} bytes; there may be 255")]
    PathTooLong {
        /// How many bytes it has.
        length: usize,
    },
    /// A tag has at most 128 bytes.
    #[error("a tag of {length} bytes; there may be 128")]
    TagTooLong {
        /// How many bytes it has.
        length: usize,
    },
    /// The digest is none.
    #[error("in the digest from byte {from} on: {source}")]
    Digest {
        /// Where it begins; the places of `source` count from there.
        from: usize,
        /// What is wrong with it.
        source: DigestError,
    },
    /// A digest of an algorithm that is not registered.
    #[error("no registered digest algorithm at byte {at}")]
    Algorithm {
        /// Where the digest begins.
        at: usize,
    },
    /// By its dot, colon or upper-case letter Docker takes the first component for a host, and it can be
    /// none.
    #[error("the first component is meant for a host, and can be none")]
    Host,
    /// By Docker's defaults, 64 hex digits are the id of an image and no name.
    #[error("64 hex digits are an image's id, not its name")]
    Identifier,
}

impl ReferenceError {
    /// A word for programs, which stays as it is: `empty`, `format`, `upper-case`, `path-length`,
    /// `tag-length`, `digest-format`, `digest-length`, `algorithm`, `host` or `identifier`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Format { .. } => "format",
            Self::UpperCase { .. } => "upper-case",
            Self::PathTooLong { .. } => "path-length",
            Self::TagTooLong { .. } => "tag-length",
            Self::Digest { source, .. } => match source {
                DigestError::Format { .. } => "digest-format",
                DigestError::Length { .. } => "digest-length",
            },
            Self::Algorithm { .. } => "algorithm",
            Self::Host => "host",
            Self::Identifier => "identifier",
        }
    }

    /// The byte at which it went wrong, where it was one.
    pub const fn at(&self) -> Option<usize> {
        match self {
            Self::Format { at } | Self::UpperCase { at } | Self::Algorithm { at } => Some(*at),
            Self::Digest {
                from,
                source: DigestError::Format { at },
            } => Some(*from + *at),
            _ => None,
        }
    }

    pub(super) fn unfit(bytes: &[u8], at: usize) -> Self {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_uppercase() => Self::UpperCase { at },
            _ => Self::Format { at },
        }
    }
}
