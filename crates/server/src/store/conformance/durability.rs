use super::Checked;
use super::fixture::*;
use crate::store::{AdmissionOutcome, Inadmissible, TokenKind};

cases![
    what_was_answered_is_there_after_reopening,
    replays_and_removals_are_known_after_reopening,
    numbers_go_on_after_reopening,
];

async fn what_was_answered_is_there_after_reopening(bench: Bench) -> Checked {
    let device = bench.aboard(1, 1).await?;
    bench.register(2).await?;
    bench.opens(1, 1, 1).await?;
    bench.store.put_capabilities(capabilities(1, "c")?).await?;
    bench.store.put_status(status(1, "app", "s")?).await?;
    bench.put_tenant("acme", true).await?;
    let documents = bench.store.capabilities(&device.id).await?;
    let statuses = bench.store.statuses(&device.id).await?;
    let (audit, tenants) = (bench.audit().await?, bench.tenants().await?);
    let (outbox, second) = (bench.store.outbox(0, 10).await?, bench.device(2).await?);

    let bench = bench.reopen().await?;
    expect_eq!(bench.device(1).await?, Some(device.clone()));
    expect_eq!(bench.device(2).await?, second);
    expect_eq!(bench.store.capabilities(&device.id).await?, documents);
    expect_eq!(bench.store.statuses(&device.id).await?, statuses);
    expect_eq!(bench.audit().await?, audit);
    expect_eq!(bench.tenants().await?, tenants);
    expect_eq!(bench.store.outbox(0, 10).await?, outbox);
    expect!(
        bench.lives(TokenKind::Access, 1).await?,
        "the access token is dead"
    );
    expect!(
        bench.lives(TokenKind::Git, 1).await?,
        "the Git token is dead"
    );
    expect!(bench.opens(1, 1, 2).await?, "the secret is dead");
    Ok(())
}

async fn replays_and_removals_are_known_after_reopening(bench: Bench) -> Checked {
    let mut message = provision(1, 1)?;
    message.once = vec![once(1, 60)];
    bench.store.create_or_adopt(message.clone()).await?;
    bench.aboard(2, 2).await?;
    bench.change(2, REMOVE).await?;
    bench.store.consume_once(&[once(2, 30)], at(0)).await?;
    bench.store.purge(at(31)).await?;

    let bench = bench.reopen().await?;
    let outcome = bench.store.create_or_adopt(message).await?;
    expect_eq!(outcome, AdmissionOutcome::Replayed);
    let outcome = bench.store.create_or_adopt(provision(2, 3)?).await?;
    expect_eq!(
        outcome,
        AdmissionOutcome::NotAdmissible(Inadmissible::Removed)
    );
    let purged = bench.store.consume_once(&[once(2, 30)], at(0)).await?;
    expect!(!purged, "a purged key is fresh again");
    Ok(())
}

async fn numbers_go_on_after_reopening(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    let last = bench.store.outbox(0, 10).await?.pop();
    let Some(last) = last else {
        return Err(unexpected("an event", &last));
    };
    bench.store.acknowledge_outbox(last.seq).await?;
    let audit = bench.audit().await?.len();

    let bench = bench.reopen().await?;
    bench.aboard(2, 2).await?;
    expect_eq!(bench.store.outbox(last.seq, 10).await?.len(), 1);
    expect_eq!(bench.audit().await?.len(), audit + 1);
    Ok(())
}
