use super::Checked;
use super::fixture::*;
use crate::store::{AdmissionOutcome, AdmissionPlan, Change, Inadmissible, RegisterOutcome};

cases![
    a_disabled_device_does_not_come_aboard,
    a_rejected_device_does_not_come_aboard,
    a_removed_device_does_not_come_back,
    a_removed_key_does_not_come_back_under_another_id,
    registering_forgets_the_removal,
    another_key_that_was_removed_stays_removed,
    a_refused_message_is_consumed,
    a_device_that_never_was_is_not_known,
    a_disabled_tenant_takes_nobody_aboard,
];

/// Every plan for device `n` is refused for that reason.
async fn refused(bench: &Bench, n: u32, reason: Inadmissible) -> Checked {
    for admission in [known(n, 90)?, provision(n, 91)?, queue(n)?] {
        let outcome = bench.store.create_or_adopt(admission).await?;
        expect_eq!(outcome, AdmissionOutcome::NotAdmissible(reason));
    }
    Ok(())
}

async fn a_disabled_device_does_not_come_aboard(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, Change::Disable).await?;
    let audit = bench.audit().await?;
    refused(&bench, 1, Inadmissible::Disabled).await?;
    expect_eq!(bench.audit().await?, audit);
    bench.change(1, Change::Enable).await?;
    bench.again(1, 2).await?;
    Ok(())
}

async fn a_rejected_device_does_not_come_aboard(bench: Bench) -> Checked {
    bench.queued(1).await?;
    bench.change(1, Change::Reject).await?;
    refused(&bench, 1, Inadmissible::Rejected).await
}

async fn a_removed_device_does_not_come_back(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, REMOVE).await?;
    expect_eq!(bench.device(1).await?, None);
    refused(&bench, 1, Inadmissible::Removed).await?;
    // Nor its certificate id with another key.
    let mut other = new(2)?;
    other.certificate.certificate_id = Some(certificate_id(1)?);
    let plan = provision_plan(other);
    let outcome = bench.store.create_or_adopt(admission(plan, 2, 2)?).await?;
    expect_eq!(
        outcome,
        AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
    );
    Ok(())
}

async fn a_removed_key_does_not_come_back_under_another_id(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, REMOVE).await?;
    let mut other = new(2)?;
    other.certificate.spki_sha256 = bytes("key", 1);
    let plan = AdmissionPlan::Queue {
        device: other,
        credential: None,
    };
    let outcome = bench.store.create_or_adopt(admission(plan, 2, 2)?).await?;
    expect_eq!(
        outcome,
        AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
    );
    Ok(())
}

async fn registering_forgets_the_removal(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, REMOVE).await?;
    bench.register(1).await?;
    let device = bench.aboard(1, 2).await?;
    expect_eq!(device.certificates.len(), 1);
    // And it stays forgotten.
    bench.again(1, 3).await?;
    Ok(())
}

async fn another_key_that_was_removed_stays_removed(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, REMOVE).await?;
    let mut successor = new(2)?;
    successor.certificate.certificate_id = Some(certificate_id(1)?);
    let outcome = bench.store.register(registration(successor)).await?;
    expect_match!(outcome, RegisterOutcome::Created(_) => ());
    let mut old_key = new(3)?;
    old_key.certificate.spki_sha256 = bytes("key", 1);
    let plan = provision_plan(old_key);
    let outcome = bench.store.create_or_adopt(admission(plan, 3, 3)?).await?;
    expect_eq!(
        outcome,
        AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
    );
    Ok(())
}

async fn a_refused_message_is_consumed(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, Change::Disable).await?;
    let mut message = provision(1, 2)?;
    message.once = vec![once(1, 60)];
    let outcome = bench.store.create_or_adopt(message.clone()).await?;
    expect_eq!(
        outcome,
        AdmissionOutcome::NotAdmissible(Inadmissible::Disabled)
    );
    bench.change(1, Change::Enable).await?;
    let outcome = bench.store.create_or_adopt(message).await?;
    expect_eq!(outcome, AdmissionOutcome::Replayed);
    Ok(())
}

async fn a_device_that_never_was_is_not_known(bench: Bench) -> Checked {
    let outcome = bench.store.create_or_adopt(known(1, 1)?).await?;
    expect_eq!(
        outcome,
        AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
    );
    Ok(())
}

async fn a_disabled_tenant_takes_nobody_aboard(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.put_tenant("default", false).await?;
    refused(&bench, 1, Inadmissible::Tenant).await?;
    for admission in [provision(2, 2)?, queue(2)?] {
        let outcome = bench.store.create_or_adopt(admission).await?;
        expect_eq!(
            outcome,
            AdmissionOutcome::NotAdmissible(Inadmissible::Tenant)
        );
    }
    bench.put_tenant("default", true).await?;
    bench.again(1, 3).await?;
    Ok(())
}
