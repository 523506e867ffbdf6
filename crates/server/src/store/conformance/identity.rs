use gangplank_trust::{Quotas, StoredAuthId};

use super::fixture::*;
use super::races::{RACERS, admit, created};
use super::{Checked, Failure};
use crate::store::{
    Admission, AdmissionOutcome, AdmissionPlan, Change, ChangeOutcome, Conflict, Credential,
    Device, DeviceQuery, DeviceSave, DeviceSaves, DeviceState, Expected, Identity, IdentityQuery,
    Inadmissible, NewCertificate, OutboxEvent, RegisterOutcome, SavedBy, Voucher, action,
};

cases![
    a_device_is_found_by_the_text_or_the_name_of_its_credential,
    a_device_is_found_by_certificate_id_or_key,
    what_is_limited_is_counted,
    racing_keys_of_one_credential_make_one_device,
    a_known_device_comes_with_another_key,
    the_second_use_of_a_certificate_ends_those_before,
    a_message_by_the_newest_key_ends_those_before,
    no_third_certificate_counts,
    a_certificate_of_anothers_key_or_id_is_not_taken,
    a_removed_device_stays_out_with_another_key,
    a_readmitted_device_returns,
    registering_its_certificate_readmits_a_device,
    a_stranger_that_waits_elsewhere_gives_way_to_itself,
    an_adapter_makes_a_device_known_and_no_more,
    a_device_that_an_adapter_made_known_comes_aboard,
    an_adapters_device_needs_no_certificate_id,
    a_decision_about_a_device_that_changed_is_made_again,
    who_waits_with_a_chain_takes_the_place_of_who_claims,
    who_waits_with_a_chain_gives_way_to_itself,
    a_rejected_device_does_not_return_with_another_key,
    a_claim_that_is_removed_leaves_the_id_free,
    a_renewed_key_that_waited_elsewhere_is_taken,
    an_operator_gives_a_device_another_key,
    approval_keeps_to_the_quota,
    a_device_that_waits_comes_with_another_certificate_of_its_key,
    who_waits_does_not_pass_by_its_tombstone,
    registering_an_id_that_waits_makes_the_operators_device,
    a_rejected_key_stays_rejected_when_its_claim_is_displaced,
    a_device_without_credentials_still_needs_its_anchor,
    who_is_refused_keeps_nobody_from_waiting,
];

/// The credential that is a name.
fn named(text: &str) -> Credential {
    Credential {
        auth_id: StoredAuthId::new(text),
        document: "{}".to_owned(),
    }
}

fn query(credential: &Credential) -> Result<IdentityQuery, Failure> {
    Ok(IdentityQuery {
        tenant: tenant("default")?,
        auth_id: credential.auth_id.clone(),
        certificate_id: None,
        spki_sha256: None,
        device_id: None,
        anchor_id: None,
        quotas: Quotas::default(),
    })
}

fn joins(n: u32, credential: Credential) -> Result<Admission, Failure> {
    let plan = AdmissionPlan::Provision {
        device: new(n)?,
        provisioning: Box::new(provisioning(credential)),
    };
    admission(plan, n, n)
}

/// Device `n` comes with certificate `k` of key `key`.
fn comes_with(n: u32, k: u32, key: u32) -> Result<Admission, Failure> {
    let came_with = NewCertificate {
        certificate_id: Some(certificate_id(n)?),
        spki_sha256: bytes("key", key),
        ..certificate(k)?
    };
    let plan = AdmissionPlan::Known {
        device_id: device_id(n)?,
        came_with: Some(came_with),
        revision: None,
    };
    admission(plan, n, k)
}

fn has(device: &Device) -> Vec<[u8; 32]> {
    device
        .certificates
        .iter()
        .map(|one| one.fingerprint)
        .collect()
}

impl Bench {
    async fn identity(&self, query: IdentityQuery) -> Result<Identity, Failure> {
        Ok(self.store.identity(query).await?)
    }

    /// What certificates device 1 has after it came with certificate `k` of key `key`.
    async fn comes(&self, k: u32, key: u32) -> Result<Vec<[u8; 32]>, Failure> {
        let fresh = 100 + self.audit().await?.len() as u32;
        let mut admission = comes_with(1, k, key)?;
        admission.credentials = Some(credentials(1, fresh)?);
        let outcome = self.store.create_or_adopt(admission).await?;
        let device = expect_match!(outcome, AdmissionOutcome::Again(device, _) => device);
        expect_eq!(self.device(1).await?, Some(device.clone()));
        Ok(has(&device))
    }
}

async fn a_device_is_found_by_the_text_or_the_name_of_its_credential(bench: Bench) -> Checked {
    let outcome = bench
        .store
        .create_or_adopt(joins(1, named("CN=Pump 1,O=Acme"))?)
        .await?;
    let device = expect_match!(outcome, AdmissionOutcome::Created(device, _) => device);
    for text in ["CN=Pump 1,O=Acme", "cn=PUMP  1,o=acme"] {
        let found = bench.identity(query(&named(text))?).await?;
        expect_eq!(found.device, Some(device.clone()));
    }
    let mut elsewhere = query(&named("CN=Pump 1,O=Acme"))?;
    elsewhere.tenant = tenant("elsewhere")?;
    for query in [query(&named("CN=Pump 1"))?, elsewhere] {
        expect_eq!(bench.identity(query).await?, Identity::default());
    }
    // A text that a template made finds by its code points alone.
    let made = |text| Credential {
        auth_id: StoredAuthId::of_template(text, vec!["Pump 1".to_owned()]),
        document: String::new(),
    };
    let found = bench.identity(query(&made("CN=Pump 1,O=Acme"))?).await?;
    expect_eq!(found.device, Some(device));
    let found = bench.identity(query(&made("cn=pump 1,o=acme"))?).await?;
    expect_eq!(found.device, None);
    Ok(())
}

async fn a_device_is_found_by_certificate_id_or_key(bench: Bench) -> Checked {
    let aboard = bench.aboard(1, 1).await?;
    bench.queued(2).await?;
    let nobody = credential(9);
    let ask = |id: Option<u32>, key: Option<u32>| {
        Ok::<_, Failure>(IdentityQuery {
            certificate_id: id.map(certificate_id).transpose()?,
            spki_sha256: key.map(|key| bytes("key", key)),
            ..query(&nobody)?
        })
    };
    for (id, key) in [
        (Some(1), None),
        (None, Some(1)),
        (Some(1), Some(7)),
        (Some(7), Some(1)),
    ] {
        let found = bench.identity(ask(id, key)?).await?;
        expect_eq!(found.device.map(|one| one.id), Some(aboard.id.clone()));
    }
    // Who merely claims an id has it with its own key only.
    for (id, key, expected) in [(2, 7, None), (2, 2, Some(device_id(2)?)), (7, 2, None)] {
        let found = bench.identity(ask(Some(id), Some(key))?).await?;
        expect_eq!(found.device.map(|one| one.id), expected);
    }
    let mut asked = query(&nobody)?;
    asked.device_id = Some(device_id(1)?);
    let found = bench.identity(asked).await?;
    expect_eq!(found.holder_of_device_id, Some(aboard));
    expect_eq!(found.device, None);
    Ok(())
}

async fn what_is_limited_is_counted(bench: Bench) -> Checked {
    for n in [1, 2] {
        bench.aboard(n, n).await?;
    }
    bench.register(3).await?;
    bench.queued(4).await?;
    let mut asked = query(&credential(9))?;
    asked.anchor_id = Some("anchor".to_owned());
    expect_eq!(bench.identity(asked.clone()).await?, Identity::default());
    asked.quotas = Quotas {
        of_anchor: Some(1),
        of_tenant: Some(1),
    };
    let found = bench.identity(asked).await?;
    expect_eq!(
        (found.provisioned_by_anchor, found.devices_in_tenant),
        (2, 3)
    );
    Ok(())
}

async fn racing_keys_of_one_credential_make_one_device(bench: Bench) -> Checked {
    let outcomes = admit(&bench, (0..RACERS).map(|n| joins(n, credential(1)))).await?;
    expect_eq!(created(&outcomes), 1);
    let others = outcomes
        .iter()
        .filter(|one| matches!(one, AdmissionOutcome::Outdated));
    expect_eq!(others.count(), RACERS as usize - 1);
    let devices = bench.store.devices(&DeviceQuery::default()).await?;
    expect_eq!(devices.len(), 1);
    Ok(())
}

async fn a_known_device_comes_with_another_key(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let (first, second) = (bytes("certificate", 1), bytes("certificate", 2));
    expect_eq!(bench.comes(2, 2).await?, [first, second]);
    for key in [1, 2] {
        let found = bench.store.device_by_key(&bytes("key", key)).await?;
        expect_eq!(found.map(|one| one.id), Some(device_id(1)?));
    }
    let entries = bench.audit().await?;
    let actions: Vec<_> = entries
        .iter()
        .map(|one| one.entry.action.as_ref())
        .collect();
    expect!(
        actions.contains(&action::CERTIFICATE_ADDED),
        "the audit does not tell: {actions:?}"
    );
    Ok(())
}

async fn the_second_use_of_a_certificate_ends_those_before(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let (first, second) = (bytes("certificate", 1), bytes("certificate", 2));
    bench.comes(2, 2).await?;
    // The answer may have been lost, so that it comes with the older once more.
    expect_eq!(bench.comes(1, 1).await?, [first, second]);
    expect_eq!(bench.comes(2, 2).await?, [second]);
    expect_eq!(bench.store.device_by_key(&bytes("key", 1)).await?, None);
    let found = bench.store.device_by_key(&bytes("key", 2)).await?;
    expect_eq!(found.map(|one| one.id), Some(device_id(1)?));
    Ok(())
}

async fn a_message_by_the_newest_key_ends_those_before(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.comes(2, 2).await?;
    bench.comes(3, 2).await?;
    let id = device_id(1)?;
    let (first, third) = (bytes("certificate", 1), bytes("certificate", 3));
    for (key, left) in [
        (1, vec![first, third]),
        (9, vec![first, third]),
        (2, vec![third]),
    ] {
        bench.store.key_used(&id, &bytes("key", key), at(0)).await?;
        let device = bench.device(1).await?;
        expect_eq!(device.as_ref().map(has), Some(left));
    }
    expect_eq!(bench.store.device_by_key(&bytes("key", 1)).await?, None);
    Ok(())
}

async fn no_third_certificate_counts(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.comes(2, 2).await?;
    let left = [bytes("certificate", 1), bytes("certificate", 3)];
    expect_eq!(bench.comes(3, 3).await?, left);
    expect_eq!(bench.store.device_by_key(&bytes("key", 2)).await?, None);
    Ok(())
}

async fn a_certificate_of_anothers_key_or_id_is_not_taken(bench: Bench) -> Checked {
    let before = bench.aboard(1, 1).await?;
    bench.aboard(2, 2).await?;
    let outcome = bench.store.create_or_adopt(comes_with(1, 3, 2)?).await?;
    let holder = device_id(2)?;
    let conflict = Conflict::KeyTaken { holder };
    expect_eq!(outcome, AdmissionOutcome::Conflict(conflict));
    let mut renamed = comes_with(1, 3, 3)?;
    if let AdmissionPlan::Known {
        came_with: Some(new),
        ..
    } = &mut renamed.plan
    {
        new.certificate_id = Some(certificate_id(2)?);
    }
    let outcome = bench.store.create_or_adopt(renamed).await?;
    let holder = device_id(1)?;
    let conflict = Conflict::OtherCertificateId { holder };
    expect_eq!(outcome, AdmissionOutcome::Conflict(conflict));
    expect_eq!(bench.device(1).await?, Some(before));
    Ok(())
}

async fn a_removed_device_stays_out_with_another_key(bench: Bench) -> Checked {
    let outcome = bench
        .store
        .create_or_adopt(joins(1, named("CN=Pump"))?)
        .await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    bench.change(1, REMOVE).await?;
    for text in ["CN=Pump", "cn=pump"] {
        let found = bench.identity(query(&named(text))?).await?;
        expect_eq!((found.device, found.removed), (None, Some(device_id(1)?)));
        // All else is new.
        let outcome = bench.store.create_or_adopt(joins(2, named(text))?).await?;
        expect_eq!(
            outcome,
            AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
        );
    }
    expect_eq!(bench.store.devices(&DeviceQuery::default()).await?, []);
    Ok(())
}

async fn a_readmitted_device_returns(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, REMOVE).await?;
    let (home, id) = (tenant("default")?, device_id(1)?);
    for (tenant_id, device, lifted) in [
        (tenant("elsewhere")?, id.clone(), false),
        (home.clone(), device_id(2)?, false),
        (home.clone(), id.clone(), true),
        (home, id, false),
    ] {
        let found = bench
            .store
            .readmit(&tenant_id, &device, operator(), at(0))
            .await?;
        expect_eq!(found, lifted);
    }
    let found = bench.identity(query(&credential(1))?).await?;
    expect_eq!(found, Identity::default());
    let outcome = bench.store.create_or_adopt(provision(1, 1)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    Ok(())
}

async fn registering_its_certificate_readmits_a_device(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, REMOVE).await?;
    bench.register(1).await?;
    let found = bench.identity(query(&credential(1))?).await?;
    expect_eq!(found, Identity::default());
    Ok(())
}

async fn a_stranger_that_waits_elsewhere_gives_way_to_itself(bench: Bench) -> Checked {
    bench.queued(1).await?;
    bench.put_tenant("acme", true).await?;
    let mut plan = joins(2, credential(2))?;
    if let AdmissionPlan::Provision { device, .. } = &mut plan.plan {
        device.tenant = tenant("acme")?;
        device.certificate.spki_sha256 = bytes("key", 1);
    }
    let outcome = bench.store.create_or_adopt(plan).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    expect_eq!(bench.device(1).await?, None);
    Ok(())
}

async fn an_adapter_makes_a_device_known_and_no_more(bench: Bench) -> Checked {
    let mut plan = joins(1, credential(1))?;
    plan.credentials = None;
    let outcome = bench.store.create_or_adopt(plan.clone()).await?;
    let device = expect_match!(outcome, AdmissionOutcome::Provisioned(device) => device);
    expect_eq!(device.state, DeviceState::Registered);
    expect_eq!((&device.client_id, device.aboard_at), (&None, None));
    expect_eq!(device.origin, Some(origin("anchor")));
    expect_eq!(
        bench.store.create_or_adopt(plan).await?,
        AdmissionOutcome::Recognised(device)
    );
    let events = bench.store.outbox(0, 10).await?;
    let events: Vec<_> = events.iter().map(|one| one.event).collect();
    expect_eq!(events, [OutboxEvent::DeviceProvisioned]);
    Ok(())
}

async fn a_device_that_an_adapter_made_known_comes_aboard(bench: Bench) -> Checked {
    let mut plan = joins(1, credential(1))?;
    plan.credentials = None;
    bench.store.create_or_adopt(plan).await?;
    let outcome = bench.store.create_or_adopt(comes_with(1, 1, 1)?).await?;
    let device = expect_match!(outcome, AdmissionOutcome::Created(device, _) => device);
    expect_eq!(device.state, DeviceState::Aboard);
    Ok(())
}

async fn an_adapters_device_needs_no_certificate_id(bench: Bench) -> Checked {
    for n in [1, 2] {
        let mut plan = joins(n, credential(n))?;
        plan.credentials = None;
        if let AdmissionPlan::Provision { device, .. } = &mut plan.plan {
            device.certificate.certificate_id = None;
        }
        let outcome = bench.store.create_or_adopt(plan).await?;
        let device = expect_match!(outcome, AdmissionOutcome::Provisioned(device) => device);
        expect_eq!(device.certificate_id, None);
        expect_eq!(bench.device(n).await?, Some(device));
    }
    // Its next certificate may yield one.
    let outcome = bench.store.create_or_adopt(comes_with(1, 3, 3)?).await?;
    let device = expect_match!(outcome, AdmissionOutcome::Created(device, _) => device);
    expect_eq!(device.certificate_id, Some(certificate_id(1)?));
    let mut other = comes_with(2, 4, 4)?;
    if let AdmissionPlan::Known {
        came_with: Some(new),
        ..
    } = &mut other.plan
    {
        new.certificate_id = Some(certificate_id(1)?);
    }
    let outcome = bench.store.create_or_adopt(other).await?;
    let holder = device_id(1)?;
    let conflict = Conflict::CertificateIdTaken { holder };
    expect_eq!(outcome, AdmissionOutcome::Conflict(conflict));
    Ok(())
}

/// Device `n` proved a chain and is to wait.
fn waits(n: u32, credential: Credential) -> Result<Admission, Failure> {
    let plan = AdmissionPlan::Queue {
        device: new(n)?,
        credential: Some(credential),
    };
    admission(plan, n, n)
}

async fn a_decision_about_a_device_that_changed_is_made_again(bench: Bench) -> Checked {
    let revision = bench.aboard(1, 1).await?.revision;
    for (decided, taken) in [(revision + 1, false), (revision, true)] {
        let mut plan = comes_with(1, 1, 1)?;
        plan.credentials = Some(credentials(1, 2)?);
        if let AdmissionPlan::Known { revision, .. } = &mut plan.plan {
            *revision = Some(decided);
        }
        plan.once = vec![once(1, 60)];
        let outcome = bench.store.create_or_adopt(plan).await?;
        expect_eq!(outcome == AdmissionOutcome::Outdated, !taken);
    }
    Ok(())
}

async fn who_waits_with_a_chain_takes_the_place_of_who_claims(bench: Bench) -> Checked {
    let mut squatter = new(1)?;
    squatter.certificate.certificate_id = Some(certificate_id(2)?);
    let claims = |n| {
        let plan = AdmissionPlan::Queue {
            device: squatter.clone(),
            credential: None,
        };
        admission(plan, n, n)
    };
    bench.store.create_or_adopt(claims(1)?).await?;
    let outcome = bench
        .store
        .create_or_adopt(waits(2, credential(2))?)
        .await?;
    let device = expect_match!(outcome, AdmissionOutcome::Pending(device) => device);
    expect_eq!(device.credentials, [credential(2)]);
    expect!(device.is_vouched_for(), "nobody vouches");
    expect_eq!(bench.device(1).await?, None);
    // And not the other way round.
    let outcome = bench.store.create_or_adopt(claims(1)?).await?;
    let holder = device_id(2)?;
    let conflict = Conflict::CertificateIdTaken { holder };
    expect_eq!(outcome, AdmissionOutcome::Conflict(conflict));
    expect_eq!(bench.device(2).await?, Some(device));
    Ok(())
}

async fn who_waits_with_a_chain_gives_way_to_itself(bench: Bench) -> Checked {
    bench.queued(1).await?;
    // The same key, by now with a chain.
    let outcome = bench
        .store
        .create_or_adopt(waits(1, credential(1))?)
        .await?;
    let device = expect_match!(outcome, AdmissionOutcome::Pending(device) => device);
    expect_eq!(device.credentials, [credential(1)]);
    // Another key of the same identity, waiting and then provisioned.
    let mut renewed = waits(2, credential(1))?;
    if let AdmissionPlan::Queue { device, .. } = &mut renewed.plan {
        device.certificate.certificate_id = Some(certificate_id(1)?);
    }
    let outcome = bench.store.create_or_adopt(renewed).await?;
    expect_match!(outcome, AdmissionOutcome::Pending(_) => ());
    expect_eq!(bench.device(1).await?, None);
    let outcome = bench
        .store
        .create_or_adopt(joins(3, credential(1))?)
        .await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    let devices = bench.store.devices(&DeviceQuery::default()).await?;
    expect_eq!(devices.len(), 1);
    Ok(())
}

async fn a_rejected_device_does_not_return_with_another_key(bench: Bench) -> Checked {
    bench.register(1).await?;
    let rejected = bench.change(1, Change::Reject).await?;
    let mut renewed = joins(2, credential(2))?;
    if let AdmissionPlan::Provision { device, .. } = &mut renewed.plan {
        device.certificate.certificate_id = Some(certificate_id(1)?);
    }
    let outcome = bench.store.create_or_adopt(renewed).await?;
    let holder = device_id(1)?;
    let conflict = Conflict::CertificateIdTaken { holder };
    expect_eq!(outcome, AdmissionOutcome::Conflict(conflict));
    expect_eq!(bench.device(1).await?, Some(rejected));
    Ok(())
}

async fn a_claim_that_is_removed_leaves_the_id_free(bench: Bench) -> Checked {
    let mut squatter = new(1)?;
    squatter.certificate.certificate_id = Some(certificate_id(2)?);
    let plan = AdmissionPlan::Queue {
        device: squatter,
        credential: None,
    };
    bench.store.create_or_adopt(admission(plan, 1, 1)?).await?;
    bench.change(1, REMOVE).await?;
    bench.aboard(2, 2).await?;
    let again = bench.store.create_or_adopt(queue(1)?).await?;
    expect_eq!(
        again,
        AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
    );
    Ok(())
}

async fn a_renewed_key_that_waited_elsewhere_is_taken(bench: Bench) -> Checked {
    bench.put_tenant("acme", true).await?;
    bench.aboard(1, 1).await?;
    let mut elsewhere = new(2)?;
    elsewhere.tenant = tenant("acme")?;
    let plan = AdmissionPlan::Queue {
        device: elsewhere,
        credential: None,
    };
    bench.store.create_or_adopt(admission(plan, 2, 2)?).await?;
    expect_eq!(bench.comes(2, 2).await?.len(), 2);
    expect_eq!(bench.device(2).await?, None);
    Ok(())
}

async fn an_operator_gives_a_device_another_key(bench: Bench) -> Checked {
    let before = bench.aboard(1, 1).await?;
    let mut device = new(2)?;
    device.certificate.certificate_id = Some(certificate_id(1)?);
    let outcome = bench.store.register(registration(device)).await?;
    let after = expect_match!(outcome, RegisterOutcome::Same(device) => device);
    expect_eq!(after.id, before.id);
    expect_eq!(
        has(&after),
        [bytes("certificate", 1), bytes("certificate", 2)]
    );
    expect_eq!(bench.device(1).await?, Some(after));
    expect_eq!(bench.comes(2, 2).await?, [bytes("certificate", 2)]);
    Ok(())
}

async fn approval_keeps_to_the_quota(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.queued(2).await?;
    let (one, two) = (Some(1), Some(2));
    let approve = |max_devices| Change::Approve { max_devices };
    expect_eq!(
        bench.try_change(2, approve(one)).await?,
        ChangeOutcome::TenantFull
    );
    let mut again = registration(new(2)?);
    again.max_devices = one;
    expect_eq!(
        bench.store.register(again).await?,
        RegisterOutcome::TenantFull
    );
    let device = bench.change(2, approve(two)).await?;
    expect!(device.is_vouched_for(), "the operator does not vouch");
    Ok(())
}

async fn a_device_that_waits_comes_with_another_certificate_of_its_key(bench: Bench) -> Checked {
    for (n, provisioned) in [(1, false), (2, true)] {
        bench.queued(n).await?;
        let mut vouched = match provisioned {
            false => waits(n, credential(n))?,
            true => joins(n, credential(n))?,
        };
        let issued = bytes("issued", n);
        if let AdmissionPlan::Queue { device, .. } | AdmissionPlan::Provision { device, .. } =
            &mut vouched.plan
        {
            device.certificate.fingerprint = issued;
        }
        let outcome = bench.store.create_or_adopt(vouched).await?;
        let device = match outcome {
            AdmissionOutcome::Pending(device) | AdmissionOutcome::Created(device, _) => device,
            other => return Err(unexpected("a device", &other)),
        };
        // What it made itself stands for nothing.
        expect_eq!(has(&device), [issued]);
        expect_eq!(bench.device(n).await?, Some(device));
    }
    Ok(())
}

async fn who_waits_does_not_pass_by_its_tombstone(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.change(1, REMOVE).await?;
    bench.queued(2).await?;
    let found = bench.identity(IdentityQuery {
        certificate_id: Some(certificate_id(2)?),
        spki_sha256: Some(bytes("key", 2)),
        ..query(&credential(1))?
    });
    let found = found.await?;
    expect_eq!((found.device, found.removed), (None, Some(device_id(1)?)));
    for plan in [joins(2, credential(1))?, waits(2, credential(1))?] {
        let outcome = bench.store.create_or_adopt(plan).await?;
        expect_eq!(
            outcome,
            AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
        );
    }
    Ok(())
}

async fn registering_an_id_that_waits_makes_the_operators_device(bench: Bench) -> Checked {
    bench
        .store
        .create_or_adopt(waits(1, credential(1))?)
        .await?;
    let mut device = new(2)?;
    device.certificate.certificate_id = Some(certificate_id(1)?);
    let outcome = bench.store.register(registration(device.clone())).await?;
    let made = expect_match!(outcome, RegisterOutcome::Created(device) => device);
    expect_eq!(made.voucher, Voucher::Operator);
    expect_eq!(bench.device(1).await?, None);
    // One that an operator rejected is told of instead.
    bench.change(2, Change::Reject).await?;
    device.device_id = device_id(3)?;
    device.certificate = certificate(3)?;
    device.certificate.certificate_id = Some(certificate_id(1)?);
    let outcome = bench.store.register(registration(device)).await?;
    let holder = device_id(2)?;
    let conflict = Conflict::CertificateIdTaken { holder };
    expect_eq!(outcome, RegisterOutcome::Conflict(conflict));
    Ok(())
}

async fn a_rejected_key_stays_rejected_when_its_claim_is_displaced(bench: Bench) -> Checked {
    let mut squatter = new(1)?;
    squatter.certificate.certificate_id = Some(certificate_id(2)?);
    let plan = AdmissionPlan::Queue {
        device: squatter,
        credential: None,
    };
    bench.store.create_or_adopt(admission(plan, 1, 1)?).await?;
    bench.change(1, Change::Reject).await?;
    bench.aboard(2, 2).await?;
    expect_eq!(bench.device(1).await?, None);
    for plan in [queue(1)?, joins(1, credential(1))?] {
        let outcome = bench.store.create_or_adopt(plan).await?;
        expect_eq!(
            outcome,
            AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
        );
    }
    Ok(())
}

async fn a_device_without_credentials_still_needs_its_anchor(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let saves = DeviceSaves {
        tenant: tenant("default")?,
        devices: vec![DeviceSave {
            device_id: device_id(1)?,
            expected: Expected::Present,
            content: None,
            credentials: Some(Vec::new()),
            by: SavedBy::Operator,
        }],
        max_devices: None,
        policy: None,
        actor: operator(),
        at: at(0),
    };
    bench.store.save_devices(saves).await?;
    let device = expect_match!(bench.device(1).await?, Some(device) => device);
    expect_eq!(
        (device.voucher, device.credentials.len()),
        (Voucher::Anchor, 0)
    );
    // Its certificates still give way to newer ones.
    bench.comes(2, 2).await?;
    expect_eq!(bench.comes(2, 2).await?, [bytes("certificate", 2)]);
    Ok(())
}

async fn who_is_refused_keeps_nobody_from_waiting(bench: Bench) -> Checked {
    bench.put_tenant("acme", true).await?;
    let waiting = bench.queued(1).await?;
    let mut squatter = new(2)?;
    squatter.tenant = tenant("acme")?;
    let plan = AdmissionPlan::Queue {
        device: squatter,
        credential: None,
    };
    bench.store.create_or_adopt(admission(plan, 2, 2)?).await?;
    let squatter = bench.device(2).await?;
    let audit = bench.audit().await?;
    // The key waits elsewhere, the id is claimed by another, and there is no room.
    let mut full = joins(3, credential(3))?;
    full.once = vec![once(1, 60)];
    if let AdmissionPlan::Provision {
        device,
        provisioning,
    } = &mut full.plan
    {
        device.tenant = tenant("acme")?;
        device.certificate.spki_sha256 = bytes("key", 1);
        device.certificate.certificate_id = Some(certificate_id(2)?);
        provisioning.quotas.of_tenant = Some(0);
    }
    let refused = AdmissionOutcome::NotAdmissible(Inadmissible::TenantQuota);
    expect_eq!(bench.store.create_or_adopt(full.clone()).await?, refused);
    expect_eq!(bench.device(1).await?, Some(waiting));
    expect_eq!(bench.device(2).await?, squatter);
    expect_eq!(bench.audit().await?, audit);
    let again = bench.store.create_or_adopt(full).await?;
    expect_eq!(again, AdmissionOutcome::Replayed);
    Ok(())
}
