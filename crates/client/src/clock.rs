use core::time::Duration;

use gangplank_key::UnixTime;

/// The caller's two clocks, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since any fixed moment, never stepping back: waits and token lifetimes are measured with it.
    pub monotonic: Duration,
    /// The time of day; `None` if the device has no clock, or one that is known to be unset. A clock
    /// that shows less than the build time or the last authenticated time counts as `None` anyway.
    pub wall: Option<UnixTime>,
}

/// What is known about the time of day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    build_time: UnixTime,
    last_authenticated: Option<UnixTime>,
    learned: Option<Learned>,
}

/// The server's time, from the one answer that the clock is corrected from.
#[derive(Clone, Copy, Debug)]
struct Learned {
    monotonic: Duration,
    wall: UnixTime,
}

/// The time at which certificates are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathTime {
    /// It is this time.
    Is(UnixTime),
    /// It is this time or later; nobody knows.
    AtLeast(UnixTime),
}

impl Time {
    pub(crate) fn new(build_time: UnixTime, last_authenticated: Option<UnixTime>) -> Self {
        Self {
            build_time,
            last_authenticated,
            learned: None,
        }
    }

    pub(crate) fn last_authenticated(&self) -> Option<UnixTime> {
        self.last_authenticated
    }

    /// The latest time that has certainly passed.
    pub(crate) fn floor(&self) -> UnixTime {
        self.last_authenticated
            .map_or(self.build_time, |seen| seen.max(self.build_time))
    }

    /// The time to write into `created`, if there is one to believe: the learned one, which is only
    /// there if the device's own was absent or wrong, else the device's own.
    pub(crate) fn created(&self, now: Now) -> Option<UnixTime> {
        match self.learned {
            Some(learned) => Some(learned.at(now.monotonic)),
            None => now.wall.filter(|wall| *wall >= self.floor()),
        }
    }

    /// The time for TLS and path validation (DESIGN §5): the device's clock where it can be right,
    /// else the latest time that has certainly passed.
    pub(crate) fn path_time(&self, now: Now) -> PathTime {
        match self.created(now) {
            Some(time) => PathTime::Is(time.max(self.floor())),
            None => PathTime::AtLeast(self.floor()),
        }
    }

    /// Takes the time of an answer that is authenticated, and perhaps old: it has passed, no more.
    pub(crate) fn passed(&mut self, wall: UnixTime) {
        self.last_authenticated = self.last_authenticated.max(Some(wall));
    }

    /// Whether an authenticated answer has shown a time well after this one. Servers behind one
    /// balancer do not agree to the second.
    pub(crate) fn is_past(&self, wall: UnixTime) -> bool {
        self.last_authenticated
            .is_some_and(|seen| wall.as_secs().saturating_add(TOLERATED.as_secs()) < seen.as_secs())
    }

    /// Takes the time of an answer that is authenticated and fresh. The device's clock is corrected
    /// at most once, and only if it is absent or off by more than [`TOLERATED`]. Returns whether it
    /// was corrected now.
    pub(crate) fn authenticated(&mut self, wall: UnixTime, now: Now) -> bool {
        let own = self.created(now);
        self.passed(wall);
        let wrong =
            own.is_none_or(|own| own.as_secs().abs_diff(wall.as_secs()) > TOLERATED.as_secs());
        let corrects = self.learned.is_none() && wrong;
        if corrects {
            self.learned = Some(Learned {
                monotonic: now.monotonic,
                wall,
            });
        }
        corrects
    }
}

impl Learned {
    fn at(&self, monotonic: Duration) -> UnixTime {
        let passed = monotonic.saturating_sub(self.monotonic);
        UnixTime::since_unix_epoch(Duration::from_secs(self.wall.as_secs()).saturating_add(passed))
    }
}

/// How far the device's clock may be from an authenticated time and still be left alone: a fifth of
/// the 300 s that a server allows `created` to be old (docs/envelope.md §8). As much may an answer
/// be behind the last one.
const TOLERATED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    fn now(monotonic: u64, wall: Option<u64>) -> Now {
        Now {
            monotonic: Duration::from_secs(monotonic),
            wall: wall.map(at),
        }
    }

    #[test]
    fn a_clock_before_the_build_time_is_no_clock() {
        let time = Time::new(at(1000), None);
        assert_eq!(time.created(now(0, Some(999))), None);
        assert_eq!(
            time.path_time(now(0, Some(999))),
            PathTime::AtLeast(at(1000))
        );
        assert_eq!(time.path_time(now(0, Some(1001))), PathTime::Is(at(1001)));
        let seen = Time::new(at(1000), Some(at(2000)));
        assert_eq!(
            seen.path_time(now(0, Some(1001))),
            PathTime::AtLeast(at(2000))
        );
    }

    #[test]
    fn a_missing_clock_is_learned_once_and_runs_on() {
        let mut time = Time::new(at(1000), None);
        time.authenticated(at(5000), now(10, None));
        assert_eq!(time.created(now(25, None)), Some(at(5015)));
        time.authenticated(at(9000), now(30, None));
        assert_eq!(time.created(now(30, None)), Some(at(5020)));
        assert_eq!(time.path_time(now(30, None)), PathTime::Is(at(9000)));
    }

    #[test]
    fn an_old_answer_sets_no_clock_and_is_known_for_old() {
        let mut time = Time::new(at(1000), None);
        assert!(!time.is_past(at(0)));
        time.passed(at(5000));
        assert_eq!(time.created(now(0, None)), None);
        assert_eq!(time.path_time(now(0, None)), PathTime::AtLeast(at(5000)));
        assert!(!time.is_past(at(4940)));
        assert!(time.is_past(at(4939)));
        time.passed(at(4950));
        assert_eq!(time.last_authenticated(), Some(at(5000)));
    }

    #[test]
    fn a_right_clock_is_left_alone_and_a_wrong_one_corrected() {
        let mut time = Time::new(at(1000), None);
        time.authenticated(at(5000), now(0, Some(5060)));
        assert_eq!(time.created(now(1, Some(5061))), Some(at(5061)));
        let mut time = Time::new(at(1000), None);
        time.authenticated(at(5000), now(0, Some(5061)));
        assert_eq!(time.created(now(1, Some(5062))), Some(at(5001)));
        // Once: a later answer is not obeyed, however far off it shows the clock to be.
        time.authenticated(at(9000), now(2, Some(5063)));
        assert_eq!(time.created(now(3, Some(5064))), Some(at(5003)));
    }
}
