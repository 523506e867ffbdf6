use std::sync::Arc;

use super::fixture::*;
use super::{Checked, Failure};
use crate::store::{
    Admission, AdmissionOutcome, AdmissionPlan, ChangeOutcome, Conflict, DeviceQuery, MAX_TOKENS,
    RegisterOutcome, StoreError, TokenKind,
};

cases![
    of_racing_first_calls_exactly_one_is_created,
    of_racing_devices_of_one_certificate_id_exactly_one_is_created,
    racing_calls_of_one_key_make_one_device,
    of_racing_replays_exactly_one_is_taken,
    of_racing_registrations_exactly_one_is_created,
    different_devices_do_not_disturb_each_other,
    racing_authentications_keep_to_the_limit,
    a_removal_that_races_is_final,
];

/// Runs all at once and waits for all.
pub(super) async fn all<T, F>(calls: impl IntoIterator<Item = F>) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let mut running = tokio::task::JoinSet::new();
    for call in calls {
        running.spawn(call);
    }
    let mut results = Vec::new();
    while let Some(joined) = running.join_next().await {
        results.push(joined.map_err(|error| Failure(error.to_string()))??);
    }
    Ok(results)
}

pub(super) async fn admit(
    bench: &Bench,
    admissions: impl Iterator<Item = Result<Admission, Failure>>,
) -> Result<Vec<AdmissionOutcome>, Failure> {
    let calls = admissions
        .map(|admission| {
            let (store, admission) = (Arc::clone(&bench.store), admission?);
            Ok(async move { store.create_or_adopt(admission).await })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    all(calls).await
}

pub(super) fn created(outcomes: &[AdmissionOutcome]) -> usize {
    let created = |one: &&AdmissionOutcome| matches!(one, AdmissionOutcome::Created(..));
    outcomes.iter().filter(created).count()
}

async fn of_racing_first_calls_exactly_one_is_created(bench: Bench) -> Checked {
    let outcomes = admit(&bench, (0..RACERS).map(|k| provision(1, k))).await?;
    expect_eq!(created(&outcomes), 1);
    let device = bench.device(1).await?;
    for outcome in outcomes {
        let (one, _) = expect_match!(
            outcome,
            AdmissionOutcome::Created(one, client) | AdmissionOutcome::Again(one, client)
                => (one, client)
        );
        expect_eq!(Some(one), device);
    }
    expect_eq!(bench.store.outbox(0, 10).await?.len(), 1);
    let mut live = 0;
    for k in 0..RACERS {
        // From the oldest: using the newest ends the others, and each is asked once.
        live += usize::from(bench.opens(1, k, 1000 + k).await?);
    }
    expect!((1..=2).contains(&live), "{live} secrets live");
    Ok(())
}

async fn of_racing_devices_of_one_certificate_id_exactly_one_is_created(bench: Bench) -> Checked {
    let admissions = (0..RACERS).map(|n| {
        let mut device = new(n)?;
        device.certificate.certificate_id = Some(certificate_id(1)?);
        admission(provision_plan(device), n, n)
    });
    let outcomes = admit(&bench, admissions).await?;
    expect_eq!(created(&outcomes), 1);
    for outcome in outcomes {
        expect_match!(
            outcome,
            AdmissionOutcome::Created(..)
            | AdmissionOutcome::Conflict(Conflict::CertificateIdTaken { .. }) => ()
        );
    }
    expect_eq!(bench.store.devices(&DeviceQuery::default()).await?.len(), 1);
    Ok(())
}

async fn racing_calls_of_one_key_make_one_device(bench: Bench) -> Checked {
    let admissions = (0..RACERS).map(|n| {
        let mut device = new(1)?;
        device.device_id = device_id(n)?;
        let provisioning = Box::new(provisioning(credential(1)));
        let plan = AdmissionPlan::Provision {
            device,
            provisioning,
        };
        admission(plan, n, n)
    });
    let outcomes = admit(&bench, admissions).await?;
    expect_eq!(created(&outcomes), 1);
    let devices = bench.store.devices(&DeviceQuery::default()).await?;
    expect_eq!(devices.len(), 1);
    for outcome in outcomes {
        let one = expect_match!(
            outcome,
            AdmissionOutcome::Created(one, _) | AdmissionOutcome::Again(one, _) => one
        );
        expect!(devices.contains(&one), "two callers see two devices");
    }
    Ok(())
}

async fn of_racing_replays_exactly_one_is_taken(bench: Bench) -> Checked {
    let admissions = (0..RACERS).map(|k| {
        let mut admission = provision(1, k)?;
        admission.once = vec![once(1, 60)];
        Ok(admission)
    });
    let outcomes = admit(&bench, admissions).await?;
    let replayed = |one: &&AdmissionOutcome| matches!(one, AdmissionOutcome::Replayed);
    let replays = outcomes.iter().filter(replayed).count();
    expect_eq!((created(&outcomes), replays), (1, outcomes.len() - 1));
    expect_eq!(bench.audit().await?.len(), 1);
    Ok(())
}

async fn of_racing_registrations_exactly_one_is_created(bench: Bench) -> Checked {
    let registrations = (0..RACERS)
        .map(|n| {
            let (store, mut device) = (Arc::clone(&bench.store), new(1)?);
            device.device_id = device_id(n)?;
            Ok(async move { store.register(registration(device)).await })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let outcomes = all(registrations).await?;
    let mut created = 0;
    for outcome in outcomes {
        created += expect_match!(
            outcome,
            RegisterOutcome::Created(_) | RegisterOutcome::Same(_)
                => usize::from(matches!(outcome, RegisterOutcome::Created(_)))
        );
    }
    expect_eq!(created, 1);
    Ok(())
}

async fn different_devices_do_not_disturb_each_other(bench: Bench) -> Checked {
    let outcomes = admit(&bench, (0..RACERS).map(|n| provision(n, n))).await?;
    expect_eq!(created(&outcomes), outcomes.len());
    for n in 0..RACERS {
        expect!(
            bench.opens(n, n, n).await?,
            "device {n} has another's secret"
        );
    }
    Ok(())
}

async fn racing_authentications_keep_to_the_limit(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let calls = (0..RACERS)
        .map(|token| {
            let (store, asked) = (Arc::clone(&bench.store), authentication(1, 1, token)?);
            Ok(async move { store.authenticate_client(asked).await })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    all(calls).await?;
    let mut live = 0;
    for token in 0..RACERS {
        live += usize::from(bench.lives(TokenKind::Access, token).await?);
    }
    expect_eq!(live, MAX_TOKENS);
    Ok(())
}

async fn a_removal_that_races_is_final(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let (store, id) = (Arc::clone(&bench.store), device_id(1)?);
    let removal = tokio::spawn(async move { store.change(&id, REMOVE, operator(), at(0)).await });
    let outcomes = admit(&bench, (2..RACERS).map(|k| provision(1, k))).await?;
    let removed = removal
        .await
        .map_err(|error| Failure(error.to_string()))??;
    expect_match!(removed, ChangeOutcome::Done(_) => ());
    expect_eq!(created(&outcomes), 0);
    expect_eq!(bench.device(1).await?, None);
    expect!(
        !bench.opens(1, 1, 1).await?,
        "a secret of a removed device lives"
    );
    Ok(())
}

pub(super) const RACERS: u32 = 64;
