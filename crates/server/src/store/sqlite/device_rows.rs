use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_token::ClientId;
use gangplank_trust::TenantId;
use rusqlite::{Connection, named_params};
use rustls_pki_types::UnixTime;

use super::certificate_rows::{certificate, insert_certificate};
use super::fault::Fault;
use super::rows::{execute, integer, scalar, seconds};
use crate::store::{Described, Device, DeviceState, NewDevice, Voucher};

/// The record of a device that the store does not have yet, and that nobody vouches for so far.
pub(super) fn fresh(new: &NewDevice, state: DeviceState, at: UnixTime) -> Device {
    Device {
        certificate_id: new.certificate.certificate_id.clone(),
        certificates: vec![certificate(&new.certificate, at)],
        voucher: Voucher::Nobody,
        ..bare(&new.tenant, &new.device_id, state, at)
    }
}

/// The record of one that has come with nothing yet: an anchor has to stand behind what it comes with.
pub(super) fn bare(tenant: &TenantId, id: &DeviceId, state: DeviceState, at: UnixTime) -> Device {
    Device {
        id: id.clone(),
        tenant: tenant.clone(),
        certificate_id: None,
        state,
        disabled: false,
        voucher: Voucher::Anchor,
        revision: 1,
        client_id: None,
        anchor_id: None,
        policy_revision: None,
        origin: None,
        credentials: Vec::new(),
        device_id_values: Vec::new(),
        registration: "{}".to_owned(),
        described: Described::default(),
        certificates: Vec::new(),
        created_at: at,
        updated_at: at,
        aboard_at: None,
    }
}

/// Writes a new device with its keys and certificates; its number. Credentials are written by
/// [`set`](super::credential_rows::set).
pub(super) fn insert(c: &Connection, device: &Device) -> Result<i64, Fault> {
    let origin = device.origin.as_ref();
    c.prepare_cached(
        "INSERT INTO device (id, tenant, certificate_id, state, disabled, revision, client_id, \
         anchor_id, policy_revision, vendor, model_number, serial_number, created_at, updated_at, \
         aboard_at, origin_anchor_spki_sha256, origin_certificate_sha256, origin_spki_sha256, \
         origin_serial_number, origin_issuer, id_values, registration, voucher) \
         VALUES (:id, :tenant, :certificate_id, :state, :disabled, :revision, \
         :client_id, :anchor_id, :policy_revision, :vendor, :model_number, :serial_number, \
         :created_at, :updated_at, :aboard_at, :origin_anchor, :origin_certificate, :origin_key, \
         :origin_serial_number, :origin_issuer, :id_values, :registration, :voucher)",
    )?
    .execute(named_params! {
        ":id": device.id.as_str(),
        ":tenant": device.tenant.as_str(),
        ":certificate_id": device.certificate_id.as_ref().map(CertificateId::as_str),
        ":state": device.state.as_str(),
        ":disabled": device.disabled,
        ":revision": integer(device.revision),
        ":client_id": device.client_id.as_ref().map(ClientId::as_str),
        ":anchor_id": device.anchor_id,
        ":policy_revision": device.policy_revision.map(integer),
        ":vendor": device.described.vendor,
        ":model_number": device.described.model_number,
        ":serial_number": device.described.serial_number,
        ":created_at": seconds(device.created_at),
        ":updated_at": seconds(device.updated_at),
        ":aboard_at": device.aboard_at.map(seconds),
        ":origin_anchor": origin.map(|one| one.anchor_spki_sha256),
        ":origin_certificate": origin.map(|one| one.certificate_sha256),
        ":origin_key": origin.map(|one| one.spki_sha256),
        ":origin_serial_number": origin.map(|one| &one.serial_number),
        ":origin_issuer": origin.map(|one| &one.issuer),
        ":id_values": json_of(&device.device_id_values),
        ":registration": device.registration,
        ":voucher": device.voucher.as_str(),
    })?;
    let number = c.last_insert_rowid();
    for one in &device.certificates {
        insert_certificate(c, number, one)?;
    }
    Ok(number)
}

/// Writes back what may change of a device, as its next revision.
pub(super) fn save(
    c: &Connection,
    number: i64,
    device: &mut Device,
    at: UnixTime,
) -> Result<(), Fault> {
    device.revision = device.revision.saturating_add(1);
    device.updated_at = at;
    let origin = device.origin.as_ref();
    c.prepare_cached(
        "UPDATE device SET certificate_id = :certificate_id, state = :state, \
         disabled = :disabled, revision = :revision, \
         client_id = :client_id, anchor_id = :anchor_id, policy_revision = :policy_revision, \
         vendor = :vendor, model_number = :model_number, serial_number = :serial_number, \
         updated_at = :updated_at, aboard_at = :aboard_at, \
         origin_anchor_spki_sha256 = :origin_anchor, \
         origin_certificate_sha256 = :origin_certificate, origin_spki_sha256 = :origin_key, \
         origin_serial_number = :origin_serial_number, origin_issuer = :origin_issuer, \
         id_values = :id_values, registration = :registration, voucher = :voucher \
         WHERE number = :number",
    )?
    .execute(named_params! {
        ":number": number,
        ":certificate_id": device.certificate_id.as_ref().map(CertificateId::as_str),
        ":state": device.state.as_str(),
        ":disabled": device.disabled,
        ":revision": integer(device.revision),
        ":client_id": device.client_id.as_ref().map(ClientId::as_str),
        ":anchor_id": device.anchor_id,
        ":policy_revision": device.policy_revision.map(integer),
        ":vendor": device.described.vendor,
        ":model_number": device.described.model_number,
        ":serial_number": device.described.serial_number,
        ":updated_at": seconds(device.updated_at),
        ":aboard_at": device.aboard_at.map(seconds),
        ":origin_anchor": origin.map(|one| one.anchor_spki_sha256),
        ":origin_certificate": origin.map(|one| one.certificate_sha256),
        ":origin_key": origin.map(|one| one.spki_sha256),
        ":origin_serial_number": origin.map(|one| &one.serial_number),
        ":origin_issuer": origin.map(|one| &one.issuer),
        ":id_values": json_of(&device.device_id_values),
        ":registration": device.registration,
        ":voucher": device.voucher.as_str(),
    })?;
    Ok(())
}

/// Deletes a device and, through its foreign keys, everything it has.
pub(super) fn delete(c: &Connection, number: i64) -> Result<(), Fault> {
    execute(c, "DELETE FROM device WHERE number = ?1", [number])?;
    Ok(())
}

pub(super) fn client_id_taken(c: &Connection, id: &ClientId) -> Result<bool, Fault> {
    let taken: Option<i64> = scalar(
        c,
        "SELECT 1 FROM device WHERE client_id = ?1",
        [id.as_str()],
    )?;
    Ok(taken.is_some())
}

/// A list of texts as the JSON that columns have.
pub(super) fn json_of(values: &[String]) -> String {
    serde_json::json!(values).to_string()
}
