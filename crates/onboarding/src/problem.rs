use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use serde::Serialize;

use crate::{
    MessageError, ProblemName,
    json::{Json, Object, write},
    problem_name::PREFIX,
};

/// How a refusal reads on the wire: `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    kind: String,
    title: String,
    status: Option<u16>,
    detail: Option<String>,
    reason: Option<String>,
}

impl Problem {
    /// The media type of a problem.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// The problem of this name, without detail.
    pub fn new(name: ProblemName) -> Self {
        Self {
            kind: name.path(),
            title: name.title().into(),
            status: Some(name.status()),
            detail: None,
            reason: None,
        }
    }

    /// Adds what is particular to this one. It goes to whoever asked: nothing that tells of a
    /// device, a policy or a secret belongs here.
    #[must_use]
    pub fn with_detail(mut self, detail: &str) -> Self {
        self.detail = Some(printable(detail));
        self
    }

    /// Adds the code of the rule that refuses, as an extension (RFC 9457 §3.2), and the status that goes
    /// with it in place of the name's. Only for who may know why: protocol adapters and operators.
    #[must_use]
    pub fn with_reason(mut self, code: &str, status: u16) -> Self {
        self.reason = Some(printable(code));
        self.status = Some(status);
        self
    }

    /// The JSON body.
    pub fn encode(&self) -> Vec<u8> {
        write(&Wire {
            kind: &self.kind,
            title: &self.title,
            status: self.status,
            detail: self.detail.as_deref(),
            reason: self.reason.as_deref(),
        })
    }

    /// Reads the body of an answer, of any server. Members of another type than RFC 9457 gives them
    /// and unknown ones are ignored (§3.1, §3.2), control characters are replaced, and texts are cut
    /// after 1024 characters: it is safe to print.
    ///
    /// # Errors
    /// [`ProblemError`]: the body is no JSON object, or too long.
    pub fn decode(body: &[u8]) -> Result<Self, ProblemError> {
        if body.len() > MAX_PROBLEM {
            return Err(ProblemError::TooLarge);
        }
        let mut object = Object::read(body).map_err(|_: MessageError| ProblemError::Unreadable)?;
        let mut text = |name: &str| match object.optional(name) {
            Some(Json::Text(text)) => Some(printable(&text)),
            _ => None,
        };
        let (kind, title, detail) = (text("type"), text("title"), text("detail"));
        let reason = text("reason");
        let status = match object.optional("status") {
            Some(Json::Number(number)) => number.as_u64().and_then(|n| u16::try_from(n).ok()),
            _ => None,
        };
        Ok(Self {
            // "When this member is not present, its value is assumed to be about:blank." (§3.1.1)
            kind: kind.unwrap_or_else(|| "about:blank".into()),
            title: title.unwrap_or_default(),
            status: status.filter(|status| (100..=599).contains(status)),
            detail,
            reason,
        })
    }

    /// The `type`: a URI reference, ours relative.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Which of our problems it is; `None` for those of others.
    pub fn name(&self) -> Option<ProblemName> {
        ProblemName::parse(self.kind.strip_prefix(PREFIX)?)
    }

    /// The `title`, empty if there is none.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The `status`. The status of the HTTP answer itself is what counts (§3.1.2).
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The `detail`.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The code of the rule that refuses, an extension of ours.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl From<ProblemName> for Problem {
    fn from(name: ProblemName) -> Self {
        Self::new(name)
    }
}

/// A refused message names its member.
impl From<&MessageError> for Problem {
    fn from(error: &MessageError) -> Self {
        Self::new(error.problem()).with_detail(&error.to_string())
    }
}

/// Why an answer is no problem; the server's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemError {
    /// The body is longer than [`MAX_PROBLEM`].
    #[error("the problem is longer than {MAX_PROBLEM} bytes")]
    TooLarge,
    /// The body is no JSON object.
    #[error("the problem is no json object")]
    Unreadable,
}

#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

fn printable(text: &str) -> String {
    let safe = |c: char| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().take(1024).map(safe).collect()
}

/// The longest problem that is read, in bytes.
pub const MAX_PROBLEM: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 9457 §3, figure 1, as printed.
    const RFC_EXAMPLE: &str = r#"{
 "type": "https://example.com/probs/out-of-credit",
 "title": "You do not have enough credit.",
 "detail": "Your current balance is 30, but that costs 50.",
 "instance": "/account/12345/msgs/abc",
 "balance": 30,
 "accounts": ["/account/12345",
              "/account/67890"]
}"#;

    #[test]
    fn the_example_of_rfc_9457() {
        let read = Problem::decode(RFC_EXAMPLE.as_bytes()).unwrap();
        assert_eq!(read.kind(), "https://example.com/probs/out-of-credit");
        assert_eq!(read.title(), "You do not have enough credit.");
        let detail = "Your current balance is 30, but that costs 50.";
        assert_eq!(read.detail(), Some(detail));
        assert_eq!((read.status(), read.name()), (None, None));
    }

    #[test]
    fn ours_is_what_python_writes() {
        // python3: json.dumps({...}, separators=(",", ":"))
        let expected = br#"{"type":"/problems/not-authenticated","title":"The request could not be authenticated","status":401}"#;
        assert_eq!(
            Problem::new(ProblemName::NotAuthenticated).encode(),
            expected
        );
    }

    #[test]
    fn a_reason_brings_its_status() {
        // python3: json.dumps({...}, separators=(",", ":"))
        let expected = br#"{"type":"/problems/device-refused","title":"The device is refused","status":404,"detail":"nobody","reason":"device-unknown"}"#;
        let problem = Problem::new(ProblemName::DeviceRefused).with_detail("nobody");
        let problem = problem.with_reason("device-unknown", 404);
        assert_eq!(problem.encode(), expected);
        let read = Problem::decode(expected).unwrap();
        assert_eq!(read, problem);
        assert_eq!(
            (read.reason(), read.status()),
            (Some("device-unknown"), Some(404))
        );
    }

    #[test]
    fn every_name_comes_back() {
        for name in ProblemName::ALL {
            let sent = Problem::new(*name).with_detail("a\u{1b}b");
            let read = Problem::decode(&sent.encode()).unwrap();
            assert_eq!(read, sent);
            assert_eq!(
                (read.name(), read.status()),
                (Some(*name), Some(name.status()))
            );
            assert_eq!(read.detail(), Some("a\u{fffd}b"));
        }
    }

    #[test]
    fn members_of_another_type_are_ignored() {
        let read = Problem::decode(br#"{"type":1,"title":[],"status":"403","detail":null}"#);
        let read = read.unwrap();
        assert_eq!((read.kind(), read.title()), ("about:blank", ""));
        assert_eq!((read.status(), read.detail()), (None, None));
        assert_eq!(Problem::decode(b"[]"), Err(ProblemError::Unreadable));
        let long = std::vec![b' '; MAX_PROBLEM + 1];
        assert_eq!(Problem::decode(&long), Err(ProblemError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Problem::decode(&bytes);
        }
    }
}
