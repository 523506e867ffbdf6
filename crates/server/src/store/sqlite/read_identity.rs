use rusqlite::Connection;

use super::certificate_rows::has_key;
use super::credential_rows::found_by_auth_id;
use super::displacing::waits;
use super::fault::Fault;
use super::read::{found_by_certificate_id, found_by_id, found_by_key};
use super::standing::{of_anchor, of_tenant, removed};
use super::tombstones::Part;
use crate::store::{Device, DeviceState, Identity, IdentityQuery};

pub(super) fn identity(c: &Connection, query: &IdentityQuery) -> Result<Identity, Fault> {
    let tenant = &query.tenant;
    let device = device(c, query)?;
    let removed = match &device {
        Some(device) if !waits(device) => None,
        // Waiting under another name lifts no removal.
        _ => {
            let auth_id = Part::of_auth_id(&query.auth_id);
            let id = query.certificate_id.as_ref().map(Part::CertificateId);
            let key = query.spki_sha256.as_ref().map(Part::Key);
            removed(c, tenant, auth_id.chain(id).chain(key))?
        }
    };
    let device = device.filter(|_| removed.is_none());
    let holder_of_device_id = match &query.device_id {
        Some(id) => found_by_id(c, id)?.map(|found| found.device),
        None => None,
    };
    let limited_anchor = query.anchor_id.as_deref().zip(query.quotas.of_anchor);
    Ok(Identity {
        device,
        removed,
        holder_of_device_id,
        provisioned_by_anchor: match limited_anchor {
            Some((anchor, _)) => of_anchor(c, tenant, anchor)?,
            None => 0,
        },
        devices_in_tenant: match query.quotas.of_tenant {
            Some(_) => of_tenant(c, tenant)?,
            None => 0,
        },
    })
}

fn device(c: &Connection, query: &IdentityQuery) -> Result<Option<Device>, Fault> {
    if let Some(found) = found_by_auth_id(c, &query.tenant, &query.auth_id)? {
        return Ok(Some(found.device));
    }
    let key = query.spki_sha256.as_ref();
    if let Some(id) = &query.certificate_id
        && let Some(found) = found_by_certificate_id(c, &query.tenant, id)?
        // Who only claims the id is no reason to keep away the one whom an anchor vouches for.
        && (found.device.is_vouched_for() || key.is_some_and(|key| has_key(&found.device, key)))
    {
        return Ok(Some(found.device));
    }
    let Some(found) = key.map(|key| found_by_key(c, key)).transpose()?.flatten() else {
        return Ok(None);
    };
    // A stranger that waits under another id or elsewhere gives way to itself.
    let same =
        found.device.tenant == query.tenant && found.device.certificate_id == query.certificate_id;
    let counts = same || found.device.state != DeviceState::Pending;
    Ok(counts.then_some(found.device))
}
