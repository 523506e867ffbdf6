use std::sync::Arc;

use super::Checked;
use super::fixture::*;
use crate::store::{Actor, AuditEntry, MAX_PAGE, Purged, TokenKind};

cases![
    a_once_key_is_consumed_once,
    once_keys_are_consumed_all_or_none,
    a_once_key_out_of_date_is_not_fresh,
    purging_deletes_what_time_has_ended,
    a_purged_once_key_is_not_fresh_again,
    audit_entries_are_kept_as_they_came,
    audit_entries_have_one_order,
    outbox_events_stay_until_they_are_acknowledged,
    the_oldest_event_of_each_tenant_is_shown,
    events_are_acknowledged_in_any_order,
    a_notification_target_is_a_tenants,
    a_store_that_answers_is_ready,
];

async fn a_once_key_is_consumed_once(bench: Bench) -> Checked {
    expect!(
        bench.store.consume_once(&[once(1, 60)], at(0)).await?,
        "fresh, but refused"
    );
    expect!(
        !bench.store.consume_once(&[once(1, 60)], at(0)).await?,
        "consumed twice"
    );
    expect!(
        !bench.store.consume_once(&[once(1, 90)], at(0)).await?,
        "the key is the key"
    );
    expect!(
        bench.store.consume_once(&[once(2, 60)], at(0)).await?,
        "another key refused"
    );
    Ok(())
}

async fn once_keys_are_consumed_all_or_none(bench: Bench) -> Checked {
    let store = &bench.store;
    store.consume_once(&[once(1, 60)], at(0)).await?;
    let both = store
        .consume_once(&[once(2, 60), once(1, 60)], at(0))
        .await?;
    expect!(!both, "a seen key is fresh");
    let twice = store
        .consume_once(&[once(3, 60), once(3, 60)], at(0))
        .await?;
    expect!(!twice, "a key is fresh twice in one list");
    let rest = store
        .consume_once(&[once(2, 60), once(3, 60)], at(0))
        .await?;
    expect!(rest, "a refused list consumed a key");
    expect!(
        store.consume_once(&[], at(0)).await?,
        "an empty list is refused"
    );
    Ok(())
}

async fn a_once_key_out_of_date_is_not_fresh(bench: Bench) -> Checked {
    let store = &bench.store;
    expect!(
        !store.consume_once(&[once(1, 9)], at(10)).await?,
        "a dead key is fresh"
    );
    expect!(
        store.consume_once(&[once(1, 10)], at(10)).await?,
        "its last second is refused"
    );
    Ok(())
}

async fn purging_deletes_what_time_has_ended(bench: Bench) -> Checked {
    bench.aboard(1, 1).await?;
    bench.opens(1, 1, 1).await?;
    bench.store.consume_once(&[once(1, 60)], at(0)).await?;
    bench
        .store
        .consume_once(&[once(2, 2 * HOUR)], at(0))
        .await?;
    expect_eq!(bench.store.purge(at(60)).await?, Purged::default());
    expect!(
        bench.lives(TokenKind::Access, 1).await?,
        "a live token was purged"
    );
    let purged = bench.store.purge(at(HOUR)).await?;
    expect_eq!(purged, Purged { once: 1, tokens: 2 });
    expect!(
        !bench.lives(TokenKind::Access, 1).await?,
        "a dead token is there"
    );
    let again = bench
        .store
        .consume_once(&[once(2, 2 * HOUR)], at(HOUR))
        .await?;
    expect!(!again, "a key in date was purged");
    expect!(bench.opens(1, 1, 2).await?, "a secret was purged");
    Ok(())
}

async fn a_purged_once_key_is_not_fresh_again(bench: Bench) -> Checked {
    let store = &bench.store;
    store.consume_once(&[once(1, 60)], at(0)).await?;
    store.purge(at(61)).await?;
    // A request that was verified just before the purge, by its own clock reading.
    expect!(
        !store.consume_once(&[once(1, 60)], at(59)).await?,
        "it is fresh again"
    );
    expect!(
        store.consume_once(&[once(2, 61)], at(59)).await?,
        "a newer key is refused"
    );
    // A clock that is wrong for a moment must not make all that follows stale.
    store.purge(at(1_000_000)).await?;
    expect!(
        store.consume_once(&[once(3, 70)], at(65)).await?,
        "the purge reached ahead"
    );
    Ok(())
}

fn entry(n: u32) -> AuditEntry {
    AuditEntry {
        at: at(u64::from(n)),
        actor: Actor::Server,
        action: "test.entry".into(),
        tenant: None,
        device: None,
        detail: n.to_string(),
    }
}

async fn audit_entries_are_kept_as_they_came(bench: Bench) -> Checked {
    let full = AuditEntry {
        actor: operator(),
        tenant: Some(tenant("elsewhere")?),
        device: Some(device_id(5)?),
        ..entry(1)
    };
    for entry in [full, entry(2)] {
        let seq = bench.store.append_audit(entry.clone()).await?;
        let last = bench.audit().await?.pop();
        expect_eq!(last.map(|last| (last.seq, last.entry)), Some((seq, entry)));
    }
    Ok(())
}

async fn audit_entries_have_one_order(bench: Bench) -> Checked {
    let mut appending = tokio::task::JoinSet::new();
    for n in 0..64 {
        let store = Arc::clone(&bench.store);
        appending.spawn(async move { store.append_audit(entry(n)).await });
    }
    // Whoever follows the audit while it grows misses nothing.
    let mut seen = Vec::new();
    while seen.len() < 64 {
        let after = seen.last().copied().unwrap_or(0);
        let page = bench.store.audit(after, 7).await?;
        expect!(page.len() <= 7, "the page has {} entries", page.len());
        if page.is_empty() && appending.is_empty() {
            break;
        }
        seen.extend(page.iter().map(|one| one.seq));
        while appending.try_join_next().is_some() {}
    }
    expect_eq!(seen.len(), 64);
    expect!(
        seen.is_sorted_by(|one, next| one < next),
        "the order is broken: {seen:?}"
    );
    let all = bench.store.audit(0, MAX_PAGE).await?;
    expect_eq!(all.iter().map(|one| one.seq).collect::<Vec<_>>(), seen);
    Ok(())
}

async fn outbox_events_stay_until_they_are_acknowledged(bench: Bench) -> Checked {
    for n in 1..=3 {
        bench.aboard(n, n).await?;
    }
    let all = bench.store.outbox(0, 10).await?;
    expect_eq!(all.len(), 3);
    expect_eq!(bench.store.outbox(0, 10).await?, all);
    let [first, second, third] = all.as_slice() else {
        return Err(unexpected("three events", &all));
    };
    expect_eq!(
        bench.store.outbox(first.seq, 1).await?,
        vec![second.clone()]
    );
    bench.store.acknowledge_outbox(second.seq).await?;
    expect_eq!(bench.store.outbox(0, 10).await?, vec![third.clone()]);
    bench.store.acknowledge_outbox(third.seq).await?;
    bench.aboard(4, 4).await?;
    let next = bench.store.outbox(third.seq, 10).await?;
    expect_eq!(next.len(), 1);
    Ok(())
}

async fn a_store_that_answers_is_ready(bench: Bench) -> Checked {
    Ok(bench.store.ready().await?)
}

async fn the_oldest_event_of_each_tenant_is_shown(bench: Bench) -> Checked {
    bench.put_tenant("other", true).await?;
    for n in 1..=2 {
        bench.aboard(n, n).await?;
    }
    for n in 3..=4 {
        let mut device = new(n)?;
        device.tenant = tenant("other")?;
        let admission = admission(provision_plan(device), n, n)?;
        bench.store.create_or_adopt(admission).await?;
    }
    let shown: Vec<_> = bench.store.oldest_events(None).await?;
    let devices: Vec<_> = shown.iter().map(|event| event.device.clone()).collect();
    expect_eq!(devices, vec![device_id(1)?, device_id(3)?]);
    let default = tenant("default")?;
    let rest = bench.store.oldest_events(Some(&default)).await?;
    let devices: Vec<_> = rest.iter().map(|event| event.device.clone()).collect();
    expect_eq!(devices, vec![device_id(3)?]);
    Ok(())
}

async fn events_are_acknowledged_in_any_order(bench: Bench) -> Checked {
    for n in 1..=3 {
        bench.aboard(n, n).await?;
    }
    let all = bench.store.outbox(0, 10).await?;
    let [first, second, third] = all.as_slice() else {
        return Err(unexpected("three events", &all));
    };
    bench.store.acknowledge_event(second.seq).await?;
    bench.store.acknowledge_event(second.seq).await?;
    let left = vec![first.clone(), third.clone()];
    expect_eq!(bench.store.outbox(0, 10).await?, left);
    Ok(())
}

async fn a_notification_target_is_a_tenants(bench: Bench) -> Checked {
    let (store, default) = (&bench.store, tenant("default")?);
    expect_eq!(store.notification_target(&default).await?, None);
    for target in [Some("one".to_owned()), Some("two".to_owned()), None] {
        let known = store.set_notification_target(&default, target.clone(), operator(), at(1));
        expect!(known.await?, "there is a tenant default");
        expect_eq!(store.notification_target(&default).await?, target);
    }
    let (nobody, target) = (tenant("nobody")?, Some("one".to_owned()));
    let known = store.set_notification_target(&nobody, target, operator(), at(1));
    expect!(!known.await?, "there is no tenant of that name");
    Ok(())
}
