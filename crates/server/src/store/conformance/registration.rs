use rustls_pki_types::CertificateDer;

use super::Checked;
use super::fixture::*;
use crate::store::{
    AdmissionOutcome, Change, Conflict, DeviceQuery, DeviceState, RegisterOutcome, action,
};

cases![
    a_registered_device_is_found_in_every_way,
    registering_twice_changes_nothing,
    a_certificate_id_of_another_key_is_a_conflict,
    a_key_of_another_device_is_a_conflict,
    a_device_id_that_is_taken_is_a_conflict,
    two_tenants_may_know_one_certificate_id,
    a_renewed_certificate_of_the_same_key_is_added,
    an_unknown_tenant_has_no_devices,
    registering_a_waiting_key_approves_it,
    registering_a_rejected_key_approves_it,
    devices_are_listed_in_pages,
];

async fn a_registered_device_is_found_in_every_way(bench: Bench) -> Checked {
    let device = bench.register(1).await?;
    expect_eq!(device.state, DeviceState::Registered);
    expect_eq!(device.certificate_id, Some(certificate_id(1)?));
    expect_eq!(device.certificates.len(), 1);
    expect_eq!(bench.device(1).await?, Some(device.clone()));
    let by_key = bench.store.device_by_key(&bytes("key", 1)).await?;
    expect_eq!(by_key, Some(device.clone()));
    let by_id = bench
        .store
        .devices_by_certificate_id(&certificate_id(1)?)
        .await?;
    expect_eq!(by_id, vec![device]);
    expect_eq!(bench.device(2).await?, None);
    expect_eq!(bench.store.device_by_key(&bytes("key", 2)).await?, None);
    Ok(())
}

async fn registering_twice_changes_nothing(bench: Bench) -> Checked {
    let device = bench.register(1).await?;
    let audit = bench.audit().await?;
    let mut second = new(1)?;
    second.device_id = device_id(99)?;
    let outcome = bench.store.register(registration(second)).await?;
    expect_eq!(outcome, RegisterOutcome::Same(device));
    expect_eq!(bench.audit().await?, audit);
    Ok(())
}

async fn a_certificate_id_of_another_key_is_a_conflict(bench: Bench) -> Checked {
    bench.register(1).await?;
    let audit = bench.audit().await?;
    let mut other = new(2)?;
    other.certificate.certificate_id = Some(certificate_id(1)?);
    let outcome = bench.store.register(registration(other)).await?;
    let holder = device_id(1)?;
    let conflict = Conflict::CertificateIdTaken { holder };
    expect_eq!(outcome, RegisterOutcome::Conflict(conflict));
    expect_eq!(bench.device(2).await?, None);
    expect_eq!(bench.audit().await?, audit);
    Ok(())
}

async fn a_key_of_another_device_is_a_conflict(bench: Bench) -> Checked {
    bench.register(1).await?;
    bench.put_tenant("other", true).await?;
    let holder = device_id(1)?;
    let conflict = RegisterOutcome::Conflict(Conflict::KeyTaken { holder });
    let mut other = new(2)?;
    other.certificate.spki_sha256 = bytes("key", 1);
    let outcome = bench.store.register(registration(other)).await?;
    expect_eq!(outcome, conflict);
    let mut abroad = new(1)?;
    abroad.tenant = tenant("other")?;
    abroad.device_id = device_id(2)?;
    let outcome = bench.store.register(registration(abroad)).await?;
    expect_eq!(outcome, conflict);
    Ok(())
}

async fn a_device_id_that_is_taken_is_a_conflict(bench: Bench) -> Checked {
    bench.register(1).await?;
    let mut other = new(2)?;
    other.device_id = device_id(1)?;
    let outcome = bench.store.register(registration(other)).await?;
    expect_eq!(outcome, RegisterOutcome::Conflict(Conflict::DeviceIdTaken));
    Ok(())
}

async fn two_tenants_may_know_one_certificate_id(bench: Bench) -> Checked {
    bench.register(1).await?;
    bench.put_tenant("other", true).await?;
    let mut abroad = new(2)?;
    abroad.tenant = tenant("other")?;
    abroad.certificate.certificate_id = Some(certificate_id(1)?);
    let outcome = bench.store.register(registration(abroad)).await?;
    expect_match!(outcome, RegisterOutcome::Created(_) => ());
    let found = bench
        .store
        .devices_by_certificate_id(&certificate_id(1)?)
        .await?;
    let tenants: Vec<_> = found.iter().map(|one| one.tenant.as_str()).collect();
    expect_eq!(tenants, ["default", "other"]);
    Ok(())
}

async fn a_renewed_certificate_of_the_same_key_is_added(bench: Bench) -> Checked {
    let before = bench.register(1).await?;
    let mut renewed = new(1)?;
    renewed.certificate.certificate = CertificateDer::from(b"renewed".to_vec());
    renewed.certificate.fingerprint = bytes("renewed", 1);
    let outcome = bench.store.register(registration(renewed)).await?;
    let device = expect_match!(outcome, RegisterOutcome::Same(device) => device);
    expect_eq!(device.certificates.len(), 2);
    expect!(
        device.revision > before.revision,
        "the revision did not grow"
    );
    expect_eq!(bench.device(1).await?, Some(device));
    Ok(())
}

async fn an_unknown_tenant_has_no_devices(bench: Bench) -> Checked {
    let mut lost = new(1)?;
    lost.tenant = tenant("nobody")?;
    let outcome = bench.store.register(registration(lost)).await?;
    expect_eq!(outcome, RegisterOutcome::NoSuchTenant);
    expect_eq!(bench.audit().await?, vec![]);
    Ok(())
}

async fn registering_a_waiting_key_approves_it(bench: Bench) -> Checked {
    bench.queued(1).await?;
    let outcome = bench.store.register(registration(new(1)?)).await?;
    let device = expect_match!(outcome, RegisterOutcome::Approved(device) => device);
    expect_eq!(device.state, DeviceState::Registered);
    let last = bench.audit().await?.pop();
    expect_eq!(
        last.map(|last| last.entry.action),
        Some(action::APPROVED.into())
    );
    let outcome = bench.store.create_or_adopt(known(1, 1)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    Ok(())
}

async fn registering_a_rejected_key_approves_it(bench: Bench) -> Checked {
    bench.queued(1).await?;
    bench.change(1, Change::Reject).await?;
    let outcome = bench.store.register(registration(new(1)?)).await?;
    expect_match!(outcome, RegisterOutcome::Approved(_) => ());
    bench.aboard(1, 1).await?;
    Ok(())
}

async fn devices_are_listed_in_pages(bench: Bench) -> Checked {
    for n in 1..=5 {
        bench.register(n).await?;
    }
    bench.queued(6).await?;
    let query = DeviceQuery {
        after: Some(device_id(2)?),
        limit: Some(2),
        ..DeviceQuery::default()
    };
    let page = bench.store.devices(&query).await?;
    let ids: Vec<_> = page.into_iter().map(|device| device.id).collect();
    expect_eq!(ids, [device_id(3)?, device_id(4)?]);
    expect_eq!(bench.store.devices(&DeviceQuery::default()).await?.len(), 6);
    let waiting = DeviceQuery {
        state: Some(DeviceState::Pending),
        tenant: Some(tenant("default")?),
        ..DeviceQuery::default()
    };
    expect_eq!(bench.store.devices(&waiting).await?.len(), 1);
    let one = DeviceQuery {
        certificate_id: Some(certificate_id(3)?),
        ..DeviceQuery::default()
    };
    expect_eq!(bench.store.devices(&one).await?.len(), 1);
    let nobody = DeviceQuery {
        tenant: Some(tenant("other")?),
        ..DeviceQuery::default()
    };
    expect_eq!(bench.store.devices(&nobody).await?, vec![]);
    Ok(())
}
