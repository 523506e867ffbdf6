use gangplank_client::allowlist::{ImageDigest, PinnedImage};
use serde_json::Value;

use crate::{Exit, Failure};

/// What the server decided about an image. Only an answer that says all of it, and no more than one thing,
/// becomes one: whatever else comes is no refusal, and no permit either.
#[derive(Debug)]
pub(crate) struct ServerVerdict {
    image: String,
    denied: Option<ServerDenied>,
}

/// Why the server's list does not permit an image.
#[derive(Debug)]
pub(crate) struct ServerDenied {
    /// A word for programs, of `docs/allowlist.md`.
    pub(crate) code: String,
    /// The same for people.
    pub(crate) reason: String,
}

impl ServerVerdict {
    /// Reads what the server says of `image`.
    pub(super) fn read(image: &str, said: &Value) -> Result<Self, Failure> {
        let word = |member: &str| said.get(member).and_then(Value::as_str);
        let not = |what: &str| {
            let sentence = format_args!("the server's answer about {image} {what}");
            Failure::new(Exit::BadAnswer, sentence)
        };
        if word("image") != Some(image) {
            return Err(not("names another image"));
        }
        let is_said = |member: &str| said.get(member).is_some_and(|value| !value.is_null());
        let denied = match (word("verdict"), word("code"), word("reason")) {
            (Some("permitted"), ..) if PinnedImage::parse(image).is_err() => {
                return Err(not("permits what is not pinned by a digest"));
            }
            (Some("permitted"), ..) if is_said("code") || is_said("reason") => {
                return Err(not("permits it and says why not"));
            }
            (Some("permitted"), ..) => None,
            (Some("denied"), Some(code), Some(reason)) if is_code(code) && !reason.is_empty() => {
                Some(ServerDenied {
                    code: code.to_owned(),
                    reason: reason.to_owned(),
                })
            }
            (Some("denied"), ..) => return Err(not("denies it and does not say why")),
            _ => return Err(not("has no verdict")),
        };
        Ok(Self {
            image: image.to_owned(),
            denied,
        })
    }

    /// The image, as the server was asked about it.
    pub(crate) fn image(&self) -> &str {
        &self.image
    }

    /// Its digest, if it is pinned.
    pub(crate) fn digest(&self) -> Option<ImageDigest> {
        let image = PinnedImage::parse(&self.image).ok()?;
        Some(*image.digest())
    }

    /// Why it may not run.
    pub(crate) fn denied(&self) -> Option<&ServerDenied> {
        self.denied.as_ref()
    }
}

/// One that fits into a line of the log and into a program's table.
fn is_code(text: &str) -> bool {
    (1..=MAX_CODE).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Bytes; the longest of ours has 19.
const MAX_CODE: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_whole_verdict_about_the_image_is_one() {
        let image = format!("pump@sha256:{}", "a".repeat(64));
        let permitted = json!({"image": image, "verdict": "permitted"});
        let denied = json!({"image": image, "verdict": "denied", "code": "expired", "reason": "r"});
        let read = |said: &Value| ServerVerdict::read(&image, said);
        assert!(read(&permitted).unwrap().denied().is_none());
        assert_eq!(read(&denied).unwrap().denied().unwrap().code, "expired");
        let with = |said: &Value, member: &str, value: Value| {
            let mut said = said.clone();
            said[member] = value;
            said
        };
        let long = "a".repeat(65);
        for wrong in [
            json!(null),
            json!([]),
            json!({}),
            json!("permitted"),
            with(&permitted, "image", json!(null)),
            with(&permitted, "image", json!(format!("{image} "))),
            with(&permitted, "verdict", json!("PERMITTED")),
            with(&permitted, "verdict", json!(true)),
            with(&permitted, "verdict", json!("denied")),
            with(&permitted, "code", json!("expired")),
            with(&permitted, "code", json!(5)),
            with(&denied, "verdict", json!("permitted")),
            with(&denied, "verdict", json!("audit")),
            with(&denied, "reason", json!("")),
            with(&denied, "code", json!(null)),
            with(&denied, "code", json!("")),
            with(&denied, "code", json!("a\nb")),
            with(&denied, "code", json!(long)),
        ] {
            let failure = read(&wrong).unwrap_err();
            assert_eq!(failure.exit(), Exit::BadAnswer, "{wrong}");
        }
        // What no list can permit.
        let tag = json!({"image": "pump:2", "verdict": "permitted"});
        assert!(ServerVerdict::read("pump:2", &tag).is_err());
    }
}
