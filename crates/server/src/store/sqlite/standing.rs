use gangplank_onboarding::DeviceId;
use gangplank_trust::{Quotas, StoredAuthId, TenantId};
use rusqlite::{Connection, params};

use super::fault::Fault;
use super::rows::{count, optional, scalar};
use super::tombstones::Part;
use crate::store::{Conflict, Inadmissible, NewDevice};

/// What stands in the way of a new device.
pub(super) struct Standing {
    /// Absent if there is no such tenant.
    pub(super) tenant_enabled: Option<bool>,
    /// The key or the authentication id was removed.
    pub(super) removed: bool,
    /// The certificate id was removed.
    pub(super) id_removed: bool,
    /// The device that has the certificate id.
    pub(super) holder: Option<DeviceId>,
    device_id_taken: bool,
}

impl Standing {
    pub(super) fn of(
        c: &Connection,
        new: &NewDevice,
        auth_id: Option<&StoredAuthId>,
    ) -> Result<Self, Fault> {
        let certificate_id = new.certificate.certificate_id.as_ref();
        let mut statement = c.prepare_cached(
            "SELECT (SELECT enabled FROM tenant WHERE id = ?1), \
             (SELECT id FROM device WHERE certificate_id = ?2 AND tenant = ?1), \
             EXISTS (SELECT 1 FROM device WHERE id = ?3)",
        )?;
        let mut rows = statement.query(params![
            new.tenant.as_str(),
            certificate_id.map(gangplank_key::CertificateId::as_str),
            new.device_id.as_str(),
        ])?;
        let row = rows
            .next()?
            .ok_or_else(|| Fault::corrupt("a question without an answer"))?;
        let key = [Part::Key(&new.certificate.spki_sha256)];
        let auth_id = auth_id.into_iter().flat_map(Part::of_auth_id);
        Ok(Self {
            tenant_enabled: row.get(0)?,
            removed: removed(c, &new.tenant, key.into_iter().chain(auth_id))?.is_some(),
            id_removed: removed(c, &new.tenant, certificate_id.map(Part::CertificateId))?.is_some(),
            holder: optional(row, 1, DeviceId::parse)?,
            device_id_taken: row.get(2)?,
        })
    }

    pub(super) fn conflict(&self) -> Option<Conflict> {
        match &self.holder {
            Some(holder) => Some(Conflict::CertificateIdTaken {
                holder: holder.clone(),
            }),
            None if self.device_id_taken => Some(Conflict::DeviceIdTaken),
            None => None,
        }
    }
}

/// What the device was called that had the first of these parts of an identity that was removed.
pub(super) fn removed<'p>(
    c: &Connection,
    tenant: &TenantId,
    parts: impl IntoIterator<Item = Part<'p>>,
) -> Result<Option<DeviceId>, Fault> {
    for part in parts {
        if let Some(device) = part.removed(c, tenant)? {
            return Ok(Some(device));
        }
    }
    Ok(None)
}

/// Which quota leaves no room for one device more.
pub(super) fn full(
    c: &Connection,
    tenant: &TenantId,
    anchor: Option<&str>,
    quotas: Quotas,
) -> Result<Option<Inadmissible>, Fault> {
    if let Some((max, anchor)) = quotas.of_anchor.zip(anchor)
        && of_anchor(c, tenant, anchor)? >= max
    {
        return Ok(Some(Inadmissible::AnchorQuota));
    }
    Ok(match quotas.of_tenant {
        Some(max) if of_tenant(c, tenant)? >= max => Some(Inadmissible::TenantQuota),
        _ => None,
    })
}

/// How many devices an anchor provisioned.
pub(super) fn of_anchor(c: &Connection, tenant: &TenantId, anchor: &str) -> Result<u64, Fault> {
    let select = "SELECT count(*) FROM device WHERE tenant = ?1 AND anchor_id = ?2";
    let found: Option<i64> = scalar(c, select, [tenant.as_str(), anchor])?;
    count(found.unwrap_or_default())
}

/// How many devices a tenant has. Who waits, or merely claims an id, is no device yet: strangers must not
/// fill a tenant.
pub(super) fn of_tenant(c: &Connection, tenant: &TenantId) -> Result<u64, Fault> {
    let select = "SELECT count(*) FROM device WHERE tenant = ?1 \
                  AND voucher <> 'nobody' AND state <> 'pending'";
    let found: Option<i64> = scalar(c, select, [tenant.as_str()])?;
    count(found.unwrap_or_default())
}
