use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, params_from_iter};
use rustls_pki_types::UnixTime;
use serde_json::{Map, Value};

use super::apply_credentials::{add_secret, add_token};
use super::apply_records::{About, consume};
use super::apply_tenants::stored_revision;
use super::device_rows::{self as record, Standing};
use super::fault::Fault;
use super::read::{found_by_id, found_by_key};
use super::rows::{Found, count, scalar};
use super::writer::Step;
use crate::store::{
    Actor, Admission, AdmissionOutcome, AdmissionPlan, Conflict, Described, Device, DeviceState,
    Inadmissible, NewDevice, OutboxEvent, Provisioning, TokenKind, action,
};

pub(super) fn create_or_adopt(
    c: &Connection,
    admission: &Admission,
) -> Result<Step<AdmissionOutcome>, Fault> {
    if let Some(policy) = &admission.policy
        && stored_revision(c, &policy.tenant)? != Some(policy.revision)
    {
        return Ok(Step::Undo(AdmissionOutcome::PolicyChanged));
    }
    if !consume(c, &admission.once, admission.at)? {
        return Ok(Step::Undo(AdmissionOutcome::Replayed));
    }
    // From here on every outcome stays: a message that was refused shall not be tried again by
    // somebody who recorded it, once the reason for the refusal has gone.
    let outcome = match &admission.plan {
        AdmissionPlan::Known { device_id } => match found_by_id(c, device_id)? {
            Some(found) => adopt(c, admission, found)?,
            None => AdmissionOutcome::NotAdmissible(Inadmissible::Removed),
        },
        AdmissionPlan::Provision { device, .. } | AdmissionPlan::Queue { device } => {
            match found_by_key(c, &device.spki_sha256)? {
                Some(found) if is_same(&found.device, device) => adopt(c, admission, found)?,
                Some(found) => AdmissionOutcome::Conflict(Conflict::KeyTaken {
                    holder: found.device.id,
                }),
                None => create(c, admission, device)?,
            }
        }
    };
    // A proposed name that is taken is the server's misfortune: the same request comes again at
    // once, with other names, and must not be taken for its own replay.
    Ok(match outcome {
        AdmissionOutcome::Conflict(Conflict::DeviceIdTaken | Conflict::ClientIdTaken) => {
            Step::Undo(outcome)
        }
        _ => Step::Keep(outcome),
    })
}

/// A device that has the key is this one only under the same id in the same tenant.
pub(super) fn is_same(device: &Device, new: &NewDevice) -> bool {
    device.tenant == new.tenant && device.certificate_id == new.certificate_id
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
    let proven = matches!(admission.plan, AdmissionPlan::Provision { .. });
    if device.state == DeviceState::Pending && !proven {
        return Ok(AdmissionOutcome::Pending(found.device));
    }
    if device.state == DeviceState::Pending
        && let Some(full) = full(c, admission)?
    {
        return Ok(AdmissionOutcome::NotAdmissible(full));
    }
    if needs_client_id_of_another(c, device, admission)? {
        return Ok(AdmissionOutcome::Conflict(Conflict::ClientIdTaken));
    }
    let first = device.state != DeviceState::Aboard;
    let mut changed = bring_aboard(device, admission);
    if let AdmissionPlan::Provision { device: new, .. } = &admission.plan {
        changed |= record::add_certificate(c, found.number, device, new, admission.at)?;
    }
    if changed {
        record::save(c, found.number, device, admission.at)?;
    }
    hand_over(c, admission, found.number, found.device, first)
}

fn create(
    c: &Connection,
    admission: &Admission,
    new: &NewDevice,
) -> Result<AdmissionOutcome, Fault> {
    let mut standing = Standing::of(c, new)?;
    if standing.tenant_enabled != Some(true) {
        return Ok(AdmissionOutcome::NotAdmissible(Inadmissible::Tenant));
    }
    let proven = matches!(admission.plan, AdmissionPlan::Provision { .. });
    if standing.key_removed || proven && standing.id_removed {
        return Ok(AdmissionOutcome::NotAdmissible(Inadmissible::Removed));
    }
    if standing.id_removed {
        return Ok(AdmissionOutcome::Conflict(Conflict::CertificateIdRemoved));
    }
    if proven && displace(c, &standing, &Actor::Device, admission.at)? {
        standing = Standing::of(c, new)?;
    }
    if let Some(conflict) = standing.conflict() {
        return Ok(AdmissionOutcome::Conflict(conflict));
    }
    let mut device = record::fresh(new, DeviceState::Pending, admission.at);
    if !proven {
        describe(&mut device.described, &admission.described);
        record::insert(c, &device)?;
        let detail = Value::Object(detail(&device, admission)).to_string();
        about(&device, admission).audit(c, action::QUEUED, detail)?;
        return Ok(AdmissionOutcome::Pending(device));
    }
    if let Some(full) = full(c, admission)? {
        return Ok(AdmissionOutcome::NotAdmissible(full));
    }
    if needs_client_id_of_another(c, &device, admission)? {
        return Ok(AdmissionOutcome::Conflict(Conflict::ClientIdTaken));
    }
    bring_aboard(&mut device, admission);
    let number = record::insert(c, &device)?;
    hand_over(c, admission, number, device, true)
}

/// Which quota leaves no room for one device more.
fn full(c: &Connection, admission: &Admission) -> Result<Option<Inadmissible>, Fault> {
    let AdmissionPlan::Provision {
        device,
        provisioning,
    } = &admission.plan
    else {
        return Ok(None);
    };
    let tenant = device.tenant.as_str();
    let Provisioning { origin, quotas, .. } = &**provisioning;
    let anchor = origin.anchor_id.as_str();
    let full = |max: Option<u64>, select: &str, values: &[&str]| match max {
        None => Ok::<_, Fault>(false),
        Some(max) => {
            let has: Option<i64> = scalar(c, select, params_from_iter(values))?;
            Ok(count(has.unwrap_or_default())? >= max)
        }
    };
    if full(quotas.of_anchor, OF_ANCHOR, &[tenant, anchor])? {
        return Ok(Some(Inadmissible::AnchorQuota));
    }
    let of_tenant = full(quotas.of_tenant, OF_TENANT, &[tenant])?;
    Ok(of_tenant.then_some(Inadmissible::TenantQuota))
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
            record::delete(c, found.number)?;
            let about = About {
                actor: actor.clone(),
                tenant: &found.device.tenant,
                device: &found.device.id,
                at,
            };
            about.audit(c, action::DISPLACED, String::new())?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Makes the record that of a device aboard; whether that changed anything.
fn bring_aboard(device: &mut Device, admission: &Admission) -> bool {
    let before = device.clone();
    device.state = DeviceState::Aboard;
    device.aboard_at.get_or_insert(admission.at);
    device
        .client_id
        .get_or_insert_with(|| admission.credentials.client_id.clone());
    if let AdmissionPlan::Provision { provisioning, .. } = &admission.plan
        && before.state != DeviceState::Aboard
    {
        let origin = &provisioning.origin;
        device.anchor_id = Some(origin.anchor_id.clone());
        device.policy_revision = Some(origin.policy_revision);
        device.origin = Some(origin.clone());
        device.auth_id = Some(provisioning.auth_id.clone());
    }
    describe(&mut device.described, &admission.described);
    *device != before
}

/// Stores the credentials and tells those who want to know.
fn hand_over(
    c: &Connection,
    admission: &Admission,
    number: i64,
    device: Device,
    first: bool,
) -> Result<AdmissionOutcome, Fault> {
    let given = &admission.credentials;
    add_secret(c, number, &given.secret, admission.at)?;
    let (token, until) = (&given.git_token, given.git_expires_at);
    add_token(c, number, TokenKind::Git, token, until, admission.at)?;
    let about = about(&device, admission);
    let detail = detail(&device, admission);
    let client_id = device
        .client_id
        .clone()
        .ok_or_else(|| Fault::corrupt("a device is aboard without a client id"))?;
    if first {
        about.audit(c, action::ABOARD, Value::Object(detail.clone()).to_string())?;
        about.announce(c, OutboxEvent::DeviceAboard, &told(detail, &device))?;
        Ok(AdmissionOutcome::Created(device, client_id))
    } else {
        about.audit(c, action::ABOARD_AGAIN, Value::Object(detail).to_string())?;
        Ok(AdmissionOutcome::Again(device, client_id))
    }
}

fn needs_client_id_of_another(
    c: &Connection,
    device: &Device,
    admission: &Admission,
) -> Result<bool, Fault> {
    match device.client_id {
        Some(_) => Ok(false),
        None => record::client_id_taken(c, &admission.credentials.client_id),
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
    add("certificateId", device.certificate_id.as_str().into());
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

const OF_ANCHOR: &str = "SELECT count(*) FROM device WHERE tenant = ?1 AND anchor_id = ?2";

/// Who merely claims an id is no device yet: strangers must not fill a tenant.
const OF_TENANT: &str = "SELECT count(*) FROM device WHERE tenant = ?1 \
     AND NOT (aboard_at IS NULL AND state IN ('pending', 'rejected'))";
