use gangplank_trust::Quotas;
use rusqlite::Connection;
use serde_json::json;

use super::apply_operator::end_tokens;
use super::apply_records::About;
use super::apply_tenants::stored_revision;
use super::credential_rows;
use super::device_rows as record;
use super::fault::Fault;
use super::read::found_by_id;
use super::rows::Found;
use super::standing::{full, removed};
use super::tombstones::{Part, unbury_device};
use super::writer::Step;
use crate::store::{
    Credential, DeviceNotSaved, DeviceSave, DeviceSaves, DeviceSavesOutcome, DeviceState, Expected,
    OutboxEvent, SavedBy, action,
};

pub(super) fn save_devices(
    c: &Connection,
    saves: &DeviceSaves,
) -> Result<Step<DeviceSavesOutcome>, Fault> {
    let Some(revision) = stored_revision(c, &saves.tenant)? else {
        return Ok(Step::Undo(DeviceSavesOutcome::NoSuchTenant));
    };
    if let Some(policy) = &saves.policy
        && (policy.tenant != saves.tenant || policy.revision != revision)
    {
        return Ok(Step::Undo(DeviceSavesOutcome::Outdated));
    }
    let mut revisions = Vec::new();
    for (index, one) in saves.devices.iter().enumerate() {
        match save(c, saves, one)? {
            Ok(revision) => revisions.push(revision),
            Err(reason) => return Ok(Step::Undo(DeviceSavesOutcome::Refused { index, reason })),
        }
    }
    Ok(Step::Keep(DeviceSavesOutcome::Saved(revisions)))
}

fn save(
    c: &Connection,
    saves: &DeviceSaves,
    one: &DeviceSave,
) -> Result<Result<u64, DeviceNotSaved>, Fault> {
    let mut found = match find(c, saves, one)? {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    if let Some(credentials) = &one.credentials {
        if found.device.state == DeviceState::Pending {
            return Ok(Err(DeviceNotSaved::Waiting));
        }
        if let Some(taken) = taken(c, &found, credentials)? {
            return Ok(Err(taken));
        }
        for part in credentials
            .iter()
            .flat_map(|one| Part::of_auth_id(&one.auth_id))
        {
            part.unbury(c, &saves.tenant)?;
        }
        credential_rows::set(c, found.number, &mut found.device, credentials)?;
    }
    if let Some(content) = &one.content {
        found.device.disabled = !content.enabled;
        if !content.enabled {
            end_tokens(c, found.number)?;
        }
        found.device.registration.clone_from(&content.registration);
    }
    record::save(c, found.number, &mut found.device, saves.at)?;
    tell(c, saves, one)?;
    Ok(Ok(found.device.revision))
}

/// The device as it is, or made.
fn find(
    c: &Connection,
    saves: &DeviceSaves,
    one: &DeviceSave,
) -> Result<Result<Found, DeviceNotSaved>, Fault> {
    let found = found_by_id(c, &one.device_id)?;
    Ok(match (found, one.expected) {
        (Some(found), _) if found.device.tenant != saves.tenant => Err(match one.expected {
            Expected::Absent => DeviceNotSaved::DeviceIdTaken,
            _ => DeviceNotSaved::NotFound,
        }),
        (Some(_), Expected::Absent) => Err(DeviceNotSaved::DeviceIdTaken),
        (Some(found), expected) if expected.is(found.device.revision) => Ok(found),
        (Some(found), _) => Err(DeviceNotSaved::Unexpected {
            current: found.device.revision,
        }),
        (None, Expected::Absent) => return make(c, saves, one),
        (None, _) => Err(DeviceNotSaved::NotFound),
    })
}

fn make(
    c: &Connection,
    saves: &DeviceSaves,
    one: &DeviceSave,
) -> Result<Result<Found, DeviceNotSaved>, Fault> {
    match &one.by {
        SavedBy::Operator => {
            unbury_device(c, &saves.tenant, &one.device_id)?;
        }
        SavedBy::Gateway { id, revision } => {
            let gateway = found_by_id(c, id)?.filter(|one| one.device.tenant == saves.tenant);
            if gateway.is_none_or(|one| one.device.revision != *revision) {
                return Ok(Err(DeviceNotSaved::GatewayChanged));
            }
            if removed(c, &saves.tenant, [Part::DeviceId(&one.device_id)])?.is_some() {
                return Ok(Err(DeviceNotSaved::Removed));
            }
        }
    }
    let quotas = Quotas {
        of_anchor: None,
        of_tenant: saves.max_devices,
    };
    if full(c, &saves.tenant, None, quotas)?.is_some() {
        return Ok(Err(DeviceNotSaved::TenantFull));
    }
    let device = record::bare(
        &saves.tenant,
        &one.device_id,
        DeviceState::Registered,
        saves.at,
    );
    let number = record::insert(c, &device)?;
    Ok(Ok(Found {
        number,
        device,
        tenant_enabled: true,
    }))
}

/// An authentication id that another device has, or that two of these are.
fn taken(
    c: &Connection,
    found: &Found,
    credentials: &[Credential],
) -> Result<Option<DeviceNotSaved>, Fault> {
    let device = &found.device;
    for (position, one) in credentials.iter().enumerate() {
        let id = &one.auth_id;
        let mut before = credentials.iter().take(position);
        let twice = before.any(|other| id.clashes_with(&other.auth_id));
        let holder = match twice {
            true => Some(device.id.clone()),
            false => credential_rows::holder(c, &device.tenant, found.number, id)?,
        };
        if let Some(holder) = holder {
            let auth_id = id.as_str().to_owned();
            return Ok(Some(DeviceNotSaved::AuthIdTaken { auth_id, holder }));
        }
    }
    Ok(None)
}

fn tell(c: &Connection, saves: &DeviceSaves, one: &DeviceSave) -> Result<(), Fault> {
    let about = About {
        actor: saves.actor.clone(),
        tenant: &saves.tenant,
        device: &one.device_id,
        at: saves.at,
    };
    match &one.by {
        SavedBy::Operator => about.audit(c, action::SAVED, String::new()),
        SavedBy::Gateway { id: gateway, .. } => {
            let detail = json!({ "gatewayId": gateway.as_str() }).to_string();
            about.audit(c, action::PROVISIONED, detail.clone())?;
            about.announce(c, OutboxEvent::DeviceProvisioned, &detail)
        }
    }
}
