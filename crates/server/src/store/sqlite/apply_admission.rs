use gangplank_trust::StoredAuthId;
use rusqlite::Connection;
use serde_json::Value;

use super::admitting::{
    Coming, about, admit, bring_aboard, describe, detail, hand_over, needs_client_id_of_another,
};
use super::apply_records::consume;
use super::apply_tenants::stored_revision;
use super::certificate_rows::{add_certificate, has, keep};
use super::credential_rows::{self, found_by_auth_id};
use super::device_rows as record;
use super::displacing::{displace, give_way, is_same};
use super::fault::Fault;
use super::read::{found_by_id, found_by_key};
use super::rows::{Found, execute};
use super::standing::{Standing, full, removed};
use super::tombstones::Part;
use super::writer::Step;
use crate::store::{
    Actor, Admission, AdmissionOutcome, AdmissionPlan, Conflict, Credential, Device, DeviceState,
    Inadmissible, NewDevice, Provisioning, Voucher, action,
};

pub(super) fn create_or_adopt(
    c: &Connection,
    admission: &Admission,
) -> Result<Step<AdmissionOutcome>, Fault> {
    if let Some(policy) = &admission.policy
        && stored_revision(c, &policy.tenant)? != Some(policy.revision)
    {
        return Ok(Step::Undo(AdmissionOutcome::Outdated));
    }
    if !consume(c, &admission.once, admission.at)? {
        return Ok(Step::Undo(AdmissionOutcome::Replayed));
    }
    // From here on the once keys stay consumed: a message that was refused shall not be tried again by
    // somebody who recorded it, once the reason for the refusal has gone. All else that a refusal
    // found in its way, such as a claim that was to give way, stays as it was.
    execute(c, "SAVEPOINT decided", [])?;
    let outcome = carry_out(c, admission)?;
    if let AdmissionOutcome::NotAdmissible(_) | AdmissionOutcome::Conflict(_) = outcome {
        execute(c, "ROLLBACK TO decided", [])?;
    }
    execute(c, "RELEASE decided", [])?;
    // A proposed name that is taken is the server's misfortune, and so is a decision that others
    // overtook: the same request comes again at once, and must not be taken for its own replay.
    Ok(match outcome {
        AdmissionOutcome::Outdated
        | AdmissionOutcome::Conflict(Conflict::DeviceIdTaken | Conflict::ClientIdTaken) => {
            Step::Undo(outcome)
        }
        _ => Step::Keep(outcome),
    })
}

fn carry_out(c: &Connection, admission: &Admission) -> Result<AdmissionOutcome, Fault> {
    Ok(match &admission.plan {
        AdmissionPlan::Known {
            device_id,
            revision,
            ..
        } => match found_by_id(c, device_id)? {
            Some(found) if revision.is_some_and(|decided| decided != found.device.revision) => {
                AdmissionOutcome::Outdated
            }
            Some(found) => adopt(c, admission, found)?,
            None => AdmissionOutcome::NotAdmissible(Inadmissible::Removed),
        },
        AdmissionPlan::Provision {
            device,
            provisioning,
        } => join(c, admission, device, &provisioning.credential.auth_id)?,
        AdmissionPlan::Queue {
            device,
            credential: Some(credential),
        } => join(c, admission, device, &credential.auth_id)?,
        AdmissionPlan::Queue {
            device,
            credential: None,
        } => match found_by_key(c, &device.certificate.spki_sha256)? {
            Some(found) if is_same(&found.device, device) => adopt(c, admission, found)?,
            Some(found) => key_taken(found),
            None => create(c, admission, device)?,
        },
    })
}

fn key_taken(found: Found) -> AdmissionOutcome {
    AdmissionOutcome::Conflict(Conflict::KeyTaken {
        holder: found.device.id,
    })
}

/// A newcomer when the decision was made; another request may have brought it since.
fn join(
    c: &Connection,
    admission: &Admission,
    new: &NewDevice,
    auth_id: &StoredAuthId,
) -> Result<AdmissionOutcome, Fault> {
    give_way(c, admission, new, auth_id)?;
    let by_auth_id = found_by_auth_id(c, &new.tenant, auth_id)?;
    let by_key = found_by_key(c, &new.certificate.spki_sha256)?;
    match (by_auth_id, by_key) {
        (Some(known), Some(found))
            if known.number == found.number && is_same(&found.device, new) =>
        {
            adopt(c, admission, found)
        }
        (Some(_), _) => Ok(AdmissionOutcome::Outdated),
        (None, Some(found)) if !is_same(&found.device, new) => Ok(key_taken(found)),
        (None, Some(found)) if found.device.voucher == Voucher::Anchor => {
            Ok(AdmissionOutcome::Outdated)
        }
        // One that waits; or that an operator registered meanwhile, and that is known by its key.
        (None, Some(found)) => adopt(c, admission, found),
        (None, None) => create(c, admission, new),
    }
}

/// A device that exists is judged by what it is now.
fn adopt(
    c: &Connection,
    admission: &Admission,
    mut found: Found,
) -> Result<AdmissionOutcome, Fault> {
    let device = &mut found.device;
    let refusal = match device.state {
        _ if !found.tenant_enabled => Some(Inadmissible::Tenant),
        DeviceState::Rejected => Some(Inadmissible::Rejected),
        _ if device.disabled => Some(Inadmissible::Disabled),
        _ => None,
    };
    if let Some(reason) = refusal {
        return Ok(AdmissionOutcome::NotAdmissible(reason));
    }
    match (&admission.plan, device.state) {
        (_, DeviceState::Pending) => let_in(c, admission, found),
        (_, DeviceState::Aboard) => admit(c, admission, found, Coming::Again),
        (_, DeviceState::Registered | DeviceState::Rejected) => {
            admit(c, admission, found, Coming::Aboard)
        }
    }
}

/// A device that waits may go on, if that was decided; else it waits with what it came with last.
fn let_in(
    c: &Connection,
    admission: &Admission,
    mut found: Found,
) -> Result<AdmissionOutcome, Fault> {
    let (number, device) = (found.number, &mut found.device);
    if let Some(credential) = credential_of(&admission.plan)
        && removed(c, &device.tenant, Part::of_auth_id(&credential.auth_id))?.is_some()
    {
        return Ok(AdmissionOutcome::NotAdmissible(Inadmissible::Removed));
    }
    match &admission.plan {
        AdmissionPlan::Provision {
            device: new,
            provisioning,
        } => {
            let quotas = provisioning.quotas;
            let anchor = &provisioning.origin.anchor_id;
            if let Some(full) = full(c, &device.tenant, Some(anchor), quotas)? {
                return Ok(AdmissionOutcome::NotAdmissible(full));
            }
            provision(device, new, provisioning);
            vouch(c, number, device, &provisioning.credential)?;
            admit(c, admission, found, Coming::Joins)
        }
        AdmissionPlan::Queue {
            device: new,
            credential: Some(credential),
        } => {
            let before = device.clone();
            if !has(device, &new.certificate) {
                keep(c, number, device, |_, _| false)?;
                add_certificate(c, number, device, &new.certificate, admission.at)?;
            }
            vouch(c, number, device, credential)?;
            if *device != before {
                record::save(c, number, device, admission.at)?;
            }
            Ok(AdmissionOutcome::Pending(found.device))
        }
        _ => Ok(AdmissionOutcome::Pending(found.device)),
    }
}

fn create(
    c: &Connection,
    admission: &Admission,
    new: &NewDevice,
) -> Result<AdmissionOutcome, Fault> {
    let credential = credential_of(&admission.plan);
    let auth_id = credential.map(|one| &one.auth_id);
    let mut standing = Standing::of(c, new, auth_id)?;
    if standing.tenant_enabled != Some(true) {
        return Ok(AdmissionOutcome::NotAdmissible(Inadmissible::Tenant));
    }
    if standing.removed || credential.is_some() && standing.id_removed {
        return Ok(AdmissionOutcome::NotAdmissible(Inadmissible::Removed));
    }
    if standing.id_removed {
        return Ok(AdmissionOutcome::Conflict(Conflict::CertificateIdRemoved));
    }
    let holder = standing.holder.as_ref();
    if credential.is_some() && displace(c, holder, &Actor::Device, admission.at)? {
        standing = Standing::of(c, new, auth_id)?;
    }
    if let Some(conflict) = standing.conflict() {
        return Ok(AdmissionOutcome::Conflict(conflict));
    }
    let mut device = record::fresh(new, DeviceState::Pending, admission.at);
    let AdmissionPlan::Provision { provisioning, .. } = &admission.plan else {
        return queue(c, admission, device, credential);
    };
    let anchor = Some(provisioning.origin.anchor_id.as_str());
    if let Some(full) = full(c, &device.tenant, anchor, provisioning.quotas)? {
        return Ok(AdmissionOutcome::NotAdmissible(full));
    }
    if needs_client_id_of_another(c, &device, admission)? {
        return Ok(AdmissionOutcome::Conflict(Conflict::ClientIdTaken));
    }
    match &admission.credentials {
        Some(credentials) => bring_aboard(&mut device, admission, credentials),
        None => device.state = DeviceState::Registered,
    }
    provision(&mut device, new, provisioning);
    device.voucher = Voucher::Anchor;
    let number = record::insert(c, &device)?;
    vouch(c, number, &mut device, &provisioning.credential)?;
    hand_over(c, admission, number, device, Coming::Joins)
}

fn queue(
    c: &Connection,
    admission: &Admission,
    mut device: Device,
    credential: Option<&Credential>,
) -> Result<AdmissionOutcome, Fault> {
    describe(&mut device.described, &admission.described);
    if credential.is_some() {
        device.voucher = Voucher::Anchor;
    }
    let number = record::insert(c, &device)?;
    if let Some(credential) = credential {
        vouch(c, number, &mut device, credential)?;
    }
    let detail = Value::Object(detail(&device, admission)).to_string();
    about(&device, admission).audit(c, action::QUEUED, detail)?;
    Ok(AdmissionOutcome::Pending(device))
}

/// The credential that a newcomer gets, if a chain stands behind its certificate.
fn credential_of(plan: &AdmissionPlan) -> Option<&Credential> {
    match plan {
        AdmissionPlan::Known { .. } => None,
        AdmissionPlan::Provision { provisioning, .. } => Some(&provisioning.credential),
        AdmissionPlan::Queue { credential, .. } => credential.as_ref(),
    }
}

/// What a newcomer is recognised by from now on. The record is not saved.
fn vouch(
    c: &Connection,
    number: i64,
    device: &mut Device,
    credential: &Credential,
) -> Result<(), Fault> {
    device.voucher = Voucher::Anchor;
    credential_rows::set(c, number, device, core::slice::from_ref(credential))
}

/// What a newcomer is, is recorded on it.
fn provision(device: &mut Device, new: &NewDevice, provisioning: &Provisioning) {
    let origin = &provisioning.origin;
    device.anchor_id = Some(origin.anchor_id.clone());
    device.policy_revision = Some(origin.policy_revision);
    device.origin = Some(origin.clone());
    // One that waited keeps the id that it has.
    if device.id == new.device_id {
        device
            .device_id_values
            .clone_from(&provisioning.device_id_values);
    }
    device.registration.clone_from(&provisioning.registration);
}
