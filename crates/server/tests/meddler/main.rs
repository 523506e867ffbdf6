//! A box that ends TLS and does not mean well, between the client's state machines and the real
//! server: everything it does to what is signed is caught, and what it does to the rest has the
//! consequence that docs/threat-model.md says. Afterwards the device always gets aboard.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub
)]

mod aboard;
mod answers;
mod driver;
mod forge;
#[path = "../proxy_support/mod.rs"]
mod proxy_support;
mod refusals;
mod requests;
mod victim;
mod world;

use std::sync::Arc;
use std::time::Duration;

use gangplank_client::onboarding::v2024::capabilities::{
    Cpu, DeviceCapabilities, Quantity, Resources,
};
use gangplank_client::onboarding::v2024::status::{DeploymentId, DeploymentStatus, State};
use gangplank_client::onboarding::{DeviceId, ShortText};
use serde_json::Value;

use crate::victim::Victim;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_box_does_to_signed_things_is_caught() {
    let mut tally = Tally {
        world: Arc::new(World::new().await),
        meddlings: 0,
        missed: Vec::new(),
    };
    requests(&mut tally).await;
    answers(&mut tally).await;
    refusals(&mut tally).await;
    unsigned(&mut tally).await;
    let Tally {
        meddlings, missed, ..
    } = tally;
    println!(
        "meddler: {meddlings} meddlings, {} caught",
        meddlings - missed.len()
    );
    assert!(missed.is_empty(), "{missed:#?}");
}

struct Tally {
    world: Arc<World>,
    meddlings: usize,
    missed: Vec<String>,
}

/// Runs a case in a task of its own, so that one failure does not hide the others.
macro_rules! case {
    ($tally:expr, $name:expr, |$world:ident| $body:expr) => {{
        let $world = Arc::clone(&$tally.world);
        let case = tokio::spawn(async move {
            let $world = &*$world;
            $body.await;
        });
        $tally.meddlings += 1;
        let name: String = $name.into();
        let outcome = tokio::time::timeout(Duration::from_secs(60), case).await;
        $tally.world.proxy.meddle(None);
        let in_the_box = $tally.world.proxy.failed();
        match outcome {
            Ok(Ok(())) if !in_the_box.is_empty() => {
                $tally
                    .missed
                    .push(format!("{name}: in the box: {in_the_box:?}"));
            }
            Ok(Ok(())) => println!("meddler: caught: {name}"),
            Ok(Err(panic)) => $tally.missed.push(format!("{name}: {panic}")),
            Err(_) => $tally.missed.push(format!("{name}: it hangs")),
        }
    }};
}

async fn requests(tally: &mut Tally) {
    for (name, edit) in requests::CHANGED {
        case!(
            tally,
            format!("request, {name}"),
            |world| requests::changed(world, edit)
        );
    }
    case!(tally, "request twice, first answer", |world| {
        requests::delivered_twice(world, 0)
    });
    case!(tally, "request twice, second answer", |world| {
        requests::delivered_twice(world, 1)
    });
    case!(tally, "request with the other signature", |world| {
        requests::delivered_with_the_other_signature(world)
    });
    case!(tally, "request eight times at once", |world| {
        requests::delivered_in_a_race(world)
    });
    case!(tally, "requests later, everywhere", |world| {
        requests::delivered_later_and_elsewhere(world)
    });
    case!(tally, "requests elsewhere, first", |world| {
        requests::delivered_elsewhere_first(world)
    });
    case!(tally, "request for another orchestrator", |world| {
        requests::signed_for_another_orchestrator(world)
    });
    case!(tally, "request with a captured token", |world| {
        requests::made_with_a_captured_token(world)
    });
}

async fn answers(tally: &mut Tally) {
    let url = tally.world.site.url();
    for (name, edit) in answers::ENVELOPE.into_iter().chain(answers::BODIES) {
        case!(tally, format!("answer, {name}"), |world| {
            answers::onboarding(world, edit)
        });
        case!(tally, format!("credential, {name}"), |world| {
            answers::credential(world, edit)
        });
    }
    for (name, value) in answers::onboarding_members(&url) {
        let text = format!("answer, {name} is {value}");
        let edit = rewrite(name, value);
        case!(tally, text, |world| answers::onboarding(world, edit));
    }
    for (name, value) in answers::credential_members(&url) {
        let text = format!("credential, {name} is {value}");
        let edit = rewrite(name, value);
        case!(tally, text, |world| answers::credential(world, edit));
    }
    case!(tally, "answer, for ever", |world| {
        answers::onboarding_without_end(world)
    });
    case!(tally, "answer, an earlier one", |world| {
        answers::onboarding_kept(world)
    });
    case!(tally, "answer, an accomplice's", |world| {
        answers::onboarding_of_an_accomplice(world)
    });
    case!(tally, "answer, an earlier one and its nonce", |world| {
        answers::onboarding_kept_for_a_forged_nonce(world)
    });
    case!(tally, "clock by an earlier answer and its nonce", |world| {
        answers::clock_by_a_forged_nonce(world)
    });
    case!(tally, "answer, a credential in its place", |world| {
        answers::credential_for_onboarding(world)
    });
    case!(tally, "credential, an earlier one", |world| {
        aboard::credential_kept(world)
    });
    for (which, name) in ["another nonce", "no nonce", "an accomplice's"]
        .into_iter()
        .enumerate()
    {
        case!(tally, format!("credential, {name}"), |world| {
            aboard::credential_asked_otherwise(world, which)
        });
    }
    case!(tally, "desired state of another device", |world| {
        aboard::desired_state_of_another(world)
    });
}

async fn refusals(tally: &mut Tally) {
    for route in ["/onboarding/certificate", "/onboarding/", "/oauth2/token"] {
        for (name, canned) in refusals::CANNED {
            case!(tally, format!("{route} answered {name}"), |world| {
                refusals::canned(world, route, canned)
            });
        }
        for delivered in [false, true] {
            case!(
                tally,
                format!("{route} swallowed, delivered: {delivered}"),
                |world| { refusals::swallowed(world, route, delivered) }
            );
        }
    }
    for (name, wrap) in refusals::ROOTS {
        case!(tally, format!("root, {name}"), |world| {
            refusals::another_root(world, wrap)
        });
    }
    case!(tally, "root, for ever", |world| {
        refusals::another_root_for_ever(world)
    });
    case!(tally, "a hundred 401s", |world| refusals::storm(world));
    case!(tally, "invalid_client for ever", |world| {
        refusals::invalid_client_for_ever(world)
    });
    case!(
        tally,
        "403 made a 201",
        |world| refusals::refusal_made_good(world)
    );
    case!(tally, "403 under the root", |world| {
        refusals::refusal_under_the_root(world)
    });
}

async fn unsigned(tally: &mut Tally) {
    case!(tally, "token exchanged", |world| aboard::token_exchanged(
        world, false
    ));
    case!(tally, "token of an accomplice", |world| {
        aboard::token_exchanged(world, true)
    });
    case!(tally, "token lifetime stretched", |world| {
        aboard::token_lifetime_stretched(world)
    });
    case!(tally, "reports dropped", |world| aboard::reports_dropped(
        world
    ));
    case!(tally, "answers to reports dropped", |world| {
        aboard::reports_answered_to_nobody(world)
    });
    case!(tally, "status number", |world| aboard::status_number(world));
    case!(tally, "secret captured", |world| aboard::secret_captured(
        world
    ));
    case!(tally, "secret used first", |world| {
        aboard::secret_used_before_the_device(world)
    });
    case!(tally, "the driver refused", |world| {
        driver::refused_by_the_box(world)
    });
}

fn rewrite(
    name: &'static str,
    value: Value,
) -> impl Fn(&mut proxy_support::Answer, &forge::Thief) + Send + Sync + 'static {
    move |answer, _| forge::set_in_payload(&mut answer.body, name, value.clone())
}

fn capabilities() -> DeviceCapabilities {
    let quantity = |text| Quantity::Text(ShortText::parse(text).unwrap());
    let cpu = Cpu {
        cpu_architecture: ShortText::parse("arm64").unwrap(),
        cores: quantity("4"),
        frequency: quantity("1.8 GHz"),
    };
    let resources = Resources {
        cpus: vec![cpu],
        memory: quantity("8 GB"),
        storage: quantity("64 GB"),
    };
    DeviceCapabilities::new(DeviceId::parse("unset").unwrap(), resources)
}

fn deployments(known: &Value) -> usize {
    known["deployments"].as_array().map_or(0, Vec::len)
}

fn status() -> DeploymentStatus {
    DeploymentStatus::new(DeploymentId::parse("pump").unwrap(), State::Installed)
}
