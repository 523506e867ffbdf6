use gangplank_trust::Quotas;

use super::fixture::*;
use super::races::{RACERS, admit, created};
use super::{Checked, Failure};
use crate::store::{
    Admission, AdmissionOutcome, AdmissionPlan, Change, DeviceQuery, Inadmissible, PolicyRevision,
    Provisioning,
};

cases![
    a_plan_counts_under_the_policy_that_decided_only,
    a_plan_of_an_old_policy_consumes_nothing,
    an_anchor_provisions_as_many_as_it_may,
    a_tenant_has_as_many_as_it_may,
    strangers_that_wait_fill_no_tenant,
    a_stranger_with_an_anchor_behind_it_is_counted,
    racing_devices_keep_to_the_quota,
];

async fn a_plan_counts_under_the_policy_that_decided_only(bench: Bench) -> Checked {
    let revision = bench.put_tenant("default", true).await?;
    bench.register(9).await?;
    for plan in [provision(1, 1)?, queue(2)?, known(9, 9)?] {
        for stale in [0, revision + 1] {
            let outcome = bench
                .store
                .create_or_adopt(decided_by(&plan, stale)?)
                .await?;
            expect_eq!(outcome, AdmissionOutcome::Outdated);
        }
    }
    let mut elsewhere = decided_by(&provision(1, 1)?, revision)?;
    elsewhere.policy = Some(PolicyRevision {
        tenant: tenant("elsewhere")?,
        revision,
    });
    let outcome = bench.store.create_or_adopt(elsewhere).await?;
    expect_eq!(outcome, AdmissionOutcome::Outdated);
    let devices = bench.store.devices(&DeviceQuery::default()).await?;
    expect_eq!(devices.len(), 1);
    for plan in [provision(1, 1)?, known(9, 9)?] {
        let outcome = bench.store.create_or_adopt(decided_by(&plan, revision)?);
        expect_match!(outcome.await?, AdmissionOutcome::Created(..) => ());
    }
    Ok(())
}

async fn a_plan_of_an_old_policy_consumes_nothing(bench: Bench) -> Checked {
    let mut plan = provision(1, 1)?;
    plan.once = vec![once(1, 60)];
    let outcome = bench.store.create_or_adopt(decided_by(&plan, 1)?).await?;
    expect_eq!(outcome, AdmissionOutcome::Outdated);
    let outcome = bench.store.create_or_adopt(decided_by(&plan, 0)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    Ok(())
}

async fn an_anchor_provisions_as_many_as_it_may(bench: Bench) -> Checked {
    let two = Quotas {
        of_anchor: Some(2),
        of_tenant: None,
    };
    for n in [1, 2] {
        let outcome = bench.store.create_or_adopt(limited(n, "a", two)?).await?;
        expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    }
    let full = AdmissionOutcome::NotAdmissible(Inadmissible::AnchorQuota);
    let outcome = bench.store.create_or_adopt(limited(3, "a", two)?).await?;
    expect_eq!(outcome, full);
    // It is that anchor's limit, nobody's who is known, and one that leaves makes room.
    let outcome = bench.store.create_or_adopt(limited(4, "b", two)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    let mut again = limited(1, "a", two)?;
    again.credentials = Some(credentials(1, 9)?);
    let outcome = bench.store.create_or_adopt(again).await?;
    expect_match!(outcome, AdmissionOutcome::Again(..) => ());
    bench.change(1, REMOVE).await?;
    let outcome = bench.store.create_or_adopt(limited(3, "a", two)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    Ok(())
}

async fn a_tenant_has_as_many_as_it_may(bench: Bench) -> Checked {
    let two = Quotas {
        of_anchor: None,
        of_tenant: Some(2),
    };
    bench.register(1).await?;
    let outcome = bench.store.create_or_adopt(limited(2, "a", two)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    let full = AdmissionOutcome::NotAdmissible(Inadmissible::TenantQuota);
    let outcome = bench.store.create_or_adopt(limited(3, "b", two)?).await?;
    expect_eq!(outcome, full);
    let none = Quotas {
        of_anchor: None,
        of_tenant: Some(0),
    };
    let outcome = bench.store.create_or_adopt(limited(1, "a", none)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    Ok(())
}

async fn strangers_that_wait_fill_no_tenant(bench: Bench) -> Checked {
    for n in 1..=3 {
        bench.queued(n).await?;
    }
    bench.change(3, Change::Reject).await?;
    let one = Quotas {
        of_anchor: None,
        of_tenant: Some(1),
    };
    let outcome = bench.store.create_or_adopt(limited(4, "a", one)?).await?;
    expect_match!(outcome, AdmissionOutcome::Created(..) => ());
    Ok(())
}

async fn a_stranger_with_an_anchor_behind_it_is_counted(bench: Bench) -> Checked {
    bench.queued(1).await?;
    let none = Quotas {
        of_anchor: Some(0),
        of_tenant: None,
    };
    let outcome = bench.store.create_or_adopt(limited(1, "a", none)?).await?;
    let full = AdmissionOutcome::NotAdmissible(Inadmissible::AnchorQuota);
    expect_eq!(outcome, full);
    Ok(())
}

async fn racing_devices_keep_to_the_quota(bench: Bench) -> Checked {
    let seven = Quotas {
        of_anchor: Some(7),
        of_tenant: Some(9),
    };
    let admissions = (0..RACERS).map(|n| limited(n, "a", seven));
    expect_eq!(created(&admit(&bench, admissions).await?), 7);
    let admissions = (RACERS..2 * RACERS).map(|n| limited(n, "b", seven));
    expect_eq!(created(&admit(&bench, admissions).await?), 2);
    Ok(())
}

fn decided_by(admission: &Admission, revision: u64) -> Result<Admission, Failure> {
    Ok(Admission {
        policy: Some(PolicyRevision {
            tenant: tenant("default")?,
            revision,
        }),
        ..admission.clone()
    })
}

fn limited(n: u32, anchor: &str, quotas: Quotas) -> Result<Admission, Failure> {
    let plan = AdmissionPlan::Provision {
        device: new(n)?,
        provisioning: Box::new(Provisioning {
            origin: origin(anchor),
            quotas,
            ..provisioning(credential(n))
        }),
    };
    admission(plan, n, n)
}
