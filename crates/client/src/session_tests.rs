use std::time::Duration;

use gangplank_envelope::{
    Limits,
    payload_signature::{PayloadSignature, Spelling},
};
use gangplank_key::{CertificateId, SigningKey, SoftwareKey, TrustedKey};
use gangplank_onboarding::v2024::status::{DeploymentId, DeploymentStatus, State};
use gangplank_testkit::NOW;
use gangplank_token::GitToken;

use super::*;
use crate::{
    BadAnswer, Onboarding, Purpose, Refusal, ReportForm,
    testing::{DEVICE, Server, World, header},
};

fn aboard() -> (Server, Session, SoftwareKey, World) {
    let mut server = Server::new();
    let key = server.device_key();
    let mut world = World::new();
    let mut onboarding = Onboarding::new(server.settings(), None).unwrap();
    world
        .run(&mut onboarding, &key, |_, request| {
            Some(server.answer(request))
        })
        .unwrap();
    world.purposes.clear();
    (server, onboarding.into_session().unwrap(), key, world)
}

fn status() -> DeploymentStatus {
    let id = DeploymentId::parse("a3e2f5dc-912e-494f-8395-52cf3769bc06").unwrap();
    DeploymentStatus::new(id, State::Installing)
}

#[test]
fn the_token_is_kept_until_shortly_before_it_expires() {
    let (mut server, mut session, key, mut world) = aboard();
    let status = status();
    let network = |server: &mut Server, request: &crate::Request| Some(server.answer(request));
    world
        .run(&mut session.report_status(&status), &key, |_, r| {
            network(&mut server, r)
        })
        .unwrap();
    assert_eq!(world.purposes, [Purpose::DeploymentStatus]);
    world.monotonic += Duration::from_secs(3600);
    server.wall =
        gangplank_key::UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs() + 3600));
    world
        .run(&mut session.report_status(&status), &key, |_, r| {
            network(&mut server, r)
        })
        .unwrap();
    assert_eq!(
        world.purposes[1..],
        [Purpose::Token, Purpose::DeploymentStatus]
    );
}

#[test]
fn a_refused_token_is_replaced_once() {
    let (mut server, mut session, key, mut world) = aboard();
    server.token = None;
    let status = status();
    world
        .run(&mut session.report_status(&status), &key, |_, request| {
            Some(server.answer(request))
        })
        .unwrap();
    assert_eq!(
        world.purposes,
        [
            Purpose::DeploymentStatus,
            Purpose::Token,
            Purpose::DeploymentStatus
        ]
    );
    assert!(world.waits.is_empty());
}

#[test]
fn a_device_that_is_banned_stops() {
    let (mut server, mut session, key, mut world) = aboard();
    (server.token, server.secret) = (None, None);
    let status = status();
    let outcome = world.run(&mut session.report_status(&status), &key, |_, request| {
        Some(server.answer(request))
    });
    assert!(matches!(outcome, Err(Stopped::InvalidClient)));
    let outcome = world.run(&mut session.git_credential(), &key, |_, request| {
        let answer = server.answer(request);
        Some(if request.purpose == Purpose::Token {
            answer
        } else {
            Response::new(403, Vec::new())
        })
    });
    assert!(matches!(outcome, Err(Stopped::InvalidClient)));
}

#[test]
fn a_git_credential_is_believed_only_if_it_answers_this_request() {
    let (mut server, mut session, key, mut world) = aboard();
    let mut kept = None;
    let credential = world
        .run(&mut session.git_credential(), &key, |_, request| {
            let answer = server.answer(request);
            kept = Some(answer.body.clone());
            Some(answer)
        })
        .unwrap();
    let held = session.held_git_access(world.now()).unwrap();
    assert_eq!(held.token.expose(), credential.password.expose());
    assert_eq!(held.username, "d-1");

    let outcome = world.run(&mut session.git_credential(), &key, |_, _| {
        Some(Response::new(200, kept.clone().unwrap()).authenticated(true))
    });
    match outcome {
        Err(Stopped::BadAnswer {
            purpose: Purpose::GitCredential,
            reason: BadAnswer::Verify(_),
        }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_jump_of_the_orchestrators_clock_does_not_lock_the_device_out() {
    let (mut server, mut session, key, mut world) = aboard();
    let before = session.state().unwrap().last_authenticated;
    // The year 2100, long after the end of the signing certificate.
    server.wall = gangplank_key::UnixTime::since_unix_epoch(Duration::from_secs(4_102_444_800));
    let outcome = world.run(&mut session.git_credential(), &key, |_, request| {
        Some(server.answer(request))
    });
    match outcome {
        Err(Stopped::BadAnswer {
            reason: BadAnswer::Created(_),
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(session.state().unwrap().last_authenticated, before);
    server.wall = NOW;
    world
        .run(&mut session.git_credential(), &key, |_, request| {
            Some(server.answer(request))
        })
        .unwrap();
}

#[test]
fn a_git_credential_at_hand_ends_in_time_and_can_be_forgotten() {
    let (_, mut session, _, mut world) = aboard();
    assert!(session.held_git_access(world.now()).is_some());
    world.monotonic += Duration::from_secs(3600 - 60);
    assert!(session.held_git_access(world.now()).is_none());
    session.forget_git_access();
    assert!(session.unsaved().unwrap().aboard.unwrap().git.is_none());
    assert_eq!(
        format!("{:?}", GitToken::from_wire("gpgt_x".into()).unwrap()),
        "GitToken(redacted)"
    );
}

#[test]
fn refusals_of_a_report_follow_the_same_rule() {
    let (mut server, mut session, key, mut world) = aboard();
    let status = status();
    let outcome = world.run(&mut session.report_status(&status), &key, |_, _| {
        Some(
            Response::new(
                400,
                br#"{"type":"/problems/id-mismatch","status":400}"#.to_vec(),
            )
            .authenticated(true),
        )
    });
    match outcome {
        Err(Stopped::Refused(Refusal {
            status: 400,
            problem: Some(problem),
            ..
        })) => {
            assert_eq!(problem.as_str(), "id-mismatch");
        }
        other => panic!("{other:?}"),
    }
    world.purposes.clear();
    world
        .run(&mut session.report_status(&status), &key, |n, request| {
            if n < 5 {
                Some(Response::new(400, Vec::new()))
            } else {
                Some(server.answer(request))
            }
        })
        .unwrap();
}

#[test]
fn a_state_that_is_not_aboard_begins_no_session() {
    let (server, session, ..) = aboard();
    let mut state = session.state().unwrap();
    state.aboard = None;
    assert_eq!(
        Session::new(server.settings(), state).unwrap_err(),
        StartError::NotAboard
    );
}

/// The header signs no nonce, so a 401 is answered by another token, and then by a wait.
#[test]
fn a_report_signed_by_the_header_is_tried_once_with_each_token() {
    let (mut server, session, key, mut world) = aboard();
    let mut settings = server.settings();
    settings.report_form = ReportForm::PayloadSignature;
    let mut session = Session::new(settings, session.state().unwrap()).unwrap();
    let status = status();
    let id = CertificateId::parse(DEVICE).unwrap();
    let trusted = TrustedKey::vouch(id, key.public_key().clone());
    world
        .run(&mut session.report_status(&status), &key, |n, request| {
            if request.purpose == Purpose::Token {
                return Some(server.answer(request));
            }
            assert_eq!(header(request, "content-type"), Some("application/json"));
            let value = header(request, PayloadSignature::HEADER).unwrap();
            let signed = PayloadSignature::decode(value.as_bytes(), Spelling::Wrapped).unwrap();
            let verified = signed.verify(&request.body, &trusted, &Limits::DEFAULT);
            assert_eq!(verified.unwrap().body(), status.encode());
            Some(match n {
                0..4 => server.unauthenticated(),
                _ => Response::new(201, Vec::new()),
            })
        })
        .unwrap();
    let (token, report) = (Purpose::Token, Purpose::DeploymentStatus);
    assert_eq!(world.purposes, [token, report, token, report, report]);
    assert_eq!(world.waits.len(), 1, "after the second token, not before");
}

#[cfg(feature = "message")]
mod signed_as_messages {
    use core::mem;

    use gangplank_key::SigningKey;
    use gangplank_message::margo::{self, Incoming, Profile};
    use gangplank_message::{Field, Limits, Target, Window};

    use super::*;
    use crate::{ReportForm, RequestError, testing::header};

    /// The body, if it is the device's and new.
    fn verified(request: &crate::Request, key: &SoftwareKey) -> Option<Vec<u8>> {
        let fields: Vec<Field<'_>> = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let method = request.method.as_str();
        let target = Target::parse(&request.url).unwrap();
        let received = gangplank_message::Request::new(method, target, &fields);
        let window = Window {
            now: NOW,
            max_age: Duration::from_secs(300),
            max_lead: Duration::from_secs(60),
        };
        let verified = margo::verify(
            &Incoming::new(&received, &request.body),
            "d-1",
            key.public_key(),
            &Profile::MARGO_1_0,
            &window,
            &Limits::DEFAULT,
        );
        verified.ok().map(|verified| verified.body().to_vec())
    }

    #[test]
    fn a_report_is_signed_with_its_target_and_newly_when_it_is_sent_again() {
        let (_, mut session, key, mut world) = aboard();
        session.context.settings.report_form = ReportForm::MessageSignature;
        let status = status();
        let mut signatures = Vec::new();
        world
            .run(&mut session.report_status(&status), &key, |_, request| {
                assert_eq!(request.purpose, Purpose::DeploymentStatus);
                assert_eq!(header(request, "content-type"), Some("application/json"));
                assert!(header(request, "authorization").is_some());
                assert_eq!(verified(request, &key), Some(status.encode()));
                signatures.push(header(request, "signature").unwrap().to_owned());
                (signatures.len() == 2).then(|| Response::new(201, Vec::new()))
            })
            .unwrap();
        assert_ne!(
            signatures[0], signatures[1],
            "the same bytes would be a replay"
        );
    }

    #[test]
    fn without_the_time_nothing_is_sent_until_an_answer_has_told_it() {
        let (mut server, mut session, key, mut world) = aboard();
        session.context.settings.report_form = ReportForm::MessageSignature;
        world.wall = None;
        let status = status();
        // As after a restart: what was learned is gone.
        let mut session =
            Session::new(session.context.settings.clone(), session.state().unwrap()).unwrap();
        let outcome = world.run(&mut session.report_status(&status), &key, |_, request| {
            assert_eq!(request.purpose, Purpose::Token);
            Some(server.answer(request))
        });
        assert!(matches!(
            outcome,
            Err(Stopped::Request(RequestError::NoClock))
        ));
        world
            .run(&mut session.git_credential(), &key, |_, request| {
                Some(server.answer(request))
            })
            .unwrap();
        world
            .run(&mut session.report_status(&status), &key, |_, request| {
                assert_eq!(verified(request, &key), Some(status.encode()));
                Some(Response::new(201, Vec::new()))
            })
            .unwrap();
    }

    #[test]
    fn a_refused_message_gets_a_new_token_once_and_then_waits() {
        let (mut server, mut session, key, mut world) = aboard();
        session.context.settings.report_form = ReportForm::MessageSignature;
        let status = status();
        let mut refusals = 0;
        world
            .run(&mut session.report_status(&status), &key, |_, request| {
                if request.purpose == Purpose::Token {
                    return Some(server.answer(request));
                }
                refusals += 1;
                Some(match refusals {
                    1..=2 => server.unauthenticated().authenticated(true),
                    _ => Response::new(201, Vec::new()),
                })
            })
            .unwrap();
        use Purpose::{DeploymentStatus as Report, Token};
        assert_eq!(world.purposes, [Report, Token, Report, Report]);
        assert_eq!(world.waits.len(), 1);
    }

    const NOW_AS_DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";
    const MUCH_LATER: &str = "Fri, 31 Dec 2100 23:59:59 GMT";

    fn not_authenticated(date: &str) -> Response {
        Response::new(401, Vec::new()).header("Date", date)
    }

    #[test]
    fn a_wrong_clock_is_put_right_once_by_the_orchestrators_own_refusal() {
        let (mut server, mut session, key, mut world) = aboard();
        session.context.settings.report_form = ReportForm::MessageSignature;
        world.wall = Some(NOW.as_secs() + 3600);
        let status = status();
        world
            .run(&mut session.report_status(&status), &key, |_, request| {
                Some(match verified(request, &key) {
                    None => not_authenticated(NOW_AS_DATE).authenticated(true),
                    Some(_) => Response::new(201, Vec::new()),
                })
            })
            .unwrap();
        use Purpose::{DeploymentStatus as Report, Token};
        assert_eq!(world.purposes, [Report, Report], "only the time was wrong");

        // Another answer with another time is not obeyed.
        let mut refused = false;
        world
            .run(&mut session.report_status(&status), &key, |_, request| {
                if request.purpose == Token {
                    return Some(server.answer(request));
                }
                assert!(verified(request, &key).is_some(), "the clock stays right");
                Some(match mem::replace(&mut refused, true) {
                    false => not_authenticated(MUCH_LATER).authenticated(true),
                    true => Response::new(201, Vec::new()),
                })
            })
            .unwrap();
    }

    #[test]
    fn a_box_in_between_sets_no_clock() {
        let (mut server, mut session, key, mut world) = aboard();
        session.context.settings.report_form = ReportForm::MessageSignature;
        let before = session.state().unwrap().last_authenticated;
        let status = status();
        let mut refused = false;
        world
            .run(&mut session.report_status(&status), &key, |_, request| {
                if request.purpose == Purpose::Token {
                    return Some(server.answer(request));
                }
                assert!(verified(request, &key).is_some(), "the clock stays right");
                Some(match mem::replace(&mut refused, true) {
                    false => not_authenticated(MUCH_LATER),
                    true => Response::new(201, Vec::new()),
                })
            })
            .unwrap();
        assert_eq!(session.state().unwrap().last_authenticated, before);
    }
}
