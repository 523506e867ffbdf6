use rusqlite::{Connection, params};
use rustls_pki_types::UnixTime;

use super::fault::Fault;
use super::rows::{execute, seconds};
use crate::store::{Device, DeviceCertificate, NewCertificate};

pub(super) fn certificate(new: &NewCertificate, at: UnixTime) -> DeviceCertificate {
    DeviceCertificate {
        certificate: new.certificate.clone(),
        spki_sha256: new.spki_sha256,
        fingerprint: new.fingerprint,
        added_at: at,
    }
}

/// Adds the certificate unless it is there; whether it was added. Its key must be free or the device's.
pub(super) fn add_certificate(
    c: &Connection,
    number: i64,
    device: &mut Device,
    new: &NewCertificate,
    at: UnixTime,
) -> Result<bool, Fault> {
    if has(device, new) {
        return Ok(false);
    }
    let added = certificate(new, at);
    insert_certificate(c, number, &added)?;
    device.certificates.push(added);
    Ok(true)
}

pub(super) fn has(device: &Device, new: &NewCertificate) -> bool {
    let known = |one: &DeviceCertificate| one.fingerprint == new.fingerprint;
    device.certificates.iter().any(known)
}

pub(super) fn has_key(device: &Device, spki_sha256: &[u8; 32]) -> bool {
    let mut keys = device.certificates.iter().map(|one| one.spki_sha256);
    keys.any(|key| key == *spki_sha256)
}

pub(super) fn insert_certificate(
    c: &Connection,
    device: i64,
    one: &DeviceCertificate,
) -> Result<(), Fault> {
    execute(
        c,
        "INSERT INTO device_key (spki_sha256, device) VALUES (?1, ?2) \
         ON CONFLICT DO NOTHING",
        params![one.spki_sha256, device],
    )?;
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

/// Keeps only those certificates of a device, and their keys; whether any went.
pub(super) fn keep(
    c: &Connection,
    number: i64,
    device: &mut Device,
    kept: impl Fn(usize, &DeviceCertificate) -> bool,
) -> Result<bool, Fault> {
    let all = core::mem::take(&mut device.certificates);
    let count = all.len();
    for (position, one) in all.into_iter().enumerate() {
        if kept(position, &one) {
            device.certificates.push(one);
            continue;
        }
        execute(
            c,
            "DELETE FROM certificate WHERE fingerprint = ?1",
            [one.fingerprint],
        )?;
    }
    execute(
        c,
        "DELETE FROM device_key WHERE device = ?1 AND spki_sha256 NOT IN \
         (SELECT spki_sha256 FROM certificate WHERE device = ?1)",
        [number],
    )?;
    Ok(device.certificates.len() < count)
}
