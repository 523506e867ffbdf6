use super::Checked;
use super::fixture::*;
use crate::store::{
    Change, ChangeOutcome, DeviceState, Expected, OutboxEvent, RegisterOutcome, action,
};

cases![
    only_a_waiting_device_can_be_approved,
    a_change_that_is_already_so_changes_nothing,
    nobody_is_changed_who_is_not_there,
    every_change_is_in_the_audit_with_its_operator,
    each_change_makes_the_next_revision,
    a_disabled_device_that_is_registered_again_stays_disabled,
    removing_leaves_nothing_behind,
    only_the_revision_that_was_seen_is_removed,
];

async fn only_a_waiting_device_can_be_approved(bench: Bench) -> Checked {
    bench.register(1).await?;
    let outcome = bench.try_change(1, APPROVE).await?;
    expect_eq!(outcome, ChangeOutcome::WrongState(DeviceState::Registered));
    bench.aboard(1, 1).await?;
    let outcome = bench.try_change(1, APPROVE).await?;
    expect_eq!(outcome, ChangeOutcome::WrongState(DeviceState::Aboard));
    bench.change(1, Change::Reject).await?;
    let outcome = bench.try_change(1, APPROVE).await?;
    expect_eq!(outcome, ChangeOutcome::WrongState(DeviceState::Rejected));
    Ok(())
}

async fn a_change_that_is_already_so_changes_nothing(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    for change in [
        Change::Enable,
        Change::Disable,
        Change::Enable,
        Change::Reject,
    ] {
        let first = bench.change(1, change).await?;
        let audit = bench.audit().await?;
        expect_eq!(bench.change(1, change).await?, first);
        expect_eq!(bench.audit().await?, audit);
    }
    Ok(())
}

async fn nobody_is_changed_who_is_not_there(bench: Bench) -> Checked {
    for change in [
        APPROVE,
        Change::Reject,
        Change::Disable,
        Change::Enable,
        REMOVE,
    ] {
        let outcome = bench.try_change(1, change).await?;
        expect_eq!(outcome, ChangeOutcome::NotFound);
    }
    expect_eq!(bench.audit().await?, vec![]);
    Ok(())
}

async fn every_change_is_in_the_audit_with_its_operator(bench: Bench) -> Checked {
    bench.queued(1).await?;
    for change in [
        APPROVE,
        Change::Disable,
        Change::Enable,
        Change::Reject,
        REMOVE,
    ] {
        bench.change(1, change).await?;
    }
    let mut audit = bench.audit().await?;
    audit.retain(|one| one.entry.actor == operator());
    let actions: Vec<_> = audit.into_iter().map(|one| one.entry.action).collect();
    let expected = [
        action::APPROVED,
        action::DISABLED,
        action::ENABLED,
        action::REJECTED,
        action::REMOVED,
    ];
    expect_eq!(actions, expected);
    Ok(())
}

async fn each_change_makes_the_next_revision(bench: Bench) -> Checked {
    let mut revision = bench.queued(1).await?.revision;
    for change in [APPROVE, Change::Disable, Change::Enable, Change::Reject] {
        let device = bench.change(1, change).await?;
        expect!(
            device.revision > revision,
            "{change:?} kept revision {revision}"
        );
        expect_eq!(bench.device(1).await?, Some(device.clone()));
        revision = device.revision;
    }
    Ok(())
}

async fn a_disabled_device_that_is_registered_again_stays_disabled(bench: Bench) -> Checked {
    bench.register(1).await?;
    let disabled = bench.change(1, Change::Disable).await?;
    let outcome = bench.store.register(registration(new(1)?)).await?;
    expect_eq!(outcome, RegisterOutcome::Same(disabled));
    Ok(())
}

async fn removing_leaves_nothing_behind(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.store.put_capabilities(capabilities(1, "c")?).await?;
    bench.store.put_status(status(1, "app", "s")?).await?;
    let gone = bench.change(1, REMOVE).await?;
    expect_eq!(gone.id, device_id(1)?);
    expect_eq!(bench.store.device_by_key(&bytes("key", 1)).await?, None);
    bench.register(1).await?;
    let device = bench.aboard(1, 2).await?;
    expect_eq!(bench.store.capabilities(&device.id).await?, None);
    expect_eq!(bench.store.statuses(&device.id).await?, vec![]);
    let events = bench.store.outbox(0, 10).await?;
    let events: Vec<_> = events.into_iter().map(|one| one.event).collect();
    let expected = [
        OutboxEvent::DeviceAboard,
        OutboxEvent::DeviceRemoved,
        OutboxEvent::DeviceAboard,
    ];
    expect_eq!(events, expected);
    Ok(())
}

async fn only_the_revision_that_was_seen_is_removed(bench: Bench) -> Checked {
    let seen = bench.register(1).await?.revision;
    let now = bench.change(1, Change::Disable).await?.revision;
    let audit = bench.audit().await?;
    for expected in [Expected::Revision(seen), Expected::Absent] {
        let outcome = bench.try_change(1, Change::Remove { expected }).await?;
        expect_eq!(outcome, ChangeOutcome::Changed { current: now });
    }
    expect_eq!(bench.audit().await?, audit);
    let expected = Expected::Revision(now);
    bench.change(1, Change::Remove { expected }).await?;
    Ok(())
}
