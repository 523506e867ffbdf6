use gangplank_envelope::OnceKey;
use gangplank_onboarding::DeviceId;
use gangplank_trust::TenantId;
use rusqlite::{Connection, params};
use rustls_pki_types::UnixTime;

use super::fault::Fault;
use super::rows::{count, execute, integer, scalar, seconds};
use super::writer::Step;
use crate::store::{Actor, AuditEntry, OutboxEvent, Purged, action};

/// Consumes once keys. After `false` the caller undoes its step, and with it what was inserted.
///
/// A key that is not newer than the newest purged one may have been seen, so it counts as seen.
pub(super) fn consume(c: &Connection, keys: &[OnceKey], now: UnixTime) -> Result<bool, Fault> {
    for once in keys {
        let inserted = execute(
            c,
            "INSERT INTO once (key, until) SELECT ?1, ?2 \
             WHERE ?2 >= ?3 AND ?2 > (SELECT value FROM meta WHERE name = 'once_horizon') \
             ON CONFLICT (key) DO NOTHING",
            params![once.key, seconds(once.until), seconds(now)],
        )?;
        if inserted == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn consume_once(
    c: &Connection,
    keys: &[OnceKey],
    now: UnixTime,
) -> Result<Step<bool>, Fault> {
    Ok(match consume(c, keys, now)? {
        true => Step::Keep(true),
        false => Step::Undo(false),
    })
}

pub(super) fn append_audit(c: &Connection, entry: &AuditEntry) -> Result<Step<u64>, Fault> {
    execute(
        c,
        "INSERT INTO audit (at, actor, action, tenant, device, detail) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            seconds(entry.at),
            entry.actor.to_text(),
            entry.action,
            entry.tenant.as_ref().map(TenantId::as_str),
            entry.device.as_ref().map(DeviceId::as_str),
            entry.detail,
        ],
    )?;
    Ok(Step::Keep(count(c.last_insert_rowid())?))
}

/// Whom an entry is about and when it happened.
pub(super) struct About<'a> {
    pub(super) actor: Actor,
    pub(super) tenant: &'a TenantId,
    pub(super) device: &'a DeviceId,
    pub(super) at: UnixTime,
}

impl About<'_> {
    pub(super) fn audit(
        &self,
        c: &Connection,
        action: &'static str,
        detail: String,
    ) -> Result<(), Fault> {
        let entry = AuditEntry {
            at: self.at,
            actor: self.actor.clone(),
            action: action.into(),
            tenant: Some(self.tenant.clone()),
            device: Some(self.device.clone()),
            detail,
        };
        append_audit(c, &entry).map(drop)
    }

    pub(super) fn announce(
        &self,
        c: &Connection,
        event: OutboxEvent,
        detail: &str,
    ) -> Result<(), Fault> {
        execute(
            c,
            "INSERT INTO outbox (at, event, tenant, device, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                seconds(self.at),
                event.as_str(),
                self.tenant.as_str(),
                self.device.as_str(),
                detail
            ],
        )?;
        Ok(())
    }
}

pub(super) fn acknowledge_outbox(c: &Connection, through: u64) -> Result<Step<()>, Fault> {
    execute(c, "DELETE FROM outbox WHERE seq <= ?1", [integer(through)])?;
    Ok(Step::Keep(()))
}

pub(super) fn acknowledge_event(c: &Connection, seq: u64) -> Result<Step<()>, Fault> {
    execute(c, "DELETE FROM outbox WHERE seq = ?1", [integer(seq)])?;
    Ok(Step::Keep(()))
}

pub(super) fn set_notification_target(
    c: &Connection,
    tenant: &TenantId,
    target: Option<&str>,
    actor: Actor,
    at: UnixTime,
) -> Result<Step<bool>, Fault> {
    let exists = "SELECT 1 FROM tenant WHERE id = ?1";
    if scalar::<i64>(c, exists, [tenant.as_str()])?.is_none() {
        return Ok(Step::Undo(false));
    }
    match target {
        Some(target) => execute(
            c,
            "INSERT INTO notification (tenant, target) VALUES (?1, ?2) \
             ON CONFLICT (tenant) DO UPDATE SET target = ?2",
            params![tenant.as_str(), target],
        )?,
        None => execute(
            c,
            "DELETE FROM notification WHERE tenant = ?1",
            [tenant.as_str()],
        )?,
    };
    let entry = AuditEntry {
        at,
        actor,
        action: action::NOTIFICATION.into(),
        tenant: Some(tenant.clone()),
        device: None,
        detail: String::new(),
    };
    append_audit(c, &entry)?;
    Ok(Step::Keep(true))
}

pub(super) fn purge(c: &Connection, now: UnixTime) -> Result<Step<Purged>, Fault> {
    let now = seconds(now);
    let newest: Option<i64> =
        scalar(c, "SELECT max(until) FROM once WHERE until < ?1", [now])?.flatten();
    let mut purged = Purged::default();
    if let Some(newest) = newest {
        // Not `now`: a clock that is wrong for a moment must not make every later key stale.
        execute(
            c,
            "UPDATE meta SET value = max(value, ?1) WHERE name = 'once_horizon'",
            [newest],
        )?;
        purged.once = execute(c, "DELETE FROM once WHERE until < ?1", [now])? as u64;
    }
    purged.tokens = execute(c, "DELETE FROM token WHERE expires_at <= ?1", [now])? as u64;
    Ok(Step::Keep(purged))
}
