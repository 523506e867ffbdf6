use rusqlite::{Connection, params};
use rustls_pki_types::UnixTime;

use super::apply_credentials::acting;
use super::apply_records::{About, consume};
use super::fault::Fault;
use super::rows::{execute, scalar, seconds};
use super::writer::Step;
use crate::store::{
    Actor, CapabilitiesReport, Device, MAX_DEPLOYMENTS, PutOutcome, StatusReport, action,
};

pub(super) fn put_capabilities(
    c: &Connection,
    report: &CapabilitiesReport,
) -> Result<Step<PutOutcome>, Fault> {
    if !consume(c, &report.once, report.at)? {
        return Ok(Step::Undo(PutOutcome::Replayed));
    }
    let found = match acting(c, &report.device_id)? {
        Ok(found) => found,
        Err(reason) => return Ok(Step::Keep(PutOutcome::NotAdmissible(reason))),
    };
    let before: Option<i64> = scalar(
        c,
        "SELECT 1 FROM capabilities WHERE device = ?1",
        [found.number],
    )?;
    execute(
        c,
        "INSERT INTO capabilities (device, body, received_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (device) DO UPDATE SET body = ?2, received_at = ?3",
        params![found.number, report.body, seconds(report.at)],
    )?;
    let about = about(&found.device, report.at);
    about.audit(c, action::CAPABILITIES, String::new())?;
    Ok(Step::Keep(put(before.is_none())))
}

pub(super) fn put_status(c: &Connection, report: &StatusReport) -> Result<Step<PutOutcome>, Fault> {
    if !consume(c, &report.once, report.at)? {
        return Ok(Step::Undo(PutOutcome::Replayed));
    }
    let found = match acting(c, &report.device_id)? {
        Ok(found) => found,
        Err(reason) => return Ok(Step::Keep(PutOutcome::NotAdmissible(reason))),
    };
    let before: Option<i64> = scalar(
        c,
        "SELECT 1 FROM deployment_status WHERE device = ?1 AND deployment_id = ?2",
        params![found.number, report.deployment_id],
    )?;
    execute(
        c,
        "INSERT INTO deployment_status (device, deployment_id, body, received_at) \
         VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (device, deployment_id) DO UPDATE SET body = ?3, received_at = ?4",
        params![
            found.number,
            report.deployment_id,
            report.body,
            seconds(report.at)
        ],
    )?;
    execute(
        c,
        "DELETE FROM deployment_status WHERE device = ?1 AND deployment_id IN \
         (SELECT deployment_id FROM deployment_status WHERE device = ?1 \
          ORDER BY received_at DESC, deployment_id = ?3 DESC LIMIT -1 OFFSET ?2)",
        params![found.number, MAX_DEPLOYMENTS, report.deployment_id],
    )?;
    let detail = serde_json::json!({ "deployment": report.deployment_id }).to_string();
    about(&found.device, report.at).audit(c, action::STATUS, detail)?;
    Ok(Step::Keep(put(before.is_none())))
}

fn put(first: bool) -> PutOutcome {
    match first {
        true => PutOutcome::Created,
        false => PutOutcome::Updated,
    }
}

fn about(device: &Device, at: UnixTime) -> About<'_> {
    About {
        actor: Actor::Device,
        tenant: &device.tenant,
        device: &device.id,
        at,
    }
}
