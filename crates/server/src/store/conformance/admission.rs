use super::Checked;
use super::fixture::*;
use crate::store::{
    AdmissionOutcome, AdmissionPlan, Conflict, Described, DeviceState, OutboxEvent,
    RegisterOutcome, TokenKind, action,
};

cases![
    a_registered_device_is_created_once_and_then_again,
    an_unknown_device_of_an_anchor_is_provisioned,
    a_stranger_waits_and_gets_nothing,
    an_approved_stranger_comes_aboard,
    a_replayed_message_changes_nothing,
    of_a_list_with_a_seen_key_no_key_is_consumed,
    a_device_keeps_its_client_id,
    a_client_id_of_another_is_a_conflict,
    a_certificate_id_of_another_key_does_not_come_aboard,
    a_key_under_another_id_does_not_come_aboard,
    a_proven_chain_displaces_a_waiting_stranger,
    a_proven_chain_brings_its_own_waiting_key_aboard,
    a_plan_to_queue_does_not_hold_a_registered_device_back,
    what_a_device_does_not_say_stays,
    every_admission_is_in_the_audit,
];

async fn a_registered_device_is_created_once_and_then_again(bench: Bench) -> Checked {
    bench.register(1).await?;
    let outcome = bench.store.create_or_adopt(known(1, 1)?).await?;
    let (device, client) =
        expect_match!(outcome, AdmissionOutcome::Created(device, client) => (device, client));
    expect_eq!(device.state, DeviceState::Aboard);
    expect_eq!(device.aboard_at, Some(at(0)));
    expect_eq!(device.client_id, Some(client));
    expect_eq!(bench.device(1).await?, Some(device.clone()));
    let outcome = bench.store.create_or_adopt(known(1, 2)?).await?;
    let again = expect_match!(outcome, AdmissionOutcome::Again(device, _) => device);
    expect_eq!(again, device);
    Ok(())
}

async fn an_unknown_device_of_an_anchor_is_provisioned(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    expect_eq!(device.anchor_id.as_deref(), Some("anchor"));
    expect_eq!(device.policy_revision, Some(7));
    expect_eq!(device.origin, Some(origin("anchor")));
    expect_eq!(device.credentials, [credential(1)]);
    expect_eq!(device.device_id_values, ["d"]);
    expect_eq!(device.registration, "{\"ext\":1}");
    expect_eq!(bench.device(1).await?, Some(device.clone()));
    let events = bench.store.outbox(0, 10).await?;
    let events: Vec<_> = events
        .into_iter()
        .map(|one| (one.event, one.device))
        .collect();
    expect_eq!(events, [(OutboxEvent::DeviceAboard, device.id)]);
    Ok(())
}

async fn a_stranger_waits_and_gets_nothing(bench: Bench) -> Checked {
    let device = bench.queued(1).await?;
    expect_eq!(device.state, DeviceState::Pending);
    expect_eq!(device.client_id, None);
    let again = bench.queued(1).await?;
    expect_eq!(again, device);
    expect!(
        !bench.opens(1, 1, 1).await?,
        "a waiting device has a secret"
    );
    expect!(
        !bench.lives(TokenKind::Git, 1).await?,
        "a waiting device has a token"
    );
    expect_eq!(bench.store.outbox(0, 10).await?, vec![]);
    let outcome = bench.store.create_or_adopt(known(1, 1)?).await?;
    expect_eq!(outcome, AdmissionOutcome::Pending(device));
    Ok(())
}

async fn an_approved_stranger_comes_aboard(bench: Bench) -> Checked {
    bench.queued(1).await?;
    let device = bench.change(1, APPROVE).await?;
    expect_eq!(device.state, DeviceState::Registered);
    let outcome = bench.store.create_or_adopt(known(1, 1)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    expect!(bench.opens(1, 1, 1).await?, "the secret does not open");
    Ok(())
}

async fn a_replayed_message_changes_nothing(bench: Bench) -> Checked {
    let mut first = provision(1, 1)?;
    first.once = vec![once(1, 60)];
    let outcome = bench.store.create_or_adopt(first.clone()).await?;
    let device = expect_match!(outcome, AdmissionOutcome::Created(device, _) => device);
    let audit = bench.audit().await?;
    first.credentials = Some(credentials(1, 2)?);
    first.described.vendor = Some("somebody else".to_owned());
    let outcome = bench.store.create_or_adopt(first).await?;
    expect_eq!(outcome, AdmissionOutcome::Replayed);
    expect_eq!(bench.device(1).await?, Some(device));
    expect_eq!(bench.audit().await?, audit);
    expect!(!bench.opens(1, 2, 2).await?, "the replay made a secret");
    expect!(
        !bench.lives(TokenKind::Git, 2).await?,
        "the replay made a token"
    );
    expect!(bench.opens(1, 1, 1).await?, "the replay ended a secret");
    Ok(())
}

async fn of_a_list_with_a_seen_key_no_key_is_consumed(bench: Bench) -> Checked {
    let mut first = provision(1, 1)?;
    first.once = vec![once(1, 60)];
    bench.store.create_or_adopt(first.clone()).await?;
    first.once = vec![once(2, 60), once(1, 60)];
    let outcome = bench.store.create_or_adopt(first).await?;
    expect_eq!(outcome, AdmissionOutcome::Replayed);
    expect!(
        bench.store.consume_once(&[once(2, 60)], at(0)).await?,
        "the replay consumed a fresh key"
    );
    Ok(())
}

async fn a_device_keeps_its_client_id(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    let mut second = provision(1, 2)?;
    second.credentials = Some(credentials(99, 2)?);
    let outcome = bench.store.create_or_adopt(second).await?;
    expect_eq!(outcome, AdmissionOutcome::Again(device, client_id(1)?));
    Ok(())
}

async fn a_client_id_of_another_is_a_conflict(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.register(3).await?;
    for (free, mut admission) in [(2, provision(2, 2)?), (3, known(3, 3)?)] {
        admission.credentials = Some(credentials(1, free)?);
        let outcome = bench.store.create_or_adopt(admission.clone()).await?;
        expect_eq!(outcome, AdmissionOutcome::Conflict(Conflict::ClientIdTaken));
        // With another name the same request is no replay of itself.
        admission.credentials = Some(credentials(free, free)?);
        let outcome = bench.store.create_or_adopt(admission).await?;
        let created = matches!(outcome, AdmissionOutcome::Created(..));
        expect!(created, "{outcome:?}");
    }
    Ok(())
}

async fn a_certificate_id_of_another_key_does_not_come_aboard(bench: Bench) -> Checked {
    let before = bench.register(1).await?;
    let mut other = new(2)?;
    other.certificate.certificate_id = Some(certificate_id(1)?);
    let holder = device_id(1)?;
    let conflict = AdmissionOutcome::Conflict(Conflict::CertificateIdTaken { holder });
    let queue = AdmissionPlan::Queue {
        device: other.clone(),
        credential: None,
    };
    for plan in [provision_plan(other), queue] {
        let outcome = bench.store.create_or_adopt(admission(plan, 2, 2)?).await?;
        expect_eq!(outcome, conflict);
    }
    expect_eq!(bench.device(2).await?, None);
    expect_eq!(bench.device(1).await?, Some(before));
    Ok(())
}

async fn a_key_under_another_id_does_not_come_aboard(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let mut other = new(2)?;
    other.certificate.spki_sha256 = bytes("key", 1);
    let plan = provision_plan(other);
    let outcome = bench.store.create_or_adopt(admission(plan, 2, 2)?).await?;
    let holder = device_id(1)?;
    let conflict = Conflict::KeyTaken { holder };
    expect_eq!(outcome, AdmissionOutcome::Conflict(conflict));
    expect!(
        !bench.opens(1, 2, 2).await?,
        "the other device's secret opens"
    );
    Ok(())
}

async fn a_proven_chain_displaces_a_waiting_stranger(bench: Bench) -> Checked {
    let mut squatter = new(1)?;
    squatter.certificate.certificate_id = Some(certificate_id(2)?);
    let plan = AdmissionPlan::Queue {
        device: squatter,
        credential: None,
    };
    let outcome = bench.store.create_or_adopt(admission(plan, 1, 1)?).await?;
    expect_match!(outcome, AdmissionOutcome::Pending(_) => ());
    bench.aboard(2, 2).await?;
    expect_eq!(bench.device(1).await?, None);
    let actions: Vec<_> = bench
        .audit()
        .await?
        .into_iter()
        .map(|one| one.entry.action)
        .collect();
    expect_eq!(actions, [action::QUEUED, action::DISPLACED, action::ABOARD]);
    Ok(())
}

async fn a_proven_chain_brings_its_own_waiting_key_aboard(bench: Bench) -> Checked {
    bench.queued(1).await?;
    let device = bench.aboard(1, 1).await?;
    expect_eq!(device.anchor_id.as_deref(), Some("anchor"));
    Ok(())
}

async fn a_plan_to_queue_does_not_hold_a_registered_device_back(bench: Bench) -> Checked {
    // The operator was faster than the stranger whom the caller decided to queue.
    let outcome = bench.store.register(registration(new(1)?)).await?;
    expect_match!(outcome, RegisterOutcome::Created(_) => ());
    let outcome = bench.store.create_or_adopt(queue(1)?).await?;
    let device = expect_match!(outcome, AdmissionOutcome::Created(device, _) => device);
    expect_eq!(device.anchor_id, None);
    Ok(())
}

async fn what_a_device_does_not_say_stays(bench: Bench) -> Checked {
    let mut first = provision(1, 1)?;
    first.described = Described {
        vendor: Some("Acme".to_owned()),
        model_number: Some("M1".to_owned()),
        serial_number: None,
    };
    bench.store.create_or_adopt(first).await?;
    let mut second = provision(1, 2)?;
    second.described.model_number = Some("M2".to_owned());
    bench.store.create_or_adopt(second).await?;
    let described = bench.device(1).await?.map(|device| device.described);
    let expected = Described {
        vendor: Some("Acme".to_owned()),
        model_number: Some("M2".to_owned()),
        serial_number: None,
    };
    expect_eq!(described, Some(expected));
    Ok(())
}

async fn every_admission_is_in_the_audit(bench: Bench) -> Checked {
    let mut first = provision(1, 1)?;
    first.source = Some([192, 0, 2, 7].into());
    bench.store.create_or_adopt(first).await?;
    bench.again(1, 2).await?;
    let audit = bench.audit().await?;
    let actions: Vec<_> = audit.iter().map(|one| one.entry.action.as_ref()).collect();
    expect_eq!(actions, [action::ABOARD, action::ABOARD_AGAIN]);
    for one in &audit {
        expect_eq!(one.entry.device, Some(device_id(1)?));
        expect_eq!(one.entry.tenant, Some(tenant("default")?));
        expect_eq!(one.entry.at, at(0));
    }
    let named = audit
        .iter()
        .any(|one| one.entry.detail.contains("192.0.2.7"));
    expect!(named, "the audit does not name the address");
    Ok(())
}
