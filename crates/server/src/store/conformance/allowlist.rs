use std::sync::Arc;

use gangplank_allowlist::ImageDigest;

use super::fixture::*;
use super::races::{RACERS, all};
use super::{Checked, Failure};
use crate::store::{
    AllowedImage, AllowlistChange, AllowlistEdit, AllowlistHead, AllowlistOutcome, AllowlistQuery,
    DEFAULT_TENANT, Expected, TenantRemoval, action,
};

cases![
    a_list_is_empty_until_it_is_changed,
    an_image_is_added_once,
    something_else_can_be_said_of_an_image,
    what_was_said_of_an_image_stays_where_it_is_added_if_absent,
    an_image_that_is_not_there_is_removed_without_a_change,
    edits_are_made_in_their_order,
    a_list_changes_only_from_the_revision_that_is_expected,
    without_a_tenant_there_is_no_list,
    each_tenant_has_its_own_list,
    a_list_goes_with_its_tenant,
    images_are_listed_in_pages,
    a_changed_list_is_in_the_audit,
    a_list_is_there_after_reopening,
    racing_edits_all_count,
    of_racing_edits_of_one_revision_one_is_made,
];

async fn a_list_is_empty_until_it_is_changed(bench: Bench) -> Checked {
    expect_eq!(
        head(&bench, DEFAULT_TENANT).await?,
        Some(AllowlistHead::default())
    );
    expect_eq!(listed(&bench, DEFAULT_TENANT).await?, vec![]);
    expect_eq!(found(&bench, 1).await?, None);
    Ok(())
}

async fn an_image_is_added_once(bench: Bench) -> Checked {
    expect_eq!(edit(&bench, vec![add(1), add(2)]).await?, done(1, 2, 2, 0));
    expect_eq!(edit(&bench, vec![add(2), add(1)]).await?, done(1, 2, 0, 0));
    expect_eq!(found(&bench, 1).await?, Some(image(1)));
    expect_eq!(found(&bench, 3).await?, None);
    Ok(())
}

async fn something_else_can_be_said_of_an_image(bench: Bench) -> Checked {
    edit(&bench, vec![add(1)]).await?;
    let said = limited(1);
    let again = vec![AllowlistEdit::Add(said.clone())];
    expect_eq!(edit(&bench, again).await?, done(2, 1, 1, 0));
    expect_eq!(found(&bench, 1).await?, Some(said));
    expect_eq!(edit(&bench, vec![add(1)]).await?, done(3, 1, 1, 0));
    expect_eq!(found(&bench, 1).await?, Some(image(1)));
    Ok(())
}

async fn what_was_said_of_an_image_stays_where_it_is_added_if_absent(bench: Bench) -> Checked {
    let if_absent = |n| AllowlistEdit::AddIfAbsent(image(n));
    let said = limited(1);
    edit(&bench, vec![AllowlistEdit::Add(said.clone())]).await?;
    let audit = bench.audit().await?;
    expect_eq!(edit(&bench, vec![if_absent(1)]).await?, done(1, 1, 0, 0));
    expect_eq!(found(&bench, 1).await?, Some(said.clone()));
    expect_eq!(bench.audit().await?, audit);
    let both = vec![if_absent(1), if_absent(2), if_absent(2)];
    expect_eq!(edit(&bench, both).await?, done(2, 2, 1, 0));
    expect_eq!(found(&bench, 1).await?, Some(said));
    expect_eq!(found(&bench, 2).await?, Some(image(2)));
    let again = vec![remove(1), if_absent(1)];
    expect_eq!(edit(&bench, again).await?, done(3, 2, 1, 1));
    expect_eq!(found(&bench, 1).await?, Some(image(1)));
    Ok(())
}

async fn an_image_that_is_not_there_is_removed_without_a_change(bench: Bench) -> Checked {
    edit(&bench, vec![add(1)]).await?;
    expect_eq!(edit(&bench, vec![remove(2)]).await?, done(1, 1, 0, 0));
    expect_eq!(edit(&bench, vec![remove(1)]).await?, done(2, 0, 0, 1));
    expect_eq!(found(&bench, 1).await?, None);
    expect_eq!(
        edit(&bench, vec![AllowlistEdit::Clear]).await?,
        done(2, 0, 0, 0)
    );
    Ok(())
}

async fn edits_are_made_in_their_order(bench: Bench) -> Checked {
    edit(&bench, vec![add(1), add(2)]).await?;
    let replaced = vec![AllowlistEdit::Clear, add(3), add(4), remove(4)];
    expect_eq!(edit(&bench, replaced).await?, done(2, 1, 2, 3));
    expect_eq!(listed(&bench, DEFAULT_TENANT).await?, vec![image(3)]);
    Ok(())
}

async fn a_list_changes_only_from_the_revision_that_is_expected(bench: Bench) -> Checked {
    edit(&bench, vec![add(1)]).await?;
    let audit = bench.audit().await?;
    for expected in [
        Expected::Revision(0),
        Expected::Revision(2),
        Expected::Absent,
    ] {
        let change = AllowlistChange {
            expected,
            ..change(DEFAULT_TENANT, vec![AllowlistEdit::Clear])?
        };
        let outcome = bench.store.change_allowlist(change).await?;
        expect_eq!(outcome, AllowlistOutcome::Unexpected { current: 1 });
    }
    expect_eq!(listed(&bench, DEFAULT_TENANT).await?, vec![image(1)]);
    expect_eq!(bench.audit().await?, audit);
    Ok(())
}

async fn without_a_tenant_there_is_no_list(bench: Bench) -> Checked {
    expect_eq!(head(&bench, "acme").await?, None);
    let outcome = bench.store.change_allowlist(change("acme", vec![add(1)])?);
    expect_eq!(outcome.await?, AllowlistOutcome::NoSuchTenant);
    Ok(())
}

async fn each_tenant_has_its_own_list(bench: Bench) -> Checked {
    bench.put_tenant("acme", true).await?;
    edit(&bench, vec![add(1)]).await?;
    let outcome = bench.store.change_allowlist(change("acme", vec![add(2)])?);
    expect_eq!(outcome.await?, done(1, 1, 1, 0));
    expect_eq!(found(&bench, 2).await?, None);
    edit(&bench, vec![AllowlistEdit::Clear]).await?;
    expect_eq!(listed(&bench, "acme").await?, vec![image(2)]);
    Ok(())
}

async fn a_list_goes_with_its_tenant(bench: Bench) -> Checked {
    bench.put_tenant("acme", true).await?;
    bench
        .store
        .change_allowlist(change("acme", vec![add(1)])?)
        .await?;
    let removal = TenantRemoval {
        id: tenant("acme")?,
        expected: Expected::Present,
        actor: operator(),
        at: at(0),
    };
    bench.store.remove_tenant(removal).await?;
    expect_eq!(head(&bench, "acme").await?, None);
    bench.put_tenant("acme", true).await?;
    expect_eq!(head(&bench, "acme").await?, Some(AllowlistHead::default()));
    expect_eq!(listed(&bench, "acme").await?, vec![]);
    Ok(())
}

async fn images_are_listed_in_pages(bench: Bench) -> Checked {
    let mut images: Vec<AllowedImage> = (0..5).map(image).collect();
    edit(&bench, (0..5).map(add).collect()).await?;
    images.sort_by_key(|image| image.digest);
    let mut query = AllowlistQuery {
        tenant: tenant(DEFAULT_TENANT)?,
        after: None,
        limit: 2,
    };
    for page in images.chunks(2) {
        expect_eq!(images_of(&bench, &query).await?, page);
        query.after = page.last().map(|image| image.digest);
    }
    expect_eq!(images_of(&bench, &query).await?, vec![]);
    Ok(())
}

async fn a_changed_list_is_in_the_audit(bench: Bench) -> Checked {
    edit(&bench, vec![add(1), remove(2)]).await?;
    edit(&bench, vec![add(1)]).await?;
    let entries = bench.audit().await?;
    let [entry] = entries.as_slice() else {
        return Err(Failure(format!(
            "there are {} audit entries",
            entries.len()
        )));
    };
    expect_eq!(entry.entry.action, action::ALLOWLIST);
    expect_eq!(entry.entry.actor, operator());
    expect_eq!(entry.entry.tenant, Some(tenant(DEFAULT_TENANT)?));
    let named = image(1).digest.to_string();
    expect!(entry.entry.detail.contains(&named), "it names no image");
    Ok(())
}

async fn a_list_is_there_after_reopening(bench: Bench) -> Checked {
    edit(&bench, vec![add(1), add(2)]).await?;
    edit(&bench, vec![remove(1)]).await?;
    let bench = bench.reopen().await?;
    expect_eq!(listed(&bench, DEFAULT_TENANT).await?, vec![image(2)]);
    expect_eq!(edit(&bench, vec![add(3)]).await?, done(3, 2, 1, 0));
    Ok(())
}

async fn racing_edits_all_count(bench: Bench) -> Checked {
    race(&bench, Expected::Present).await?;
    let racers = RACERS as u64;
    let all_of_them = AllowlistHead {
        revision: racers,
        images: racers,
    };
    expect_eq!(head(&bench, DEFAULT_TENANT).await?, Some(all_of_them));
    expect_eq!(listed(&bench, DEFAULT_TENANT).await?.len(), RACERS as usize);
    Ok(())
}

async fn of_racing_edits_of_one_revision_one_is_made(bench: Bench) -> Checked {
    let outcomes = race(&bench, Expected::Revision(0)).await?;
    let made = outcomes.iter().filter(|one| **one == done(1, 1, 1, 0));
    expect_eq!(made.count(), 1);
    expect_eq!(listed(&bench, DEFAULT_TENANT).await?.len(), 1);
    Ok(())
}

fn image(n: u32) -> AllowedImage {
    AllowedImage::new(ImageDigest::from_bytes(bytes("image", n)))
}

/// With all that can be said of one.
fn limited(n: u32) -> AllowedImage {
    AllowedImage {
        not_before: Some(at(1)),
        expires: Some(at(2)),
        repository: Some("registry.example/app".to_owned()),
        owner: Some("line 3".to_owned()),
        reason: Some("the press needs it".to_owned()),
        ..image(n)
    }
}

fn add(n: u32) -> AllowlistEdit {
    AllowlistEdit::Add(image(n))
}

fn remove(n: u32) -> AllowlistEdit {
    AllowlistEdit::Remove(image(n).digest)
}

fn change(id: &str, edits: Vec<AllowlistEdit>) -> Result<AllowlistChange, Failure> {
    Ok(AllowlistChange {
        tenant: tenant(id)?,
        expected: Expected::Present,
        edits,
        actor: operator(),
        at: at(0),
    })
}

async fn edit(bench: &Bench, edits: Vec<AllowlistEdit>) -> Result<AllowlistOutcome, Failure> {
    let change = change(DEFAULT_TENANT, edits)?;
    Ok(bench.store.change_allowlist(change).await?)
}

/// Each of many adds an image of its own.
async fn race(bench: &Bench, expected: Expected) -> Result<Vec<AllowlistOutcome>, Failure> {
    let changes = (0..RACERS).map(|n| {
        let edits = vec![add(n)];
        let change = change(DEFAULT_TENANT, edits)?;
        Ok(AllowlistChange { expected, ..change })
    });
    let changes: Vec<AllowlistChange> = changes.collect::<Result<_, Failure>>()?;
    let calls = changes.into_iter().map(|change| {
        let store = Arc::clone(&bench.store);
        async move { store.change_allowlist(change).await }
    });
    all(calls).await
}

fn done(revision: u64, images: u64, added: u64, removed: u64) -> AllowlistOutcome {
    let head = AllowlistHead { revision, images };
    AllowlistOutcome::Done {
        head,
        added,
        removed,
    }
}

async fn head(bench: &Bench, id: &str) -> Result<Option<AllowlistHead>, Failure> {
    let page = bench.store.allowlist(&whole(id)?).await?;
    Ok(page.map(|page| page.head))
}

async fn found(bench: &Bench, n: u32) -> Result<Option<AllowedImage>, Failure> {
    let digest = image(n).digest;
    Ok(bench
        .store
        .allowed(&tenant(DEFAULT_TENANT)?, &digest)
        .await?)
}

async fn listed(bench: &Bench, id: &str) -> Result<Vec<AllowedImage>, Failure> {
    images_of(bench, &whole(id)?).await
}

async fn images_of(bench: &Bench, query: &AllowlistQuery) -> Result<Vec<AllowedImage>, Failure> {
    let page = bench.store.allowlist(query).await?;
    Ok(page.map_or(Vec::new(), |page| page.images))
}

fn whole(id: &str) -> Result<AllowlistQuery, Failure> {
    Ok(AllowlistQuery {
        tenant: tenant(id)?,
        after: None,
        limit: 1000,
    })
}
