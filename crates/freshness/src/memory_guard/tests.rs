use super::*;
use crate::{Claims, Freshness, NonceIssuer, Window};
use core::time::Duration;
use gangplank_testkit::TestRng;
use proptest::prelude::*;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// A key that could be used from 1 on: after the start at 0 of the guards below.
fn key(name: u8, until: u64) -> OnceKey {
    OnceKey {
        key: [name; 32],
        since: at(1),
        until: at(until),
    }
}

fn guard(capacity: usize) -> MemoryReplayGuard {
    MemoryReplayGuard::new(capacity, at(0))
}

#[test]
fn a_key_passes_once_until_its_time_has_ended() {
    let mut guard = guard(9);
    assert_eq!(guard.once(&[key(1, 100)], at(50)), Ok(()));
    for now in [50, 51, 100] {
        assert_eq!(guard.once(&[key(1, 100)], at(now)), Err(Refused::Seen));
    }
    let forgotten = Err(Refused::Forgotten { until: 100 });
    assert_eq!(guard.once(&[key(1, 100)], at(101)), forgotten);
    assert!(guard.is_empty());
    // The clock is set back: what was forgotten stays refused, what is newer passes.
    assert_eq!(guard.once(&[key(1, 100)], at(50)), forgotten);
    assert_eq!(guard.once(&[key(2, 101)], at(50)), Ok(()));
}

#[test]
fn of_several_keys_all_are_recorded_or_none() {
    let mut guard = guard(3);
    assert_eq!(guard.once(&[key(1, 100)], at(50)), Ok(()));
    let (two, three) = (key(2, 100), key(3, 100));
    for refused in [
        [two, three, key(1, 100)],
        [two, three, two],
        [two, three, key(4, 100)],
        [two, three, key(4, 49)],
    ] {
        assert!(guard.once(&refused, at(50)).is_err(), "{refused:?}");
        assert_eq!(guard.len(), 1);
    }
    assert_eq!(guard.once(&[two, three], at(50)), Ok(()));
}

#[test]
fn a_full_guard_refuses_and_says_so_until_a_key_ends() {
    let mut guard = guard(2);
    assert_eq!(guard.once(&[key(1, 60), key(2, 70)], at(50)), Ok(()));
    let refused = Refused::Full { capacity: 2 };
    let full = Err(refused);
    assert_eq!(guard.once(&[key(3, 90)], at(60)), full);
    assert_eq!(
        refused.to_string(),
        "the replay guard is full: it holds 2 keys, and none may be forgotten yet"
    );
    // What it holds is not given up for what is refused.
    assert_eq!(guard.once(&[key(1, 60)], at(60)), Err(Refused::Seen));
    assert_eq!(guard.once(&[key(3, 90)], at(61)), Ok(()));
    assert_eq!(guard.once(&[key(4, 90)], at(61)), full);
    assert_eq!(MemoryReplayGuard::new(0, at(0)).once(&[], at(1)), Ok(()));
}

#[test]
fn what_could_be_older_than_the_guard_is_refused() {
    let mut guard = MemoryReplayGuard::new(9, at(1000));
    let before = Err(Refused::BeforeStart { start: 1000 });
    let since = |since| OnceKey {
        since: at(since),
        ..key(1, 1300)
    };
    assert_eq!(guard.once(&[since(999)], at(1010)), before);
    assert_eq!(guard.once(&[since(1000)], at(1010)), before);
    assert_eq!(guard.once(&[since(1001)], at(1010)), Ok(()));
    let issuer = NonceIssuer::new([7; 32], Duration::from_secs(300));
    for (issued, expected) in [(1005, before), (1006, Ok(()))] {
        let nonce = issuer.issue(at(issued), &mut TestRng::new(issued));
        let once = issuer.check(&nonce, at(1010)).unwrap();
        assert_eq!(guard.once(&[once], at(1010)), expected);
    }
}

/// Remembers everything and looks at all of it.
#[derive(Default)]
struct Model {
    used: Vec<OnceKey>,
}

impl Model {
    fn holds(&self, now: UnixTime) -> Vec<OnceKey> {
        let live = self.used.iter().filter(|used| used.until >= now);
        live.copied().collect()
    }

    /// What a guard with this start and room has to say; the first refusal counts.
    fn once(
        &mut self,
        keys: &[OnceKey],
        now: UnixTime,
        start: u64,
        capacity: usize,
    ) -> &'static str {
        let mut held = self.holds(now);
        for once in keys {
            if once.since <= at(start) {
                return "before start";
            } else if once.until < now {
                return "forgotten";
            } else if held.iter().any(|used| used.key == once.key) {
                return "seen";
            } else if held.len() == capacity {
                return "full";
            }
            held.push(*once);
        }
        self.used.extend(keys);
        "new"
    }
}

fn word(said: Result<(), Refused>) -> &'static str {
    match said {
        Ok(()) => "new",
        Err(Refused::Seen) => "seen",
        Err(Refused::BeforeStart { .. }) => "before start",
        Err(Refused::Forgotten { .. }) => "forgotten",
        Err(Refused::Full { .. }) => "full",
    }
}

fn any_keys() -> impl Strategy<Value = Vec<(u8, u64, u64)>> {
    proptest::collection::vec((0u8..12, 0u64..40, 0u64..30), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn it_says_what_the_model_says(
        start in 0u64..5,
        capacity in 0usize..9,
        calls in proptest::collection::vec((0u64..6, any_keys()), 0..60),
    ) {
        let mut guard = MemoryReplayGuard::new(capacity, at(start));
        let mut model = Model::default();
        let mut now = start;
        for (step, keys) in calls {
            now += step;
            let keys: Vec<_> = keys.into_iter().map(|(name, age, life)| OnceKey {
                key: [name; 32],
                since: at((now + 5).saturating_sub(age)),
                until: at((now + life).saturating_sub(3)),
            }).collect();
            let said = word(guard.once(&keys, at(now)));
            prop_assert_eq!(said, model.once(&keys, at(now), start, capacity));
            prop_assert_eq!(guard.len(), model.holds(at(now)).len());
            prop_assert_eq!(guard.by_end.len(), guard.len());
        }
    }

    /// A key and its end belong together, as they do in the messages of one verifier.
    #[test]
    fn whatever_the_clock_does_nothing_passes_twice(
        calls in proptest::collection::vec((0u64..100, 0u8..40), 0..200),
    ) {
        let mut guard = guard(1000);
        let mut passed = std::collections::HashSet::new();
        for (now, name) in calls {
            let said = guard.once(&[key(name, u64::from(name) * 2)], at(now));
            prop_assert!(said != Ok(()) || passed.insert(name), "{name} passed twice");
            prop_assert!(said != Err(Refused::Seen) || passed.contains(&name), "{name} is new");
        }
    }

    #[test]
    fn a_restart_lets_no_nonce_pass_again(
        issued in 0u64..100, first in 0u64..200, down in 0u64..20, later in 0u64..200,
    ) {
        let issuer = NonceIssuer::new([7; 32], Duration::from_secs(60));
        let nonce = issuer.issue(at(issued), &mut TestRng::new(issued));
        let start = first + down;
        if issuer.check(&nonce, at(first)).is_ok() && let Ok(key) = issuer.check(&nonce, at(start + later)) {
            let mut second = MemoryReplayGuard::new(9, at(start));
            prop_assert_eq!(
                second.once(&[key], at(start + later)),
                Err(Refused::BeforeStart { start })
            );
        }
    }

    /// The process ends and another begins, with a new guard. Whatever the first may have carried
    /// out, the second refuses; here `created` may lie ahead of the verifier's clock.
    #[test]
    fn a_restart_lets_nothing_pass_again(
        created in 0u64..200, lead in 0u64..50, first in 0u64..200, down in 0u64..20, later in 0u64..200,
    ) {
        let check = |now| Freshness::Created(Window {
            now: at(now),
            max_age: Duration::from_secs(60),
            max_lead: Duration::from_secs(lead),
        })
        .check(&Claims { created: Some(at(created)), ..Claims::default() }, [1; 32]);
        let start = first + down;
        if check(first).is_ok() && let Ok(keys) = check(start + later) {
            let mut second = MemoryReplayGuard::new(9, at(start));
            prop_assert_eq!(
                second.once(&keys, at(start + later)),
                Err(Refused::BeforeStart { start })
            );
        }
    }
}

#[test]
fn what_it_holds_is_counted_but_not_shown() {
    let mut guard = guard(9);
    assert!(guard.is_empty());
    assert_eq!(guard.once(&[key(1, 100)], at(50)), Ok(()));
    assert!(!guard.is_empty());
    let shown = format!("{guard:?}");
    assert!(
        shown.starts_with("MemoryReplayGuard { capacity: 9, "),
        "{shown}"
    );
    assert!(shown.ends_with("len: 1, .. }"), "{shown}");
}
