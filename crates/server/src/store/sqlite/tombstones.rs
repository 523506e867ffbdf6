use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_trust::{PreparedName, StoredAuthId, TenantId};
use rusqlite::{Connection, params};
use rustls_pki_types::UnixTime;

use super::fault::Fault;
use super::rows::{execute, parsed, seconds};
use crate::store::{Device, NewCertificate};

/// Part of an identity, as it is remembered of a removed device.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    CertificateId(&'a CertificateId),
    Key(&'a [u8; 32]),
    AuthId(&'a str),
    Name(&'a PreparedName),
    DeviceId(&'a DeviceId),
}

impl<'a> Part<'a> {
    pub(super) fn of_auth_id(id: &'a StoredAuthId) -> impl Iterator<Item = Self> {
        [Self::AuthId(id.as_str())]
            .into_iter()
            .chain(id.prepared_name().map(Self::Name))
    }

    fn kind(self) -> &'static str {
        match self {
            Self::CertificateId(_) => "certificate_id",
            Self::Key(_) => "key",
            Self::AuthId(_) => "auth_id",
            Self::Name(_) => "name",
            Self::DeviceId(_) => "device_id",
        }
    }

    fn subject(self) -> &'a [u8] {
        match self {
            Self::CertificateId(id) => id.as_str().as_bytes(),
            Self::Key(hash) => hash,
            Self::AuthId(text) => text.as_bytes(),
            Self::Name(name) => name.as_bytes(),
            Self::DeviceId(id) => id.as_str().as_bytes(),
        }
    }

    /// What the removed device was called that had this.
    pub(super) fn removed(
        self,
        c: &Connection,
        tenant: &TenantId,
    ) -> Result<Option<DeviceId>, Fault> {
        let mut statement = c.prepare_cached(
            "SELECT device FROM tombstone WHERE tenant = ?1 AND kind = ?2 AND subject = ?3",
        )?;
        let mut rows = statement.query(params![tenant.as_str(), self.kind(), self.subject()])?;
        let row = rows.next()?;
        row.map(|row| parsed(row, 0, DeviceId::parse)).transpose()
    }

    pub(super) fn unbury(self, c: &Connection, tenant: &TenantId) -> Result<(), Fault> {
        execute(
            c,
            "DELETE FROM tombstone WHERE tenant = ?1 AND kind = ?2 AND subject = ?3",
            params![tenant.as_str(), self.kind(), self.subject()],
        )?;
        Ok(())
    }

    fn bury(self, c: &Connection, device: &Device, at: UnixTime) -> Result<(), Fault> {
        execute(
            c,
            "INSERT INTO tombstone (tenant, kind, subject, device, removed_at) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![
                device.tenant.as_str(),
                self.kind(),
                self.subject(),
                device.id.as_str(),
                seconds(at)
            ],
        )?;
        Ok(())
    }
}

/// Remembers that the device, and each part of its identity, was removed. A certificate id that it merely
/// claimed is not its own.
pub(super) fn bury(c: &Connection, device: &Device, at: UnixTime) -> Result<(), Fault> {
    let certificates = device.certificates.iter();
    let credentials = device.credentials.iter();
    let id = device
        .certificate_id
        .as_ref()
        .filter(|_| device.is_vouched_for());
    let parts = [Part::DeviceId(&device.id)]
        .into_iter()
        .chain(id.map(Part::CertificateId))
        .chain(certificates.map(|one| Part::Key(&one.spki_sha256)))
        .chain(credentials.flat_map(|one| Part::of_auth_id(&one.auth_id)));
    for part in parts {
        part.bury(c, device, at)?;
    }
    Ok(())
}

/// Forgets that a certificate id and a key were removed, and what names the device was recognised by.
/// Another key that was removed with the same certificate id stays removed.
pub(super) fn unbury_certificate(
    c: &Connection,
    tenant: &TenantId,
    new: &NewCertificate,
) -> Result<(), Fault> {
    let id = new.certificate_id.as_ref().map(Part::CertificateId);
    for part in [Part::Key(&new.spki_sha256)].into_iter().chain(id) {
        if let Some(device) = part.removed(c, tenant)? {
            execute(
                c,
                "DELETE FROM tombstone WHERE tenant = ?1 AND device = ?2 \
                 AND kind IN ('auth_id', 'name', 'device_id')",
                params![tenant.as_str(), device.as_str()],
            )?;
        }
        part.unbury(c, tenant)?;
    }
    Ok(())
}

/// Forgets all of a removed device; whether anything was remembered.
pub(super) fn unbury_device(
    c: &Connection,
    tenant: &TenantId,
    device: &DeviceId,
) -> Result<bool, Fault> {
    let delete = "DELETE FROM tombstone WHERE tenant = ?1 AND device = ?2";
    Ok(execute(c, delete, params![tenant.as_str(), device.as_str()])? > 0)
}
