use std::collections::BTreeMap;

use gangplank_trust::TenantId;
use rusqlite::{Connection, Params, params};
use rustls_pki_types::CertificateRevocationListDer;

use super::fault::Fault;
use super::rows::{count, integer, parsed, scalar};
use crate::store::{MAX_PAGE, TenantNews, TenantQuery, TenantRecord};

/// A `SELECT` of tenants as [`records`] reads them, with the rest of the statement.
macro_rules! select_tenant {
    ($rest:literal) => {
        concat!(
            "SELECT id, enabled, policy_revision, document FROM tenant ",
            $rest
        )
    };
}

pub(super) fn tenant(c: &Connection, id: &TenantId) -> Result<Option<TenantRecord>, Fault> {
    let found = records(c, select_tenant!("WHERE id = ?1"), [id.as_str()]);
    found.map(|mut found| found.pop())
}

pub(super) fn tenants(c: &Connection, query: &TenantQuery) -> Result<Vec<TenantRecord>, Fault> {
    let after = query.after.as_ref().map_or("", TenantId::as_str);
    let limit = query.limit.map_or(MAX_PAGE, |limit| limit.min(MAX_PAGE)) as i64;
    let select = select_tenant!("WHERE id > ?1 ORDER BY id LIMIT ?2");
    records(c, select, params![after, limit])
}

/// The revision of the newest change of any tenant.
pub(super) fn newest_revision(c: &Connection) -> Result<u64, Fault> {
    let select = "SELECT value FROM meta WHERE name = 'tenant_revision'";
    let revision: Option<i64> = scalar(c, select, [])?;
    count(revision.ok_or_else(|| Fault::corrupt("the revision of tenants is missing"))?)
}

pub(super) fn tenant_news(c: &Connection, since: Option<u64>) -> Result<Option<TenantNews>, Fault> {
    let revision = newest_revision(c)?;
    if since == Some(revision) {
        return Ok(None);
    }
    let mut statement = c.prepare_cached("SELECT id FROM tenant ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut present = Vec::new();
    while let Some(row) = rows.next()? {
        present.push(parsed(row, 0, TenantId::parse)?);
    }
    let since = since.map_or(-1, integer);
    let changed = select_tenant!("WHERE policy_revision > ?1 ORDER BY id");
    Ok(Some(TenantNews {
        revision,
        present,
        changed: records(c, changed, [since])?,
        revocation_lists: lists_since(c, since)?,
    }))
}

fn lists_since(
    c: &Connection,
    since: i64,
) -> Result<BTreeMap<TenantId, Vec<CertificateRevocationListDer<'static>>>, Fault> {
    let mut statement = c.prepare_cached(
        "SELECT t.id, l.der FROM revocation_list l JOIN tenant t ON t.id = l.tenant \
         WHERE t.policy_revision > ?1 ORDER BY l.number",
    )?;
    let mut rows = statement.query([since])?;
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let lists = found.entry(parsed(row, 0, TenantId::parse)?).or_default();
        lists.push(row.get::<_, Vec<u8>>(1)?.into());
    }
    Ok(found)
}

pub(super) fn revocation_lists(
    c: &Connection,
    tenant: &TenantId,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Fault> {
    let select = "SELECT der FROM revocation_list WHERE tenant = ?1 ORDER BY number";
    let mut statement = c.prepare_cached(select)?;
    let mut rows = statement.query([tenant.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row.get::<_, Vec<u8>>(0)?.into());
    }
    Ok(found)
}

fn records(c: &Connection, select: &str, params: impl Params) -> Result<Vec<TenantRecord>, Fault> {
    let mut statement = c.prepare_cached(select)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(TenantRecord {
            id: parsed(row, 0, TenantId::parse)?,
            enabled: row.get(1)?,
            policy_revision: count(row.get(2)?)?,
            document: row.get(3)?,
        });
    }
    Ok(found)
}
