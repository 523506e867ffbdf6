use super::Checked;
use super::fixture::*;
use crate::store::{Change, Document, Inadmissible, MAX_DEPLOYMENTS, PutOutcome};

cases![
    capabilities_are_created_and_then_updated,
    statuses_are_kept_per_deployment,
    the_oldest_statuses_give_way,
    a_replayed_report_changes_nothing,
    a_report_is_for_a_device_aboard,
    a_body_is_kept_byte_for_byte,
];

async fn capabilities_are_created_and_then_updated(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    expect_eq!(bench.store.capabilities(&device.id).await?, None);
    let outcome = bench
        .store
        .put_capabilities(capabilities(1, "one")?)
        .await?;
    expect_eq!(outcome, PutOutcome::Created);
    let mut second = capabilities(1, "two")?;
    second.at = at(5);
    let outcome = bench.store.put_capabilities(second).await?;
    expect_eq!(outcome, PutOutcome::Updated);
    let expected = Document {
        body: b"two".to_vec(),
        received_at: at(5),
    };
    expect_eq!(bench.store.capabilities(&device.id).await?, Some(expected));
    Ok(())
}

async fn statuses_are_kept_per_deployment(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    bench.aboard(2, 2).await?;
    for (deployment, expected) in [
        ("b", PutOutcome::Created),
        ("a", PutOutcome::Created),
        ("b", PutOutcome::Updated),
    ] {
        let outcome = bench.store.put_status(status(1, deployment, "s")?).await?;
        expect_eq!(outcome, expected);
    }
    let outcome = bench.store.put_status(status(2, "a", "s")?).await?;
    expect_eq!(outcome, PutOutcome::Created);
    let found = bench.store.statuses(&device.id).await?;
    let found: Vec<_> = found.into_iter().map(|one| one.deployment_id).collect();
    expect_eq!(found, ["a", "b"]);
    Ok(())
}

async fn the_oldest_statuses_give_way(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    for number in 0..=u64::from(MAX_DEPLOYMENTS) {
        let mut report = status(1, &format!("{number:03}"), "s")?;
        report.at = at(10 + number);
        bench.store.put_status(report).await?;
    }
    let kept = bench.store.statuses(&device.id).await?;
    expect_eq!(kept.len(), MAX_DEPLOYMENTS as usize);
    expect_eq!(
        kept.first().map(|one| one.deployment_id.as_str()),
        Some("001")
    );
    Ok(())
}

async fn a_replayed_report_changes_nothing(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    let mut first = capabilities(1, "one")?;
    first.once = vec![once(1, 60)];
    bench.store.put_capabilities(first.clone()).await?;
    let audit = bench.audit().await?;
    first.body = b"two".to_vec();
    let outcome = bench.store.put_capabilities(first).await?;
    expect_eq!(outcome, PutOutcome::Replayed);
    let mut second = status(1, "a", "s")?;
    second.once = vec![once(1, 60)];
    let outcome = bench.store.put_status(second).await?;
    expect_eq!(outcome, PutOutcome::Replayed);
    let kept = bench.store.capabilities(&device.id).await?;
    expect_eq!(kept.map(|kept| kept.body), Some(b"one".to_vec()));
    expect_eq!(bench.store.statuses(&device.id).await?, vec![]);
    expect_eq!(bench.audit().await?, audit);
    Ok(())
}

async fn a_report_is_for_a_device_aboard(bench: Bench) -> Checked {
    let mut reasons = Vec::new();
    for step in 0..4 {
        match step {
            0 => {}
            1 => drop(bench.queued(1).await?),
            2 => {
                bench.aboard(1, 1).await?;
                bench.change(1, Change::Disable).await?;
            }
            _ => drop(bench.change(1, Change::Reject).await?),
        }
        let outcome = bench.store.put_capabilities(capabilities(1, "c")?).await?;
        reasons.push(expect_match!(outcome, PutOutcome::NotAdmissible(reason) => reason));
        let outcome = bench.store.put_status(status(1, "a", "s")?).await?;
        expect_match!(outcome, PutOutcome::NotAdmissible(_) => ());
    }
    let expected = [
        Inadmissible::Removed,
        Inadmissible::NotAboard,
        Inadmissible::Disabled,
        Inadmissible::Disabled,
    ];
    expect_eq!(reasons, expected);
    expect_eq!(bench.store.capabilities(&device_id(1)?).await?, None);
    Ok(())
}

async fn a_body_is_kept_byte_for_byte(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    let mut report = capabilities(1, "")?;
    report.body = (0..=255).cycle().take(100_000).collect();
    let body = report.body.clone();
    bench.store.put_capabilities(report).await?;
    let kept = bench.store.capabilities(&device.id).await?;
    expect!(
        kept.is_some_and(|kept| kept.body == body),
        "the body is another"
    );
    Ok(())
}
