//! The body, and what the message says its digest is.

use super::text::HttpText;
use crate::key::Backend;
use crate::message::Limits;
use crate::message::content_digest::{ClaimedDigests, DigestError, DigestField};

/// Whether the body is the one that Content-Digest states.
#[derive(Debug)]
pub(super) enum Content {
    /// It has this many bytes, and a digest of them is stated.
    Matches(usize),
    /// It has this many bytes, and no digest is stated.
    NotStated(usize),
    /// There is a digest, but the body is not in the file.
    NotCompared,
    /// The digest is of something else, or is none.
    Refused(DigestError),
}

impl Content {
    /// Compares the body, if the file has it, with Content-Digest in the head or in the trailers.
    pub(super) fn compare(text: &HttpText<'_>, body: Option<&[u8]>) -> Self {
        let read =
            |fields| ClaimedDigests::read(fields, DigestField::ContentDigest, &Limits::DEFAULT);
        let claimed = match read(&text.fields) {
            Ok(None) => read(&text.trailers),
            found => found,
        };
        let (claimed, body) = match (claimed, body) {
            (Ok(_), None) => return Self::NotCompared,
            (Ok(None), Some(body)) => return Self::NotStated(body.len()),
            (Ok(Some(claimed)), Some(body)) => (claimed, body),
            (Err(error), _) => return Self::Refused(error),
        };
        match claimed.check(body, Backend::AWS_LC_RS) {
            Ok(()) => Self::Matches(body.len()),
            Err(error) => Self::Refused(error),
        }
    }

    /// Why the message is refused, whatever its signature.
    pub(super) fn refusal(&self) -> Option<String> {
        match self {
            Self::Refused(error) => Some(error.to_string()),
            _ => None,
        }
    }

    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Matches(length) => format!("{length} bytes, which Content-Digest is of"),
            Self::NotStated(0) => "no body".to_owned(),
            Self::NotStated(length) => format!("{length} bytes, without Content-Digest"),
            Self::NotCompared => "not compared with Content-Digest".to_owned(),
            Self::Refused(error) => error.to_string(),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Matches(_) => "matches",
            Self::NotStated(_) => "notStated",
            Self::NotCompared => "notCompared",
            Self::Refused(_) => "refused",
        }
    }
}
