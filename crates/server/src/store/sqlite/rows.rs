use core::fmt::Display;
use core::time::Duration;

use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_token::ClientId;
use gangplank_trust::{Origin, StoredAuthId, TenantId};
use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::fault::Fault;
use crate::store::{Credential, Described, Device, DeviceCertificate, DeviceState, Voucher};

/// A device together with what only the database knows of it.
pub(super) struct Found {
    /// What other tables call it.
    pub(super) number: i64,
    pub(super) device: Device,
    pub(super) tenant_enabled: bool,
}

/// A `SELECT` of devices as [`devices`] reads them, with the rest of the statement.
macro_rules! select_device {
    ($rest:literal) => {
        concat!(
            "SELECT d.number, d.id, d.tenant, d.certificate_id, d.state, d.disabled, d.revision, \
             d.client_id, d.anchor_id, d.policy_revision, d.vendor, d.model_number, \
             d.serial_number, d.created_at, d.updated_at, d.aboard_at, t.enabled, \
             d.origin_anchor_spki_sha256, d.origin_certificate_sha256, d.origin_spki_sha256, \
             d.origin_serial_number, d.origin_issuer, d.id_values, d.registration, d.voucher \
             FROM device d JOIN tenant t ON t.id = d.tenant ",
            $rest
        )
    };
}
pub(super) use select_device;

/// All devices of a [`select_device`] statement, with their certificates.
pub(super) fn devices(
    connection: &Connection,
    select: &str,
    params: impl Params,
) -> Result<Vec<Found>, Fault> {
    let mut statement = connection.prepare_cached(select)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut one = device(row)?;
        one.device.certificates = certificates(connection, one.number)?;
        one.device.credentials = credentials(connection, one.number)?;
        found.push(one);
    }
    Ok(found)
}

/// The one device of a [`select_device`] statement.
pub(super) fn one_device(
    connection: &Connection,
    select: &str,
    params: impl Params,
) -> Result<Option<Found>, Fault> {
    Ok(devices(connection, select, params)?.pop())
}

fn device(row: &Row<'_>) -> Result<Found, Fault> {
    let device = Device {
        id: parsed(row, 1, DeviceId::parse)?,
        tenant: parsed(row, 2, TenantId::parse)?,
        certificate_id: optional(row, 3, CertificateId::parse)?,
        state: parsed(row, 4, |name| {
            DeviceState::parse(name).ok_or("no such state")
        })?,
        disabled: row.get(5)?,
        voucher: parsed(row, 24, |name| {
            Voucher::parse(name).ok_or("no such voucher")
        })?,
        revision: count(row.get(6)?)?,
        client_id: optional(row, 7, ClientId::parse)?,
        anchor_id: row.get(8)?,
        policy_revision: row.get::<_, Option<i64>>(9)?.map(count).transpose()?,
        origin: origin(row)?,
        credentials: Vec::new(),
        device_id_values: parsed(row, 22, |text| serde_json::from_str(text))?,
        registration: row.get(23)?,
        described: Described {
            vendor: row.get(10)?,
            model_number: row.get(11)?,
            serial_number: row.get(12)?,
        },
        certificates: Vec::new(),
        created_at: time(row.get(13)?)?,
        updated_at: time(row.get(14)?)?,
        aboard_at: row.get::<_, Option<i64>>(15)?.map(time).transpose()?,
    };
    Ok(Found {
        number: row.get(0)?,
        device,
        tenant_enabled: row.get(16)?,
    })
}

fn origin(row: &Row<'_>) -> Result<Option<Origin>, Fault> {
    let Some(anchor_spki_sha256) = row.get(17)? else {
        return Ok(None);
    };
    Ok(Some(Origin {
        anchor_id: row.get(8)?,
        anchor_spki_sha256,
        policy_revision: count(row.get(9)?)?,
        certificate_sha256: row.get(18)?,
        spki_sha256: row.get(19)?,
        serial_number: row.get(20)?,
        issuer: row.get(21)?,
    }))
}

fn credentials(connection: &Connection, device: i64) -> Result<Vec<Credential>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT auth_id, template_values, document FROM credential \
         WHERE device = ?1 ORDER BY number",
    )?;
    let mut rows = statement.query([device])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let values: Option<Vec<String>> = optional(row, 1, |text| serde_json::from_str(text))?;
        found.push(Credential {
            auth_id: match values {
                Some(values) => StoredAuthId::of_template(&text, values),
                None => StoredAuthId::new(&text),
            },
            document: row.get(2)?,
        });
    }
    Ok(found)
}

fn certificates(connection: &Connection, device: i64) -> Result<Vec<DeviceCertificate>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT der, spki_sha256, fingerprint, added_at FROM certificate \
         WHERE device = ?1 ORDER BY number",
    )?;
    let mut rows = statement.query([device])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(DeviceCertificate {
            certificate: CertificateDer::from(row.get::<_, Vec<u8>>(0)?),
            spki_sha256: row.get(1)?,
            fingerprint: row.get(2)?,
            added_at: time(row.get(3)?)?,
        });
    }
    Ok(found)
}

/// Reads a text column into its type; a value that the type refuses was not written by us.
pub(super) fn parsed<T, E: Display>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Fault> {
    let text: String = row.get(column)?;
    parse(&text).map_err(|error| {
        let name = row.as_ref().column_name(column).unwrap_or("?").to_owned();
        Fault::corrupt(format!("column {name}: {error}"))
    })
}

/// As [`parsed`], for a column that may be null.
pub(super) fn optional<T, E: Display>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Fault> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => parsed(row, column, parse).map(Some),
    }
}

/// The first column of the first row, if there is one.
pub(super) fn scalar<T: FromSql>(
    connection: &Connection,
    select: &str,
    params: impl Params,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(select)?;
    let mut rows = statement.query(params)?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

/// Runs a statement that answers nothing; the number of rows it changed.
pub(super) fn execute(
    connection: &Connection,
    statement: &str,
    params: impl Params,
) -> Result<usize, Fault> {
    Ok(connection.prepare_cached(statement)?.execute(params)?)
}

pub(super) fn time(seconds: i64) -> Result<UnixTime, Fault> {
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(count(
        seconds,
    )?)))
}

/// Seconds as SQLite's integer. A time beyond its range, which no clock shows, is its end.
pub(super) fn seconds(time: UnixTime) -> i64 {
    integer(time.as_secs())
}

pub(super) fn count(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::corrupt(format!("negative number {number}")))
}

pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
