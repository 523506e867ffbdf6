//! How many requests one address may make.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use gangplank_onboarding::{Problem, ProblemName};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use http::header::RETRY_AFTER;

use crate::listen::{Peer, problem_response};

/// How many requests one client may make: one IPv4 address or, since a subscriber is given a whole
/// one, one IPv6 /64 network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateLimit {
    /// Any number; for servers behind something that limits already.
    Off,
    /// `per_second` in the long run, and up to `burst` at once.
    PerClient {
        /// Requests per second in the long run.
        per_second: NonZeroU32,
        /// Requests at once after a pause.
        burst: NonZeroU32,
    },
}

impl Default for RateLimit {
    /// 20 a second, 60 at once: onboarding takes four requests, so a site of a dozen devices behind
    /// one address can come back all at the same moment.
    fn default() -> Self {
        Self::PerClient {
            per_second: PER_SECOND,
            burst: BURST,
        }
    }
}

/// Puts `limit` in front of every route of `router`. What exceeds it is answered with 429, how long
/// to wait in `Retry-After` (whole seconds, RFC 9110 §10.2.3), and the problem `too-many-requests`.
///
/// The client is the request's [`Peer`], else axum's `ConnectInfo<SocketAddr>`. Requests with
/// neither share one budget: who embeds the router inserts a [`Peer`], or limits elsewhere and
/// passes [`RateLimit::Off`].
pub fn limit_rate(router: Router, limit: RateLimit) -> Router {
    let Some(buckets) = Buckets::new(limit, DefaultClock::default()) else {
        return router;
    };
    let buckets = Arc::new(buckets);
    router.layer(from_fn(move |request: Request, next: Next| {
        let checked = buckets.check(client(&request));
        async move {
            match checked {
                Ok(()) => next.run(request).await,
                Err(wait) => refused(wait),
            }
        }
    }))
}

/// One bucket per hash of a client rather than per client: memory is bounded whatever addresses an
/// attacker owns, without a table that could be filled up to lock others out. Clients that share a
/// bucket share its budget; the hash is keyed, so nobody can choose whose bucket to share.
struct Buckets<C: Clock> {
    limiter: RateLimiter<u16, DashMapStateStore<u16>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    hash: RandomState,
}

impl<C: Clock + Clone> Buckets<C> {
    /// `None` if there is nothing to limit.
    fn new(limit: RateLimit, clock: C) -> Option<Self> {
        let RateLimit::PerClient { per_second, burst } = limit else {
            return None;
        };
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let limiter = RateLimiter::dashmap_with_clock(quota, clock.clone());
        Some(Self {
            limiter,
            clock,
            hash: RandomState::new(),
        })
    }

    /// Counts a request; the error says how long to wait.
    fn check(&self, client: Option<IpAddr>) -> Result<(), Duration> {
        let [low, high, ..] = self.hash.hash_one(client.map(network)).to_le_bytes();
        self.limiter
            .check_key(&u16::from_le_bytes([low, high]))
            .map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

fn client(request: &Request) -> Option<IpAddr> {
    let extensions = request.extensions();
    let socket = || {
        extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip())
    };
    extensions
        .get::<Peer>()
        .map(|peer| peer.address)
        .or_else(socket)
}

/// The address if it is IPv4, else the /64 network it is in.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & NETWORK_64).into()),
    }
}

fn refused(wait: Duration) -> Response {
    // Rounded up, so that a client which waits exactly that long is served.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let mut response = problem_response(&Problem::new(ProblemName::TooManyRequests));
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

const PER_SECOND: NonZeroU32 = NonZeroU32::new(20).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(60).unwrap();
const NETWORK_64: u128 = !0 << 64;

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use governor::clock::FakeRelativeClock;
    use tower::ServiceExt;

    fn buckets() -> (Buckets<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (
            Buckets::new(RateLimit::default(), clock.clone()).unwrap(),
            clock,
        )
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn rate_allows_a_burst_then_a_steady_flow() {
        let (buckets, clock) = buckets();
        let client = address("203.0.113.7");
        for _ in 0..60 {
            assert_eq!(buckets.check(client), Ok(()));
        }
        assert_eq!(buckets.check(client), Err(Duration::from_millis(50)));
        clock.advance(Duration::from_millis(50));
        assert_eq!(buckets.check(client), Ok(()));
        assert!(buckets.check(client).is_err());
        clock.advance(Duration::from_secs(1));
        assert_eq!(
            (0..100).filter(|_| buckets.check(client).is_ok()).count(),
            20
        );
    }

    #[test]
    fn rate_takes_one_ipv6_network_for_one_client() {
        assert_eq!(
            network("2001:db8:0:1:aaaa::1".parse().unwrap()).to_string(),
            "2001:db8:0:1::"
        );
        assert_eq!(
            network("203.0.113.7".parse().unwrap()).to_string(),
            "203.0.113.7"
        );
        assert_eq!(
            network("::ffff:203.0.113.7".parse().unwrap()).to_string(),
            "203.0.113.7"
        );
        let (buckets, _clock) = buckets();
        for host in 0..60 {
            assert_eq!(
                buckets.check(address(&format!("2001:db8::{host:x}"))),
                Ok(())
            );
        }
        assert!(buckets.check(address("2001:db8::ffff")).is_err());
    }

    #[test]
    fn rate_memory_is_bounded_whatever_addresses_come() {
        let (buckets, _clock) = buckets();
        for n in 0..200_000_u128 {
            let _ = buckets.check(Some(IpAddr::V6((n << 64).into())));
        }
        assert!(buckets.limiter.len() <= usize::from(u16::MAX) + 1);
    }

    #[test]
    fn rate_gives_clients_budgets_of_their_own() {
        let (buckets, _clock) = buckets();
        let served = |n: u32| {
            let client = Some(IpAddr::V4(n.into()));
            (0..61).filter(|_| buckets.check(client).is_ok()).count() == 60
        };
        // Two of a hundred may share a bucket, by chance; not a tenth of them.
        assert!((0..100).filter(|n| served(*n)).count() > 90);
    }

    async fn statuses(limit: RateLimit, requests: usize) -> Vec<Response> {
        let router = Router::new().route("/", get(|| async { "served" }));
        let router = limit_rate(router, limit);
        let mut answers = Vec::new();
        for _ in 0..requests {
            let mut request = Request::get("/").body(Body::empty()).unwrap();
            let address = address("203.0.113.7").unwrap();
            request.extensions_mut().insert(Peer {
                address,
                over_tls: true,
            });
            answers.push(router.clone().oneshot(request).await.unwrap());
        }
        answers
    }

    #[tokio::test]
    async fn rate_answers_429_with_retry_after() {
        let one = NonZeroU32::MIN;
        let limit = RateLimit::PerClient {
            per_second: one,
            burst: one,
        };
        let answers = statuses(limit, 2).await;
        assert_eq!(answers[0].status(), 200);
        assert_eq!(answers[1].status(), 429);
        assert_eq!(
            answers[1].headers()["content-type"],
            "application/problem+json"
        );
        assert_eq!(answers[1].headers()[RETRY_AFTER], "1");
    }

    #[tokio::test]
    async fn rate_can_be_switched_off() {
        assert!(
            statuses(RateLimit::Off, 200)
                .await
                .iter()
                .all(|answer| answer.status() == 200)
        );
    }
}
