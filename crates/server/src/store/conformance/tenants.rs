use std::sync::Arc;

use gangplank_trust::{DistinguishedName, PreparedName};
use rustls_pki_types::CertificateRevocationListDer;

use super::fixture::*;
use super::races::{RACERS, all};
use super::{Checked, Failure};
use crate::store::{
    Admission, AdmissionOutcome, DEFAULT_TENANT, Expected, NewDevice, PolicyRevision,
    RegisterOutcome, TenantNews, TenantOutcome, TenantQuery, TenantRecord, TenantRemoval,
    TenantRemovalOutcome, TenantSave, action,
};

cases![
    revocation_lists_are_a_change_of_their_tenant,
    the_default_tenant_is_there,
    a_tenant_is_made_once,
    a_tenant_changes_only_from_the_revision_that_is_expected,
    a_tenant_that_is_not_there_is_not_changed,
    an_alias_is_one_tenants,
    an_alias_is_no_other_tenants_id,
    an_issuer_is_one_tenants,
    tenants_of_one_group_may_share_an_issuer,
    what_a_tenant_gives_up_is_free,
    a_refused_change_changes_nothing,
    a_tenant_with_devices_is_not_removed,
    a_tenant_that_is_made_again_is_another,
    tenants_are_listed_in_pages,
    news_of_tenants_are_what_changed,
    of_racing_creations_exactly_one_is_made,
    of_racing_changes_exactly_one_is_made,
    of_racing_tenants_one_has_the_alias,
    of_racing_tenants_one_has_the_issuer,
    a_removal_and_a_registration_that_race_leave_no_orphan,
];

async fn the_default_tenant_is_there(bench: Bench) -> Checked {
    let expected = TenantRecord {
        id: tenant(DEFAULT_TENANT)?,
        enabled: true,
        policy_revision: 0,
        document: "{}".to_owned(),
    };
    expect_eq!(bench.tenants().await?, vec![expected.clone()]);
    expect_eq!(bench.store.tenant(&expected.id).await?, Some(expected));
    expect_eq!(bench.audit().await?, vec![]);
    Ok(())
}

async fn a_tenant_is_made_once(bench: Bench) -> Checked {
    let revision = made(&bench, tenant_save("acme", Expected::Absent)?).await?;
    let again = tenant_save("acme", Expected::Absent)?;
    let unexpected = TenantOutcome::Unexpected { current: revision };
    expect_eq!(bench.store.save_tenant(again).await?, unexpected);
    let entries = bench.audit().await?;
    let [entry] = entries.as_slice() else {
        return Err(unexpected_entries(&entries));
    };
    expect_eq!(entry.entry.action, action::TENANT_CREATED);
    expect_eq!(entry.entry.actor, operator());
    expect_eq!(entry.entry.tenant, Some(tenant("acme")?));
    Ok(())
}

async fn a_tenant_changes_only_from_the_revision_that_is_expected(bench: Bench) -> Checked {
    let first = made(&bench, tenant_save("acme", Expected::Absent)?).await?;
    let mut change = tenant_save("acme", Expected::Revision(first))?;
    change.content.enabled = false;
    change.content.document = "another".to_owned();
    let second = made(&bench, change.clone()).await?;
    expect!(second > first, "revision {second} follows {first}");
    let outcome = bench.store.save_tenant(change).await?;
    expect_eq!(outcome, TenantOutcome::Unexpected { current: second });
    let third = made(&bench, tenant_save("acme", Expected::Present)?).await?;
    let stored = bench.store.tenant(&tenant("acme")?).await?;
    let expected = TenantRecord {
        id: tenant("acme")?,
        enabled: true,
        policy_revision: third,
        document: "document of acme".to_owned(),
    };
    expect_eq!(stored, Some(expected));
    let last = bench.audit().await?.pop();
    expect_eq!(
        last.map(|last| last.entry.action),
        Some(action::TENANT_CHANGED.into())
    );
    Ok(())
}

async fn a_tenant_that_is_not_there_is_not_changed(bench: Bench) -> Checked {
    for expected in [Expected::Present, Expected::Revision(0)] {
        let outcome = bench.store.save_tenant(tenant_save("acme", expected)?);
        expect_eq!(outcome.await?, TenantOutcome::NotFound);
        let outcome = bench
            .store
            .remove_tenant(removal("acme", expected)?)
            .await?;
        expect_eq!(outcome, TenantRemovalOutcome::NotFound);
    }
    expect_eq!(bench.audit().await?, vec![]);
    Ok(())
}

async fn an_alias_is_one_tenants(bench: Bench) -> Checked {
    made(&bench, with_alias("one", "plant")?).await?;
    let outcome = bench.store.save_tenant(with_alias("two", "plant")?).await?;
    expect_eq!(outcome, alias_taken("one")?);
    let two = made(&bench, with_alias("two", "works")?).await?;
    let mut change = with_alias("two", "plant")?;
    change.expected = Expected::Revision(two);
    expect_eq!(bench.store.save_tenant(change).await?, alias_taken("one")?);
    // Its own is not in its way.
    let mut change = with_alias("two", "works")?;
    change.expected = Expected::Present;
    made(&bench, change).await?;
    Ok(())
}

async fn an_alias_is_no_other_tenants_id(bench: Bench) -> Checked {
    made(&bench, with_alias("one", "two")?).await?;
    let outcome = bench
        .store
        .save_tenant(tenant_save("two", Expected::Absent)?);
    expect_eq!(outcome.await?, alias_taken("one")?);
    let outcome = bench.store.save_tenant(with_alias("three", "one")?).await?;
    expect_eq!(outcome, alias_taken("one")?);
    made(&bench, with_alias("four", "four")?).await?;
    Ok(())
}

async fn an_issuer_is_one_tenants(bench: Bench) -> Checked {
    // An anchor of the same name twice is a roll-over of keys.
    let (a, b) = (name("CN=a")?, name("CN=b")?);
    made(&bench, trusting("one", &[&a, &a, &b], None)?).await?;
    for group in [None, Some("group")] {
        let outcome = bench
            .store
            .save_tenant(trusting("two", &[&b], group)?)
            .await?;
        let taken = TenantOutcome::IssuerTaken {
            issuer: b.clone(),
            holder: tenant("one")?,
        };
        expect_eq!(outcome, taken);
    }
    made(&bench, trusting("two", &[&name("CN=c")?], None)?).await?;
    Ok(())
}

async fn tenants_of_one_group_may_share_an_issuer(bench: Bench) -> Checked {
    let a = name("CN=a")?;
    made(&bench, trusting("one", &[&a], Some("group"))?).await?;
    made(&bench, trusting("two", &[&a], Some("group"))?).await?;
    for (id, group) in [("three", None), ("four", Some("other"))] {
        let outcome = bench.store.save_tenant(trusting(id, &[&a], group)?).await?;
        expect_match!(outcome, TenantOutcome::IssuerTaken { .. } => ());
    }
    // One of them cannot leave the group and keep the issuer.
    let mut change = trusting("one", &[&a], None)?;
    change.expected = Expected::Present;
    let outcome = bench.store.save_tenant(change).await?;
    expect_match!(outcome, TenantOutcome::IssuerTaken { .. } => ());
    Ok(())
}

async fn what_a_tenant_gives_up_is_free(bench: Bench) -> Checked {
    let a = name("CN=a")?;
    let mut both = trusting("one", &[&a], None)?;
    both.content.alias = Some("plant".to_owned());
    made(&bench, both.clone()).await?;
    made(&bench, tenant_save("one", Expected::Present)?).await?;
    both.id = tenant("two")?;
    made(&bench, both.clone()).await?;
    let outcome = bench
        .store
        .remove_tenant(removal("two", Expected::Present)?);
    expect_eq!(outcome.await?, TenantRemovalOutcome::Removed);
    both.id = tenant("three")?;
    made(&bench, both).await?;
    Ok(())
}

async fn a_refused_change_changes_nothing(bench: Bench) -> Checked {
    made(&bench, with_alias("one", "plant")?).await?;
    made(&bench, tenant_save("two", Expected::Absent)?).await?;
    let (tenants, audit) = (bench.tenants().await?, bench.audit().await?);
    let news = bench.store.tenant_news(None).await?;
    let mut change = with_alias("two", "plant")?;
    change.expected = Expected::Present;
    bench.store.save_tenant(change).await?;
    bench
        .store
        .save_tenant(tenant_save("two", Expected::Revision(0))?)
        .await?;
    bench
        .store
        .remove_tenant(removal("two", Expected::Revision(0))?)
        .await?;
    expect_eq!(bench.tenants().await?, tenants);
    expect_eq!(bench.audit().await?, audit);
    expect_eq!(bench.store.tenant_news(None).await?, news);
    Ok(())
}

async fn a_tenant_with_devices_is_not_removed(bench: Bench) -> Checked {
    let revision = made(&bench, tenant_save("acme", Expected::Absent)?).await?;
    let device = bench
        .store
        .register(registration(device_of("acme", 1)?))
        .await?;
    expect_match!(device, RegisterOutcome::Created(_) => ());
    let expected = Expected::Revision(revision);
    let outcome = bench
        .store
        .remove_tenant(removal("acme", expected)?)
        .await?;
    expect_eq!(outcome, TenantRemovalOutcome::NotEmpty);
    bench.change(1, REMOVE).await?;
    let stale = Expected::Revision(revision - 1);
    let outcome = bench.store.remove_tenant(removal("acme", stale)?).await?;
    expect_eq!(
        outcome,
        TenantRemovalOutcome::Unexpected { current: revision }
    );
    let outcome = bench
        .store
        .remove_tenant(removal("acme", expected)?)
        .await?;
    expect_eq!(outcome, TenantRemovalOutcome::Removed);
    expect_eq!(bench.store.tenant(&tenant("acme")?).await?, None);
    let outcome = bench
        .store
        .register(registration(device_of("acme", 2)?))
        .await?;
    expect_eq!(outcome, RegisterOutcome::NoSuchTenant);
    let last = bench.audit().await?.pop();
    let action = last.map(|last| last.entry.action);
    expect_eq!(action, Some(action::TENANT_REMOVED.into()));
    Ok(())
}

async fn a_tenant_that_is_made_again_is_another(bench: Bench) -> Checked {
    let first = made(&bench, tenant_save("acme", Expected::Absent)?).await?;
    bench
        .store
        .remove_tenant(removal("acme", Expected::Present)?)
        .await?;
    let second = made(&bench, tenant_save("acme", Expected::Absent)?).await?;
    expect!(second > first, "revision {second} follows {first}");
    Ok(())
}

async fn tenants_are_listed_in_pages(bench: Bench) -> Checked {
    for id in ["b", "a", "z"] {
        made(&bench, tenant_save(id, Expected::Absent)?).await?;
    }
    let mut listed = Vec::new();
    let mut query = TenantQuery {
        after: None,
        limit: Some(3),
    };
    loop {
        let page = bench.store.tenants(&query).await?;
        expect!(page.len() <= 3, "a page has {} tenants", page.len());
        let Some(last) = page.last() else { break };
        query.after = Some(last.id.clone());
        listed.extend(page.into_iter().map(|one| one.id.as_str().to_owned()));
    }
    expect_eq!(listed, ["a", "b", "default", "z"]);
    Ok(())
}

async fn news_of_tenants_are_what_changed(bench: Bench) -> Checked {
    let first = news(&bench, None).await?;
    let ids: Vec<_> = first.changed.iter().map(|one| one.id.clone()).collect();
    expect_eq!(ids, first.present);
    expect_eq!(ids, [tenant(DEFAULT_TENANT)?]);
    expect_eq!(bench.store.tenant_news(Some(first.revision)).await?, None);
    let revision = made(&bench, tenant_save("acme", Expected::Absent)?).await?;
    let second = news(&bench, Some(first.revision)).await?;
    expect_eq!(second.revision, revision);
    expect_eq!(second.present, [tenant("acme")?, tenant(DEFAULT_TENANT)?]);
    let acme = bench.store.tenant(&tenant("acme")?).await?;
    expect_eq!(second.changed.first(), acme.as_ref());
    expect_eq!(second.changed.len(), 1);
    bench
        .store
        .remove_tenant(removal("acme", Expected::Present)?)
        .await?;
    let third = news(&bench, Some(second.revision)).await?;
    expect_eq!(third.present, [tenant(DEFAULT_TENANT)?]);
    expect_eq!(third.changed, []);
    expect_eq!(bench.store.tenant_news(Some(third.revision)).await?, None);
    let bench = bench.reopen().await?;
    expect_eq!(bench.store.tenant_news(Some(third.revision)).await?, None);
    Ok(())
}

async fn of_racing_creations_exactly_one_is_made(bench: Bench) -> Checked {
    let saves = (0..RACERS).map(|_| tenant_save("acme", Expected::Absent));
    expect_eq!(count_saved(&race(&bench, saves).await?), 1);
    expect_eq!(bench.audit().await?.len(), 1);
    Ok(())
}

async fn of_racing_changes_exactly_one_is_made(bench: Bench) -> Checked {
    let revision = made(&bench, tenant_save("acme", Expected::Absent)?).await?;
    let saves = (0..RACERS).map(|_| tenant_save("acme", Expected::Revision(revision)));
    let outcomes = race(&bench, saves).await?;
    expect_eq!(count_saved(&outcomes), 1);
    for outcome in outcomes {
        expect_match!(
            outcome,
            TenantOutcome::Saved { .. } | TenantOutcome::Unexpected { .. } => ()
        );
    }
    Ok(())
}

async fn of_racing_tenants_one_has_the_alias(bench: Bench) -> Checked {
    let saves = (0..RACERS).map(|n| with_alias(&format!("t-{n}"), "plant"));
    expect_eq!(count_saved(&race(&bench, saves).await?), 1);
    expect_eq!(bench.tenants().await?.len(), 2);
    Ok(())
}

async fn of_racing_tenants_one_has_the_issuer(bench: Bench) -> Checked {
    let a = name("CN=a")?;
    let group = |n: u32| n.is_multiple_of(2).then_some("group");
    let saves = (0..RACERS).map(|n| trusting(&format!("t-{n}"), &[&a], group(n)));
    let outcomes = race(&bench, saves).await?;
    // Either the first is alone, or all of its group are there.
    let saved = count_saved(&outcomes);
    expect!(
        saved == 1 || saved == outcomes.len() / 2,
        "{saved} tenants trust one issuer"
    );
    Ok(())
}

async fn a_removal_and_a_registration_that_race_leave_no_orphan(bench: Bench) -> Checked {
    for n in 0..RACERS {
        let id = format!("t-{n}");
        made(&bench, tenant_save(&id, Expected::Absent)?).await?;
        let device = registration(device_of(&id, n)?);
        let gone = removal(&id, Expected::Present)?;
        let (registered, removed) = tokio::join!(
            bench.store.register(device),
            bench.store.remove_tenant(gone)
        );
        let here = bench.store.tenant(&tenant(&id)?).await?.is_some();
        match (registered?, removed?) {
            (RegisterOutcome::Created(_), TenantRemovalOutcome::NotEmpty) => {
                expect!(here, "a tenant with a device is gone");
            }
            (RegisterOutcome::NoSuchTenant, TenantRemovalOutcome::Removed) => {
                expect!(!here, "a removed tenant is there");
            }
            other => return Err(unexpected("one of two", &other)),
        }
    }
    Ok(())
}

async fn made(bench: &Bench, save: TenantSave) -> Result<u64, Failure> {
    let outcome = bench.store.save_tenant(save).await?;
    Ok(expect_match!(outcome, TenantOutcome::Saved { revision } => revision))
}

async fn news(bench: &Bench, since: Option<u64>) -> Result<TenantNews, Failure> {
    let news = bench.store.tenant_news(since).await?;
    news.ok_or_else(|| unexpected("news", &since))
}

async fn race(
    bench: &Bench,
    saves: impl Iterator<Item = Result<TenantSave, Failure>>,
) -> Result<Vec<TenantOutcome>, Failure> {
    let calls = saves
        .map(|save| {
            let (store, save) = (Arc::clone(&bench.store), save?);
            Ok(async move { store.save_tenant(save).await })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    all(calls).await
}

fn count_saved(outcomes: &[TenantOutcome]) -> usize {
    let saved = |one: &&TenantOutcome| matches!(one, TenantOutcome::Saved { .. });
    outcomes.iter().filter(saved).count()
}

fn with_alias(id: &str, alias: &str) -> Result<TenantSave, Failure> {
    let mut save = tenant_save(id, Expected::Absent)?;
    save.content.alias = Some(alias.to_owned());
    Ok(save)
}

fn trusting(
    id: &str,
    issuers: &[&PreparedName],
    group: Option<&str>,
) -> Result<TenantSave, Failure> {
    let mut save = tenant_save(id, Expected::Absent)?;
    save.content.issuers = issuers.iter().map(|name| (*name).clone()).collect();
    save.content.trust_anchor_group = group.map(str::to_owned);
    Ok(save)
}

fn removal(id: &str, expected: Expected) -> Result<TenantRemoval, Failure> {
    Ok(TenantRemoval {
        id: tenant(id)?,
        expected,
        actor: operator(),
        at: at(0),
    })
}

fn alias_taken(holder: &str) -> Result<TenantOutcome, Failure> {
    let holder = tenant(holder)?;
    Ok(TenantOutcome::AliasTaken { holder })
}

fn device_of(id: &str, n: u32) -> Result<NewDevice, Failure> {
    Ok(NewDevice {
        tenant: tenant(id)?,
        ..new(n)?
    })
}

fn name(text: &str) -> Result<PreparedName, Failure> {
    let name = DistinguishedName::parse(text).map_err(|error| Failure(error.to_string()))?;
    Ok(name.prepared())
}

fn unexpected_entries(entries: &[crate::store::AuditRecord]) -> Failure {
    unexpected("one entry", &entries)
}

async fn revocation_lists_are_a_change_of_their_tenant(bench: Bench) -> Checked {
    let list = |text: &str| CertificateRevocationListDer::from(text.as_bytes().to_vec());
    let (acme, nowhere) = (tenant("acme")?, tenant("nowhere")?);
    let before = bench.put_tenant("acme", true).await?;
    for (id, given, known) in [
        (&nowhere, vec![list("x")], false),
        (&acme, vec![list("a"), list("b")], true),
        (&acme, vec![list("c")], true),
    ] {
        let set = bench
            .store
            .set_revocation_lists(id, given.clone(), operator(), at(0));
        expect_eq!(set.await?, known);
        let stored = bench.store.revocation_lists(id).await?;
        expect_eq!(stored, if known { given } else { Vec::new() });
    }
    let news = bench.store.tenant_news(Some(before)).await?;
    let news = expect_match!(news, Some(news) => news);
    let changed: Vec<_> = news.changed.iter().map(|one| &one.id).collect();
    expect_eq!(changed, [&acme]);
    expect_eq!(news.revocation_lists.get(&acme), Some(&vec![list("c")]));
    let outcome = bench.store.create_or_adopt(Admission {
        policy: Some(PolicyRevision {
            tenant: acme.clone(),
            revision: before,
        }),
        ..queue(1)?
    });
    expect_eq!(outcome.await?, AdmissionOutcome::Outdated);
    // Saving the tenant leaves them, and removing it takes them along.
    bench.put_tenant("acme", false).await?;
    expect_eq!(bench.store.revocation_lists(&acme).await?, [list("c")]);
    let removal = TenantRemoval {
        id: acme.clone(),
        expected: Expected::Present,
        actor: operator(),
        at: at(0),
    };
    let outcome = bench.store.remove_tenant(removal).await?;
    expect_eq!(outcome, TenantRemovalOutcome::Removed);
    expect_eq!(bench.store.revocation_lists(&acme).await?, []);
    Ok(())
}
