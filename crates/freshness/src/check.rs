use alloc::vec::Vec;
use core::time::Duration;

use rustls_pki_types::UnixTime;

use crate::{Nonce, NonceIssuer, NonceRefused};

/// What proves to a verifier that a message is fresh. It has no default: a verifier says what it
/// insists on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Freshness<'a> {
    /// Nothing.
    NotRequired,
    /// `created` within a window.
    Created(Window),
    /// `nonce` equal to the one in the request that this message answers.
    Echo(&'a Nonce),
    /// `nonce` issued by this server and not expired at this time.
    ServerNonce(&'a NonceIssuer, UnixTime),
    /// `created` within the window when it is there, else a nonce of this server: devices with a
    /// clock need one round trip, devices without one are not shut out.
    CreatedOrServerNonce(Window, &'a NonceIssuer),
    /// Both.
    Both(Window, &'a NonceIssuer),
}

impl Freshness<'_> {
    /// Judges what a message says of its own time, once its signature is verified.
    ///
    /// `seen` names the message: a hash over who signed and the bytes that were signed, never over
    /// the signature, since ECDSA signatures can be rewritten and still verify. The answer is what
    /// must be remembered, all of it in one step with the effect of the message ([`ReplayGuard`]);
    /// it is empty where freshness is not required or is an echo.
    ///
    /// # Errors
    /// [`Stale`], for the verifier's own log.
    ///
    /// [`ReplayGuard`]: crate::ReplayGuard
    pub fn check(&self, claims: &Claims<'_>, seen: [u8; 32]) -> Result<Vec<OnceKey>, Stale> {
        match self {
            Self::NotRequired => Ok(Vec::new()),
            Self::Echo(nonce) if claims.nonce == Some(*nonce) => Ok(Vec::new()),
            Self::Echo(_) => Err(Stale::NotEchoed),
            Self::Created(window) => Ok([claims.in_window(window, seen)?].into()),
            Self::ServerNonce(issuer, now) => Ok([claims.issued_by(issuer, *now)?].into()),
            Self::CreatedOrServerNonce(window, issuer) => Ok(match claims.created {
                Some(_) => [claims.in_window(window, seen)?].into(),
                None => [claims.issued_by(issuer, window.now)?].into(),
            }),
            Self::Both(window, issuer) => Ok([
                claims.in_window(window, seen)?,
                claims.issued_by(issuer, window.now)?,
            ]
            .into()),
        }
    }
}

/// When `created` counts as now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The verifier's time.
    pub now: UnixTime,
    /// How far `created` may lie in the past.
    pub max_age: Duration,
    /// How far `created` may lie in the future.
    pub max_lead: Duration,
}

/// What a message says of its own time, under its signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims<'a> {
    /// When it was signed, by the signer's clock.
    pub created: Option<UnixTime>,
    /// The last second at which the signer wants it believed (RFC 9421 §2.3; an envelope has
    /// none). Every rule that knows the time obeys it, also one that does not look at `created`.
    pub expires: Option<UnixTime>,
    /// Its nonce.
    pub nonce: Option<&'a Nonce>,
}

impl Claims<'_> {
    fn in_window(&self, window: &Window, seen: [u8; 32]) -> Result<OnceKey, Stale> {
        let created = self.created.ok_or(Stale::CreatedMissing)?.as_secs();
        let now = window.now.as_secs();
        let (max_age, max_lead) = (window.max_age.as_secs(), window.max_lead.as_secs());
        let oldest = created.saturating_add(max_age);
        if now > oldest {
            return Err(Stale::TooOld {
                age: now.saturating_sub(created),
                max: max_age,
            });
        }
        if created > now.saturating_add(max_lead) {
            return Err(Stale::TooNew {
                lead: created.saturating_sub(now),
                max: max_lead,
            });
        }
        self.not_expired(window.now)?;
        // The key stands for these very bytes, `expires` among them.
        let until = self.expires.map_or(oldest, |at| oldest.min(at.as_secs()));
        Ok(OnceKey {
            key: seen,
            since: at(created.saturating_sub(max_lead)),
            until: at(until),
        })
    }

    fn issued_by(&self, issuer: &NonceIssuer, now: UnixTime) -> Result<OnceKey, Stale> {
        self.not_expired(now)?;
        let nonce = self.nonce.ok_or(Stale::NonceMissing)?;
        // Kept until the nonce ends, whatever `expires` says: another message may carry it.
        Ok(issuer.check(nonce, now)?)
    }

    fn not_expired(&self, now: UnixTime) -> Result<(), Stale> {
        match self.expires {
            Some(expires) if now > expires => Err(Stale::Expired {
                ago: now.as_secs().saturating_sub(expires.as_secs()),
            }),
            _ => Ok(()),
        }
    }
}

/// A name that may be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnceKey {
    /// A hash, or a nonce of the verifier's own; never the signature's bytes: ECDSA signatures can
    /// be changed and still verify.
    pub key: [u8; 32],
    /// It cannot have been used before this moment, since the rule accepts it from then on: `created`
    /// less the lead that is allowed, or the time at which the nonce was issued less the 5 seconds by
    /// which clocks of one server may differ. A guard that did not exist then cannot know whether it
    /// was used.
    pub since: UnixTime,
    /// It may be forgotten after this moment, since the message would then be stale anyway. For one
    /// key it is always the same: all that use one guard have one window.
    pub until: UnixTime,
}

/// Why a message is not fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Stale {
    /// It does not say when it was signed.
    #[error("the message does not say when it was created")]
    CreatedMissing,
    /// Signed too long ago.
    #[error("the message was created {age} s ago, more than the {max} s accepted")]
    TooOld {
        /// Seconds since `created`.
        age: u64,
        /// Seconds accepted.
        max: u64,
    },
    /// Signed in the future: one of the two clocks is wrong.
    #[error("the message was created {lead} s in the future, more than the {max} s accepted")]
    TooNew {
        /// Seconds until `created`.
        lead: u64,
        /// Seconds accepted.
        max: u64,
    },
    /// The signer does not want it believed any more.
    #[error("the message expired {ago} s ago")]
    Expired {
        /// Seconds since `expires`.
        ago: u64,
    },
    /// It has no nonce, or neither `created` nor a nonce.
    #[error("the message has no nonce")]
    NonceMissing,
    /// It answers another request.
    #[error("the message does not echo the request's nonce")]
    NotEchoed,
    /// Its nonce proves nothing.
    #[error(transparent)]
    Nonce(#[from] NonceRefused),
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
