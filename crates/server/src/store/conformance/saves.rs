use gangplank_trust::StoredAuthId;

use super::fixture::*;
use super::races::{RACERS, all};
use super::{Checked, Failure};
use std::sync::Arc;

use crate::store::{
    Credential, DeviceContent, DeviceNotSaved, DeviceQuery, DeviceSave, DeviceSaves,
    DeviceSavesOutcome, DeviceState, Expected, OutboxEvent, PolicyRevision, SavedBy, TokenKind,
    action,
};

cases![
    devices_are_made_and_changed,
    what_is_not_expected_is_not_changed,
    all_devices_are_saved_or_none,
    an_authentication_id_is_one_devices,
    a_device_of_another_tenant_is_neither_made_nor_changed,
    saving_keeps_to_the_quota,
    of_racing_changes_one_is_made,
    switching_a_device_off_ends_its_tokens,
    a_gateway_brings_a_device,
    a_gateway_does_not_bring_a_removed_device_back,
    a_decision_of_an_old_policy_saves_nothing,
    saving_needs_a_tenant,
    a_device_that_waits_gets_no_credentials,
];

fn save(n: u32, expected: Expected) -> Result<DeviceSave, Failure> {
    Ok(DeviceSave {
        device_id: device_id(n)?,
        expected,
        content: None,
        credentials: None,
        by: SavedBy::Operator,
    })
}

fn named(text: &str) -> Credential {
    Credential {
        auth_id: StoredAuthId::new(text),
        document: format!("document of {text}"),
    }
}

fn saves(devices: Vec<DeviceSave>) -> Result<DeviceSaves, Failure> {
    Ok(DeviceSaves {
        tenant: tenant("default")?,
        devices,
        max_devices: None,
        policy: None,
        actor: operator(),
        at: at(0),
    })
}

fn refused(index: usize, reason: DeviceNotSaved) -> DeviceSavesOutcome {
    DeviceSavesOutcome::Refused { index, reason }
}

impl Bench {
    async fn save(&self, devices: Vec<DeviceSave>) -> Result<DeviceSavesOutcome, Failure> {
        Ok(self.store.save_devices(saves(devices)?).await?)
    }
}

async fn devices_are_made_and_changed(bench: Bench) -> Checked {
    let mut one = save(1, Expected::Absent)?;
    one.credentials = Some(vec![named("CN=a"), named("b")]);
    let outcome = bench.save(vec![one, save(2, Expected::Absent)?]).await?;
    let revisions = expect_match!(outcome, DeviceSavesOutcome::Saved(revisions) => revisions);
    expect_eq!(revisions.len(), 2);
    let device = bench.device(1).await?;
    let device = expect_match!(device, Some(device) => device);
    expect_eq!(device.state, DeviceState::Registered);
    expect_eq!(
        (device.disabled, device.registration.as_str()),
        (false, "{}")
    );
    expect_eq!(device.credentials, [named("CN=a"), named("b")]);
    expect_eq!(Some(&device.revision), revisions.first());
    expect_eq!(
        (&device.certificate_id, device.certificates.len()),
        (&None, 0)
    );

    let mut change = save(1, Expected::Revision(device.revision))?;
    change.content = Some(DeviceContent {
        enabled: false,
        registration: "{\"via\":[\"g\"]}".to_owned(),
    });
    let outcome = bench.save(vec![change]).await?;
    expect_match!(outcome, DeviceSavesOutcome::Saved(_) => ());
    let changed = expect_match!(bench.device(1).await?, Some(device) => device);
    expect!(changed.disabled, "the device is on");
    expect_eq!(changed.registration, "{\"via\":[\"g\"]}");
    expect_eq!(changed.credentials, device.credentials);
    let mut change = save(1, Expected::Present)?;
    change.credentials = Some(vec![named("b")]);
    bench.save(vec![change]).await?;
    let changed = expect_match!(bench.device(1).await?, Some(device) => device);
    expect!(changed.disabled, "what was not said changed");
    expect_eq!(changed.credentials, [named("b")]);
    let actions = bench.audit().await?;
    let saved = actions
        .iter()
        .filter(|one| one.entry.action == action::SAVED);
    expect_eq!(saved.count(), 4);
    Ok(())
}

async fn what_is_not_expected_is_not_changed(bench: Bench) -> Checked {
    bench.save(vec![save(1, Expected::Absent)?]).await?;
    let before = expect_match!(bench.device(1).await?, Some(device) => device);
    let current = before.revision;
    for (n, expected, reason) in [
        (1, Expected::Absent, DeviceNotSaved::DeviceIdTaken),
        (
            1,
            Expected::Revision(current + 1),
            DeviceNotSaved::Unexpected { current },
        ),
        (2, Expected::Present, DeviceNotSaved::NotFound),
        (2, Expected::Revision(current), DeviceNotSaved::NotFound),
    ] {
        let mut change = save(n, expected)?;
        change.credentials = Some(vec![named("CN=a")]);
        expect_eq!(bench.save(vec![change]).await?, refused(0, reason));
    }
    expect_eq!(bench.device(1).await?, Some(before));
    expect_eq!(bench.device(2).await?, None);
    Ok(())
}

async fn all_devices_are_saved_or_none(bench: Bench) -> Checked {
    let mut one = save(1, Expected::Absent)?;
    one.credentials = Some(vec![named("CN=a")]);
    let two = save(2, Expected::Present)?;
    let outcome = bench.save(vec![one, two]).await?;
    expect_eq!(outcome, refused(1, DeviceNotSaved::NotFound));
    expect_eq!(bench.store.devices(&DeviceQuery::default()).await?, []);
    expect_eq!(bench.audit().await?, []);
    Ok(())
}

async fn an_authentication_id_is_one_devices(bench: Bench) -> Checked {
    let mut one = save(1, Expected::Absent)?;
    one.credentials = Some(vec![named("CN=a")]);
    bench.save(vec![one.clone()]).await?;
    let taken = |text: &str, holder| {
        let auth_id = text.to_owned();
        refused(0, DeviceNotSaved::AuthIdTaken { auth_id, holder })
    };
    for text in ["CN=a", "cn=A"] {
        let mut two = save(2, Expected::Absent)?;
        two.credentials = Some(vec![named("CN=z"), named(text)]);
        expect_eq!(bench.save(vec![two]).await?, taken(text, device_id(1)?));
    }
    for texts in [["x", "x"], ["CN=x", "cn=X"]] {
        let mut two = save(2, Expected::Absent)?;
        two.credentials = Some(texts.map(named).to_vec());
        expect_eq!(bench.save(vec![two]).await?, taken(texts[1], device_id(2)?));
    }
    // It may keep its own, and another tenant's device have the same.
    one.expected = Expected::Present;
    expect_match!(bench.save(vec![one.clone()]).await?, DeviceSavesOutcome::Saved(_) => ());
    bench.put_tenant("acme", true).await?;
    let mut elsewhere = saves(vec![one])?;
    elsewhere.tenant = tenant("acme")?;
    for device in &mut elsewhere.devices {
        device.device_id = device_id(3)?;
        device.expected = Expected::Absent;
    }
    let outcome = bench.store.save_devices(elsewhere).await?;
    expect_match!(outcome, DeviceSavesOutcome::Saved(_) => ());
    Ok(())
}

async fn a_device_of_another_tenant_is_neither_made_nor_changed(bench: Bench) -> Checked {
    let before = bench.aboard(1, 1).await?;
    bench.put_tenant("acme", true).await?;
    for (expected, reason) in [
        (Expected::Absent, DeviceNotSaved::DeviceIdTaken),
        (Expected::Present, DeviceNotSaved::NotFound),
    ] {
        let mut elsewhere = saves(vec![save(1, expected)?])?;
        elsewhere.tenant = tenant("acme")?;
        let outcome = bench.store.save_devices(elsewhere).await?;
        expect_eq!(outcome, refused(0, reason));
    }
    expect_eq!(bench.device(1).await?, Some(before));
    Ok(())
}

async fn saving_keeps_to_the_quota(bench: Bench) -> Checked {
    let mut two = saves(vec![save(1, Expected::Absent)?, save(2, Expected::Absent)?])?;
    two.max_devices = Some(1);
    let outcome = bench.store.save_devices(two.clone()).await?;
    expect_eq!(outcome, refused(1, DeviceNotSaved::TenantFull));
    two.max_devices = Some(2);
    let outcome = bench.store.save_devices(two).await?;
    expect_match!(outcome, DeviceSavesOutcome::Saved(_) => ());
    // A change makes none more.
    let mut change = saves(vec![save(1, Expected::Present)?])?;
    change.max_devices = Some(1);
    let outcome = bench.store.save_devices(change).await?;
    expect_match!(outcome, DeviceSavesOutcome::Saved(_) => ());
    let mut registration = registration(new(3)?);
    registration.max_devices = Some(2);
    let outcome = bench.store.register(registration).await?;
    expect_eq!(outcome, crate::store::RegisterOutcome::TenantFull);
    Ok(())
}

async fn of_racing_changes_one_is_made(bench: Bench) -> Checked {
    let calls = (0..RACERS).map(|n| {
        let mut one = save(1, Expected::Absent)?;
        one.credentials = Some(vec![named(&n.to_string())]);
        let (store, saves) = (Arc::clone(&bench.store), saves(vec![one])?);
        Ok(async move { store.save_devices(saves).await })
    });
    let calls = calls.collect::<Result<Vec<_>, Failure>>()?;
    let outcomes = all(calls).await?;
    let saved = |one: &&DeviceSavesOutcome| matches!(one, DeviceSavesOutcome::Saved(_));
    expect_eq!(outcomes.iter().filter(saved).count(), 1);
    Ok(())
}

async fn switching_a_device_off_ends_its_tokens(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    for enabled in [false, true] {
        let mut change = save(1, Expected::Present)?;
        change.content = Some(DeviceContent {
            enabled,
            registration: "{}".to_owned(),
        });
        bench.save(vec![change]).await?;
        expect!(!bench.lives(TokenKind::Git, 1).await?, "the token lives");
    }
    Ok(())
}

async fn a_gateway_brings_a_device(bench: Bench) -> Checked {
    let gateway = bench.register(9).await?;
    let mut brought = save(1, Expected::Absent)?;
    brought.by = SavedBy::Gateway {
        id: device_id(9)?,
        revision: gateway.revision + 1,
    };
    let outcome = bench.save(vec![brought.clone()]).await?;
    expect_eq!(outcome, refused(0, DeviceNotSaved::GatewayChanged));
    brought.by = SavedBy::Gateway {
        id: device_id(9)?,
        revision: gateway.revision,
    };
    bench.save(vec![brought]).await?;
    let events = bench.store.outbox(0, 10).await?;
    let events: Vec<_> = events
        .iter()
        .map(|one| (one.event, one.device.as_str(), one.detail.as_str()))
        .collect();
    let told = (
        OutboxEvent::DeviceProvisioned,
        "d-0001",
        "{\"gatewayId\":\"d-0009\"}",
    );
    expect_eq!(events, [told]);
    Ok(())
}

async fn a_gateway_does_not_bring_a_removed_device_back(bench: Bench) -> Checked {
    let revision = bench.register(9).await?.revision;
    let mut brought = save(1, Expected::Absent)?;
    let id = device_id(9)?;
    brought.by = SavedBy::Gateway { id, revision };
    bench.save(vec![brought.clone()]).await?;
    bench.change(1, REMOVE).await?;
    let outcome = bench.save(vec![brought.clone()]).await?;
    expect_eq!(outcome, refused(0, DeviceNotSaved::Removed));
    // An operator does, and then nothing is left of the removal.
    bench.save(vec![save(1, Expected::Absent)?]).await?;
    let (home, id) = (tenant("default")?, device_id(1)?);
    let lifted = bench.store.readmit(&home, &id, operator(), at(0)).await?;
    expect!(!lifted, "the removal is still remembered");
    Ok(())
}

async fn a_decision_of_an_old_policy_saves_nothing(bench: Bench) -> Checked {
    let revision = bench.put_tenant("default", true).await?;
    for (stored, saved) in [(revision + 1, false), (revision, true)] {
        let mut decided = saves(vec![save(1, Expected::Absent)?])?;
        decided.policy = Some(PolicyRevision {
            tenant: tenant("default")?,
            revision: stored,
        });
        let outcome = bench.store.save_devices(decided).await?;
        expect_eq!(outcome != DeviceSavesOutcome::Outdated, saved);
        expect_eq!(bench.device(1).await?.is_some(), saved);
    }
    Ok(())
}

async fn saving_needs_a_tenant(bench: Bench) -> Checked {
    let mut elsewhere = saves(vec![save(1, Expected::Absent)?])?;
    elsewhere.tenant = tenant("nowhere")?;
    let outcome = bench.store.save_devices(elsewhere).await?;
    expect_eq!(outcome, DeviceSavesOutcome::NoSuchTenant);
    Ok(())
}

async fn a_device_that_waits_gets_no_credentials(bench: Bench) -> Checked {
    let before = bench.queued(1).await?;
    let mut change = save(1, Expected::Present)?;
    change.credentials = Some(vec![named("CN=a")]);
    let outcome = bench.save(vec![change]).await?;
    expect_eq!(outcome, refused(0, DeviceNotSaved::Waiting));
    expect_eq!(bench.device(1).await?, Some(before));
    Ok(())
}
