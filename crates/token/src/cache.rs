use core::time::Duration;

use crate::AccessToken;

/// The one access token a device holds, kept until shortly before it expires.
///
/// Times are durations on the caller's own monotonic clock (since its start, say): a device with a
/// wrong wall clock keeps its tokens exactly as long as one with a right one.
///
/// ```
/// use core::time::Duration;
/// use gangplank_token::{AccessToken, TokenCache};
///
/// let seconds = Duration::from_secs;
/// let mut cache = TokenCache::new();
/// let token = AccessToken::from_wire("mF_9.B5f-4.1JqM".into())?;
/// cache.put(token, Some(seconds(3600)), seconds(10));
/// assert!(cache.get(seconds(10 + 3539)).is_some());
/// assert!(cache.get(seconds(10 + 3540)).is_none());
/// # Ok::<(), gangplank_token::SecretError>(())
/// ```
#[derive(Debug, Default)]
pub struct TokenCache {
    held: Option<Held>,
}

impl TokenCache {
    /// An empty cache.
    pub const fn new() -> Self {
        Self { held: None }
    }

    /// Keeps `token`, and forgets the one before.
    ///
    /// `expires_in` counts from `requested_at`, the moment the request was *sent*: the server's
    /// count began no earlier. The last 60 s, or the last tenth of a short life, are not used, so
    /// that a token does not expire on its way. Without `expires_in` (RFC 6749 §5.1 only
    /// recommends it) the token is kept until [`clear`](Self::clear).
    pub fn put(
        &mut self,
        token: AccessToken,
        expires_in: Option<Duration>,
        requested_at: Duration,
    ) {
        let usable_until = expires_in.map(|lifetime| {
            let margin = MARGIN.min(lifetime / 10);
            requested_at.saturating_add(lifetime.saturating_sub(margin))
        });
        self.held = Some(Held {
            token,
            usable_until,
        });
    }

    /// The token, if it can still be presented at `now`.
    pub fn get(&self, now: Duration) -> Option<&AccessToken> {
        let held = self.held.as_ref()?;
        match held.usable_until {
            Some(end) if now >= end => None,
            _ => Some(&held.token),
        }
    }

    /// Forgets the token: a server refused it, whatever it said about its life.
    pub fn clear(&mut self) {
        self.held = None;
    }
}

#[derive(Debug)]
struct Held {
    token: AccessToken,
    usable_until: Option<Duration>,
}

const MARGIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cache(expires_in: Option<Duration>, requested_at: Duration) -> TokenCache {
        let mut cache = TokenCache::new();
        let token = AccessToken::from_wire("t".into()).unwrap();
        cache.put(token, expires_in, requested_at);
        cache
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_long_life_ends_a_minute_early() {
        let cache = cache(Some(s(3600)), s(100));
        assert!(cache.get(s(100)).is_some());
        assert!(cache.get(s(3639)).is_some());
        assert!(cache.get(s(3640)).is_none());
    }

    #[test]
    fn a_short_life_ends_a_tenth_early() {
        let cache = cache(Some(s(10)), s(0));
        assert!(cache.get(Duration::from_millis(8_999)).is_some());
        assert!(cache.get(s(9)).is_none());
    }

    #[test]
    fn no_life_at_all_is_never_used() {
        assert!(cache(Some(s(0)), s(7)).get(s(7)).is_none());
    }

    #[test]
    fn without_an_expiry_only_clear_ends_it() {
        let mut cache = cache(None, s(0));
        assert!(cache.get(Duration::MAX).is_some());
        cache.clear();
        assert!(cache.get(s(0)).is_none());
    }

    proptest! {
        #[test]
        fn never_used_after_its_expiry(life in any::<u64>(), sent in any::<u64>(), now in any::<u64>()) {
            let usable = cache(Some(s(life)), s(sent)).get(s(now)).is_some();
            if usable {
                prop_assert!(u128::from(now) < u128::from(sent) + u128::from(life));
            }
        }
    }
}
