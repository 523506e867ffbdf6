use alloc::boxed::Box;

use gangplank_key::{Backend, CertificateId, PublicKey, TrustedKey};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::certificate::Certificate;
use crate::path::{self, PathProfile, Purpose, verify_path};
use crate::{
    Anchor, AnchorStanding, AuthId, CertificateFault, ChainError, DistinguishedName, Filled,
    Reason, Revocation, StoredAuthId, SubjectError, TemplateUse, Tenant, TenantId, UnusableSubject,
    Validity, subject,
};

/// Looks for a path from `chain`'s first certificate, the leaf, to a trust anchor of `tenant`.
///
/// The other certificates may come in any order and need not all be used. A leaf that is byte for
/// byte an anchor's certificate is pinned: it needs no path, and only its window and its key are
/// looked at. Otherwise RFC 5280 §6 holds, and further: the leaf is no authority; an extended key
/// usage, where there is one, has `clientAuth` or `anyExtendedKeyUsage`; the anchor is an authority
/// and within its own window. Policy comes from the anchor that verified the path, not from another
/// of the same name.
///
/// About revocation it says what `revocation` lets it; a pin needs no revocation list, since nobody
/// issued it. It says nothing about whether the sender holds the leaf's key, nor whether the tenant is
/// enabled: the last is [`decide`](crate::decide)'s.
///
/// # Errors
/// [`ChainError`]: for the operator; the sender learns only that its certificate is not trusted.
pub fn verify(
    chain: &[CertificateDer<'_>],
    tenant: &Tenant,
    revocation: Revocation<'_>,
    backend: Backend,
    now: UnixTime,
) -> Result<VerifiedChain, ChainError> {
    let (leaf, intermediates) = path::bounded(chain)?;
    let counts = |anchor: &&Anchor| anchor.policy().standing == AnchorStanding::Enabled;
    let mut anchors = tenant.anchors.iter().filter(counts);
    let pinned = |anchor: &&Anchor| anchor.certificate() == Some(leaf);
    let anchor = match anchors.clone().find(pinned) {
        Some(pinned) => pinned,
        None => {
            let anchors = &mut anchors;
            verify_path(
                leaf,
                intermediates,
                anchors,
                DEVICES,
                revocation,
                backend,
                now,
            )
            .map_err(nameless_is_unusable)?
            .anchor()
        }
    };
    path::check_asked_status(anchor, revocation)?;
    let malformed = || ChainError::Malformed { position: 0 };
    let fields = Certificate::read(leaf).ok_or_else(malformed)?;
    path::check_leaf_window(fields.validity, now)?;
    let key = PublicKey::from_certificate(leaf, backend).map_err(ChainError::Key)?;
    let name = |der| DistinguishedName::from_der(der).map_err(|_| malformed());
    let subject = name(fields.subject)?;
    Ok(VerifiedChain {
        tenant: tenant.id.clone(),
        anchor: anchor.clone(),
        leaf: leaf.clone().into_owned(),
        auth_id: auth_id(&subject, anchor),
        certificate_id: subject::certificate_id(&subject),
        subject,
        issuer: name(fields.issuer)?,
        serial_number: fields.serial.into(),
        validity: fields.validity,
        certificate_sha256: backend.sha256(&[leaf]),
        spki_sha256: key.spki_sha256(),
        anchor_spki_sha256: backend.sha256(&[anchor.spki()]),
        key,
    })
}

/// Proof that a trust anchor of a tenant stands behind a certificate: [`verify`] alone makes it.
///
/// It does not say that whoever sent the certificate holds its key. A signature verified with
/// [`trusted_key`](Self::trusted_key) says that.
#[derive(Clone, Debug)]
pub struct VerifiedChain {
    tenant: TenantId,
    anchor: Anchor,
    leaf: CertificateDer<'static>,
    validity: Validity,
    serial_number: Box<[u8]>,
    subject: DistinguishedName,
    issuer: DistinguishedName,
    certificate_id: Result<CertificateId, SubjectError>,
    auth_id: Result<AuthId, Reason>,
    key: PublicKey,
    certificate_sha256: [u8; 32],
    spki_sha256: [u8; 32],
    anchor_spki_sha256: [u8; 32],
}

impl VerifiedChain {
    /// The tenant whose anchor it is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The anchor that verified the path, as it was then.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// The leaf.
    pub fn leaf(&self) -> &CertificateDer<'static> {
        &self.leaf
    }

    /// The leaf's subject.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The name of the leaf's issuer.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// The leaf's serial number, big-endian (RFC 5280 §4.1.2.2).
    pub fn serial_number(&self) -> &[u8] {
        &self.serial_number
    }

    /// SHA-256 of the leaf's DER.
    pub fn certificate_sha256(&self) -> [u8; 32] {
        self.certificate_sha256
    }

    /// SHA-256 of the leaf's SubjectPublicKeyInfo.
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.spki_sha256
    }

    pub(crate) fn anchor_spki_sha256(&self) -> [u8; 32] {
        self.anchor_spki_sha256
    }

    /// The leaf's key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The id in the leaf's subject: its `serialNumber`, or its CN where it has none.
    ///
    /// # Errors
    /// [`SubjectError`]: the subject yields none.
    pub fn certificate_id(&self) -> Result<&CertificateId, &SubjectError> {
        self.certificate_id.as_ref()
    }

    /// The leaf's key, bound to [`certificate_id`](Self::certificate_id).
    ///
    /// # Errors
    /// [`SubjectError`]: the subject yields no certificate id.
    pub fn trusted_key(&self) -> Result<TrustedKey, &SubjectError> {
        let id = self.certificate_id()?.clone();
        Ok(TrustedKey::vouch(id, self.key.clone()))
    }

    /// The authentication id that it yields under the anchor's policy.
    ///
    /// # Errors
    /// [`Reason::TemplateAttributeMissing`], [`Reason::SubjectUnusable`].
    pub fn auth_id(&self) -> Result<&AuthId, &Reason> {
        self.auth_id.as_ref()
    }

    /// As [`auth_id`](Self::auth_id), where the sender has given one.
    ///
    /// # Errors
    /// [`Reason::AuthIdMismatch`]: it is not what the certificate yields.
    pub fn expect_auth_id(&self, given: &str) -> Result<AuthId, Reason> {
        let yields = self.auth_id.clone()?;
        match yields.names(&StoredAuthId::new(given)) {
            true => Ok(yields),
            false => Err(Reason::AuthIdMismatch {
                given: given.into(),
                yields: yields.as_str().into(),
            }),
        }
    }

    /// The device id that the anchor's template makes of the subject, to look up who has it. [`None`]
    /// without a template, or if it cannot be filled.
    pub fn device_id(&self) -> Option<Filled> {
        let template = self.anchor.policy().device_id_template.as_ref()?;
        template.fill(&self.subject).ok()
    }

    /// That under the anchor as it is today.
    pub(crate) fn auth_id_under(&self, anchor: &Anchor) -> Result<AuthId, Reason> {
        let verified = &self.anchor.policy().auth_id_template;
        match anchor.policy().auth_id_template == *verified {
            true => self.auth_id.clone(),
            false => auth_id(&self.subject, anchor),
        }
    }

    /// Fails when the leaf or the anchor is outside its window at `now`.
    pub(crate) fn check_validity(&self, now: UnixTime) -> Result<(), ChainError> {
        path::check_leaf_window(self.validity, now)?;
        path::check_anchor_window(&self.anchor, now)
    }
}

fn auth_id(subject: &DistinguishedName, anchor: &Anchor) -> Result<AuthId, Reason> {
    let template = anchor.policy().auth_id_template.as_ref();
    let id = AuthId::of(subject, template)
        .map_err(|error| Reason::unfilled(error, TemplateUse::AuthId))?;
    match id.as_str() {
        "" => Err(Reason::SubjectUnusable(UnusableSubject::Empty)),
        _ => Ok(id),
    }
}

/// A device is told apart by its subject, so to an operator the want of one is what matters.
fn nameless_is_unusable(error: ChainError) -> ChainError {
    match error {
        ChainError::NotConformant {
            fault: CertificateFault::Nameless,
            ..
        } => ChainError::SubjectUnusable(SubjectError::Missing),
        other => other,
    }
}

const DEVICES: PathProfile = PathProfile::new(Purpose::Client);

#[cfg(test)]
mod tests;
