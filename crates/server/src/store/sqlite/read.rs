use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_token::StoredSecret;
use gangplank_trust::TenantId;
use rusqlite::{Connection, ToSql, named_params, params};
use rustls_pki_types::UnixTime;

use super::fault::Fault;
use super::rows::{
    self, Found, count, integer, one_device, optional, parsed, seconds, select_device, time,
};
use crate::store::{
    Actor, AuditEntry, AuditRecord, DeploymentDocument, Device, DeviceQuery, Document, LiveToken,
    MAX_PAGE, OutboxEvent, OutboxRecord, TokenKind,
};

pub(super) fn found_by_id(c: &Connection, id: &DeviceId) -> Result<Option<Found>, Fault> {
    one_device(c, select_device!("WHERE d.id = ?1"), [id.as_str()])
}

pub(super) fn found_by_key(c: &Connection, spki_sha256: &[u8; 32]) -> Result<Option<Found>, Fault> {
    one_device(
        c,
        select_device!("JOIN device_key k ON k.device = d.number WHERE k.spki_sha256 = ?1"),
        [spki_sha256],
    )
}

pub(super) fn found_by_certificate_id(
    c: &Connection,
    tenant: &TenantId,
    id: &CertificateId,
) -> Result<Option<Found>, Fault> {
    let select = select_device!("WHERE d.certificate_id = ?1 AND d.tenant = ?2");
    one_device(c, select, [id.as_str(), tenant.as_str()])
}

pub(super) fn devices_by_certificate_id(
    c: &Connection,
    id: &CertificateId,
) -> Result<Vec<Device>, Fault> {
    let select = select_device!("WHERE d.certificate_id = ?1 ORDER BY d.tenant");
    Ok(plain(rows::devices(c, select, [id.as_str()])?))
}

pub(super) fn devices(c: &Connection, query: &DeviceQuery) -> Result<Vec<Device>, Fault> {
    let mut select = select_device!("WHERE d.id > :after").to_owned();
    let after = query.after.as_ref().map_or("", DeviceId::as_str);
    let limit = query.limit.map_or(MAX_PAGE, |limit| limit.min(MAX_PAGE)) as i64;
    let mut values: Vec<(&str, &dyn ToSql)> = vec![(":after", &after), (":limit", &limit)];
    let tenant = query.tenant.as_ref().map(TenantId::as_str);
    if tenant.is_some() {
        select.push_str(" AND d.tenant = :tenant");
        values.push((":tenant", &tenant));
    }
    let certificate_id = query.certificate_id.as_ref().map(CertificateId::as_str);
    if certificate_id.is_some() {
        select.push_str(" AND d.certificate_id = :certificate_id");
        values.push((":certificate_id", &certificate_id));
    }
    if let Some(state) = query.state {
        // Not a parameter: SQLite uses the index of waiting devices only for the literal.
        select.push_str(" AND d.state = '");
        select.push_str(state.as_str());
        select.push('\'');
    }
    select.push_str(" ORDER BY d.id LIMIT :limit");
    Ok(plain(rows::devices(c, &select, values.as_slice())?))
}

pub(super) fn device_by_token(
    c: &Connection,
    kind: TokenKind,
    token: &StoredSecret,
    now: UnixTime,
) -> Result<Option<LiveToken>, Fault> {
    let select = select_device!(
        "JOIN token k ON k.device = d.number WHERE k.hash = :hash AND k.kind = :kind \
         AND k.expires_at > :now AND d.state = 'aboard' AND d.disabled = 0 AND t.enabled = 1"
    );
    let values = named_params! {
        ":hash": token.as_bytes(), ":kind": kind.as_str(), ":now": seconds(now),
    };
    let Some(found) = one_device(c, select, values)? else {
        return Ok(None);
    };
    let expires_at: Option<i64> = rows::scalar(
        c,
        "SELECT expires_at FROM token WHERE hash = ?1 AND kind = ?2",
        params![token.as_bytes(), kind.as_str()],
    )?;
    let Some(expires_at) = expires_at else {
        return Ok(None);
    };
    Ok(Some(LiveToken {
        device: found.device,
        expires_at: time(expires_at)?,
    }))
}

pub(super) fn capabilities(c: &Connection, device: &DeviceId) -> Result<Option<Document>, Fault> {
    let mut statement = c.prepare_cached(
        "SELECT c.body, c.received_at FROM capabilities c \
         JOIN device d ON d.number = c.device WHERE d.id = ?1",
    )?;
    let mut rows = statement.query([device.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Document {
        body: row.get(0)?,
        received_at: time(row.get(1)?)?,
    }))
}

pub(super) fn statuses(
    c: &Connection,
    device: &DeviceId,
) -> Result<Vec<DeploymentDocument>, Fault> {
    let mut statement = c.prepare_cached(
        "SELECT s.deployment_id, s.body, s.received_at FROM deployment_status s \
         JOIN device d ON d.number = s.device WHERE d.id = ?1 ORDER BY s.deployment_id",
    )?;
    let mut rows = statement.query([device.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(DeploymentDocument {
            deployment_id: row.get(0)?,
            document: Document {
                body: row.get(1)?,
                received_at: time(row.get(2)?)?,
            },
        });
    }
    Ok(found)
}

pub(super) fn audit(c: &Connection, after: u64, limit: usize) -> Result<Vec<AuditRecord>, Fault> {
    let mut statement = c.prepare_cached(
        "SELECT seq, at, actor, action, tenant, device, detail FROM audit \
         WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = statement.query([integer(after), page(limit)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = AuditEntry {
            at: time(row.get(1)?)?,
            actor: parsed(row, 2, |text| Actor::parse(text).ok_or("no such actor"))?,
            action: row.get::<_, String>(3)?.into(),
            tenant: optional(row, 4, TenantId::parse)?,
            device: optional(row, 5, DeviceId::parse)?,
            detail: row.get(6)?,
        };
        found.push(AuditRecord {
            seq: count(row.get(0)?)?,
            entry,
        });
    }
    Ok(found)
}

pub(super) fn outbox(c: &Connection, after: u64, limit: usize) -> Result<Vec<OutboxRecord>, Fault> {
    let select = "SELECT seq, at, event, tenant, device, detail FROM outbox \
                  WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    events(c, select, params![integer(after), page(limit)])
}

pub(super) fn oldest_events(
    c: &Connection,
    after: Option<&TenantId>,
) -> Result<Vec<OutboxRecord>, Fault> {
    let select = "SELECT seq, at, event, tenant, device, detail FROM outbox \
                  WHERE seq IN (SELECT min(seq) FROM outbox WHERE tenant > ?1 GROUP BY tenant) \
                  ORDER BY tenant LIMIT ?2";
    let after = after.map_or("", TenantId::as_str);
    events(c, select, params![after, page(MAX_PAGE)])
}

fn events(
    c: &Connection,
    select: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<OutboxRecord>, Fault> {
    let mut statement = c.prepare_cached(select)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(OutboxRecord {
            seq: count(row.get(0)?)?,
            at: time(row.get(1)?)?,
            event: parsed(row, 2, |name| {
                OutboxEvent::parse(name).ok_or("no such event")
            })?,
            tenant: parsed(row, 3, TenantId::parse)?,
            device: parsed(row, 4, DeviceId::parse)?,
            detail: row.get(5)?,
        });
    }
    Ok(found)
}

pub(super) fn notification_target(
    c: &Connection,
    tenant: &TenantId,
) -> Result<Option<String>, Fault> {
    let select = "SELECT target FROM notification WHERE tenant = ?1";
    rows::scalar(c, select, [tenant.as_str()])
}

fn plain(found: Vec<Found>) -> Vec<Device> {
    found.into_iter().map(|found| found.device).collect()
}

fn page(limit: usize) -> i64 {
    limit.min(MAX_PAGE) as i64
}
