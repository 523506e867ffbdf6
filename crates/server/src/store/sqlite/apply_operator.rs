use gangplank_onboarding::DeviceId;
use gangplank_trust::{Quotas, TenantId};
use rusqlite::Connection;
use rustls_pki_types::UnixTime;

use super::apply_records::About;
use super::certificate_rows::{add_certificate, has, keep};
use super::device_rows as record;
use super::displacing::{displace, is_same, remove_claim};
use super::fault::Fault;
use super::read::{found_by_certificate_id, found_by_id, found_by_key};
use super::rows::{Found, execute};
use super::standing::{Standing, full};
use super::tombstones;
use super::writer::Step;
use crate::store::{
    Actor, Change, ChangeOutcome, Conflict, Device, DeviceState, OutboxEvent, RegisterOutcome,
    Registration, Voucher, action,
};

pub(super) fn register(
    c: &Connection,
    registration: &Registration,
) -> Result<Step<RegisterOutcome>, Fault> {
    let new = &registration.device;
    match found_by_key(c, &new.certificate.spki_sha256)? {
        Some(found) if is_same(&found.device, new) => return confirm(c, registration, found),
        Some(found) => {
            let holder = found.device.id;
            let conflict = Conflict::KeyTaken { holder };
            return Ok(Step::Undo(RegisterOutcome::Conflict(conflict)));
        }
        None => {}
    }
    if let Some(id) = &new.certificate.certificate_id
        && let Some(holder) = found_by_certificate_id(c, &new.tenant, id)?
    {
        match (holder.device.voucher, holder.device.state) {
            (_, DeviceState::Pending) => {
                remove_claim(c, &holder, &registration.actor, registration.at)?;
            }
            (Voucher::Anchor, DeviceState::Registered | DeviceState::Aboard) => {
                return another_key(c, registration, holder);
            }
            _ => {}
        }
    }
    let mut standing = Standing::of(c, new, None)?;
    if standing.tenant_enabled.is_none() {
        return Ok(Step::Undo(RegisterOutcome::NoSuchTenant));
    }
    let holder = standing.holder.as_ref();
    if displace(c, holder, &registration.actor, registration.at)? {
        standing = Standing::of(c, new, None)?;
    }
    if let Some(conflict) = standing.conflict() {
        return Ok(Step::Undo(RegisterOutcome::Conflict(conflict)));
    }
    if is_full(c, &new.tenant, registration.max_devices)? {
        return Ok(Step::Undo(RegisterOutcome::TenantFull));
    }
    let mut device = record::fresh(new, DeviceState::Registered, registration.at);
    device.voucher = Voucher::Operator;
    record::insert(c, &device)?;
    tombstones::unbury_certificate(c, &new.tenant, &new.certificate)?;
    audit(c, registration, &device, action::REGISTERED)?;
    Ok(Step::Keep(RegisterOutcome::Created(device)))
}

/// An operator gives a device that is recognised by a credential another certificate, whatever its anchor
/// binds it to.
fn another_key(
    c: &Connection,
    registration: &Registration,
    mut found: Found,
) -> Result<Step<RegisterOutcome>, Fault> {
    let (device, at) = (&mut found.device, registration.at);
    let new = &registration.device.certificate;
    keep(c, found.number, device, |position, _| position == 0)?;
    add_certificate(c, found.number, device, new, at)?;
    record::save(c, found.number, device, at)?;
    tombstones::unbury_certificate(c, &device.tenant, new)?;
    audit(c, registration, device, action::CERTIFICATE_ADDED)?;
    Ok(Step::Keep(RegisterOutcome::Same(found.device)))
}

/// The key is known under the same certificate id.
fn confirm(
    c: &Connection,
    registration: &Registration,
    mut found: Found,
) -> Result<Step<RegisterOutcome>, Fault> {
    let (new, at) = (&registration.device, registration.at);
    let device = &mut found.device;
    if device.voucher == Voucher::Anchor && !has(device, &new.certificate) {
        keep(c, found.number, device, |position, _| position == 0)?;
    }
    let added = add_certificate(c, found.number, device, &new.certificate, at)?;
    let approved = matches!(device.state, DeviceState::Pending | DeviceState::Rejected);
    if approved {
        let counted = device.is_vouched_for() && device.state != DeviceState::Pending;
        if !counted && is_full(c, &device.tenant, registration.max_devices)? {
            return Ok(Step::Undo(RegisterOutcome::TenantFull));
        }
        approve(device);
    }
    if !approved && !added {
        return Ok(Step::Undo(RegisterOutcome::Same(found.device)));
    }
    record::save(c, found.number, device, at)?;
    if approved {
        audit(c, registration, device, action::APPROVED)?;
        return Ok(Step::Keep(RegisterOutcome::Approved(found.device)));
    }
    audit(c, registration, device, action::CERTIFICATE_ADDED)?;
    Ok(Step::Keep(RegisterOutcome::Same(found.device)))
}

/// Whom an anchor vouches for stays its device; else it is the operator's from now on.
fn approve(device: &mut Device) {
    device.state = DeviceState::Registered;
    if device.voucher == Voucher::Nobody {
        device.voucher = Voucher::Operator;
    }
}

fn is_full(c: &Connection, tenant: &TenantId, max_devices: Option<u64>) -> Result<bool, Fault> {
    let quotas = Quotas {
        of_anchor: None,
        of_tenant: max_devices,
    };
    Ok(full(c, tenant, None, quotas)?.is_some())
}

fn audit(
    c: &Connection,
    registration: &Registration,
    device: &Device,
    action: &'static str,
) -> Result<(), Fault> {
    let about = About {
        actor: registration.actor.clone(),
        tenant: &device.tenant,
        device: &device.id,
        at: registration.at,
    };
    about.audit(c, action, detail(device))
}

pub(super) fn change(
    c: &Connection,
    id: &DeviceId,
    change: Change,
    actor: Actor,
    at: UnixTime,
) -> Result<Step<ChangeOutcome>, Fault> {
    let Some(mut found) = found_by_id(c, id)? else {
        return Ok(Step::Undo(ChangeOutcome::NotFound));
    };
    let (number, device) = (found.number, &mut found.device);
    let already = match change {
        Change::Approve { .. } if device.state != DeviceState::Pending => {
            return Ok(Step::Undo(ChangeOutcome::WrongState(device.state)));
        }
        Change::Approve { max_devices } if is_full(c, &device.tenant, max_devices)? => {
            return Ok(Step::Undo(ChangeOutcome::TenantFull));
        }
        Change::Remove { expected } if !expected.is(device.revision) => {
            let current = device.revision;
            return Ok(Step::Undo(ChangeOutcome::Changed { current }));
        }
        Change::Approve { .. } | Change::Remove { .. } => false,
        Change::Reject => device.state == DeviceState::Rejected,
        Change::Disable => device.disabled,
        Change::Enable => !device.disabled,
    };
    if already {
        return Ok(Step::Undo(ChangeOutcome::Done(found.device)));
    }
    let action = perform(c, number, device, change, at)?;
    let about = About {
        actor,
        tenant: &device.tenant,
        device: &device.id,
        at,
    };
    about.audit(c, action, detail(device))?;
    if let Change::Remove { .. } = change {
        about.announce(c, OutboxEvent::DeviceRemoved, &detail(device))?;
    }
    Ok(Step::Keep(ChangeOutcome::Done(found.device)))
}

/// Makes the change; its name in the audit.
fn perform(
    c: &Connection,
    number: i64,
    device: &mut Device,
    change: Change,
    at: UnixTime,
) -> Result<&'static str, Fault> {
    let action = match change {
        Change::Approve { .. } => {
            approve(device);
            action::APPROVED
        }
        Change::Reject => {
            device.state = DeviceState::Rejected;
            end_tokens(c, number)?;
            end_secrets(c, number)?;
            action::REJECTED
        }
        Change::Disable => {
            device.disabled = true;
            end_tokens(c, number)?;
            action::DISABLED
        }
        Change::Enable => {
            device.disabled = false;
            action::ENABLED
        }
        Change::Remove { .. } => {
            tombstones::bury(c, device, at)?;
            record::delete(c, number)?;
            return Ok(action::REMOVED);
        }
    };
    record::save(c, number, device, at)?;
    Ok(action)
}

/// A removed device may come back.
pub(super) fn readmit(
    c: &Connection,
    tenant: &TenantId,
    device: &DeviceId,
    actor: Actor,
    at: UnixTime,
) -> Result<Step<bool>, Fault> {
    if !tombstones::unbury_device(c, tenant, device)? {
        return Ok(Step::Undo(false));
    }
    let about = About {
        actor,
        tenant,
        device,
        at,
    };
    about.audit(c, action::READMITTED, String::new())?;
    Ok(Step::Keep(true))
}

pub(super) fn end_tokens(c: &Connection, device: i64) -> Result<(), Fault> {
    execute(c, "DELETE FROM token WHERE device = ?1", [device]).map(drop)
}

fn end_secrets(c: &Connection, device: i64) -> Result<(), Fault> {
    execute(c, "DELETE FROM client_secret WHERE device = ?1", [device]).map(drop)
}

fn detail(device: &Device) -> String {
    match &device.certificate_id {
        Some(id) => serde_json::json!({ "certificateId": id.as_str() }).to_string(),
        None => "{}".to_owned(),
    }
}
