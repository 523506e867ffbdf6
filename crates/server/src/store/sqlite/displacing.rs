use gangplank_onboarding::DeviceId;
use gangplank_trust::StoredAuthId;
use rusqlite::Connection;
use rustls_pki_types::UnixTime;

use super::apply_records::About;
use super::certificate_rows::has_key;
use super::credential_rows::found_by_auth_id;
use super::device_rows as record;
use super::fault::Fault;
use super::read::{found_by_id, found_by_key};
use super::rows::Found;
use super::tombstones;
use crate::store::{Actor, Admission, Device, DeviceState, NewDevice, action};

/// What waits of a device that comes with a proven chain gives way to it: what waits under its
/// authentication id with another key, and what waits with its key elsewhere or under another id.
pub(super) fn give_way(
    c: &Connection,
    admission: &Admission,
    new: &NewDevice,
    auth_id: &StoredAuthId,
) -> Result<(), Fault> {
    let key = &new.certificate.spki_sha256;
    if let Some(found) = found_by_auth_id(c, &new.tenant, auth_id)?
        && waits(&found.device)
        && !has_key(&found.device, key)
    {
        remove_claim(c, &found, &Actor::Device, admission.at)?;
    }
    if let Some(found) = found_by_key(c, key)?
        && waits(&found.device)
        && !is_same(&found.device, new)
    {
        remove_claim(c, &found, &Actor::Device, admission.at)?;
    }
    Ok(())
}

/// A device that has the key is this one only under the same id in the same tenant.
pub(super) fn is_same(device: &Device, new: &NewDevice) -> bool {
    device.tenant == new.tenant && device.certificate_id == new.certificate.certificate_id
}

/// A stranger that claims a certificate id, waiting or turned away, has proven no right to it: it must
/// not keep away the device that does. Whether the id is free now.
pub(super) fn displace(
    c: &Connection,
    holder: Option<&DeviceId>,
    actor: &Actor,
    at: UnixTime,
) -> Result<bool, Fault> {
    let Some(holder) = holder else {
        return Ok(false);
    };
    match found_by_id(c, holder)? {
        Some(found) if !found.device.is_vouched_for() => {
            remove_claim(c, &found, actor, at)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

pub(super) fn waits(device: &Device) -> bool {
    device.state == DeviceState::Pending
}

pub(super) fn remove_claim(
    c: &Connection,
    found: &Found,
    actor: &Actor,
    at: UnixTime,
) -> Result<(), Fault> {
    if found.device.state == DeviceState::Rejected {
        // Its key was turned away, whatever it claims next.
        tombstones::bury(c, &found.device, at)?;
    }
    record::delete(c, found.number)?;
    let about = About {
        actor: actor.clone(),
        tenant: &found.device.tenant,
        device: &found.device.id,
        at,
    };
    about.audit(c, action::DISPLACED, String::new())
}
