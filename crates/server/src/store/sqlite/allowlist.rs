//! Which images may run, by tenant.

use gangplank_allowlist::ImageDigest;
use gangplank_trust::TenantId;
use rusqlite::{Connection, Params, Row, params};
use rustls_pki_types::UnixTime;

use super::apply_records::append_audit;
use super::apply_tenants::stored_revision;
use super::fault::Fault;
use super::rows::{self, count, execute, integer};
use super::writer::Step;
use crate::store::{
    AllowedImage, AllowlistChange, AllowlistEdit, AllowlistHead, AllowlistOutcome, AllowlistPage,
    AllowlistQuery, AuditEntry, MAX_ALLOWED_IMAGES, MAX_PAGE, action,
};

/// A `SELECT` of images as [`images`] reads them, with the rest of the statement.
macro_rules! select_image {
    ($rest:literal) => {
        concat!(
            "SELECT digest, not_before, expires, repository, owner, reason FROM allowed_image ",
            $rest
        )
    };
}

fn head(c: &Connection, tenant: &TenantId) -> Result<Option<AllowlistHead>, Fault> {
    if stored_revision(c, tenant)?.is_none() {
        return Ok(None);
    }
    let select = "SELECT revision, images FROM allowlist WHERE tenant = ?1";
    let mut statement = c.prepare_cached(select)?;
    let mut rows = statement.query([tenant.as_str()])?;
    Ok(Some(match rows.next()? {
        None => AllowlistHead::default(),
        Some(row) => AllowlistHead {
            revision: count(row.get(0)?)?,
            images: count(row.get(1)?)?,
        },
    }))
}

pub(super) fn allowed(
    c: &Connection,
    tenant: &TenantId,
    digest: &ImageDigest,
) -> Result<Option<AllowedImage>, Fault> {
    let select = select_image!("WHERE tenant = ?1 AND digest = ?2");
    let found = images(c, select, params![tenant.as_str(), digest.as_bytes()]);
    found.map(|mut found| found.pop())
}

pub(super) fn page(c: &Connection, query: &AllowlistQuery) -> Result<Option<AllowlistPage>, Fault> {
    let Some(head) = head(c, &query.tenant)? else {
        return Ok(None);
    };
    let tenant = query.tenant.as_str();
    let after: &[u8] = query.after.as_ref().map_or(&[], |digest| digest.as_bytes());
    let limit = query.limit.min(MAX_PAGE) as i64;
    let select = select_image!("WHERE tenant = ?1 AND digest > ?2 ORDER BY digest LIMIT ?3");
    let images = images(c, select, params![tenant, after, limit])?;
    Ok(Some(AllowlistPage { head, images }))
}

pub(super) fn change(
    c: &Connection,
    change: &AllowlistChange,
) -> Result<Step<AllowlistOutcome>, Fault> {
    let Some(before) = head(c, &change.tenant)? else {
        return Ok(Step::Undo(AllowlistOutcome::NoSuchTenant));
    };
    if !change.expected.is(before.revision) {
        let current = before.revision;
        return Ok(Step::Undo(AllowlistOutcome::Unexpected { current }));
    }
    let mut done = Done::default();
    for edit in &change.edits {
        done.edit(c, &change.tenant, edit)?;
    }
    let images = (before.images + done.new).saturating_sub(done.removed);
    let outcome = |head| AllowlistOutcome::Done {
        head,
        added: done.new + done.changed,
        removed: done.removed,
    };
    if images > MAX_ALLOWED_IMAGES {
        return Ok(Step::Undo(AllowlistOutcome::Full));
    }
    if done == Done::default() {
        return Ok(Step::Undo(outcome(before)));
    }
    let revision = before.revision + 1;
    let write = "INSERT INTO allowlist (tenant, revision, images) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET revision = ?2, images = ?3";
    let tenant = change.tenant.as_str();
    execute(
        c,
        write,
        params![tenant, integer(revision), integer(images)],
    )?;
    let head = AllowlistHead { revision, images };
    append_audit(c, &audit(change, head, &done))?;
    Ok(Step::Keep(outcome(head)))
}

/// How many images an edit concerned.
#[derive(Default, PartialEq)]
struct Done {
    new: u64,
    changed: u64,
    removed: u64,
}

impl Done {
    fn edit(
        &mut self,
        c: &Connection,
        tenant: &TenantId,
        edit: &AllowlistEdit,
    ) -> Result<(), Fault> {
        let id = tenant.as_str();
        match edit {
            AllowlistEdit::Clear => {
                let delete = "DELETE FROM allowed_image WHERE tenant = ?1";
                self.removed += execute(c, delete, [id])? as u64;
            }
            AllowlistEdit::Remove(digest) => {
                let delete = "DELETE FROM allowed_image WHERE tenant = ?1 AND digest = ?2";
                self.removed += execute(c, delete, params![id, digest.as_bytes()])? as u64;
            }
            AllowlistEdit::Add(image) | AllowlistEdit::AddIfAbsent(image) => {
                match allowed(c, tenant, &image.digest)? {
                    None => self.new += 1,
                    Some(_) if matches!(edit, AllowlistEdit::AddIfAbsent(_)) => return Ok(()),
                    Some(stored) if stored == *image => return Ok(()),
                    Some(_) => self.changed += 1,
                }
                write(c, id, image)?;
            }
        }
        Ok(())
    }
}

fn write(c: &Connection, tenant: &str, image: &AllowedImage) -> Result<(), Fault> {
    let seconds = |time: Option<UnixTime>| time.map(rows::seconds);
    let insert = "INSERT OR REPLACE INTO allowed_image \
                  (tenant, digest, not_before, expires, repository, owner, reason) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    execute(
        c,
        insert,
        params![
            tenant,
            image.digest.as_bytes(),
            seconds(image.not_before),
            seconds(image.expires),
            image.repository,
            image.owner,
            image.reason,
        ],
    )?;
    Ok(())
}

/// Names the first images that the change is about; a list of millions is not copied into the audit.
fn audit(change: &AllowlistChange, head: AllowlistHead, done: &Done) -> AuditEntry {
    let named = |edit: &AllowlistEdit| match edit {
        AllowlistEdit::Clear => None,
        AllowlistEdit::Add(image) | AllowlistEdit::AddIfAbsent(image) => {
            Some(format!("+{}", image.digest))
        }
        AllowlistEdit::Remove(digest) => Some(format!("-{digest}")),
    };
    let edits = change.edits.iter();
    let named: Vec<String> = edits.filter_map(named).take(NAMED).collect();
    AuditEntry {
        at: change.at,
        actor: change.actor.clone(),
        action: action::ALLOWLIST.into(),
        tenant: Some(change.tenant.clone()),
        device: None,
        detail: serde_json::json!({
            "revision": head.revision,
            "images": head.images,
            "added": done.new + done.changed,
            "removed": done.removed,
            "edits": named,
        })
        .to_string(),
    }
}

fn images(c: &Connection, select: &str, params: impl Params) -> Result<Vec<AllowedImage>, Fault> {
    let mut statement = c.prepare_cached(select)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(AllowedImage {
            digest: ImageDigest::from_bytes(row.get(0)?),
            not_before: time(row, 1)?,
            expires: time(row, 2)?,
            repository: row.get(3)?,
            owner: row.get(4)?,
            reason: row.get(5)?,
        });
    }
    Ok(found)
}

fn time(row: &Row<'_>, column: usize) -> Result<Option<UnixTime>, Fault> {
    let found: Option<i64> = row.get(column)?;
    found.map(rows::time).transpose()
}

/// Images that an audit entry names.
const NAMED: usize = 16;
