use core::time::Duration;

use rand_core::CryptoRng;

/// How long to wait between tries.
///
/// The n-th wait is clamped first, `min(cap, base · 2ⁿ)`, and then drawn at random between zero and
/// that. The other order, jitter before the clamp, lets all devices that have reached the clamp come
/// back together: a second stampede after every outage.
///
/// ```
/// use core::time::Duration;
/// use gangplank_client::Backoff;
///
/// # let mut rng = gangplank_testkit::TestRng::new(1);
/// let backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(300) };
/// assert!(backoff.delay(2, &mut rng) <= Duration::from_secs(4));
/// assert!(backoff.delay(60, &mut rng) <= Duration::from_secs(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub base: Duration,
    /// The longest wait of all.
    pub cap: Duration,
}

impl Backoff {
    /// After a lost answer or a busy server: 1 s, doubling up to 5 min.
    pub const QUICK: Self = Self {
        base: Duration::from_secs(1),
        cap: Duration::from_secs(300),
    };

    /// After a refusal that nobody answers for, or an answer that does not verify: 10 s, doubling up
    /// to 1 h. Somebody stands in between, and trying harder helps only them.
    pub const SLOW: Self = Self {
        base: Duration::from_secs(10),
        cap: Duration::from_secs(3600),
    };

    /// The wait after `failures` earlier waits: more than zero, at most `min(cap, base · 2^failures)`.
    pub fn delay(&self, failures: u32, rng: &mut dyn CryptoRng) -> Duration {
        let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        let longest = self.base.saturating_mul(factor).min(self.cap);
        let nanoseconds = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
        // The high half of a product with a uniform number is uniform over 0..nanoseconds.
        let drawn = (u128::from(rng.next_u64()) * u128::from(nanoseconds)) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(u64::MAX).saturating_add(1))
            .min(longest)
    }
}

/// When the next try of one exchange is due.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    failures: u32,
    due: Due,
}

#[derive(Clone, Copy, Debug, Default)]
enum Due {
    #[default]
    Now,
    /// Not drawn yet: an answer comes without random numbers.
    Undrawn {
        from: Duration,
        floor: Duration,
        backoff: Backoff,
    },
    At(Duration),
}

impl Pace {
    /// The next try waits at least `floor` from `now` (a `Retry-After`), and on top of it a backoff,
    /// so that devices which were all told the same second do not all come in it.
    pub(crate) fn wait(&mut self, now: Duration, floor: Duration, backoff: Backoff) {
        self.due = Due::Undrawn {
            from: now,
            floor,
            backoff,
        };
    }

    /// As after so many waits.
    pub(crate) fn after(failures: u32) -> Self {
        Self {
            failures,
            due: Due::Now,
        }
    }

    /// The tries up to here count as none: the server is well, it only asked for patience.
    pub(crate) fn forgive(&mut self) {
        self.failures = 0;
    }

    /// The moment to wait for, if it has not come.
    pub(crate) fn until(&mut self, now: Duration, rng: &mut dyn CryptoRng) -> Option<Duration> {
        if let Due::Undrawn {
            from,
            floor,
            backoff,
        } = self.due
        {
            let delay = floor.saturating_add(backoff.delay(self.failures, rng));
            self.failures = self.failures.saturating_add(1);
            self.due = Due::At(from.saturating_add(delay));
        }
        match self.due {
            Due::At(moment) if now < moment => Some(moment),
            _ => {
                self.due = Due::Now;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gangplank_testkit::TestRng;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_delay_is_above_zero_and_within_the_clamp(
            seed in any::<u64>(), failures in any::<u32>(), base in 1_u64..10_000, cap in 1_u64..100_000,
        ) {
            let backoff = Backoff { base: Duration::from_millis(base), cap: Duration::from_millis(cap) };
            let delay = backoff.delay(failures, &mut TestRng::new(seed));
            let clamp = u128::from(base) << failures.min(64);
            prop_assert!(delay > Duration::ZERO);
            prop_assert!(delay.as_nanos() <= clamp.min(u128::from(cap)) * 1_000_000);
        }

        #[test]
        fn retry_after_is_a_floor(seed in any::<u64>(), floor in 0_u64..10_000, tries in 1_usize..12) {
            let (floor, mut rng) = (Duration::from_secs(floor), TestRng::new(seed));
            let mut pace = Pace::default();
            let mut now = Duration::from_secs(50);
            for _ in 0..tries {
                pace.wait(now, floor, Backoff::QUICK);
                let until = pace.until(now, &mut rng).unwrap();
                prop_assert!(until > now + floor);
                prop_assert!(until <= now + floor + Backoff::QUICK.cap);
                prop_assert_eq!(pace.until(now, &mut rng), Some(until));
                prop_assert_eq!(pace.until(until, &mut rng), None);
                now = until;
            }
        }
    }

    #[test]
    fn full_jitter_uses_the_whole_range_after_the_clamp() {
        let mut rng = TestRng::new(3);
        let backoff = Backoff {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(8),
        };
        let delays: Vec<_> = (0..400)
            .map(|_| backoff.delay(30, &mut rng).as_secs())
            .collect();
        for second in 0..8 {
            assert!(
                delays.iter().filter(|delay| **delay == second).count() > 20,
                "{second}"
            );
        }
    }
}
