//! Who may do what: the one place where a request is authorised.

use std::time::Duration;

use gangplank_envelope::OnceKey;
use gangplank_key::UnixTime;
use gangplank_token::{
    BEARER_CHALLENGE, GitToken, INVALID_TOKEN_CHALLENGE, StoredSecret, parse_bearer,
};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, WWW_AUTHENTICATE};

use crate::api::Refusal;
use crate::git::{Access, Route, parse_basic};
use crate::server::{BACKEND, Server};
use crate::store::{Device, TokenKind};

impl Server {
    /// The device whose bearer token (RFC 6750 §2.1) this is, if it is the one of the route.
    pub(crate) async fn device_of_bearer(
        &self,
        headers: &HeaderMap,
        route: &str,
        now: UnixTime,
    ) -> Result<Bearer, Refusal> {
        let Some(value) = authorization(headers) else {
            return Err(self
                .unauthenticated("there is no bearer token")
                .challenge(BEARER_CHALLENGE));
        };
        let refused = |reason: &str| self.other_token_wanted(reason);
        let token = parse_bearer(value).map_err(|error| refused(&error.to_string()))?;
        let token = self.shared.storage_key.stored(&token);
        let live = self
            .shared
            .store
            .device_by_token(TokenKind::Access, &token, now)
            .await?
            .ok_or_else(|| {
                refused("the bearer token is unknown, expired or its device may not act")
            })?;
        if live.device.id.as_str() != route {
            let reason = format!(
                "the token of device {} was used for {route:?}",
                live.device.id
            );
            return Err(Refusal::not_admitted(reason));
        }
        Ok(Bearer {
            device: live.device,
            token,
            issued_at: before(live.expires_at, self.shared.lifetimes.access_token),
            expires_at: live.expires_at,
        })
    }

    /// The 401 that asks for the same message with another token.
    pub(crate) fn other_token_wanted(&self, reason: &str) -> Refusal {
        self.unauthenticated(reason)
            .challenge(INVALID_TOKEN_CHALLENGE)
    }

    /// What a request on the public listener may do with a repository: read the one that its Git
    /// token opens, and nothing else.
    pub(crate) async fn device_of_git_token(
        &self,
        headers: &HeaderMap,
        route: &Route,
        now: UnixTime,
    ) -> Result<Access, Refusal> {
        let refused = |reason: &str| self.unauthenticated(reason).challenge(GIT_CHALLENGE);
        let (user, password) = authorization(headers)
            .and_then(parse_basic)
            .ok_or_else(|| refused("there are no Git credentials"))?;
        let token = GitToken::from_wire(password.to_string())
            .map_err(|_| refused("the Git password is no token"))?;
        let live = self
            .shared
            .store
            .device_by_token(TokenKind::Git, &self.shared.storage_key.stored(&token), now)
            .await?
            .ok_or_else(|| {
                refused("the Git token is unknown, expired or its device may not act")
            })?;
        if live.device.id != *route.device() || live.device.id.as_str() != user {
            let reason = format!(
                "the Git token of device {} does not open {}",
                live.device.id,
                route.device()
            );
            return Err(refused(&reason));
        }
        Ok(Access::ReadOnly)
    }

    /// The operator's bearer token, on every route of the admin listener but Git's.
    pub(crate) fn operator(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let presented = authorization(headers).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim_matches(' '))
        });
        match presented {
            Some(token) if self.shared.authority.admin_token().matches(token) => Ok(()),
            _ => Err(Refusal::operator_unknown().challenge(BEARER_CHALLENGE)),
        }
    }

    /// The operator as the Secure Manager's clients present themselves: its token, as a bearer's or bare.
    pub(crate) fn operator_of_secure_manager(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(value) = authorization(headers) else {
            return Err(Refusal::operator_unknown().challenge(BEARER_CHALLENGE));
        };
        match self.operator(headers).is_ok() || self.shared.authority.admin_token().matches(value) {
            true => Ok(()),
            false => Err(Refusal::operator_unknown().challenge(INVALID_TOKEN_CHALLENGE)),
        }
    }

    /// The operator as git presents itself: user `admin`, the token as password.
    pub(crate) fn operator_of_git(&self, headers: &HeaderMap) -> Result<Access, Refusal> {
        let known = authorization(headers)
            .and_then(parse_basic)
            .is_some_and(|(user, password)| {
                self.shared.authority.admin_token().matches(&password) && user == OPERATOR
            });
        match known {
            true => Ok(Access::ReadWrite),
            false => Err(Refusal::operator_unknown().challenge(GIT_CHALLENGE)),
        }
    }
}

/// A device that showed its bearer token.
pub(crate) struct Bearer {
    pub(crate) device: Device,
    token: StoredSecret,
    /// By today's lifetime of tokens. A store that begins anew knows no older token either.
    issued_at: UnixTime,
    expires_at: UnixTime,
}

impl Bearer {
    /// What is remembered of a payload that says nothing of when it was signed: that it came with
    /// this token, for as long as the token lives. After that the recorded request opens nothing.
    pub(crate) fn once(&self, payload: &[u8; 32]) -> OnceKey {
        OnceKey {
            key: BACKEND.sha256(&[
                b"gangplank seen payload/1\0",
                self.token.as_bytes(),
                payload,
            ]),
            since: self.issued_at,
            until: self.expires_at,
        }
    }
}

impl Refusal {
    fn challenge(self, challenge: &'static str) -> Self {
        self.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }
}

fn before(time: UnixTime, duration: Duration) -> UnixTime {
    let seconds = time.as_secs().saturating_sub(duration.as_secs());
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// The user name of an operator in Git, and in the audit.
pub(crate) const OPERATOR: &str = "admin";

/// One `Authorization` header; with two nobody can say which one counts.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all::<HeaderName>(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

const GIT_CHALLENGE: &str = "Basic realm=\"git\", charset=\"UTF-8\"";
