use gangplank_trust::TenantId;
use rusqlite::{Connection, params};
use rustls_pki_types::{CertificateRevocationListDer, UnixTime};

use super::apply_records::append_audit;
use super::fault::Fault;
use super::rows::{count, execute, integer, parsed, scalar};
use super::writer::Step;
use crate::store::{
    Actor, AuditEntry, Expected, TenantContent, TenantOutcome, TenantRemoval, TenantRemovalOutcome,
    TenantSave, action,
};

pub(super) fn save_tenant(c: &Connection, save: &TenantSave) -> Result<Step<TenantOutcome>, Fault> {
    let stored = stored_revision(c, &save.id)?;
    let action = match (stored, save.expected) {
        (None, Expected::Absent) => action::TENANT_CREATED,
        (None, _) => return Ok(Step::Undo(TenantOutcome::NotFound)),
        (Some(current), expected) if !expected.is(current) => {
            return Ok(Step::Undo(TenantOutcome::Unexpected { current }));
        }
        (Some(_), _) => action::TENANT_CHANGED,
    };
    if let Some(taken) = taken(c, save)? {
        return Ok(Step::Undo(taken));
    }
    let revision = next_revision(c)?;
    write(c, save, revision)?;
    let detail = serde_json::json!({
        "enabled": save.content.enabled,
        "policyRevision": revision,
    });
    audit(c, &save.id, &save.actor, save.at, action, &detail)?;
    Ok(Step::Keep(TenantOutcome::Saved { revision }))
}

pub(super) fn remove_tenant(
    c: &Connection,
    removal: &TenantRemoval,
) -> Result<Step<TenantRemovalOutcome>, Fault> {
    let Some(current) = stored_revision(c, &removal.id)? else {
        return Ok(Step::Undo(TenantRemovalOutcome::NotFound));
    };
    if !removal.expected.is(current) {
        let unexpected = TenantRemovalOutcome::Unexpected { current };
        return Ok(Step::Undo(unexpected));
    }
    let id = removal.id.as_str();
    let device = scalar::<i64>(c, "SELECT 1 FROM device WHERE tenant = ?1 LIMIT 1", [id])?;
    if device.is_some() {
        return Ok(Step::Undo(TenantRemovalOutcome::NotEmpty));
    }
    execute(c, "DELETE FROM tombstone WHERE tenant = ?1", [id])?;
    execute(c, "DELETE FROM tenant WHERE id = ?1", [id])?;
    // Who holds an older revision sees that something changed.
    let revision = next_revision(c)?;
    let detail = serde_json::json!({ "policyRevision": revision });
    let (actor, at) = (&removal.actor, removal.at);
    audit(c, &removal.id, actor, at, action::TENANT_REMOVED, &detail)?;
    Ok(Step::Keep(TenantRemovalOutcome::Removed))
}

pub(super) fn set_revocation_lists(
    c: &Connection,
    tenant: &TenantId,
    lists: &[CertificateRevocationListDer<'static>],
    actor: &Actor,
    at: UnixTime,
) -> Result<Step<bool>, Fault> {
    let id = tenant.as_str();
    if stored_revision(c, tenant)?.is_none() {
        return Ok(Step::Undo(false));
    }
    execute(c, "DELETE FROM revocation_list WHERE tenant = ?1", [id])?;
    for list in lists {
        let insert = "INSERT INTO revocation_list (tenant, der) VALUES (?1, ?2)";
        execute(c, insert, params![id, list.as_ref()])?;
    }
    let revision = next_revision(c)?;
    let update = "UPDATE tenant SET policy_revision = ?2 WHERE id = ?1";
    execute(c, update, params![id, integer(revision)])?;
    let detail = serde_json::json!({ "lists": lists.len(), "policyRevision": revision });
    audit(c, tenant, actor, at, action::REVOCATION_LISTS, &detail)?;
    Ok(Step::Keep(true))
}

/// The revision of a tenant, if there is one of that id.
pub(super) fn stored_revision(c: &Connection, id: &TenantId) -> Result<Option<u64>, Fault> {
    let select = "SELECT policy_revision FROM tenant WHERE id = ?1";
    scalar(c, select, [id.as_str()])?.map(count).transpose()
}

/// What another tenant has that this one asks for.
fn taken(c: &Connection, save: &TenantSave) -> Result<Option<TenantOutcome>, Fault> {
    let (id, content) = (save.id.as_str(), &save.content);
    // Whoever looks a tenant up by one text finds one tenant.
    let mut statement = c.prepare_cached(HOLDER_OF_ALIAS)?;
    let mut rows = statement.query(params![id, content.alias])?;
    if let Some(row) = rows.next()? {
        let holder = parsed(row, 0, TenantId::parse)?;
        return Ok(Some(TenantOutcome::AliasTaken { holder }));
    }
    // All others that have a name are of one group, so any of them answers for all.
    let mut statement = c.prepare_cached(HOLDER_OF_ISSUER)?;
    for issuer in &content.issuers {
        let mut rows = statement.query(params![issuer.as_bytes(), id])?;
        let Some(row) = rows.next()? else { continue };
        let group: Option<String> = row.get(1)?;
        if group.is_none() || group != content.trust_anchor_group {
            return Ok(Some(TenantOutcome::IssuerTaken {
                issuer: issuer.clone(),
                holder: parsed(row, 0, TenantId::parse)?,
            }));
        }
    }
    Ok(None)
}

fn write(c: &Connection, save: &TenantSave, revision: u64) -> Result<(), Fault> {
    let TenantContent {
        enabled,
        alias,
        issuers,
        trust_anchor_group,
        document,
    } = &save.content;
    let id = save.id.as_str();
    execute(
        c,
        "INSERT INTO tenant (id, enabled, policy_revision, alias, document) \
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE \
         SET enabled = ?2, policy_revision = ?3, alias = ?4, document = ?5",
        params![id, enabled, integer(revision), alias, document],
    )?;
    execute(c, "DELETE FROM tenant_issuer WHERE tenant = ?1", [id])?;
    for issuer in issuers {
        execute(
            c,
            "INSERT INTO tenant_issuer (name, tenant, trust_anchor_group) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO NOTHING",
            params![issuer.as_bytes(), id, trust_anchor_group],
        )?;
    }
    Ok(())
}

fn next_revision(c: &Connection) -> Result<u64, Fault> {
    let next: Option<i64> = scalar(
        c,
        "UPDATE meta SET value = value + 1 WHERE name = 'tenant_revision' RETURNING value",
        [],
    )?;
    count(next.ok_or_else(|| Fault::corrupt("the revision of tenants is missing"))?)
}

fn audit(
    c: &Connection,
    tenant: &TenantId,
    actor: &Actor,
    at: UnixTime,
    action: &'static str,
    detail: &serde_json::Value,
) -> Result<(), Fault> {
    let entry = AuditEntry {
        at,
        actor: actor.clone(),
        action: action.into(),
        tenant: Some(tenant.clone()),
        device: None,
        detail: detail.to_string(),
    };
    append_audit(c, &entry).map(drop)
}

/// The tenant other than ?1 that is called ?1 or ?2.
pub(super) const HOLDER_OF_ALIAS: &str = "SELECT id FROM tenant WHERE id <> ?1 AND alias IN (?1, ?2) \
     UNION ALL SELECT id FROM tenant WHERE id = ?2 AND id <> ?1 LIMIT 1";

/// A tenant other than ?2 that has the name ?1.
pub(super) const HOLDER_OF_ISSUER: &str = "SELECT tenant, trust_anchor_group FROM tenant_issuer \
     WHERE name = ?1 AND tenant <> ?2 LIMIT 1";
