use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};
use core::{fmt, time::Duration};

use gangplank_key::UnixTime;
use zeroize::Zeroizing;

use crate::http_date;

/// What a state machine wants done before it goes on.
#[derive(Debug)]
#[must_use]
pub enum Step<T> {
    /// Sign these bytes with the device's key and hand the signature to `signed`. A short message,
    /// whatever the size of the payload; of a report that a header signs, the whole body.
    Sign(Vec<u8>),
    /// Send this, once, and hand the answer to `receive`, or call `lost` if there is none.
    Send(Request),
    /// Call `next` again when the monotonic clock shows this.
    Wait(Duration),
    /// It is done.
    Done(T),
}

/// An HTTP request. `Debug` leaves out headers' values and the body.
pub struct Request {
    /// What it is for.
    pub purpose: Purpose,
    /// The method.
    pub method: Method,
    /// The absolute `https` URL.
    pub url: String,
    /// Names in lower case, and values; `authorization` holds a secret.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// The body; empty for a GET.
    pub body: Vec<u8>,
    /// What the connection has to be.
    pub connection: Connection,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("purpose", &self.purpose)
            .field("method", &self.method)
            .field("url", &self.url)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// What a request is for; each is one step on the way aboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// `GET /onboarding/certificate`.
    RootCertificate,
    /// `POST /onboarding/`.
    Onboarding,
    /// The token endpoint.
    Token,
    /// `POST /device/{deviceId}/capabilities`.
    Capabilities,
    /// `POST /device/{deviceId}/deployment/{deploymentId}/status`.
    DeploymentStatus,
    /// `GET /device/{deviceId}/git-credential`.
    GitCredential,
}

impl Purpose {
    /// A stable name in kebab-case, for logs and `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RootCertificate => "root-certificate",
            Self::Onboarding => "onboarding",
            Self::Token => "token",
            Self::Capabilities => "capabilities",
            Self::DeploymentStatus => "deployment-status",
            Self::GitCredential => "git-credential",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An HTTP method (RFC 9110 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

impl Method {
    /// The method as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What a request needs of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// TLS that nobody has verified, since there is no root yet. Only `GET /onboarding/certificate`
    /// goes over it; the connection is closed afterwards and never used for anything else.
    Bootstrap,
    /// TLS verified under the orchestrator's root, or under a root that the operator added for
    /// transport.
    Verified,
}

/// An HTTP answer. `Debug` leaves out the body.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body; of a body longer than [`MAX_ANSWER`](crate::MAX_ANSWER) any part that is longer too.
    pub body: Vec<u8>,
    /// Whether the TLS peer was verified under the orchestrator's own root. A root that was added for
    /// transport does not count.
    pub authenticated: bool,
    date: Option<String>,
    retry_after: Option<String>,
    replay_nonce: Option<String>,
}

impl Response {
    /// An answer without headers, from a peer that nobody answers for.
    #[must_use]
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            authenticated: false,
            date: None,
            retry_after: None,
            replay_nonce: None,
        }
    }

    /// Says whether the TLS peer was verified under the orchestrator's own root.
    #[must_use]
    pub fn authenticated(mut self, authenticated: bool) -> Self {
        self.authenticated = authenticated;
        self
    }

    /// Adds a header; those that mean nothing here, and values longer than 256 bytes, are dropped.
    /// The first of several counts.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let slot = if name.eq_ignore_ascii_case("retry-after") {
            &mut self.retry_after
        } else if name.eq_ignore_ascii_case("replay-nonce") {
            &mut self.replay_nonce
        } else if name.eq_ignore_ascii_case("date") {
            &mut self.date
        } else {
            return self;
        };
        if value.len() <= 256 {
            slot.get_or_insert_with(|| value.trim().to_string());
        }
        self
    }

    /// `Retry-After` in seconds (RFC 9110 §10.2.3), at most an hour: nobody may put a device to sleep
    /// for good. The form with a date is passed over, since it needs both sides' clocks.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.retry_after.as_deref()?;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let seconds = text.parse().unwrap_or(u64::MAX);
        Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
    }

    /// When the server says that it answered.
    pub(crate) fn date(&self) -> Option<UnixTime> {
        http_date::parse(self.date.as_deref()?)
    }

    pub(crate) fn replay_nonce(&self) -> Option<&str> {
        self.replay_nonce.as_deref()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .field("authenticated", &self.authenticated)
            .finish_non_exhaustive()
    }
}

const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_seconds_and_bounded() {
        let read = |value| {
            Response::new(503, Vec::new())
                .header("Retry-After", value)
                .retry_after()
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("0"), Some(Duration::ZERO));
        assert_eq!(
            read("99999999999999999999999"),
            Some(Duration::from_secs(3600))
        );
        for other in ["", "-1", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let request = Request {
            purpose: Purpose::Token,
            method: Method::Post,
            url: "https://wfm.example/oauth2/token".into(),
            headers: vec![("authorization", Zeroizing::new("Basic c2VjcmV0".into()))],
            body: b"body-secret".to_vec(),
            connection: Connection::Verified,
        };
        let text = format!(
            "{request:?} {:?}",
            Response::new(200, b"body-secret".to_vec())
        );
        assert!(
            !text.contains("c2VjcmV0") && !text.contains("secret"),
            "{text}"
        );
    }
}
