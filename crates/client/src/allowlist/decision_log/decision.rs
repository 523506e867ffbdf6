use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::allowlist::ImageDigest;

/// What a gate decided: the payload of a line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Decision<'d> {
    /// Which gate: `check`, `exec`, `image-verifier`, or what a program calls its own.
    #[serde(borrow)]
    pub gate: Cow<'d, str>,
    /// What it decided.
    pub verdict: Verdict,
    /// The image as it was named, cut off after 1,024 bytes; empty where a command line has none.
    #[serde(borrow)]
    pub image: Cow<'d, str>,
    /// Its digest, `sha256:…`; absent where it is not pinned by one.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Cow<'d, str>>,
    /// Why it was denied, or would have been: a code of `docs/allowlist.md`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'d, str>>,
    /// The serial or revision of the list that was asked, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<u64>,
    /// How many bytes of a line that was never finished were cut off before this one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<u64>,
}

impl<'d> Decision<'d> {
    /// Without anything that may be absent.
    pub fn new(gate: &'d str, image: &'d str, verdict: Verdict) -> Self {
        Self {
            gate: gate.into(),
            verdict,
            image: beginning(image).into(),
            digest: None,
            code: None,
            list: None,
            cut_off: None,
        }
    }

    /// Of an image with this digest.
    #[must_use]
    pub fn digest(self, digest: Option<&ImageDigest>) -> Self {
        Self {
            digest: digest.map(|digest| digest.to_string().into()),
            ..self
        }
    }

    /// For this reason.
    #[must_use]
    pub fn code(self, code: Option<&'d str>) -> Self {
        Self {
            code: code.map(Cow::Borrowed),
            ..self
        }
    }

    /// By a list of this serial.
    #[must_use]
    pub fn list(self, serial: Option<u64>) -> Self {
        Self {
            list: serial,
            ..self
        }
    }

    pub(super) fn after_cut(self, bytes: u64) -> Self {
        Self {
            cut_off: Some(bytes).filter(|bytes| *bytes > 0),
            ..self
        }
    }
}

/// As much of a text as is written down.
fn beginning(text: &str) -> &str {
    let end = (0..=MAX_IMAGE)
        .rev()
        .find(|end| text.is_char_boundary(*end));
    match text.len() > MAX_IMAGE {
        true => end.and_then(|end| text.get(..end)).unwrap_or_default(),
        false => text,
    }
}

/// What became of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It may run.
    Permit,
    /// It may not.
    Deny,
    /// It may run, since the list is only watched, and would be denied otherwise.
    Audit,
}

/// No reference is as long.
const MAX_IMAGE: usize = 1024;
