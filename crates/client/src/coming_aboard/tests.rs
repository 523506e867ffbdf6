use std::cell::RefCell;
use std::time::Duration;

use gangplank_key::SoftwareKey;
use gangplank_onboarding::RootUrl;
use gangplank_testkit::{Leaf, NOW, Purpose as Usage, TestCa};

use super::*;
use crate::{
    Connection, MAX_ANSWER, Purpose, Refusal, Request, RootTrust,
    testing::{ROOT_URL, Server, World, signing_leaf},
};

const WAY: [Purpose; 4] = [
    Purpose::RootCertificate,
    Purpose::Onboarding,
    Purpose::Token,
    Purpose::Capabilities,
];

fn start(server: &Server) -> (Onboarding, SoftwareKey, World) {
    (
        Onboarding::new(server.settings(), None).unwrap(),
        server.device_key(),
        World::new(),
    )
}

#[test]
fn a_device_comes_aboard() {
    let mut server = Server::new();
    let (mut onboarding, key, mut world) = start(&server);
    let mut bootstrap = Vec::new();
    let aboard = world.run(&mut onboarding, &key, |_, request| {
        bootstrap.push(request.connection == Connection::Bootstrap);
        assert_eq!(
            request.connection == Connection::Bootstrap,
            request.body.is_empty()
        );
        Some(server.answer(request))
    });
    let aboard = aboard.unwrap();
    assert_eq!(aboard.device_id.as_str(), "d-1");
    assert_eq!(aboard.capabilities, Reported::Sent);
    assert_eq!(world.purposes, WAY);
    assert_eq!(bootstrap, [true, false, false, false]);
    assert!(world.waits.is_empty());
    // The root, the credentials, and that the capabilities are sent.
    assert_eq!(world.saved.len(), 3);
    assert!(world.saved[0].aboard.is_none() && world.saved[1].aboard.is_some());
    assert!(onboarding.into_session().is_some());
}

#[test]
fn whatever_is_lost_is_asked_again_newly_signed() {
    for (lost, purpose) in WAY.into_iter().enumerate() {
        for server_sees_it in [false, true] {
            let mut server = Server::new();
            let (mut onboarding, key, mut world) = start(&server);
            // `answer` panics on bytes that it has seen.
            let aboard = world.run(&mut onboarding, &key, |n, request| {
                let answer = (n != lost || server_sees_it).then(|| server.answer(request));
                answer.filter(|_| n != lost)
            });
            assert_eq!(aboard.unwrap().capabilities, Reported::Sent, "{lost}");
            let mut expected = WAY.to_vec();
            expected.insert(lost, purpose);
            assert_eq!(world.purposes, expected);
            assert_eq!(world.waits.len(), 1);
            assert!(world.waits[0].0 <= Duration::from_secs(1));
        }
    }
}

#[test]
fn a_second_answer_is_dropped() {
    let server = RefCell::new(Server::new());
    let (mut onboarding, key, mut world) = start(&server.borrow());
    let mut rng = gangplank_testkit::TestRng::new(1);
    for _ in 0..20 {
        match onboarding.next(world.now(), &mut rng).unwrap() {
            Step::Sign(message) => {
                use gangplank_key::SigningKey as _;
                onboarding.signed(&key.sign(&message).unwrap());
            }
            Step::Send(request) => {
                let answer = server.borrow_mut().answer(&request);
                onboarding.receive(&answer, world.now());
                onboarding.receive(&answer, world.now());
                onboarding.receive(
                    &Response::new(403, Vec::new()).authenticated(true),
                    world.now(),
                );
            }
            Step::Wait(until) => world.monotonic = until,
            Step::Done(_) => return,
        }
    }
    panic!("not aboard");
}

/// Answers honestly, except that the answers to the introduction go through `change`.
fn tampered(
    prepare: impl FnOnce(&mut Server),
    mut change: impl FnMut(Response) -> Response,
) -> (Result<Aboard, Stopped>, World) {
    let mut server = Server::new();
    let (mut onboarding, key, mut world) = start(&server);
    prepare(&mut server);
    let outcome = world.run(&mut onboarding, &key, |_, request| {
        let answer = server.answer(request);
        Some(if request.purpose == Purpose::Onboarding {
            change(answer)
        } else {
            answer
        })
    });
    assert!(onboarding.context.aboard.is_none() || outcome.is_ok());
    (outcome, world)
}

fn bad(outcome: Result<Aboard, Stopped>) -> String {
    match outcome {
        Err(Stopped::BadAnswer { reason, .. }) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_old_answer_is_not_believed() {
    let mut kept: Option<Vec<u8>> = None;
    let (outcome, world) = tampered(
        |_| {},
        |answer| match &kept {
            Some(old) => Response::new(200, old.clone()),
            None => {
                kept = Some(answer.body);
                Response::new(502, Vec::new())
            }
        },
    );
    assert_eq!(
        bad(outcome),
        "its envelope does not verify: the message does not echo the request's nonce"
    );
    assert_eq!(world.waits.len(), 3);
    assert!(
        world.waits[1].1.contains("cannot be believed"),
        "{:?}",
        world.waits
    );
}

#[test]
fn an_answer_to_another_device_or_root_url_is_not_believed() {
    for audience in [
        format!("{ROOT_URL}/certificate/SN-0002"),
        "https://other.example/certificate/SN-0001".into(),
        ROOT_URL.into(),
    ] {
        let (outcome, _) = tampered(|server| server.answer_audience = audience, |answer| answer);
        assert!(bad(outcome).contains("is meant for"));
    }
}

#[test]
fn only_the_signing_certificate_under_the_root_signs_answers() {
    type Prepare = fn(&mut Server);
    let others: [Prepare; 4] = [
        |server| {
            let tls = server.root.issue(&Leaf::new("tls").purpose(Usage::Server));
            server.sign_as(&tls);
        },
        |server| {
            let plain = server.root.issue(&Leaf::new("any"));
            server.sign_as(&plain);
        },
        |server| {
            let foreign = TestCa::new("Orchestrator").issue(&signing_leaf());
            server.sign_as(&foreign);
        },
        |server| {
            let ended = server
                .root
                .issue(&signing_leaf().valid(0, NOW.as_secs() - 2000));
            server.sign_as(&ended);
        },
    ];
    for prepare in others {
        let (outcome, _) = tampered(prepare, |answer| answer);
        assert!(bad(outcome).contains("its certificate is not the orchestrator's"));
    }
}

#[test]
fn a_changed_answer_is_not_believed() {
    // Another payload in base64, or any other byte of the text.
    for at in [15, 40, 400] {
        let (outcome, _) = tampered(
            |_| {},
            |mut answer| {
                answer.body[at] = if answer.body[at] == b'A' { b'B' } else { b'A' };
                answer
            },
        );
        bad(outcome);
    }
    let (outcome, _) = tampered(|_| {}, |_| Response::new(200, b"{}".to_vec()));
    assert!(bad(outcome).starts_with("it is no envelope"));
    let (outcome, _) = tampered(|_| {}, |_| Response::new(201, vec![b' '; MAX_ANSWER + 1]));
    assert_eq!(bad(outcome), "it is longer than 4 MiB");
    let (outcome, _) = tampered(|_| {}, |_| Response::new(204, Vec::new()));
    assert_eq!(bad(outcome), "it has the status 204");
}

#[test]
fn a_signed_answer_sends_no_secret_to_another_origin() {
    for origin in [
        "https://evil.example/margo",
        "https://wfm.example:8443/margo",
        "https://wfm.example.evil",
    ] {
        let (outcome, _) = tampered(|server| server.origin = origin.into(), |answer| answer);
        assert_eq!(
            bad(outcome),
            "tokenEndpointUrl is not at the orchestrator's own host and port"
        );
    }
}

#[test]
fn a_bad_answer_is_survived() {
    let mut answers = 0;
    let (outcome, world) = tampered(
        |_| {},
        |answer| {
            answers += 1;
            if answers < 3 {
                Response::new(200, b"<html>".to_vec())
            } else {
                answer
            }
        },
    );
    outcome.unwrap();
    assert_eq!(world.waits.len(), 2);
}

#[test]
fn a_refusal_ends_it_only_if_the_orchestrator_made_it() {
    for status in [302, 307, 400, 403, 404, 409, 413] {
        let (outcome, world) = tampered(
            |_| {},
            |_| Response::new(status, Vec::new()).authenticated(true),
        );
        match outcome {
            Err(Stopped::Refused(refusal)) => {
                assert_eq!(
                    refusal,
                    Refusal {
                        purpose: Purpose::Onboarding,
                        status,
                        problem: None
                    }
                );
                assert_eq!(refusal.needs_operator(), status == 409);
            }
            other => panic!("{other:?}"),
        }
        assert!(world.waits.is_empty());

        let mut refusals = 0;
        let (outcome, world) = tampered(
            |_| {},
            |answer| {
                refusals += 1;
                if refusals <= 10 {
                    Response::new(status, Vec::new())
                } else {
                    answer
                }
            },
        );
        outcome.unwrap();
        assert_eq!(world.waits.len(), 10);
        assert!(
            world.waits[0].1.contains(&format!("status {status}")),
            "{:?}",
            world.waits
        );
    }
}

#[test]
fn a_401_is_tried_again_and_ends_it_only_after_several_waits() {
    let (outcome, world) = tampered(
        |_| {},
        |_| Response::new(401, Vec::new()).authenticated(true),
    );
    assert!(
        matches!(outcome, Err(Stopped::Refused(Refusal { status: 401, .. }))),
        "{outcome:?}"
    );
    assert_eq!(world.waits.len(), 5);

    let mut refusals = 0;
    let (outcome, _) = tampered(
        |_| {},
        |answer| {
            refusals += 1;
            if refusals <= 30 {
                Response::new(401, Vec::new())
            } else {
                answer
            }
        },
    );
    outcome.unwrap();
}

#[test]
fn server_nonces_are_tried_twice_without_a_wait() {
    let mut server = Server::new();
    let (mut onboarding, key, mut world) = start(&server);
    let mut asked = 0;
    world
        .run(&mut onboarding, &key, |_, request| {
            let answer = server.answer(request);
            if request.purpose != Purpose::Onboarding {
                return Some(answer);
            }
            asked += 1;
            Some(if asked <= 5 {
                server.unauthenticated()
            } else {
                answer
            })
        })
        .unwrap();
    // 401, 401, 401, wait, 401, 401, then the answer.
    assert_eq!(world.waits.len(), 1);
    // With the clock, the nonce alone, both; again; and the capabilities.
    let present: Vec<_> = server.created.iter().map(Option::is_some).collect();
    assert_eq!(present, [true, false, true, true, false, true, true]);
}

#[test]
fn pending_waits_at_least_as_long_as_asked() {
    let mut asked = 0;
    let (outcome, world) = tampered(
        |_| {},
        |answer| {
            asked += 1;
            match asked {
                1 => Response::new(202, Vec::new()).header("retry-after", "120"),
                2 => Response::new(202, Vec::new()).header("Retry-After", "0"),
                3 => Response::new(202, Vec::new()),
                _ => answer,
            }
        },
    );
    outcome.unwrap();
    for ((waited, trouble), floor) in world.waits.iter().zip([120, 1, 30]) {
        assert!(*waited > Duration::from_secs(floor) && *waited <= Duration::from_secs(floor + 1));
        assert_eq!(trouble, "an operator must approve this device");
    }
    assert_eq!(world.waits.len(), 3);
}

#[test]
fn a_busy_server_is_given_the_time_it_asks_for() {
    for status in [429, 500, 503] {
        let mut asked = 0;
        let (outcome, world) = tampered(
            |_| {},
            |answer| {
                asked += 1;
                match asked {
                    1 => Response::new(status, Vec::new())
                        .authenticated(true)
                        .header("Retry-After", "45"),
                    _ => answer,
                }
            },
        );
        outcome.unwrap();
        assert!(
            world.waits[0].0 > Duration::from_secs(45)
                && world.waits[0].0 <= Duration::from_secs(46)
        );
    }
}

#[test]
fn without_a_clock_the_server_nonce_does() {
    for wall in [None, Some(0), Some(NOW.as_secs() - 1001)] {
        let mut server = Server::new();
        let (mut onboarding, key, mut world) = start(&server);
        world.wall = wall;
        world
            .run(&mut onboarding, &key, |_, request| {
                Some(server.answer(request))
            })
            .unwrap();
        assert_eq!(
            world
                .purposes
                .iter()
                .filter(|purpose| **purpose == Purpose::Onboarding)
                .count(),
            2
        );
        assert!(world.waits.is_empty());
        // The capabilities carry the time that the signed answer taught.
        assert_eq!(server.created, [None, Some(NOW.as_secs())]);
        assert_eq!(world.saved.last().unwrap().last_authenticated, Some(NOW));
    }
}

#[test]
fn a_wrong_clock_is_corrected_from_the_signed_answer() {
    for wrong in [NOW.as_secs() + 86_400, NOW.as_secs() - 900] {
        let mut server = Server::new();
        let (mut onboarding, key, mut world) = start(&server);
        world.wall = Some(wrong);
        world
            .run(&mut onboarding, &key, |_, request| {
                Some(server.answer(request))
            })
            .unwrap();
        assert_eq!(server.created, [None, Some(NOW.as_secs())]);
    }
}

/// The other half: what is not authenticated corrects nothing, whatever time it shows.
#[test]
fn no_forged_answer_corrects_a_clock() {
    for own in [None, Some(NOW.as_secs() - 900)] {
        let mut server = Server::new();
        let (mut onboarding, key, mut world) = start(&server);
        world.wall = own;
        let said = format!("\"created\":{}", NOW.as_secs());
        let outcome = world.run(&mut onboarding, &key, |_, request| {
            let answer = server.answer(request);
            let text = String::from_utf8_lossy(&answer.body);
            Some(if text.contains(&said) {
                let later = format!("\"created\":{}", NOW.as_secs() + 3_600);
                Response::new(200, text.replace(&said, &later).into_bytes())
            } else {
                answer
            })
        });
        let reason = bad(outcome);
        assert_eq!(
            reason,
            "its envelope does not verify: the signature does not verify"
        );
        let time = &onboarding.context.time;
        assert_eq!(time.created(world.now()), world.now().wall);
        assert_eq!(time.last_authenticated(), None);
    }
}

#[test]
fn without_a_clock_a_certificate_from_after_the_build_is_believed_and_an_ended_one_is_not() {
    let made = |from: u64, until: u64| {
        let mut server = Server::new();
        server.root =
            TestCa::root(&Leaf::new("Orchestrator").valid(NOW.as_secs() - 10, u64::from(u32::MAX)));
        let issued = server.root.issue(&signing_leaf().valid(from, until));
        server.sign_as(&issued);
        let (mut onboarding, key, mut world) = start(&server);
        world.wall = None;
        world.run(&mut onboarding, &key, |_, request| {
            Some(server.answer(request))
        })
    };
    made(NOW.as_secs() - 5, NOW.as_secs() + 500).unwrap();
    // The build time is 1000 s before now.
    assert!(bad(made(0, NOW.as_secs() - 1001)).contains("the leaf ended"));
}

#[test]
fn a_root_is_believed_for_a_reason() {
    let run = |trust: fn(&Server) -> RootTrust| {
        let mut server = Server::new();
        let mut settings = server.settings();
        settings.root = trust(&server);
        let mut onboarding = Onboarding::new(settings, None).unwrap();
        let mut world = World::new();
        let key = server.device_key();
        let outcome = world.run(&mut onboarding, &key, |_, request| {
            Some(server.answer(request))
        });
        (outcome, world)
    };
    let (outcome, world) = run(|_| RootTrust::Pinned([0; 32]));
    assert_eq!(bad(outcome), "the root certificate is not the pinned one");
    assert!(world.saved.is_empty());
    assert_eq!(world.purposes, [Purpose::RootCertificate; 3]);

    let (outcome, world) = run(|server| RootTrust::Given(server.root.certificate.clone()));
    outcome.unwrap();
    assert_eq!(world.purposes, WAY[1..]);

    let (outcome, _) = run(|_| RootTrust::InsecureTrustOnFirstUse);
    outcome.unwrap();
}

#[test]
fn only_a_root_is_taken_on_first_use() {
    let mut server = Server::new();
    let mut settings = server.settings();
    settings.root = RootTrust::InsecureTrustOnFirstUse;
    let (_, key, mut world) = start(&server);
    let mut onboarding = Onboarding::new(settings, None).unwrap();
    server.root.certificate = server.signer.certificate.clone();
    let outcome = world.run(&mut onboarding, &key, |_, request| {
        Some(server.answer(request))
    });
    assert!(bad(outcome).contains("no root"));
}

fn saved() -> (Server, DeviceState) {
    let mut server = Server::new();
    let (mut onboarding, key, mut world) = start(&server);
    world
        .run(&mut onboarding, &key, |_, request| {
            Some(server.answer(request))
        })
        .unwrap();
    let text = serde_json::to_string(world.saved.last().unwrap()).unwrap();
    (server, serde_json::from_str(&text).unwrap())
}

#[test]
fn after_a_reboot_without_network_it_still_knows_who_it_is() {
    let (server, state) = saved();
    let key = server.device_key();
    let mut onboarding = Onboarding::new(server.settings(), Some(state)).unwrap();
    let mut world = World::new();
    world.wall = None;
    let aboard = world
        .run(&mut onboarding, &key, |_, _| panic!("no network"))
        .unwrap();
    assert_eq!(aboard.device_id.as_str(), "d-1");
}

#[test]
fn a_reboot_between_introduction_and_capabilities_goes_on_there() {
    let (mut server, mut state) = saved();
    state.aboard.as_mut().unwrap().capabilities = Reported::NotSent;
    let key = server.device_key();
    let mut onboarding = Onboarding::new(server.settings(), Some(state)).unwrap();
    let mut world = World::new();
    world
        .run(&mut onboarding, &key, |_, request| {
            Some(server.answer(request))
        })
        .unwrap();
    assert_eq!(world.purposes, [Purpose::Token, Purpose::Capabilities]);
}

#[test]
fn state_of_another_orchestrator_or_device_is_refused() {
    let (server, state) = saved();
    let refused = |change: fn(&mut Settings)| {
        let mut settings = server.settings();
        change(&mut settings);
        Onboarding::new(settings, Some(state.clone()))
            .map(|_| ())
            .unwrap_err()
    };
    let other = refused(|settings| {
        settings.root_url = RootUrl::parse("https://wfm.example/other").unwrap()
    });
    assert!(matches!(other, StartError::OtherRootUrl { .. }));
    assert!(other.to_string().contains("reset"));
    let other = refused(|settings| {
        settings.certificate_id = gangplank_key::CertificateId::parse("SN-0002").unwrap();
    });
    assert_eq!(other, StartError::OtherCertificateId);
    assert_eq!(
        refused(|settings| settings.root = RootTrust::Pinned([1; 32])),
        StartError::OtherRoot
    );
    assert_eq!(
        refused(|settings| settings.certificates.clear()),
        StartError::Certificates(0)
    );
}

#[test]
fn state_of_another_version_or_with_unknown_members_is_refused() {
    let (_, state) = saved();
    let mut value = serde_json::to_value(&state).unwrap();
    value["version"] = 2.into();
    assert!(serde_json::from_value::<DeviceState>(value.clone()).is_err());
    value["version"] = 1.into();
    value["more"] = 1.into();
    assert!(serde_json::from_value::<DeviceState>(value).is_err());
    assert!(!format!("{state:?}").contains("gpcs_"));
}

#[test]
fn a_secret_that_somebody_else_ended_is_replaced_by_a_new_introduction() {
    let mut server = Server::new();
    let (mut onboarding, key, mut world) = start(&server);
    let mut stolen = false;
    world
        .run(&mut onboarding, &key, |_, request| {
            if request.purpose == Purpose::Token && !stolen {
                stolen = true;
                server.secret = None;
            }
            Some(server.answer(request))
        })
        .unwrap();
    let mut expected = WAY.to_vec();
    expected.splice(3..3, [Purpose::Onboarding, Purpose::Token]);
    assert_eq!(world.purposes, expected);

    let mut server = Server::new();
    let (mut onboarding, key, mut world) = start(&server);
    let outcome = world.run(&mut onboarding, &key, |_, request| {
        if request.purpose == Purpose::Token {
            server.secret = None;
        }
        Some(server.answer(request))
    });
    assert!(matches!(outcome, Err(Stopped::InvalidClient)));
    assert_eq!(
        world
            .purposes
            .iter()
            .filter(|purpose| **purpose == Purpose::Onboarding)
            .count(),
        4
    );
}

#[test]
fn an_answer_without_secret_is_no_way_aboard() {
    let (outcome, _) = tampered(|server| server.gives_secret = false, |answer| answer);
    assert_eq!(bad(outcome), "it has no client secret");
}

#[test]
fn nothing_secret_goes_over_the_bootstrap_connection() {
    let mut server = Server::new();
    let (mut onboarding, key, mut world) = start(&server);
    world
        .run(&mut onboarding, &key, |_, request: &Request| {
            if request.connection == Connection::Bootstrap {
                assert_eq!(request.url, format!("{ROOT_URL}/onboarding/certificate"));
                assert!(request.headers.is_empty() && request.body.is_empty());
            }
            Some(server.answer(request))
        })
        .unwrap();
}
