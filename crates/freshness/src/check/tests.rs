use super::*;
use gangplank_testkit::TestRng;
use proptest::prelude::*;

const NOW: u64 = 1_767_225_600;
const SEEN: [u8; 32] = [9; 32];

fn window(now: u64) -> Window {
    Window {
        now: at(now),
        max_age: Duration::from_secs(300),
        max_lead: Duration::from_secs(60),
    }
}

fn created(created: u64) -> Claims<'static> {
    Claims {
        created: Some(at(created)),
        ..Claims::default()
    }
}

fn issuer() -> NonceIssuer {
    NonceIssuer::new([7; 32], Duration::from_secs(300))
}

fn once(since: u64, until: u64) -> Vec<OnceKey> {
    Vec::from([OnceKey {
        key: SEEN,
        since: at(since),
        until: at(until),
    }])
}

#[test]
fn the_window_includes_both_of_its_ends() {
    let check = |now| Freshness::Created(window(now)).check(&created(NOW), SEEN);
    for now in [NOW - 60, NOW, NOW + 300] {
        assert_eq!(check(now), Ok(once(NOW - 60, NOW + 300)));
    }
    assert_eq!(check(NOW + 301), Err(Stale::TooOld { age: 301, max: 300 }));
    assert_eq!(check(NOW - 61), Err(Stale::TooNew { lead: 61, max: 60 }));
    assert_eq!(
        Freshness::Created(window(NOW)).check(&Claims::default(), SEEN),
        Err(Stale::CreatedMissing)
    );
}

#[test]
fn times_at_the_ends_of_the_scale_do_not_wrap() {
    let check = |now, said| Freshness::Created(window(now)).check(&created(said), SEEN);
    assert_eq!(check(0, 0), Ok(once(0, 300)));
    assert_eq!(check(u64::MAX, u64::MAX), Ok(once(u64::MAX - 60, u64::MAX)));
    assert!(matches!(check(u64::MAX, 0), Err(Stale::TooOld { .. })));
    assert!(matches!(check(0, u64::MAX), Err(Stale::TooNew { .. })));
}

#[test]
fn expires_is_obeyed_wherever_the_time_is_known() {
    let issuer = issuer();
    let nonce = issuer.issue(at(NOW), &mut TestRng::new(1));
    let claims = |created| Claims {
        created,
        expires: Some(at(NOW + 10)),
        nonce: Some(&nonce),
    };
    let rules = |now| {
        [
            Freshness::Created(window(now)),
            Freshness::ServerNonce(&issuer, at(now)),
            Freshness::CreatedOrServerNonce(window(now), &issuer),
            Freshness::Both(window(now), &issuer),
        ]
    };
    for rule in rules(NOW + 10) {
        assert!(rule.check(&claims(Some(at(NOW))), SEEN).is_ok(), "{rule:?}");
    }
    for rule in rules(NOW + 11) {
        let found = rule.check(&claims(Some(at(NOW))), SEEN);
        assert_eq!(found, Err(Stale::Expired { ago: 1 }), "{rule:?}");
    }
    // Without `created` the third rule goes by the nonce.
    let rule = Freshness::CreatedOrServerNonce(window(NOW + 11), &issuer);
    assert_eq!(
        rule.check(&claims(None), SEEN),
        Err(Stale::Expired { ago: 1 })
    );
}

#[test]
fn expires_ends_the_memory_of_the_message_but_not_of_its_nonce() {
    let issuer = issuer();
    let nonce = issuer.issue(at(NOW), &mut TestRng::new(1));
    let claims = |expires| Claims {
        created: Some(at(NOW)),
        expires: Some(at(expires)),
        nonce: Some(&nonce),
    };
    let both = Freshness::Both(window(NOW), &issuer);
    let until = |expires| {
        let keys = both.check(&claims(expires), SEEN).unwrap();
        (keys[0].until, keys[1].until)
    };
    assert_eq!(until(NOW + 10), (at(NOW + 10), at(NOW + 300)));
    assert_eq!(until(NOW + 999), (at(NOW + 300), at(NOW + 300)));
}

#[test]
fn an_answer_echoes_the_nonce_of_its_request() {
    let asked = Nonce::from_bytes(&[1; 16]).unwrap();
    let other = Nonce::from_bytes(&[2; 16]).unwrap();
    let check = |nonce| {
        let claims = Claims {
            nonce,
            ..Claims::default()
        };
        Freshness::Echo(&asked).check(&claims, SEEN)
    };
    assert_eq!(check(Some(&asked)), Ok(Vec::new()));
    assert_eq!(check(Some(&other)), Err(Stale::NotEchoed));
    assert_eq!(check(None), Err(Stale::NotEchoed));
}

#[test]
fn a_server_nonce_stands_in_for_a_clock() {
    let issuer = issuer();
    let nonce = issuer.issue(at(NOW), &mut TestRng::new(1));
    let random = Nonce::random(&mut TestRng::new(2));
    let either = Freshness::CreatedOrServerNonce(window(NOW), &issuer);
    let both = Freshness::Both(window(NOW), &issuer);
    let said = |created: Option<u64>, nonce| Claims {
        created: created.map(at),
        expires: None,
        nonce,
    };
    let by_nonce = OnceKey {
        key: nonce.as_bytes().try_into().unwrap(),
        since: at(NOW - 5),
        until: at(NOW + 300),
    };
    assert_eq!(
        either.check(&said(None, Some(&nonce)), SEEN),
        Ok(Vec::from([by_nonce]))
    );
    assert_eq!(
        either.check(&said(Some(NOW), Some(&random)), SEEN),
        Ok(once(NOW - 60, NOW + 300))
    );
    // A clock that is wrong is not excused by a nonce: leave `created` out.
    assert!(matches!(
        either.check(&said(Some(NOW - 999), Some(&nonce)), SEEN),
        Err(Stale::TooOld { .. })
    ));
    assert_eq!(
        either.check(&said(None, Some(&random)), SEEN),
        Err(Stale::Nonce(NonceRefused::NotOurs))
    );
    assert_eq!(
        either.check(&said(None, None), SEEN),
        Err(Stale::NonceMissing)
    );
    let keys = both.check(&said(Some(NOW), Some(&nonce)), SEEN).unwrap();
    assert_eq!(keys, [once(NOW - 60, NOW + 300)[0], by_nonce]);
    assert_eq!(
        both.check(&said(None, Some(&nonce)), SEEN),
        Err(Stale::CreatedMissing)
    );
    assert_eq!(
        both.check(&said(Some(NOW), None), SEEN),
        Err(Stale::NonceMissing)
    );
}

proptest! {
    /// The promise that guards build on: the rule accepts from `since` to `until`, and never else.
    #[test]
    fn since_and_until_bound_when_it_is_accepted(said in 0u64..2000, expires in proptest::option::of(0u64..2000), now in 0u64..2000, later in 0u64..2000) {
        let claims = Claims { expires: expires.map(at), ..created(said) };
        if let Ok(keys) = Freshness::Created(window(now)).check(&claims, SEEN) {
            let fresh = Freshness::Created(window(later)).check(&claims, SEEN).is_ok();
            prop_assert_eq!(fresh, (keys[0].since..=keys[0].until).contains(&at(later)));
        }
    }
}
