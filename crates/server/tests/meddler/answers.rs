//! The box changes, repeats, exchanges and forges what the orchestrator signs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gangplank_client::{Onboarding, Stopped};
use gangplank_server::envelope::Form;
use gangplank_server::key::UnixTime;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::forge::{Thief, ask, bearer, decode, open, set, set_in_payload, signer};
use crate::proxy_support::site::base64;
use crate::proxy_support::{Answer, Asked};
use crate::victim::Victim;
use crate::world::World;

type Edit = fn(&mut Answer, &Thief);

/// What both signed answers have; the device must believe none of them.
pub const ENVELOPE: [(&str, Edit); 20] = [
    ("payload", |answer, _| {
        set(&mut answer.body, "payload", json!("e30="))
    }),
    ("digest", |answer, _| {
        set(
            &mut answer.body,
            "digest",
            json!(crate::forge::digest(b"{}")),
        )
    }),
    ("type", |answer, _| {
        set(&mut answer.body, "type", json!("Allowlist"))
    }),
    ("created", |answer, _| {
        set(&mut answer.body, "created", json!(1_700_000_000))
    }),
    ("created removed", |answer, _| {
        set(&mut answer.body, "created", Value::Null)
    }),
    ("nonce", |answer, _| {
        set(&mut answer.body, "nonce", json!("AAECAwQFBgcICQoLDA0ODw"))
    }),
    ("nonce removed", |answer, _| {
        set(&mut answer.body, "nonce", Value::Null)
    }),
    ("audience", |answer, _| {
        set(
            &mut answer.body,
            "audience",
            json!("https://attacker.example"),
        )
    }),
    ("audience removed", |answer, _| {
        set(&mut answer.body, "audience", Value::Null)
    }),
    ("certificate id", |answer, _| {
        set(&mut answer.body, "certificateId", json!("0".repeat(64)))
    }),
    ("certificates exchanged", |answer, thief| {
        let chain: Vec<_> = thief
            .own
            .chain
            .iter()
            .map(|certificate| base64(certificate))
            .collect();
        set(&mut answer.body, "certificates", json!(chain));
    }),
    ("certificates removed", |answer, _| {
        set(&mut answer.body, "certificates", Value::Null)
    }),
    ("signature", |answer, _| {
        let mut signature = decode(&open(&answer.body)["signature"]);
        *signature.last_mut().unwrap() ^= 1;
        set(&mut answer.body, "signature", json!(base64(&signature)));
    }),
    ("signed under the box's own root", |answer, thief| {
        answer.body = thief.own.sign_answer(&answer.body)
    }),
    (
        "signed by the box, the real root behind it",
        |answer, thief| {
            answer.body = thief.own_under_root.sign_answer(&answer.body);
        },
    ),
    (
        "signed by the box, the real certificate before it",
        |answer, thief| {
            let real = decode(&open(&answer.body)["certificates"][0]).into();
            let id = signer(&answer.body);
            answer.body = thief.own.reseal(&answer.body, &id, vec![real]);
        },
    ),
    ("signed by the orchestrator's TLS key", |answer, thief| {
        answer.body = thief.tls.sign_answer(&answer.body);
    }),
    ("signed by another device", |answer, thief| {
        answer.body = thief.accomplice.sign_answer(&answer.body);
    }),
    ("the plain form", |answer, thief| {
        let payload = decode(&open(&answer.body)["payload"]);
        answer.body = thief.tls.seal(payload, Form::Plain, &signer(&answer.body));
    }),
    ("the payload alone", |answer, _| {
        answer.body = decode(&open(&answer.body)["payload"])
    }),
];

/// Bodies that are no envelope at all.
pub const BODIES: [(&str, Edit); 4] = [
    ("nothing", |answer, _| answer.body.clear()),
    ("garbage", |answer, _| {
        answer.body = b"<html>attacker</html>".to_vec()
    }),
    ("half of it", |answer, _| {
        answer.body.truncate(answer.body.len() / 2)
    }),
    ("more than 4 MiB", |answer, _| {
        answer.body.resize((4 << 20) + 1, b' ')
    }),
];

/// The members of an `OnboardingResponse` and what a box would like to have there.
pub fn onboarding_members(url: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("apiVersion", json!("attacker/v1")),
        ("kind", json!("attacker")),
        ("clientId", json!("attacker")),
        ("clientSecret", json!("gpcs_attacker")),
        ("clientSecret", Value::Null),
        (
            "tokenEndpointUrl",
            json!("https://attacker.example/oauth2/token"),
        ),
        ("tokenEndpointUrl", json!(format!("{url}/attacker"))),
        ("deviceId", json!("d-attacker")),
        (
            "gitRepositoryUrl",
            json!(format!("{url}/git/d-attacker.git")),
        ),
        ("gitAccessToken", json!("gpgt_attacker")),
        ("gitAccessTokenExpiresAt", json!(4_000_000_000_u64)),
        (
            "gitCredentialUrl",
            json!(format!("{url}/device/d-attacker/git-credential")),
        ),
        ("attacker", json!(1)),
    ]
}

/// The members of a `GitCredential`.
pub fn credential_members(url: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("url", json!("https://attacker.example/git/x.git")),
        ("url", json!(format!("{url}/git/d-attacker.git"))),
        ("username", json!("attacker")),
        ("password", json!("gpgt_attacker")),
        ("expiresAt", json!(4_000_000_000_u64)),
        ("commit", json!("0123456789012345678901234567890123456789")),
        ("commit", Value::Null),
    ]
}

/// Rewrites the answer to `POST /onboarding/` twice.
pub async fn onboarding(world: &World, edit: impl Fn(&mut Answer, &Thief) + Send + Sync + 'static) {
    let mut victim = world.victim().await;
    let thief = Arc::clone(&world.thief);
    let edit = Arc::new(edit);
    world.meddle("/onboarding/", 2, move |_, asked, upstream| {
        let (edit, thief) = (Arc::clone(&edit), Arc::clone(&thief));
        async move {
            let mut answer = upstream.send(asked).await;
            assert!(answer.status.is_success(), "{}", answer.status);
            edit(&mut answer, &thief);
            Some(answer)
        }
    });
    let mut onboarding = victim.onboarding();
    is_not_believed(world, &mut victim, &mut onboarding).await;
    world.goes_on(&mut victim, &mut onboarding).await;
    world.is_sound(&victim).await;
}

/// An answer to `GET …/git-credential`, rewritten twice.
pub async fn credential(world: &World, edit: impl Fn(&mut Answer, &Thief) + Send + Sync + 'static) {
    let mut victim = world.with_desired_state().await;
    let before = serde_json::to_string(&victim.state).unwrap();
    let thief = Arc::clone(&world.thief);
    let edit = Arc::new(edit);
    world.meddle("/git-credential", 2, move |_, asked, upstream| {
        let (edit, thief) = (Arc::clone(&edit), Arc::clone(&thief));
        async move {
            let mut answer = upstream.send(asked).await;
            assert_eq!(answer.status, 200);
            edit(&mut answer, &thief);
            Some(answer)
        }
    });
    let mut session = victim.session();
    let mut operation = session.git_credential();
    let done = victim.drive(world, &mut operation, 3).await;
    assert!(
        done.is_none() && world.met() == 2,
        "{done:?} {:?}",
        victim.sent
    );
    assert!(
        victim.last_trouble().contains("cannot be believed"),
        "{:?}",
        victim.troubles
    );
    assert_eq!(serde_json::to_string(&victim.state).unwrap(), before);
    let credential = world.goes_on(&mut victim, &mut operation).await;
    assert!(credential.commit.is_some() && credential.url.as_str().starts_with(&world.site.url()));
    world.believed_nothing(&victim);
}

/// A box that goes on for ever is an error, not an endless loop; a new start goes well.
pub async fn onboarding_without_end(world: &World) {
    let mut victim = world.victim().await;
    world.meddle(
        "/onboarding/",
        usize::MAX,
        |_, asked, upstream| async move {
            let mut answer = upstream.send(asked).await;
            set_in_payload(&mut answer.body, "clientSecret", json!("gpcs_attacker"));
            Some(answer)
        },
    );
    let mut onboarding = victim.onboarding();
    let stopped = victim
        .drive(world, &mut onboarding, 20)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(stopped, Stopped::BadAnswer { .. }), "{stopped}");
    assert!(victim.aboard().is_none());
    world.comes_aboard(&mut victim).await;
}

/// The answer to the first request is kept, and given to the second.
pub async fn onboarding_kept(world: &World) {
    let mut victim = world.victim().await;
    let kept = Arc::new(Mutex::new(None));
    world.meddle("/onboarding/", 3, move |count, asked, upstream| {
        let kept = Arc::clone(&kept);
        async move {
            if count == 0 {
                let answer = upstream.send(asked).await;
                assert_eq!(answer.status, 201);
                *kept.lock().unwrap() = Some(answer);
                return None;
            }
            kept.lock().unwrap().clone()
        }
    });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 4).await;
    assert!(done.is_none(), "{done:?}");
    assert!(
        victim.last_trouble().contains("cannot be believed"),
        "{:?}",
        victim.troubles
    );
    assert!(victim.aboard().is_none());
    world.goes_on(&mut victim, &mut onboarding).await;
    world.is_sound(&victim).await;
}

/// An accomplice asks with the device's nonce, and its answer is given to the device: only the
/// audience is wrong.
pub async fn onboarding_of_an_accomplice(world: &World) {
    let mut victim = world.victim().await;
    let thief = Arc::clone(&world.thief);
    world.meddle("/onboarding/", 2, move |_, asked, upstream| {
        let theirs = thief.request_like(&asked);
        async move {
            let answer = upstream.send(theirs).await;
            assert_eq!(answer.status, 200);
            Some(answer)
        }
    });
    let mut onboarding = victim.onboarding();
    is_not_believed(world, &mut victim, &mut onboarding).await;
    assert!(
        victim.last_trouble().contains("is meant for"),
        "{}",
        victim.last_trouble()
    );
    world.goes_on(&mut victim, &mut onboarding).await;
    world.is_sound(&victim).await;
}

/// The box makes the device use an old nonce again, by a forged `Replay-Nonce`, and gives it the old
/// answer that fits: the device was aboard with it long ago.
pub async fn onboarding_kept_for_a_forged_nonce(world: &World) {
    let mut victim = world.victim().await;
    let kept: Arc<Mutex<Option<(Asked, Answer)>>> = Arc::default();
    let keep = Arc::clone(&kept);
    world.meddle("/onboarding/", 1, move |_, asked, upstream| {
        let keep = Arc::clone(&keep);
        async move {
            let answer = upstream.send(asked.clone()).await;
            *keep.lock().unwrap() = Some((asked, answer.clone()));
            Some(answer)
        }
    });
    let mut onboarding = victim.onboarding();
    world.drive_to_the_end(&mut victim, &mut onboarding).await;
    let old = victim.aboard().unwrap().client_secret.expose().to_owned();
    // Since then the device has seen a much later answer.
    let honest = victim.state.clone().unwrap();
    let mut later = honest.clone();
    let passed =
        |time: UnixTime| UnixTime::since_unix_epoch(Duration::from_secs(time.as_secs() + 61));
    later.last_authenticated = later.last_authenticated.map(passed);

    world.meddle("/onboarding/", 2, move |count, _, _| {
        let (asked, mut answer) = kept.lock().unwrap().clone().unwrap();
        async move {
            if count == 0 {
                let nonce = open(&asked.body)["nonce"].as_str().unwrap().to_owned();
                answer.status = StatusCode::UNAUTHORIZED;
                answer
                    .headers
                    .insert("replay-nonce", HeaderValue::from_str(&nonce).unwrap());
            }
            Some(answer)
        }
    });
    let mut again = Onboarding::again(victim.settings.clone(), later).unwrap();
    let done = victim.drive(world, &mut again, 2).await;
    assert!(done.is_none(), "{done:?}");
    assert!(
        victim.last_trouble().contains("cannot be believed"),
        "the old answer was believed"
    );
    let mut again = Onboarding::again(victim.settings.clone(), honest).unwrap();
    world.goes_on(&mut victim, &mut again).await;
    assert_ne!(victim.aboard().unwrap().client_secret.expose(), old);
    world.is_sound(&victim).await;
}

/// The same for a device without a clock, with an answer that it never got: it may come aboard with
/// that, but it must not set its clock by it.
pub async fn clock_by_a_forged_nonce(world: &World) {
    let mut victim = world.victim().await;
    victim.wall = false;
    let kept: Arc<Mutex<Option<(Asked, Answer)>>> = Arc::default();
    let keep = Arc::clone(&kept);
    world.meddle("/onboarding/", 4, move |count, asked, upstream| {
        let keep = Arc::clone(&keep);
        async move {
            if count < 2 {
                let answer = upstream.send(asked.clone()).await;
                if count == 0 {
                    return Some(answer);
                }
                assert_eq!(answer.status, 201);
                *keep.lock().unwrap() = Some((asked, answer));
                return None;
            }
            let (asked, mut answer) = keep.lock().unwrap().clone().unwrap();
            if count == 2 {
                let nonce = open(&asked.body)["nonce"].as_str().unwrap().to_owned();
                answer.status = StatusCode::UNAUTHORIZED;
                answer
                    .headers
                    .insert("replay-nonce", HeaderValue::from_str(&nonce).unwrap());
            }
            Some(answer)
        }
    });
    let mut onboarding = victim.onboarding();
    world.drive_to_the_end(&mut victim, &mut onboarding).await;
    let session = onboarding.into_session().unwrap();
    assert_eq!(session.time(victim.now()), None);
    world.is_sound(&victim).await;
}

/// With a captured token the box gets a credential to the nonce of an onboarding request: signed by
/// the orchestrator, for this device, to this nonce, and of another type.
pub async fn credential_for_onboarding(world: &World) {
    let mut victim = world.aboard().await;
    let captured = victim.aboard().unwrap().clone();
    world.meddle("/onboarding/", 2, move |_, asked, upstream| {
        let captured = captured.clone();
        async move {
            let token = ("authorization", bearer(upstream, &captured).await);
            let nonce = open(&asked.body)["nonce"].as_str().unwrap().to_owned();
            let path = format!(
                "/device/{}/git-credential?nonce={nonce}",
                captured.device_id
            );
            Some(ask(upstream, Method::GET, &path, &[token], b"").await)
        }
    });
    let state = victim.state.clone().unwrap();
    let mut again = Onboarding::again(victim.settings.clone(), state).unwrap();
    let done = victim.drive(world, &mut again, 2).await;
    assert!(done.is_none(), "{done:?}");
    assert!(
        victim.last_trouble().contains("GitCredential"),
        "{:?}",
        victim.troubles
    );
    world.goes_on(&mut victim, &mut again).await;
    world.is_sound(&victim).await;
}

async fn is_not_believed(world: &World, victim: &mut Victim, onboarding: &mut Onboarding) {
    let done = victim.drive(world, onboarding, 3).await;
    assert!(
        done.is_none() && world.met() == 2,
        "{done:?} {:?}",
        victim.sent
    );
    assert!(
        victim.last_trouble().contains("cannot be believed"),
        "{:?}",
        victim.troubles
    );
    assert!(victim.aboard().is_none());
}
