//! The box answers by itself, or not at all. None of that is signed, so the device waits and tries
//! again; it stops for nothing, believes nothing and follows nothing.

use std::sync::Arc;
use std::time::Duration;

use gangplank_client::{BadAnswer, Purpose, Stopped};
use gangplank_server::onboarding::v2024::certificate::RootCertificate;
use gangplank_testkit::TestCa;
use http::{HeaderMap, StatusCode};

use crate::proxy_support::Answer;
use crate::world::World;

/// Status, headers, body.
type Canned = (u16, &'static [(&'static str, &'static str)], &'static str);

pub const CANNED: [(&str, Canned); 22] = [
    ("400", (400, &[], "")),
    ("401", (401, &[], "")),
    (
        "401 with a forged nonce",
        (401, &[("replay-nonce", "AAECAwQFBgcICQoLDA0ODw")], ""),
    ),
    (
        "401 with a nonce that is none",
        (401, &[("replay-nonce", "attacker!")], ""),
    ),
    (
        "401 for clients",
        (
            401,
            &[("www-authenticate", "Basic")],
            r#"{"error":"invalid_client"}"#,
        ),
    ),
    ("403", (403, &[], "")),
    (
        "403 of the server's own form",
        (
            403,
            &[("content-type", "application/problem+json")],
            r#"{"type":"/problems/not-admitted","title":"The device is not admitted","status":403}"#,
        ),
    ),
    ("404", (404, &[], "")),
    ("409", (409, &[], "")),
    ("410", (410, &[], "")),
    ("413", (413, &[], "")),
    (
        "301 elsewhere",
        (
            301,
            &[("location", "https://attacker.example/onboarding/")],
            "",
        ),
    ),
    (
        "302 elsewhere",
        (302, &[("location", "https://attacker.example/")], ""),
    ),
    (
        "307 elsewhere",
        (
            307,
            &[("location", "https://attacker.example/onboarding/")],
            "",
        ),
    ),
    (
        "308 to plain HTTP",
        (308, &[("location", "http://localhost/onboarding/")], ""),
    ),
    ("408", (408, &[], "")),
    (
        "429 for thirty years",
        (429, &[("retry-after", "1000000000")], ""),
    ),
    ("500", (500, &[], "<html>attacker</html>")),
    ("503", (503, &[("retry-after", "120")], "")),
    ("204", (204, &[], "")),
    ("202", (202, &[("retry-after", "30")], "attacker")),
    ("299", (299, &[], "attacker")),
];

/// The answer comes twice, then the box is gone.
pub async fn canned(world: &World, route: &'static str, canned: Canned) {
    let mut victim = world.victim().await;
    world.meddle(route, 2, move |_, _, _| async move { Some(answer(canned)) });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 20).await;
    let outcome = done.unwrap_or_else(|| panic!("still on its way: {:?}", victim.sent));
    assert!(outcome.is_ok(), "{outcome:?}");
    assert!(world.met() >= 2);
    // At most an hour and a backoff each; a 401 with a nonce, if it is one, is worth two tries at once.
    let nonce = |(name, value): &(&str, &str)| *name == "replay-nonce" && !value.contains('!');
    assert!(!victim.waits.is_empty() || canned.1.iter().any(nonce));
    assert!(
        victim
            .waits
            .iter()
            .all(|wait| *wait < Duration::from_secs(2 * 3600)),
        "{:?}",
        victim.waits
    );
    world.is_sound(&victim).await;
}

/// No answer, twice; with `delivered` the server has heard the request.
pub async fn swallowed(world: &World, route: &'static str, delivered: bool) {
    let mut victim = world.victim().await;
    world.meddle(route, 2, move |_, asked, upstream| async move {
        if delivered {
            assert!(upstream.send(asked).await.status.is_success());
        }
        None
    });
    let mut onboarding = victim.onboarding();
    world.drive_to_the_end(&mut victim, &mut onboarding).await;
    assert_eq!(victim.waits.len(), 2, "one after each");
    world.is_sound(&victim).await;
}

/// A hundred 401s, each with a nonce: the device neither stops nor runs hot.
pub async fn storm(world: &World) {
    let mut victim = world.victim().await;
    world.meddle("/onboarding/", 100, |count, _, _| async move {
        let mut answer = answer((401, &[], ""));
        let nonce = format!("AAECAwQFBgcICQoLDA{count:04}");
        answer
            .headers
            .insert("replay-nonce", nonce.parse().unwrap());
        Some(answer)
    });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 101).await;
    assert!(done.is_none(), "{done:?}");
    assert!(
        victim.waits.len() >= 33,
        "three in a row at most: {}",
        victim.waits.len()
    );
    assert!(victim.waits.iter().sum::<Duration>() > Duration::from_secs(3600));
    world.goes_on(&mut victim, &mut onboarding).await;
    world.is_sound(&victim).await;
}

/// `invalid_client` again and again, while the orchestrator accepts the secret.
pub async fn invalid_client_for_ever(world: &World) {
    let mut victim = world.victim().await;
    world.meddle("/oauth2/token", 12, |_, _, _| async move {
        Some(answer((401, &[], r#"{"error":"invalid_client"}"#)))
    });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 60).await;
    let outcome = done.unwrap_or_else(|| panic!("still on its way: {:?}", victim.sent));
    assert!(outcome.is_ok(), "{outcome:?} {:?}", victim.sent);
    world.is_sound(&victim).await;
}

/// The server's 403 becomes a 201 with something to believe.
pub async fn refusal_made_good(world: &World) {
    let mut victim = world.stranger();
    let thief = Arc::clone(&world.thief);
    world.meddle("/onboarding/", 2, move |count, asked, upstream| {
        let thief = Arc::clone(&thief);
        async move {
            let mut answer = upstream.send(asked.clone()).await;
            assert_eq!(answer.status, 403);
            answer.status = StatusCode::CREATED;
            if count == 1 {
                let like = upstream.send(thief.request_like(&asked)).await;
                answer.body = thief.tls.sign_answer(&like.body);
            }
            Some(answer)
        }
    });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 3).await;
    assert!(done.is_none(), "{done:?}");
    assert!(
        victim.last_trouble().contains("cannot be believed"),
        "{:?}",
        victim.troubles
    );
    assert!(victim.aboard().is_none());
    assert!(world.site.devices(victim.id.as_str()).await.is_empty());
    world
        .site
        .register(victim.id.as_str(), &victim.issued)
        .await;
    world.goes_on(&mut victim, &mut onboarding).await;
    world.is_sound(&victim).await;
}

/// Another root on the way: pinned, so the device sends its envelope to nobody.
pub async fn another_root(world: &World, wrap: Wrap) {
    let mut victim = world.victim().await;
    let other = Arc::new(TestCa::new("attacker"));
    world.meddle("/onboarding/certificate", 2, move |_, asked, upstream| {
        let body = wrap(&other);
        async move {
            let mut answer = upstream.send(asked).await;
            answer.body = body;
            Some(answer)
        }
    });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 2).await;
    assert!(done.is_none() && victim.state.is_none(), "{done:?}");
    assert!(
        victim
            .sent
            .iter()
            .all(|(purpose, _)| *purpose == Purpose::RootCertificate)
    );
    assert!(
        victim.last_trouble().contains("cannot be believed"),
        "{:?}",
        victim.troubles
    );
    world.goes_on(&mut victim, &mut onboarding).await;
    world.is_sound(&victim).await;
}

type Wrap = fn(&TestCa) -> Vec<u8>;

pub const ROOTS: [(&str, Wrap); 3] = [
    ("another root", |ca| {
        RootCertificate {
            certificate: ca.certificate.clone(),
        }
        .encode()
        .to_vec()
    }),
    ("no root", |_| b"attacker".to_vec()),
    ("more than 4 MiB", |_| vec![b' '; (4 << 20) + 1]),
];

/// The answer of a root that is not pinned, three times: an error that says so.
pub async fn another_root_for_ever(world: &World) {
    let mut victim = world.victim().await;
    world.meddle(
        "/onboarding/certificate",
        usize::MAX,
        |_, _, _| async move {
            let body = RootCertificate {
                certificate: TestCa::new("attacker").certificate,
            }
            .encode();
            Some(Answer {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: body.to_vec(),
            })
        },
    );
    let mut onboarding = victim.onboarding();
    let stopped = victim
        .drive(world, &mut onboarding, 9)
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(
            stopped,
            Stopped::BadAnswer {
                reason: BadAnswer::OtherRoot,
                ..
            }
        ),
        "{stopped}"
    );
    assert!(victim.state.is_none());
    world.comes_aboard(&mut victim).await;
}

/// What docs/threat-model.md concedes: a box with a TLS certificate under the orchestrator's own
/// root can stop a device. It still cannot make it believe anything.
pub async fn refusal_under_the_root(world: &World) {
    let mut victim = world.victim().await;
    victim.authenticated = true;
    world.meddle("/onboarding/", 1, |_, _, _| async move {
        Some(answer((403, &[], "")))
    });
    let mut onboarding = victim.onboarding();
    let stopped = victim
        .drive(world, &mut onboarding, 9)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(stopped, Stopped::Refused(_)), "{stopped}");
    world.comes_aboard(&mut victim).await;
}

fn answer((status, headers, body): Canned) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: map,
        body: body.as_bytes().to_vec(),
    }
}
