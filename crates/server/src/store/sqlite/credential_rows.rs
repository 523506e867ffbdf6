use gangplank_onboarding::DeviceId;
use gangplank_trust::{PreparedName, StoredAuthId, TenantId};
use rusqlite::{Connection, params};

use super::device_rows::json_of;
use super::fault::Fault;
use super::rows::{Found, execute, one_device, parsed, select_device};
use crate::store::{Credential, Device};

/// The tenant's device that has an authentication id: by its text, else by its name.
pub(super) fn found_by_auth_id(
    c: &Connection,
    tenant: &TenantId,
    auth_id: &StoredAuthId,
) -> Result<Option<Found>, Fault> {
    let (tenant, text) = (tenant.as_str(), auth_id.as_str());
    let by_text = select_device!(
        "JOIN credential k ON k.device = d.number WHERE k.tenant = ?1 AND k.auth_id = ?2"
    );
    let found = one_device(c, by_text, params![tenant, text])?;
    let Some(name) = auth_id.prepared_name().filter(|_| found.is_none()) else {
        return Ok(found);
    };
    let by_name = select_device!(
        "JOIN credential k ON k.device = d.number WHERE k.tenant = ?1 AND k.name = ?2"
    );
    one_device(c, by_name, params![tenant, name.as_bytes()])
}

/// The device that has one of the credentials, other than this one.
pub(super) fn holder(
    c: &Connection,
    tenant: &TenantId,
    device: i64,
    auth_id: &StoredAuthId,
) -> Result<Option<DeviceId>, Fault> {
    let mut statement = c.prepare_cached(
        "SELECT d.id FROM credential k JOIN device d ON d.number = k.device \
         WHERE k.tenant = ?1 AND k.device <> ?2 AND (k.auth_id = ?3 OR k.name = ?4)",
    )?;
    let name = auth_id.prepared_name().map(PreparedName::as_bytes);
    let mut rows = statement.query(params![tenant.as_str(), device, auth_id.as_str(), name])?;
    let row = rows.next()?;
    row.map(|row| parsed(row, 0, DeviceId::parse)).transpose()
}

/// Gives the device these credentials and no others. Each must be free in its tenant.
pub(super) fn set(
    c: &Connection,
    number: i64,
    device: &mut Device,
    credentials: &[Credential],
) -> Result<(), Fault> {
    execute(c, "DELETE FROM credential WHERE device = ?1", [number])?;
    for one in credentials {
        execute(
            c,
            "INSERT INTO credential (device, tenant, auth_id, name, template_values, document) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                number,
                device.tenant.as_str(),
                one.auth_id.as_str(),
                one.auth_id.prepared_name().map(PreparedName::as_bytes),
                one.auth_id.template_values().map(json_of),
                one.document,
            ],
        )?;
    }
    device.credentials = credentials.to_vec();
    Ok(())
}
