//! The body, and what the message says its digest is.

use super::text::HttpText;
use crate::key::Backend;
use crate::message::content_digest::{ClaimedDigests, DigestError, DigestField};
use crate::message::{Field, Limits};

/// Whether the body is the one that Content-Digest states.
#[derive(Debug)]
pub(super) enum Content {
    /// It has this many bytes, and a digest of them is stated.
    Matches(usize),
    /// It has this many bytes, and no digest is stated.
    NotStated(usize),
    /// The body is not looked at, whether a digest is stated or not.
    NotCompared,
    /// The digest is of something else, or is none.
    Refused(DigestError),
}

impl Content {
    /// Compares the body, if the file has it, with Content-Digest in the head and in the trailers:
    /// a signature may cover either.
    pub(super) fn compare(text: &HttpText<'_>, body: Option<&[u8]>) -> Self {
        let mut is_stated = false;
        for fields in [&text.fields, &text.trailers] {
            match check(fields, body) {
                Ok(stated) => is_stated |= stated,
                Err(error) => return Self::Refused(error),
            }
        }
        match body {
            None => Self::NotCompared,
            Some(body) if is_stated => Self::Matches(body.len()),
            Some(body) => Self::NotStated(body.len()),
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

/// Whether these fields state a digest, which is the body's.
fn check(fields: &[Field<'_>], body: Option<&[u8]>) -> Result<bool, DigestError> {
    let claimed = ClaimedDigests::read(fields, DigestField::ContentDigest, &Limits::DEFAULT)?;
    if let (Some(claimed), Some(body)) = (&claimed, body) {
        claimed.check(body, Backend::AWS_LC_RS)?;
    }
    Ok(claimed.is_some())
}
