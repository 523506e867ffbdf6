use gangplank_onboarding::DeviceId;
use gangplank_token::ClientId;
use gangplank_trust::TenantId;
use rusqlite::{Connection, named_params, params};
use rustls_pki_types::UnixTime;

use super::fault::Fault;
use super::rows::{execute, integer, optional, scalar, seconds};
use crate::store::{Conflict, Described, Device, DeviceCertificate, DeviceState, NewDevice};

/// The record of a device that the store does not have yet.
pub(super) fn fresh(new: &NewDevice, state: DeviceState, at: UnixTime) -> Device {
    Device {
        id: new.device_id.clone(),
        tenant: new.tenant.clone(),
        certificate_id: new.certificate_id.clone(),
        state,
        disabled: false,
        revision: 1,
        client_id: None,
        anchor_id: None,
        policy_revision: None,
        origin: None,
        auth_id: None,
        described: Described::default(),
        certificates: vec![certificate(new, at)],
        created_at: at,
        updated_at: at,
        aboard_at: None,
    }
}

/// Writes a new device with its key and certificate; its number.
pub(super) fn insert(c: &Connection, device: &Device) -> Result<i64, Fault> {
    let (origin, auth_id) = (device.origin.as_ref(), device.auth_id.as_ref());
    c.prepare_cached(
        "INSERT INTO device (id, tenant, certificate_id, state, disabled, revision, client_id, \
         anchor_id, policy_revision, vendor, model_number, serial_number, created_at, updated_at, \
         aboard_at, origin_anchor_spki_sha256, origin_certificate_sha256, origin_spki_sha256, \
         origin_serial_number, origin_issuer, auth_id, auth_id_values) VALUES (:id, :tenant, :certificate_id, :state, :disabled, :revision, \
         :client_id, :anchor_id, :policy_revision, :vendor, :model_number, :serial_number, \
         :created_at, :updated_at, :aboard_at, :origin_anchor, :origin_certificate, :origin_key, \
         :origin_serial_number, :origin_issuer, :auth_id, :auth_id_values)",
    )?
    .execute(named_params! {
        ":id": device.id.as_str(),
        ":tenant": device.tenant.as_str(),
        ":certificate_id": device.certificate_id.as_str(),
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
        ":auth_id": auth_id.map(|one| &one.text),
        ":auth_id_values": auth_id.map(|one| serde_json::json!(one.template_values).to_string()),
    })?;
    let number = c.last_insert_rowid();
    for one in &device.certificates {
        execute(
            c,
            "INSERT INTO device_key (spki_sha256, device) VALUES (?1, ?2)",
            params![one.spki_sha256, number],
        )?;
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
    let (origin, auth_id) = (device.origin.as_ref(), device.auth_id.as_ref());
    c.prepare_cached(
        "UPDATE device SET state = :state, disabled = :disabled, revision = :revision, \
         client_id = :client_id, anchor_id = :anchor_id, policy_revision = :policy_revision, \
         vendor = :vendor, model_number = :model_number, serial_number = :serial_number, \
         updated_at = :updated_at, aboard_at = :aboard_at, \
         origin_anchor_spki_sha256 = :origin_anchor, \
         origin_certificate_sha256 = :origin_certificate, origin_spki_sha256 = :origin_key, \
         origin_serial_number = :origin_serial_number, origin_issuer = :origin_issuer, \
         auth_id = :auth_id, auth_id_values = :auth_id_values \
         WHERE number = :number",
    )?
    .execute(named_params! {
        ":number": number,
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
        ":auth_id": auth_id.map(|one| &one.text),
        ":auth_id_values": auth_id.map(|one| serde_json::json!(one.template_values).to_string()),
    })?;
    Ok(())
}

/// Adds the certificate, of a key that the device has, unless it is there; whether it was added.
pub(super) fn add_certificate(
    c: &Connection,
    number: i64,
    device: &mut Device,
    new: &NewDevice,
    at: UnixTime,
) -> Result<bool, Fault> {
    let known = |one: &DeviceCertificate| one.fingerprint == new.fingerprint;
    if device.certificates.iter().any(known) {
        return Ok(false);
    }
    let added = certificate(new, at);
    insert_certificate(c, number, &added)?;
    device.certificates.push(added);
    Ok(true)
}

/// Deletes a device and, through its foreign keys, everything it has.
pub(super) fn delete(c: &Connection, number: i64) -> Result<(), Fault> {
    execute(c, "DELETE FROM device WHERE number = ?1", [number])?;
    Ok(())
}

/// What stands in the way of a new device.
pub(super) struct Standing {
    /// Absent if there is no such tenant.
    pub(super) tenant_enabled: Option<bool>,
    /// The key was removed.
    pub(super) key_removed: bool,
    /// The certificate id was removed.
    pub(super) id_removed: bool,
    /// The device that has the certificate id.
    pub(super) holder: Option<DeviceId>,
    pub(super) device_id_taken: bool,
}

impl Standing {
    pub(super) fn of(c: &Connection, new: &NewDevice) -> Result<Self, Fault> {
        let mut statement = c.prepare_cached(
            "SELECT (SELECT enabled FROM tenant WHERE id = ?1), \
             EXISTS (SELECT 1 FROM tombstone WHERE tenant = ?1 \
                     AND kind = 'key' AND subject = ?3), \
             EXISTS (SELECT 1 FROM tombstone WHERE tenant = ?1 \
                     AND kind = 'certificate_id' AND subject = ?2), \
             (SELECT id FROM device WHERE certificate_id = ?4 AND tenant = ?1), \
             EXISTS (SELECT 1 FROM device WHERE id = ?5)",
        )?;
        let mut rows = statement.query(params![
            new.tenant.as_str(),
            new.certificate_id.as_str().as_bytes(),
            new.spki_sha256,
            new.certificate_id.as_str(),
            new.device_id.as_str(),
        ])?;
        let row = rows
            .next()?
            .ok_or_else(|| Fault::corrupt("a question without an answer"))?;
        Ok(Self {
            tenant_enabled: row.get(0)?,
            key_removed: row.get(1)?,
            id_removed: row.get(2)?,
            holder: optional(row, 3, DeviceId::parse)?,
            device_id_taken: row.get(4)?,
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

pub(super) fn client_id_taken(c: &Connection, id: &ClientId) -> Result<bool, Fault> {
    let taken: Option<i64> = scalar(
        c,
        "SELECT 1 FROM device WHERE client_id = ?1",
        [id.as_str()],
    )?;
    Ok(taken.is_some())
}

/// Remembers that the device's certificate id and keys were removed.
pub(super) fn bury(c: &Connection, device: &Device, at: UnixTime) -> Result<(), Fault> {
    let keys = device
        .certificates
        .iter()
        .map(|one| ("key", &one.spki_sha256[..]));
    let id = ("certificate_id", device.certificate_id.as_str().as_bytes());
    for (kind, subject) in keys.chain([id]) {
        execute(
            c,
            "INSERT INTO tombstone (tenant, kind, subject, device, removed_at) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![
                device.tenant.as_str(),
                kind,
                subject,
                device.id.as_str(),
                seconds(at)
            ],
        )?;
    }
    Ok(())
}

/// Forgets that a certificate id and a key were removed. Another key that was removed with the
/// same certificate id stays removed.
pub(super) fn unbury(c: &Connection, tenant: &TenantId, new: &NewDevice) -> Result<(), Fault> {
    execute(
        c,
        "DELETE FROM tombstone WHERE tenant = ?1 \
         AND (kind, subject) IN (VALUES ('certificate_id', ?2), ('key', ?3))",
        params![
            tenant.as_str(),
            new.certificate_id.as_str().as_bytes(),
            new.spki_sha256
        ],
    )?;
    Ok(())
}

fn certificate(new: &NewDevice, at: UnixTime) -> DeviceCertificate {
    DeviceCertificate {
        certificate: new.certificate.clone(),
        spki_sha256: new.spki_sha256,
        fingerprint: new.fingerprint,
        added_at: at,
    }
}

fn insert_certificate(c: &Connection, device: i64, one: &DeviceCertificate) -> Result<(), Fault> {
    execute(
        c,
        "INSERT INTO certificate (fingerprint, spki_sha256, device, der, added_at) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            one.fingerprint,
            one.spki_sha256,
            device,
            one.certificate.as_ref(),
            seconds(one.added_at)
        ],
    )?;
    Ok(())
}
