//! Who may do what: the one place where a request is authorised.

use gangplank_key::UnixTime;
use gangplank_onboarding::DeviceId;
use gangplank_token::{BEARER_CHALLENGE, GitToken, INVALID_TOKEN_CHALLENGE, parse_bearer};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, WWW_AUTHENTICATE};

use crate::api::Refusal;
use crate::git::{Access, Route, parse_basic};
use crate::server::Server;
use crate::store::{Device, TokenKind};

impl Server {
    /// The device whose bearer token (RFC 6750 §2.1) this is, if it is the one of the route.
    pub(crate) async fn device_of_bearer(
        &self,
        headers: &HeaderMap,
        route: &str,
        now: UnixTime,
    ) -> Result<Device, Refusal> {
        let Some(value) = authorization(headers) else {
            return Err(self
                .unauthenticated("there is no bearer token")
                .challenge(BEARER_CHALLENGE));
        };
        let refused = |reason: &str| {
            self.unauthenticated(reason)
                .challenge(INVALID_TOKEN_CHALLENGE)
        };
        let token = parse_bearer(value).map_err(|error| refused(&error.to_string()))?;
        let live = self
            .shared
            .store
            .device_by_token(
                TokenKind::Access,
                &self.shared.storage_key.stored(&token),
                now,
            )
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
        Ok(live.device)
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

    /// The operator as git presents itself: user `admin`, the token as password.
    pub(crate) async fn operator_of_git(
        &self,
        headers: &HeaderMap,
        device: &DeviceId,
    ) -> Result<Access, Refusal> {
        let known = authorization(headers)
            .and_then(parse_basic)
            .is_some_and(|(user, password)| {
                self.shared.authority.admin_token().matches(&password) && user == OPERATOR
            });
        if !known {
            return Err(Refusal::operator_unknown().challenge(GIT_CHALLENGE));
        }
        match self.shared.store.device(device).await? {
            Some(_) => Ok(Access::ReadWrite),
            None => Err(Refusal::not_found(format!("there is no device {device}"))),
        }
    }
}

impl Refusal {
    fn challenge(self, challenge: &'static str) -> Self {
        self.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }
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
