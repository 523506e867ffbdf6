use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gangplank_trust::StoredAuthId;
use rusqlite::Connection;
use rustls_pki_types::UnixTime;
use serde_json::{Map, Value};

use super::apply_certificates::take_certificate;
use super::apply_credentials::{add_secret, add_token};
use super::apply_records::{About, consume};
use super::apply_tenants::stored_revision;
use super::credential_rows::{self, found_by_auth_id};
use super::device_rows as record;
use super::fault::Fault;
use super::read::{found_by_id, found_by_key};
use super::rows::Found;
use super::standing::{Standing, full};
use super::writer::Step;
use crate::store::{
    Actor, Admission, AdmissionOutcome, AdmissionPlan, Conflict, Credentials, Described, Device,
    DeviceState, Inadmissible, NewCertificate, NewDevice, OutboxEvent, Provisioning, TokenKind,
    action,
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
    // From here on every outcome stays: a message that was refused shall not be tried again by
    // somebody who recorded it, once the reason for the refusal has gone.
    let outcome = match &admission.plan {
        AdmissionPlan::Known { device_id, .. } => match found_by_id(c, device_id)? {
            Some(found) => adopt(c, admission, found)?,
            None => AdmissionOutcome::NotAdmissible(Inadmissible::Removed),
        },
        AdmissionPlan::Provision {
            device,
            provisioning,
        } => join(c, admission, device, &provisioning.credential.auth_id)?,
        AdmissionPlan::Queue { device } => {
            match found_by_key(c, &device.certificate.spki_sha256)? {
                Some(found) if is_same(&found.device, device) => adopt(c, admission, found)?,
                Some(found) => key_taken(found),
                None => create(c, admission, device)?,
            }
        }
    };
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

/// A device that has the key is this one only under the same id in the same tenant.
pub(super) fn is_same(device: &Device, new: &NewDevice) -> bool {
    device.tenant == new.tenant && device.certificate_id == new.certificate.certificate_id
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
    let by_auth_id = found_by_auth_id(c, &new.tenant, auth_id)?;
    let mut by_key = found_by_key(c, &new.certificate.spki_sha256)?;
    // It waited under an id, or in a tenant, that is not what its chain shows.
    if let Some(found) = &by_key
        && found.device.state == DeviceState::Pending
        && !is_same(&found.device, new)
    {
        remove_claim(c, found, &Actor::Device, admission.at)?;
        by_key = None;
    }
    match (by_auth_id, by_key) {
        (Some(known), Some(found))
            if known.number == found.number && is_same(&found.device, new) =>
        {
            adopt(c, admission, found)
        }
        (Some(_), _) => Ok(AdmissionOutcome::Outdated),
        (None, Some(found)) if !is_same(&found.device, new) => Ok(key_taken(found)),
        (None, Some(found)) if !found.device.credentials.is_empty() => {
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
    let joins = device.state == DeviceState::Pending;
    let AdmissionPlan::Provision { provisioning, .. } = &admission.plan else {
        return match joins {
            true => Ok(AdmissionOutcome::Pending(found.device)),
            false => admit(c, admission, found, false),
        };
    };
    if joins {
        let quotas = provisioning.quotas;
        let anchor = &provisioning.origin.anchor_id;
        if let Some(full) = full(c, &device.tenant, Some(anchor), quotas)? {
            return Ok(AdmissionOutcome::NotAdmissible(full));
        }
        provision(device, provisioning);
        let credential = core::slice::from_ref(&provisioning.credential);
        credential_rows::set(c, found.number, device, credential)?;
    }
    admit(c, admission, found, joins)
}

/// Everything allows it; `joins` if it was provisioned just now.
fn admit(
    c: &Connection,
    admission: &Admission,
    mut found: Found,
    joins: bool,
) -> Result<AdmissionOutcome, Fault> {
    let (number, device) = (found.number, &mut found.device);
    if needs_client_id_of_another(c, device, admission)? {
        return Ok(AdmissionOutcome::Conflict(Conflict::ClientIdTaken));
    }
    let before = device.clone();
    if !device.credentials.is_empty()
        && let Some(new) = came_with(&admission.plan)
        && let Some(conflict) = take_certificate(c, about(&before, admission), number, device, new)?
    {
        return Ok(AdmissionOutcome::Conflict(conflict));
    }
    let first = before.state != DeviceState::Aboard;
    match &admission.credentials {
        Some(credentials) => bring_aboard(device, admission, credentials),
        None if joins => device.state = DeviceState::Registered,
        None => {}
    }
    if *device != before || joins {
        record::save(c, number, device, admission.at)?;
    }
    hand_over(c, admission, number, found.device, first, joins)
}

fn create(
    c: &Connection,
    admission: &Admission,
    new: &NewDevice,
) -> Result<AdmissionOutcome, Fault> {
    let provisioning = match &admission.plan {
        AdmissionPlan::Provision { provisioning, .. } => Some(&**provisioning),
        _ => None,
    };
    let auth_id = provisioning.map(|one| &one.credential.auth_id);
    let mut standing = Standing::of(c, new, auth_id)?;
    if standing.tenant_enabled != Some(true) {
        return Ok(AdmissionOutcome::NotAdmissible(Inadmissible::Tenant));
    }
    if standing.removed || provisioning.is_some() && standing.id_removed {
        return Ok(AdmissionOutcome::NotAdmissible(Inadmissible::Removed));
    }
    if standing.id_removed {
        return Ok(AdmissionOutcome::Conflict(Conflict::CertificateIdRemoved));
    }
    if provisioning.is_some() && displace(c, &standing, &Actor::Device, admission.at)? {
        standing = Standing::of(c, new, auth_id)?;
    }
    if let Some(conflict) = standing.conflict() {
        return Ok(AdmissionOutcome::Conflict(conflict));
    }
    let mut device = record::fresh(new, DeviceState::Pending, admission.at);
    let Some(provisioning) = provisioning else {
        describe(&mut device.described, &admission.described);
        record::insert(c, &device)?;
        let detail = Value::Object(detail(&device, admission)).to_string();
        about(&device, admission).audit(c, action::QUEUED, detail)?;
        return Ok(AdmissionOutcome::Pending(device));
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
    provision(&mut device, provisioning);
    let number = record::insert(c, &device)?;
    let credential = core::slice::from_ref(&provisioning.credential);
    credential_rows::set(c, number, &mut device, credential)?;
    hand_over(c, admission, number, device, true, true)
}

/// A stranger that waits under a certificate id, or was turned away, has proven no right to it: it
/// must not keep away the device that does. Whether the id is free now.
pub(super) fn displace(
    c: &Connection,
    standing: &Standing,
    actor: &Actor,
    at: UnixTime,
) -> Result<bool, Fault> {
    let Some(holder) = &standing.holder else {
        return Ok(false);
    };
    match found_by_id(c, holder)? {
        Some(found) if found.device.is_mere_claim() => {
            remove_claim(c, &found, actor, at)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn remove_claim(c: &Connection, found: &Found, actor: &Actor, at: UnixTime) -> Result<(), Fault> {
    record::delete(c, found.number)?;
    let about = About {
        actor: actor.clone(),
        tenant: &found.device.tenant,
        device: &found.device.id,
        at,
    };
    about.audit(c, action::DISPLACED, String::new())
}

/// What a newcomer is, is recorded on it.
fn provision(device: &mut Device, provisioning: &Provisioning) {
    let origin = &provisioning.origin;
    device.anchor_id = Some(origin.anchor_id.clone());
    device.policy_revision = Some(origin.policy_revision);
    device.origin = Some(origin.clone());
    device
        .device_id_values
        .clone_from(&provisioning.device_id_values);
    device.registration.clone_from(&provisioning.registration);
}

/// Makes the record that of a device aboard.
fn bring_aboard(device: &mut Device, admission: &Admission, credentials: &Credentials) {
    device.state = DeviceState::Aboard;
    device.aboard_at.get_or_insert(admission.at);
    device
        .client_id
        .get_or_insert_with(|| credentials.client_id.clone());
    describe(&mut device.described, &admission.described);
}

/// The certificate whose key the sender proved, if a chain stands behind it.
fn came_with(plan: &AdmissionPlan) -> Option<&NewCertificate> {
    match plan {
        AdmissionPlan::Known { came_with, .. } => came_with.as_ref(),
        AdmissionPlan::Provision { device, .. } => Some(&device.certificate),
        AdmissionPlan::Queue { .. } => None,
    }
}

/// Stores the credentials and tells those who want to know. `first` if it was not aboard before.
fn hand_over(
    c: &Connection,
    admission: &Admission,
    number: i64,
    device: Device,
    first: bool,
    joins: bool,
) -> Result<AdmissionOutcome, Fault> {
    let about = about(&device, admission);
    let detail = detail(&device, admission);
    let text = Value::Object(detail.clone()).to_string();
    let Some(given) = &admission.credentials else {
        if !joins {
            return Ok(AdmissionOutcome::Recognised(device));
        }
        about.audit(c, action::PROVISIONED, text)?;
        about.announce(c, OutboxEvent::DeviceProvisioned, &told(detail, &device))?;
        return Ok(AdmissionOutcome::Provisioned(device));
    };
    add_secret(c, number, &given.secret, admission.at)?;
    let (token, until) = (&given.git_token, given.git_expires_at);
    add_token(c, number, TokenKind::Git, token, until, admission.at)?;
    let client_id = device
        .client_id
        .clone()
        .ok_or_else(|| Fault::corrupt("a device is aboard without a client id"))?;
    if first {
        about.audit(c, action::ABOARD, text)?;
        about.announce(c, OutboxEvent::DeviceAboard, &told(detail, &device))?;
        Ok(AdmissionOutcome::Created(device, client_id))
    } else {
        about.audit(c, action::ABOARD_AGAIN, text)?;
        Ok(AdmissionOutcome::Again(device, client_id))
    }
}

fn needs_client_id_of_another(
    c: &Connection,
    device: &Device,
    admission: &Admission,
) -> Result<bool, Fault> {
    match (&device.client_id, &admission.credentials) {
        (None, Some(credentials)) => record::client_id_taken(c, &credentials.client_id),
        _ => Ok(false),
    }
}

fn describe(described: &mut Described, said: &Described) {
    let update = |kept: &mut Option<String>, said: &Option<String>| {
        if said.is_some() {
            kept.clone_from(said);
        }
    };
    update(&mut described.vendor, &said.vendor);
    update(&mut described.model_number, &said.model_number);
    update(&mut described.serial_number, &said.serial_number);
}

fn about<'a>(device: &'a Device, admission: &Admission) -> About<'a> {
    About {
        actor: Actor::Device,
        tenant: &device.tenant,
        device: &device.id,
        at: admission.at,
    }
}

/// What is told of a device that came aboard: all that a receiver needs to know it by.
fn told(mut detail: Map<String, Value>, device: &Device) -> String {
    if let Some(newest) = device.certificates.last() {
        let der = STANDARD.encode(&newest.certificate);
        detail.insert("certificate".to_owned(), der.into());
    }
    Value::Object(detail).to_string()
}

fn detail(device: &Device, admission: &Admission) -> Map<String, Value> {
    let mut detail = Map::new();
    let mut add = |name: &str, value: Value| detail.insert(name.to_owned(), value);
    if let Some(id) = &device.certificate_id {
        add("certificateId", id.as_str().into());
    }
    if let Some(source) = admission.source {
        add("source", source.to_string().into());
    }
    if let AdmissionPlan::Provision { provisioning, .. } = &admission.plan {
        let origin = &provisioning.origin;
        add("anchor", origin.anchor_id.as_str().into());
        add("policyRevision", origin.policy_revision.into());
    }
    detail
}
