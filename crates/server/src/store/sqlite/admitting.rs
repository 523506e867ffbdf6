use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use serde_json::{Map, Value};

use super::apply_certificates::take_certificate;
use super::apply_credentials::{add_secret, add_token};
use super::apply_records::About;
use super::device_rows as record;
use super::fault::Fault;
use super::rows::Found;
use crate::store::{
    Actor, Admission, AdmissionOutcome, AdmissionPlan, Conflict, Credentials, Described, Device,
    DeviceState, NewCertificate, OutboxEvent, TokenKind, Voucher, action,
};

/// How a device comes that may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coming {
    /// It was provisioned just now.
    Joins,
    /// It is known, and was not aboard before.
    Aboard,
    /// It is aboard.
    Again,
}

/// Everything allows it.
pub(super) fn admit(
    c: &Connection,
    admission: &Admission,
    mut found: Found,
    coming: Coming,
) -> Result<AdmissionOutcome, Fault> {
    let (number, device) = (found.number, &mut found.device);
    if needs_client_id_of_another(c, device, admission)? {
        return Ok(AdmissionOutcome::Conflict(Conflict::ClientIdTaken));
    }
    let before = device.clone();
    if device.voucher == Voucher::Anchor
        && let Some(new) = came_with(&admission.plan)
        && let Some(conflict) = take_certificate(c, about(&before, admission), number, device, new)?
    {
        return Ok(AdmissionOutcome::Conflict(conflict));
    }
    match (&admission.credentials, coming) {
        (Some(credentials), _) => bring_aboard(device, admission, credentials),
        (None, Coming::Joins) => device.state = DeviceState::Registered,
        (None, Coming::Aboard | Coming::Again) => {}
    }
    if *device != before || coming == Coming::Joins {
        record::save(c, number, device, admission.at)?;
    }
    hand_over(c, admission, number, found.device, coming)
}

/// Makes the record that of a device aboard.
pub(super) fn bring_aboard(device: &mut Device, admission: &Admission, credentials: &Credentials) {
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

/// Stores the credentials and tells those who want to know.
pub(super) fn hand_over(
    c: &Connection,
    admission: &Admission,
    number: i64,
    device: Device,
    coming: Coming,
) -> Result<AdmissionOutcome, Fault> {
    let about = about(&device, admission);
    let detail = detail(&device, admission);
    let text = Value::Object(detail.clone()).to_string();
    let Some(given) = &admission.credentials else {
        if coming != Coming::Joins {
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
    if coming == Coming::Again {
        about.audit(c, action::ABOARD_AGAIN, text)?;
        return Ok(AdmissionOutcome::Again(device, client_id));
    }
    about.audit(c, action::ABOARD, text)?;
    about.announce(c, OutboxEvent::DeviceAboard, &told(detail, &device))?;
    Ok(AdmissionOutcome::Created(device, client_id))
}

pub(super) fn needs_client_id_of_another(
    c: &Connection,
    device: &Device,
    admission: &Admission,
) -> Result<bool, Fault> {
    match (&device.client_id, &admission.credentials) {
        (None, Some(credentials)) => record::client_id_taken(c, &credentials.client_id),
        _ => Ok(false),
    }
}

pub(super) fn describe(described: &mut Described, said: &Described) {
    let update = |kept: &mut Option<String>, said: &Option<String>| {
        if said.is_some() {
            kept.clone_from(said);
        }
    };
    update(&mut described.vendor, &said.vendor);
    update(&mut described.model_number, &said.model_number);
    update(&mut described.serial_number, &said.serial_number);
}

pub(super) fn about<'a>(device: &'a Device, admission: &Admission) -> About<'a> {
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

pub(super) fn detail(device: &Device, admission: &Admission) -> Map<String, Value> {
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
