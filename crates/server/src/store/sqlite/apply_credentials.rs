use gangplank_onboarding::DeviceId;
use gangplank_token::StoredSecret;
use rusqlite::{Connection, params};
use rustls_pki_types::UnixTime;

use super::apply_records::About;
use super::fault::Fault;
use super::read::found_by_id;
use super::rows::{Found, execute, one_device, seconds, select_device};
use super::writer::Step;
use crate::store::{
    Actor, AuthenticationOutcome, ClientAuthentication, DeviceState, GitTokenIssue, Inadmissible,
    IssueOutcome, MAX_TOKENS, TokenKind, action,
};

/// Whether a device that is aboard may act now, and if not, why.
pub(super) fn may_act(found: &Found) -> Result<(), Inadmissible> {
    if !found.tenant_enabled {
        return Err(Inadmissible::Tenant);
    }
    if found.device.disabled {
        return Err(Inadmissible::Disabled);
    }
    match found.device.state {
        DeviceState::Aboard => Ok(()),
        DeviceState::Rejected => Err(Inadmissible::Rejected),
        DeviceState::Registered | DeviceState::Pending => Err(Inadmissible::NotAboard),
    }
}

/// The device of that id, if it may act now.
pub(super) fn acting(c: &Connection, id: &DeviceId) -> Result<Result<Found, Inadmissible>, Fault> {
    Ok(match found_by_id(c, id)? {
        None => Err(Inadmissible::Removed),
        Some(found) => may_act(&found).map(|()| found),
    })
}

/// Adds a client secret, and ends those that the rule of two ends: of the older ones only that
/// last used stays, or, if none was used, the newest.
pub(super) fn add_secret(
    c: &Connection,
    device: i64,
    secret: &StoredSecret,
    at: UnixTime,
) -> Result<(), Fault> {
    execute(
        c,
        "DELETE FROM client_secret WHERE device = ?1 AND number <> \
         (SELECT number FROM client_secret WHERE device = ?1 \
          ORDER BY used_at IS NOT NULL DESC, number DESC LIMIT 1)",
        [device],
    )?;
    execute(
        c,
        "INSERT INTO client_secret (device, hash, created_at) VALUES (?1, ?2, ?3)",
        params![device, secret.as_bytes(), seconds(at)],
    )?;
    Ok(())
}

/// Adds a token; the oldest beyond [`MAX_TOKENS`] end.
pub(super) fn add_token(
    c: &Connection,
    device: i64,
    kind: TokenKind,
    token: &StoredSecret,
    expires_at: UnixTime,
    at: UnixTime,
) -> Result<(), Fault> {
    execute(
        c,
        "INSERT INTO token (kind, hash, device, expires_at, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            kind.as_str(),
            token.as_bytes(),
            device,
            seconds(expires_at),
            seconds(at)
        ],
    )?;
    execute(
        c,
        "DELETE FROM token WHERE device = ?1 AND kind = ?2 AND number <= \
         (SELECT number FROM token WHERE device = ?1 AND kind = ?2 \
          ORDER BY number DESC LIMIT 1 OFFSET ?3)",
        params![device, kind.as_str(), MAX_TOKENS as i64],
    )?;
    Ok(())
}

pub(super) fn authenticate_client(
    c: &Connection,
    asked: &ClientAuthentication,
) -> Result<Step<AuthenticationOutcome>, Fault> {
    let invalid = Ok(Step::Undo(AuthenticationOutcome::InvalidClient));
    let select = select_device!("WHERE d.client_id = ?1");
    let Some(found) = one_device(c, select, [asked.client_id.as_str()])? else {
        return invalid;
    };
    if may_act(&found).is_err() {
        return invalid;
    }
    let secrets = secrets(c, found.number)?;
    // Every secret is compared, in constant time, so that the time tells nothing about which.
    let mut matching = None;
    for secret in &secrets {
        if secret.hash == asked.presented {
            matching = Some(secret);
        }
    }
    let Some(secret) = matching else {
        return invalid;
    };
    use_secret(c, found.number, secret, &secrets, asked.at)?;
    let token = &asked.access_token;
    add_token(
        c,
        found.number,
        TokenKind::Access,
        token,
        asked.expires_at,
        asked.at,
    )?;
    let about = About {
        actor: Actor::Device,
        tenant: &found.device.tenant,
        device: &found.device.id,
        at: asked.at,
    };
    about.audit(c, action::ACCESS_TOKEN, String::new())?;
    Ok(Step::Keep(AuthenticationOutcome::Issued(found.device.id)))
}

pub(super) fn issue_git_token(
    c: &Connection,
    asked: &GitTokenIssue,
) -> Result<Step<IssueOutcome>, Fault> {
    let found = match acting(c, &asked.device_id)? {
        Ok(found) => found,
        Err(reason) => return Ok(Step::Undo(IssueOutcome::NotAdmissible(reason))),
    };
    add_token(
        c,
        found.number,
        TokenKind::Git,
        &asked.token,
        asked.expires_at,
        asked.at,
    )?;
    let about = About {
        actor: Actor::Device,
        tenant: &found.device.tenant,
        device: &found.device.id,
        at: asked.at,
    };
    about.audit(c, action::GIT_TOKEN, String::new())?;
    Ok(Step::Keep(IssueOutcome::Issued))
}

struct KeptSecret {
    number: i64,
    hash: StoredSecret,
    used: bool,
}

/// A device's live secrets, oldest first.
fn secrets(c: &Connection, device: i64) -> Result<Vec<KeptSecret>, Fault> {
    let mut statement = c.prepare_cached(
        "SELECT number, hash, used_at IS NOT NULL FROM client_secret \
         WHERE device = ?1 ORDER BY number",
    )?;
    let found = statement.query_map([device], |row| {
        Ok(KeptSecret {
            number: row.get(0)?,
            hash: StoredSecret::from_bytes(row.get(1)?),
            used: row.get(2)?,
        })
    })?;
    Ok(found.collect::<Result<Vec<_>, _>>()?)
}

/// Notes a secret's first use, which ends the older ones if it is the newest. A later use of the
/// same secret writes nothing.
fn use_secret(
    c: &Connection,
    device: i64,
    secret: &KeptSecret,
    live: &[KeptSecret],
    at: UnixTime,
) -> Result<(), Fault> {
    if !secret.used {
        execute(
            c,
            "UPDATE client_secret SET used_at = ?2 WHERE number = ?1",
            [secret.number, seconds(at)],
        )?;
    }
    let newest = live.iter().all(|other| other.number <= secret.number);
    if newest && live.len() > 1 {
        execute(
            c,
            "DELETE FROM client_secret WHERE device = ?1 AND number < ?2",
            [device, secret.number],
        )?;
    }
    Ok(())
}
