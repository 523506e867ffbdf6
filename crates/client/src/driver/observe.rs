use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{Purpose, Request, Response};

/// What crossed the wire, without secrets.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What it was for.
    pub purpose: Purpose,
    /// The HTTP method.
    pub method: &'static str,
    /// The URL.
    pub url: String,
    /// The names of the request's headers.
    pub request_headers: Vec<&'static str>,
    /// The request's body; an envelope's payload is decoded, secrets are replaced by `(redacted)`.
    pub request: String,
    /// The status of the answer; `None` if none came.
    pub status: Option<u16>,
    /// The answer's body, in the same way; or why none came.
    pub response: String,
    /// Bytes of the request's body, and of the answer's.
    pub bytes: (usize, usize),
    /// Whether the TLS peer was verified under the orchestrator's own root.
    pub authenticated: bool,
    /// From sending to the end of the answer.
    pub elapsed: Duration,
}

/// Is shown each exchange.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Exchange) + Send + Sync>);

impl Observer {
    /// Calls `see` after each exchange.
    pub fn new(see: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        Self(Arc::new(see))
    }

    pub(crate) fn see(
        &self,
        request: &Request,
        answer: Result<&Response, &str>,
        elapsed: Duration,
    ) {
        let (status, response, length, authenticated) = match answer {
            Ok(response) => {
                let (body, status) = (&response.body, Some(response.status));
                let shown = redacted_answer(request.purpose, body);
                (status, shown, body.len(), response.authenticated)
            }
            Err(reason) => (None, reason.to_owned(), 0, false),
        };
        (self.0)(&Exchange {
            purpose: request.purpose,
            method: request.method.as_str(),
            url: request.url.clone(),
            request_headers: request.headers.iter().map(|(name, _)| *name).collect(),
            request: redacted(&request.body),
            status,
            response,
            bytes: (request.body.len(), length),
            authenticated,
            elapsed,
        });
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// A body for people: JSON with the secrets replaced, the one form we send, and of anything else its
/// length, since nobody knows what is in it.
fn redacted(body: &[u8]) -> String {
    if body.is_empty() || body == b"grant_type=client_credentials" {
        return String::from_utf8_lossy(body).into_owned();
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value @ Value::Object(_)) => {
            open_payload(&mut value);
            hide_secrets(&mut value);
            value.to_string()
        }
        _ => format!("({} bytes)", body.len()),
    }
}

/// An answer for people. The token endpoint may be somebody else's and answer with members that nobody
/// here knows to be secret (RFC 6749 §5.1), so of its answers only the known harmless ones are shown.
fn redacted_answer(purpose: Purpose, body: &[u8]) -> String {
    if purpose != Purpose::Token {
        return redacted(body);
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut members)) => {
            members.retain(|name, _| OF_TOKEN_ANSWERS.contains(&name.as_str()));
            let mut value = Value::Object(members);
            hide_secrets(&mut value);
            value.to_string()
        }
        _ if body.is_empty() => String::new(),
        _ => format!("({} bytes)", body.len()),
    }
}

/// Puts an envelope's payload in the place of its base64, or hides it.
fn open_payload(envelope: &mut Value) {
    let Some(payload) = envelope.get_mut("payload") else {
        return;
    };
    let decoded = payload
        .as_str()
        .and_then(|text| STANDARD.decode(text).ok())
        .unwrap_or_default();
    *payload = match serde_json::from_slice(&decoded) {
        Ok(value @ Value::Object(_)) => value,
        _ => Value::from(format!("({} bytes)", decoded.len())),
    };
}

fn hide_secrets(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match SECRETS.contains(&name.as_str()) {
                    true => *member = Value::from("(redacted)"),
                    false => hide_secrets(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(hide_secrets),
        _ => {}
    }
}

const SECRETS: [&str; 5] = [
    "clientSecret",
    "client_secret",
    "gitAccessToken",
    "password",
    "access_token",
];
const OF_TOKEN_ANSWERS: [&str; 5] = [
    "token_type",
    "expires_in",
    "scope",
    "error",
    "error_description",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_wherever_they_are() {
        let payload = STANDARD
            .encode(r#"{"clientSecret":"gpcs_1","deviceId":"d-1","a":[{"password":"gpgt_2"}]}"#);
        let text = redacted(format!(r#"{{"payload":"{payload}","type":"X"}}"#).as_bytes());
        assert!(
            text.contains("d-1") && text.contains("(redacted)"),
            "{text}"
        );
        assert!(!text.contains("gpcs_") && !text.contains("gpgt_"), "{text}");
        assert!(!redacted(br#"{"access_token":"gpat_3"}"#).contains("gpat_"));
        assert_eq!(redacted(b"client_secret=gpcs_4"), "(20 bytes)");
        assert!(!redacted(br#"{"payload":"Z3Bjc181"}"#).contains("Z3Bj"));
        assert!(!redacted(br#"{"client_secret":"gpcs_6"}"#).contains("gpcs_"));
    }

    #[test]
    fn of_a_token_answer_only_what_is_known_to_be_harmless_is_shown() {
        // In alphabetical order, which is the same whether serde_json keeps the order or not.
        let answer = br#"{"access_token":"gpat_1","expires_in":60,"id_token":"i",
            "refresh_token":"r","scope":{"password":"p"},"token_type":"Bearer"}"#;
        assert_eq!(
            redacted_answer(Purpose::Token, answer),
            r#"{"expires_in":60,"scope":{"password":"(redacted)"},"token_type":"Bearer"}"#
        );
        assert_eq!(redacted_answer(Purpose::Token, b"gpat_2"), "(6 bytes)");
    }
}
