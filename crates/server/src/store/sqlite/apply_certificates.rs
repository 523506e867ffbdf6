use gangplank_onboarding::DeviceId;
use rusqlite::Connection;
use rustls_pki_types::UnixTime;
use serde_json::json;

use super::apply_records::About;
use super::certificate_rows::{add_certificate, has_key, keep};
use super::device_rows as record;
use super::displacing::{remove_claim, waits};
use super::fault::Fault;
use super::read::{found_by_certificate_id, found_by_id, found_by_key};
use super::writer::Step;
use crate::store::{Actor, Conflict, Device, NewCertificate, Voucher, action};

/// A known device came with a certificate behind which stands a chain. A new one is added; by the second
/// use of one, those before it end. The device is not saved.
///
/// At most two certificates count at a time, the one that was used last and the newest, so that a device
/// whose answer was lost can come again with either.
pub(super) fn take_certificate(
    c: &Connection,
    about: About<'_>,
    number: i64,
    device: &mut Device,
    new: &NewCertificate,
) -> Result<Option<Conflict>, Fault> {
    let mut all = device.certificates.iter();
    if let Some(first) = all.position(|known| known.fingerprint == new.fingerprint) {
        if keep(c, number, device, |position, _| position >= first)? {
            about.audit(c, action::CERTIFICATES_ENDED, String::new())?;
        }
        return Ok(None);
    }
    if let Some(conflict) = conflict(c, &about, number, device, new)? {
        return Ok(Some(conflict));
    }
    let another_key = !has_key(device, &new.spki_sha256);
    // What a waiting stranger showed stands for nothing.
    let waited = waits(device);
    keep(c, number, device, |position, _| position == 0 && !waited)?;
    add_certificate(c, number, device, new, about.at)?;
    if device.certificate_id.is_none() {
        device.certificate_id.clone_from(&new.certificate_id);
    }
    if !waited {
        let detail = json!({ "anotherKey": another_key }).to_string();
        about.audit(c, action::CERTIFICATE_ADDED, detail)?;
    }
    Ok(None)
}

/// What of the certificate is another device's.
fn conflict(
    c: &Connection,
    about: &About<'_>,
    number: i64,
    device: &Device,
    new: &NewCertificate,
) -> Result<Option<Conflict>, Fault> {
    match found_by_key(c, &new.spki_sha256)? {
        Some(found) if found.number == number => {}
        // It waited with this key elsewhere, before there was an anchor for it.
        Some(found) if waits(&found.device) => remove_claim(c, &found, &about.actor, about.at)?,
        Some(found) => {
            let holder = found.device.id;
            return Ok(Some(Conflict::KeyTaken { holder }));
        }
        None => {}
    }
    let Some(id) = &new.certificate_id else {
        return Ok(None);
    };
    match &device.certificate_id {
        Some(known) if known == id => return Ok(None),
        Some(_) => {
            let holder = device.id.clone();
            return Ok(Some(Conflict::OtherCertificateId { holder }));
        }
        None => {}
    }
    match found_by_certificate_id(c, &device.tenant, id)? {
        Some(found) if !found.device.is_vouched_for() => {
            remove_claim(c, &found, &about.actor, about.at)?;
            Ok(None)
        }
        holder => Ok(holder.map(|found| Conflict::CertificateIdTaken {
            holder: found.device.id,
        })),
    }
}

pub(super) fn key_used(
    c: &Connection,
    id: &DeviceId,
    spki_sha256: &[u8; 32],
    at: UnixTime,
) -> Result<Step<()>, Fault> {
    let Some(mut found) = found_by_id(c, id)? else {
        return Ok(Step::Undo(()));
    };
    let device = &mut found.device;
    let mut all = device.certificates.iter();
    let Some(first) = all.position(|one| one.spki_sha256 == *spki_sha256) else {
        return Ok(Step::Undo(()));
    };
    if device.voucher != Voucher::Anchor
        || !keep(c, found.number, device, |position, _| position >= first)?
    {
        return Ok(Step::Undo(()));
    }
    record::save(c, found.number, device, at)?;
    let about = About {
        actor: Actor::Device,
        tenant: &device.tenant,
        device: &device.id,
        at,
    };
    about.audit(c, action::CERTIFICATES_ENDED, String::new())?;
    Ok(Step::Keep(()))
}
