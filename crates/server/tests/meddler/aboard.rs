//! What is not signed (docs/threat-model.md, "What is signed, and what is not"): a box can change or
//! drop it, and here is what comes of that; and credentials that belong to others.

use std::sync::{Arc, Mutex};

use gangplank_client::git::{Checkout, ExpectedCommit, Git, GitError, HelperCommand};
use gangplank_client::{Onboarding, Purpose, Stopped};
use gangplank_server::onboarding::v2024::onboarding::OnboardingResponse;
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use crate::forge::{ask, bearer, decode, open, token};
use crate::proxy_support::Answer;
use crate::requests::{report_capabilities, report_status};
use crate::world::World;

/// An older credential: its nonce is not the request's.
pub async fn credential_kept(world: &World) {
    let mut victim = world.with_desired_state().await;
    let kept: Arc<Mutex<Option<Answer>>> = Arc::default();
    world.meddle("/git-credential", 3, move |_, asked, upstream| {
        let kept = Arc::clone(&kept);
        async move {
            let before = kept.lock().unwrap().clone();
            match before {
                Some(answer) => Some(answer),
                None => {
                    let answer = upstream.send(asked).await;
                    *kept.lock().unwrap() = Some(answer.clone());
                    Some(answer)
                }
            }
        }
    });
    let mut session = victim.session();
    world
        .drive_to_the_end(&mut victim, &mut session.git_credential())
        .await;
    let before = serde_json::to_string(&victim.state).unwrap();
    let mut operation = session.git_credential();
    let done = victim.drive(world, &mut operation, 2).await;
    assert!(done.is_none(), "the old credential was believed");
    assert!(
        victim.last_trouble().contains("cannot be believed"),
        "{:?}",
        victim.troubles
    );
    assert_eq!(serde_json::to_string(&victim.state).unwrap(), before);
    world.goes_on(&mut victim, &mut operation).await;
}

/// The box asks with another nonce than the device's, or with none, or as another device.
pub async fn credential_asked_otherwise(world: &World, which: usize) {
    let mut victim = world.with_desired_state().await;
    let accomplice = world.thief.bearer(world.proxy.upstream()).await;
    let theirs = world.thief.device_id().to_owned();
    world.meddle("/git-credential", 2, move |_, mut asked, upstream| {
        let (path, query) = asked.target.split_once('?').unwrap();
        asked.target = match which {
            0 => format!("{path}?nonce=AAECAwQFBgcICQoLDA0ODw"),
            1 => path.to_owned(),
            _ => format!("/margo/device/{theirs}/git-credential?{query}"),
        };
        if which == 2 {
            asked
                .headers
                .insert("authorization", accomplice.parse().unwrap());
        }
        async move {
            let answer = upstream.send(asked).await;
            assert_eq!(answer.status, 200);
            Some(answer)
        }
    });
    let mut session = victim.session();
    let mut operation = session.git_credential();
    let done = victim.drive(world, &mut operation, 3).await;
    assert!(done.is_none(), "{done:?}");
    assert!(
        victim.last_trouble().contains("cannot be believed"),
        "{:?}",
        victim.troubles
    );
    world.goes_on(&mut victim, &mut operation).await;
    world.believed_nothing(&victim);
}

/// The desired state of another device in the place of this one's: git finds the signed commit
/// missing.
pub async fn desired_state_of_another(world: &World) {
    let mut victim = world.with_desired_state().await;
    let mut session = victim.session();
    let mine = world
        .drive_to_the_end(&mut victim, &mut session.git_credential())
        .await;
    let mut other = world.aboard().await;
    std::fs::create_dir_all(world.site.path("other")).unwrap();
    world
        .site
        .push_content(&other.aboard().unwrap().device_id, "attacker\n");
    let mut session = other.session();
    let theirs = world
        .drive_to_the_end(&mut other, &mut session.git_credential())
        .await;
    let basic = crate::proxy_support::site::base64(
        format!("{}:{}", theirs.username.as_str(), theirs.password.expose()).as_bytes(),
    );
    let (from, to) = (
        mine.username.as_str().to_owned(),
        theirs.username.as_str().to_owned(),
    );
    world.proxy.meddle(Some(crate::proxy_support::hook(
        move |mut asked, upstream| {
            asked.target = asked.target.replace(&from, &to);
            if asked.headers.contains_key("authorization") {
                asked
                    .headers
                    .insert("authorization", format!("Basic {basic}").parse().unwrap());
            }
            async move { Some(upstream.send(asked).await) }
        },
    )));
    let folder = world.site.path("victim");
    std::fs::create_dir(&folder).unwrap();
    let balancer = folder.join("balancer.pem");
    crate::proxy_support::site::write_pem(&balancer, &world.proxy.ca.certificate);
    crate::proxy_support::site::credential_helper(
        &folder,
        &[mine.password.expose()],
        mine.username.as_str(),
    );
    let commit = mine.commit.clone().unwrap();
    let checkout = Checkout {
        url: mine.url.as_str().to_owned(),
        directory: folder.join("desired"),
        ca_file: balancer,
        helper: HelperCommand {
            program: folder.join("helper.sh"),
            arguments: vec![folder.clone().into()],
        },
        expected: ExpectedCommit::Exactly(commit.clone()),
    };
    let wrong = Git::new("git").clone_or_fetch(&checkout).await.unwrap_err();
    assert!(matches!(wrong, GitError::WrongCommit { .. }), "{wrong}");
    assert!(!folder.join("desired/manifest.yaml").exists());
    world.proxy.meddle(None);
    let synced = Git::new("git").clone_or_fetch(&checkout).await.unwrap();
    assert_eq!(synced.commit, Some(commit));
}

/// A token answer with another token: it does not work, and the device asks for a new one.
pub async fn token_exchanged(world: &World, of_accomplice: bool) {
    let mut victim = world.aboard().await;
    let other = match of_accomplice {
        true => world
            .thief
            .bearer(world.proxy.upstream())
            .await
            .replace("Bearer ", ""),
        false => "gpat_attacker".to_owned(),
    };
    world.meddle("/oauth2/token", 1, move |_, asked, upstream| {
        let other = other.clone();
        async move {
            let mut answer = upstream.send(asked).await;
            let body =
                json!({"access_token": other, "token_type": "Bearer", "expires_in": 1_000_000_000});
            answer.body = body.to_string().into_bytes();
            Some(answer)
        }
    });
    report_capabilities(world, &mut victim).await;
    let tokens = victim
        .sent
        .iter()
        .filter(|(purpose, _)| *purpose == Purpose::Token)
        .count();
    assert_eq!(
        tokens,
        1 + 2,
        "one on the way aboard, the wrong one, a right one: {:?}",
        victim.sent
    );
    assert!(world.site.device(victim.id.as_str()).await["capabilities"].is_object());
    world.is_sound(&victim).await;
}

/// A token that lives longer at the device than at the server: a 401, and a new one.
pub async fn token_lifetime_stretched(world: &World) {
    let mut victim = world.aboard().await;
    world.meddle("/oauth2/token", 1, |_, asked, upstream| async move {
        let mut answer = upstream.send(asked).await;
        let mut body = open(&answer.body);
        body["expires_in"] = json!(1_000_000_000);
        answer.body = body.to_string().into_bytes();
        Some(answer)
    });
    let mut session = victim.session();
    let mut operation = session.capabilities(&crate::capabilities());
    world.drive_to_the_end(&mut victim, &mut operation).await;
    // The server ends it.
    let id = victim.aboard().unwrap().device_id.clone();
    for change in ["disable", "enable"] {
        let target = format!("/admin/devices/{id}/{change}");
        assert_eq!(
            world
                .site
                .operator(Method::POST, &target, &serde_json::Value::Null)
                .await
                .status,
            200
        );
    }
    let mut operation = session.report_status(&crate::status());
    world.drive_to_the_end(&mut victim, &mut operation).await;
    let purposes: Vec<_> = victim.sent.iter().rev().take(3).collect();
    assert_eq!(
        purposes[2],
        &(Purpose::DeploymentStatus, Some(401)),
        "{:?}",
        victim.sent
    );
    assert_eq!(purposes[1].0, Purpose::Token);
    assert_eq!(purposes[0], &(Purpose::DeploymentStatus, Some(201)));
}

/// 201s of the box's own: the device believes that its reports are stored. The next ones are.
pub async fn reports_dropped(world: &World) {
    let mut victim = world.aboard().await;
    for route in ["/capabilities", "/status"] {
        world.meddle(route, 1, |_, _, _| async move {
            Some(Answer {
                status: StatusCode::CREATED,
                headers: HeaderMap::new(),
                body: Vec::new(),
            })
        });
        match route {
            "/capabilities" => report_capabilities(world, &mut victim).await,
            _ => report_status(world, &mut victim).await,
        }
    }
    let known = world.site.device(victim.id.as_str()).await;
    assert!(known["capabilities"].is_null() && crate::deployments(&known) == 0);
    report_capabilities(world, &mut victim).await;
    report_status(world, &mut victim).await;
    let known = world.site.device(victim.id.as_str()).await;
    assert!(known["capabilities"].is_object() && crate::deployments(&known) == 1);
}

/// The server has the report and its 201 is lost: the device sends it again, newly signed.
pub async fn reports_answered_to_nobody(world: &World) {
    let mut victim = world.aboard().await;
    world.meddle("/status", 2, |_, asked, upstream| async move {
        assert_eq!(upstream.send(asked).await.status, 201);
        None
    });
    report_status(world, &mut victim).await;
    let known = world.site.device(victim.id.as_str()).await;
    assert_eq!(crate::deployments(&known), 1);
}

/// The number of a signed answer: 200 for 201 and back means nothing.
pub async fn status_number(world: &World) {
    let mut victim = world.victim().await;
    world.meddle("/onboarding/", 1, |_, asked, upstream| async move {
        let mut answer = upstream.send(asked).await;
        answer.status = StatusCode::OK;
        Some(answer)
    });
    let mut onboarding = victim.onboarding();
    world.drive_to_the_end(&mut victim, &mut onboarding).await;
    assert!(victim.waits.is_empty());
    world.is_sound(&victim).await;
}

/// What a captured secret is good for: tokens and reading, until the device uses a newer one.
pub async fn secret_captured(world: &World) {
    let mut victim = world.aboard().await;
    let upstream = world.proxy.upstream();
    let captured = victim.aboard().unwrap().clone();
    let header = ("authorization", bearer(upstream, &captured).await);
    let path = format!("/device/{}/git-credential", captured.device_id);
    assert_eq!(
        ask(upstream, Method::GET, &path, &[header], b"")
            .await
            .status,
        200
    );
    let state = victim.state.clone().unwrap();
    let mut again = Onboarding::again(victim.settings.clone(), state).unwrap();
    world.drive_to_the_end(&mut victim, &mut again).await;
    assert_eq!(token(upstream, &captured).await.status, 401);
    world.is_sound(&victim).await;
}

/// The box swallows an onboarding answer and uses the secret in it: the device's older secret ends,
/// and the device onboards again.
pub async fn secret_used_before_the_device(world: &World) {
    let mut victim = world.aboard().await;
    let state = victim.state.clone().unwrap();
    let older = victim.aboard().unwrap().clone();
    world.meddle("/onboarding/", 1, move |_, asked, upstream| {
        let mut stolen = older.clone();
        async move {
            let answer = upstream.send(asked).await;
            let given =
                OnboardingResponse::decode(&decode(&open(&answer.body)["payload"])).unwrap();
            stolen.client_secret = given.client_secret.unwrap();
            assert_eq!(token(upstream, &stolen).await.status, 200);
            None
        }
    });
    let mut again = Onboarding::again(victim.settings.clone(), state).unwrap();
    assert!(victim.drive(world, &mut again, 1).await.is_none());
    // It starts anew with what it has.
    world.proxy.meddle(None);
    let mut session = victim.session();
    let refused = victim
        .drive(world, &mut session.git_credential(), 9)
        .await
        .unwrap();
    assert!(
        matches!(refused, Err(Stopped::InvalidClient)),
        "{refused:?}"
    );
    let state = victim.state.clone().unwrap();
    let mut again = Onboarding::again(victim.settings.clone(), state).unwrap();
    world.goes_on(&mut victim, &mut again).await;
    world.is_sound(&victim).await;
    report_capabilities(world, &mut victim).await;
}
