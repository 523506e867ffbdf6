//! The box changes, moves, repeats and forges what devices send.

use std::sync::{Arc, Mutex};

use gangplank_server::envelope::{Audience, Binding, Envelope, Form, PayloadType};
use gangplank_server::key::{Algorithm, Signature, UnixTime};
use gangplank_server::onboarding::v2024::onboarding::OnboardingRequest;
use http::Method;
use serde_json::{Value, json};

use crate::forge::{Thief, ask, bearer, decode, digest, open, set, set_in_payload, signer, token};
use crate::proxy_support::site::base64;
use crate::proxy_support::{Asked, Upstream};
use crate::world::World;

type Edit = fn(&mut Asked, &Thief);

/// Each of these the server must refuse, without any effect.
pub const CHANGED: [(&str, Edit); 21] = [
    ("payload", |asked, _| {
        set(&mut asked.body, "payload", json!("e30="))
    }),
    ("digest", |asked, _| {
        set(&mut asked.body, "digest", json!(digest(b"{}")))
    }),
    ("payload and digest", |asked, _| {
        set_in_payload(&mut asked.body, "vendor", json!("attacker"))
    }),
    ("created later", |asked, _| {
        // After a 401 the device leaves it out, for the server's nonce.
        let created = open(&asked.body)["created"].as_u64().unwrap_or_else(now);
        set(&mut asked.body, "created", json!(created + 1));
    }),
    ("created removed", |asked, _| {
        let absent = open(&asked.body)["created"].is_null();
        set(
            &mut asked.body,
            "created",
            if absent { json!(now()) } else { Value::Null },
        );
    }),
    ("nonce", |asked, _| {
        set(&mut asked.body, "nonce", json!("AAECAwQFBgcICQoLDA0ODw"))
    }),
    ("nonce removed", |asked, _| {
        set(&mut asked.body, "nonce", Value::Null)
    }),
    ("audience", |asked, _| {
        set(
            &mut asked.body,
            "audience",
            json!("https://attacker.example"),
        )
    }),
    ("audience removed", |asked, _| {
        set(&mut asked.body, "audience", Value::Null)
    }),
    ("type", |asked, _| {
        set(&mut asked.body, "type", json!("DeviceCapabilities"))
    }),
    ("certificates exchanged", |asked, thief| {
        set(
            &mut asked.body,
            "certificates",
            json!([base64(&thief.own.chain[0])]),
        );
    }),
    ("certificates extended", |asked, thief| {
        let mut certificates = open(&asked.body)["certificates"].clone();
        certificates
            .as_array_mut()
            .unwrap()
            .push(json!(base64(&thief.own.chain[1])));
        set(&mut asked.body, "certificates", certificates);
    }),
    ("certificates removed", |asked, _| {
        set(&mut asked.body, "certificates", Value::Null)
    }),
    ("another registered certificate id", |asked, thief| {
        set(
            &mut asked.body,
            "certificateId",
            json!(thief.accomplice_id.as_str()),
        );
    }),
    ("an unknown certificate id", |asked, _| {
        set(&mut asked.body, "certificateId", json!("SN-attacker"))
    }),
    ("signature", |asked, _| {
        let mut signature = decode(&open(&asked.body)["signature"]);
        *signature.last_mut().unwrap() ^= 1;
        set(&mut asked.body, "signature", json!(base64(&signature)));
    }),
    ("signed by the box, device's certificate", |asked, thief| {
        let id = signer(&asked.body);
        let leaf = decode(&open(&asked.body)["certificates"][0]).into();
        asked.body = thief.own.reseal(&asked.body, &id, vec![leaf]);
    }),
    ("signed by the box, its certificate", |asked, thief| {
        let id = signer(&asked.body);
        asked.body = thief.own.reseal(&asked.body, &id, thief.own.chain.clone());
    }),
    ("signed by another device", |asked, thief| {
        let id = signer(&asked.body);
        asked.body = thief
            .accomplice
            .reseal(&asked.body, &id, thief.accomplice.chain.clone());
    }),
    ("reduced to the plain form", |asked, _| {
        let mut envelope = open(&asked.body);
        for name in ["type", "created", "nonce", "audience", "certificates"] {
            envelope.as_object_mut().unwrap().remove(name);
        }
        asked.body = serde_json::to_vec(&envelope).unwrap();
    }),
    ("a second form beside it", |asked, _| {
        asked
            .headers
            .insert("x-payload-signature", "AAAA".parse().unwrap());
    }),
];

pub async fn changed(world: &World, edit: Edit) {
    let mut victim = world.victim().await;
    let statuses = Arc::new(Mutex::new(Vec::new()));
    let (seen, thief) = (Arc::clone(&statuses), Arc::clone(&world.thief));
    world.meddle("/onboarding/", 2, move |_, mut asked, upstream| {
        edit(&mut asked, &thief);
        let seen = Arc::clone(&seen);
        async move {
            let answer = upstream.send(asked).await;
            seen.lock().unwrap().push(answer.status.as_u16());
            Some(answer)
        }
    });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 3).await;
    assert!(done.is_none(), "{done:?}");
    let statuses = statuses.lock().unwrap().clone();
    assert_eq!(statuses.len(), 2);
    assert!(
        statuses.iter().all(|status| (400..=403).contains(status)),
        "{statuses:?}"
    );
    let known = world.site.device(victim.id.as_str()).await;
    assert!(
        known["state"] == "registered" && known["vendor"].is_null(),
        "{known}"
    );
    assert!(victim.aboard().is_none());
    world.goes_on(&mut victim, &mut onboarding).await;
    world.is_sound(&victim).await;
}

/// The request arrives twice; `give` says which answer the device gets.
pub async fn delivered_twice(world: &World, give: usize) {
    let mut victim = world.victim().await;
    let kept = keep();
    let seen = kept.clone();
    world.meddle("/onboarding/", 1, move |_, asked, upstream| {
        let seen = seen.clone();
        async move {
            let first = upstream.send(asked.clone()).await;
            let second = upstream.send(asked.clone()).await;
            assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 401));
            seen.lock().unwrap().push(asked);
            Some([first, second][give].clone())
        }
    });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 9).await.unwrap();
    assert!(done.is_ok(), "{done:?}");
    world.is_sound(&victim).await;
    has_no_effect(world, &victim, kept).await;
}

/// The copy has the other signature that an ECDSA signature can be rewritten to: the same r, n - s.
pub async fn delivered_with_the_other_signature(world: &World) {
    let mut victim = world.victim().await;
    world.meddle("/onboarding/", 1, |_, asked, upstream| async move {
        let mut copy = asked.clone();
        let signature = decode(&open(&asked.body)["signature"]);
        set(
            &mut copy.body,
            "signature",
            json!(base64(&other_signature(&signature))),
        );
        // The copy comes first: it is as good as the original, so the original is the copy's replay.
        let first = upstream.send(copy).await;
        let second = upstream.send(asked).await;
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 401));
        Some(second)
    });
    let mut onboarding = victim.onboarding();
    let done = victim.drive(world, &mut onboarding, 9).await.unwrap();
    assert!(done.is_ok(), "{done:?}");
    world.is_sound(&victim).await;
}

/// Eight copies at the same time.
pub async fn delivered_in_a_race(world: &World) {
    let mut victim = world.victim().await;
    world.meddle("/onboarding/", 1, |_, asked, upstream| async move {
        let copies: Vec<_> = (0..8)
            .map(|_| tokio::spawn(upstream.send(asked.clone())))
            .collect();
        let mut answers = Vec::new();
        for copy in copies {
            answers.push(copy.await.unwrap());
        }
        answers.sort_by_key(|answer| answer.status);
        let statuses: Vec<_> = answers
            .iter()
            .map(|answer| answer.status.as_u16())
            .collect();
        assert_eq!(statuses, [201, 401, 401, 401, 401, 401, 401, 401]);
        Some(answers.swap_remove(0))
    });
    let mut onboarding = victim.onboarding();
    world.drive_to_the_end(&mut victim, &mut onboarding).await;
    world.is_sound(&victim).await;
}

/// Everything that the device ever signed is delivered once more after it is aboard, to every route.
pub async fn delivered_later_and_elsewhere(world: &World) {
    let mut victim = world.victim().await;
    let kept = keep();
    for route in ["/onboarding/", "/capabilities", "/status"] {
        let kept = kept.clone();
        world.meddle(route, 1, move |_, asked, upstream| {
            kept.lock().unwrap().push(asked.clone());
            async move { Some(upstream.send(asked).await) }
        });
        match route {
            "/onboarding/" => {
                let mut onboarding = victim.onboarding();
                world.drive_to_the_end(&mut victim, &mut onboarding).await;
            }
            "/capabilities" => report_capabilities(world, &mut victim).await,
            _ => report_status(world, &mut victim).await,
        }
    }
    has_no_effect(world, &victim, kept).await;
}

/// A fresh envelope goes to another route than the one that the device sent it to, and never to its own.
pub async fn delivered_elsewhere_first(world: &World) {
    let mut victim = world.aboard().await;
    let id = victim.aboard().unwrap().device_id.to_string();
    for (route, elsewhere, status) in [
        ("/capabilities", "/onboarding/".to_owned(), 401),
        (
            "/capabilities",
            format!("/device/{id}/deployment/pump/status"),
            401,
        ),
        (
            "/capabilities",
            format!("/device/{}/capabilities", world.thief.device_id()),
            403,
        ),
        (
            "/status",
            format!("/device/{id}/deployment/other/status"),
            400,
        ),
        ("/status", format!("/device/{id}/capabilities"), 401),
        ("/onboarding/", format!("/device/{id}/capabilities"), 401),
    ] {
        let bearer = bearer(world.proxy.upstream(), victim.aboard().unwrap()).await;
        world.meddle(route, 1, move |_, mut asked, upstream| {
            asked.target = format!("/margo{elsewhere}");
            let elsewhere = elsewhere.clone();
            asked
                .headers
                .insert("authorization", bearer.parse().unwrap());
            async move {
                let answer = upstream.send(asked).await;
                assert_eq!(answer.status, status, "{elsewhere}");
                Some(answer)
            }
        });
        match route {
            "/capabilities" => report_capabilities(world, &mut victim).await,
            "/status" => report_status(world, &mut victim).await,
            _ => {
                victim.state.as_mut().unwrap().aboard = None;
                let mut onboarding = victim.onboarding();
                world.drive_to_the_end(&mut victim, &mut onboarding).await;
            }
        }
    }
    let known = world.site.device(victim.id.as_str()).await;
    assert_eq!(crate::deployments(&known), 1, "{known}");
    world.is_sound(&victim).await;
}

/// What the device signed for another orchestrator is nothing here.
pub async fn signed_for_another_orchestrator(world: &World) {
    let mut victim = world.victim().await;
    for (audience, status) in [
        ("https://attacker.example".to_owned(), 401),
        (world.site.url(), 201),
    ] {
        let binding = Binding::new(PayloadType::ONBOARDING_REQUEST)
            .created(UnixTime::now())
            .audience(Audience::parse(&audience).unwrap())
            .certificates(vec![victim.issued.certificate.clone()]);
        let payload = OnboardingRequest::default().encode();
        let prepared = Envelope::prepare(payload, Form::Bound(binding), &victim.id).unwrap();
        let body = prepared.sign_with(&victim.key).unwrap();
        let answer = ask(
            world.proxy.upstream(),
            Method::POST,
            "/onboarding/",
            &[],
            &body,
        )
        .await;
        assert_eq!(answer.status, status, "{audience}");
    }
    world.comes_aboard(&mut victim).await;
}

/// What needs a bearer token needs the device's key as well.
pub async fn made_with_a_captured_token(world: &World) {
    let victim = world.aboard().await;
    let upstream = world.proxy.upstream();
    let token = (
        "authorization",
        bearer(upstream, victim.aboard().unwrap()).await,
    );
    let path = format!(
        "/device/{}/capabilities",
        victim.aboard().unwrap().device_id
    );
    let payload = crate::capabilities().encode();
    for key in [&world.thief.own, &world.thief.accomplice, &world.thief.tls] {
        let binding = Binding::new(PayloadType::DEVICE_CAPABILITIES)
            .created(UnixTime::now())
            .audience(Audience::parse(&world.site.url()).unwrap());
        let envelope = key.seal(payload.clone(), Form::Bound(binding), &victim.id);
        let answer = ask(
            upstream,
            Method::POST,
            &path,
            std::slice::from_ref(&token),
            &envelope,
        )
        .await;
        assert!(
            (401..=403).contains(&answer.status.as_u16()),
            "{}",
            answer.status
        );
    }
    let push = format!(
        "/git/{}.git/info/refs?service=git-receive-pack",
        victim.aboard().unwrap().device_id
    );
    let answer = ask(upstream, Method::GET, &push, &[token], b"").await;
    assert!(
        (401..=404).contains(&answer.status.as_u16()),
        "{}",
        answer.status
    );
    assert!(world.site.device(victim.id.as_str()).await["capabilities"].is_null());
}

pub async fn report_capabilities(world: &World, victim: &mut crate::Victim) {
    let mut session = victim.session();
    let mut operation = session.capabilities(&crate::capabilities());
    world.drive_to_the_end(victim, &mut operation).await;
}

pub async fn report_status(world: &World, victim: &mut crate::Victim) {
    let mut session = victim.session();
    let mut operation = session.report_status(&crate::status());
    world.drive_to_the_end(victim, &mut operation).await;
}

fn now() -> u64 {
    UnixTime::now().as_secs()
}

type Kept = Arc<Mutex<Vec<Asked>>>;

fn keep() -> Kept {
    Arc::default()
}

/// Each of these requests, at each route that takes an envelope, is a refusal and changes nothing.
async fn has_no_effect(world: &World, victim: &crate::Victim, kept: Kept) {
    let upstream: Upstream = world.proxy.upstream();
    let aboard = victim.aboard().unwrap();
    let before = world.site.device(victim.id.as_str()).await;
    let authorization = bearer(upstream, aboard).await;
    let kept = kept.lock().unwrap().clone();
    assert!(!kept.is_empty());
    for mut asked in kept {
        asked
            .headers
            .insert("authorization", authorization.parse().unwrap());
        let id = &aboard.device_id;
        for path in [
            "/onboarding/".to_owned(),
            format!("/device/{id}/capabilities"),
            format!("/device/{id}/deployment/pump/status"),
        ] {
            let target = format!("/margo{path}");
            let answer = upstream
                .send(Asked {
                    target,
                    ..asked.clone()
                })
                .await;
            assert!(
                (400..=403).contains(&answer.status.as_u16()),
                "{path}: {}",
                answer.status
            );
        }
    }
    assert_eq!(world.site.device(victim.id.as_str()).await, before);
    // The secret that the device holds is still the one that counts.
    assert_eq!(token(upstream, aboard).await.status, 200);
}

/// The order of P-256's group, minus s.
fn other_signature(der: &[u8]) -> Vec<u8> {
    let mut fixed = Signature::from_wire(Algorithm::EcdsaP256Sha256, der)
        .unwrap()
        .to_fixed();
    let mut borrow = 0;
    for (s, n) in fixed[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        *s = (difference & 0xff) as u8;
    }
    Signature::from_fixed(Algorithm::EcdsaP256Sha256, &fixed)
        .unwrap()
        .to_wire()
}

const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
