use gangplank_key::{Backend, CertificateId, PublicKey, TrustedKey};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::certificate;
use crate::path::{self, PathProfile, Purpose, verify_path};
use crate::{
    Anchor, CertificateFault, ChainError, SubjectError, Tenant, TenantId, Validity, subject,
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
/// It says nothing about revocation, about whether the sender holds the leaf's key, nor whether the
/// tenant is enabled: the last is [`decide`](crate::decide)'s.
///
/// # Errors
/// [`ChainError`]: for the operator; the sender learns only that its certificate is not trusted.
pub fn verify(
    chain: &[CertificateDer<'_>],
    tenant: &Tenant,
    backend: Backend,
    now: UnixTime,
) -> Result<VerifiedChain, ChainError> {
    let (leaf, intermediates) = path::bounded(chain)?;
    let anchor = match tenant
        .anchors
        .iter()
        .find(|anchor| anchor.certificate() == Some(leaf))
    {
        Some(pinned) => pinned,
        None => verify_path(leaf, intermediates, &tenant.anchors, DEVICES, backend, now)
            .map_err(nameless_is_unusable)?,
    };
    let parsed = certificate::parse(leaf).ok_or(ChainError::Malformed { position: 0 })?;
    let leaf_window = certificate::validity(&parsed);
    path::check_leaf_window(leaf_window, now)?;
    let key = PublicKey::from_certificate(leaf, backend).map_err(ChainError::Key)?;
    let id = subject::certificate_id(parsed.tbs_certificate().subject())
        .map_err(ChainError::SubjectUnusable)?;
    Ok(VerifiedChain {
        tenant: tenant.id.clone(),
        anchor: anchor.clone(),
        leaf: leaf.clone().into_owned(),
        leaf_window,
        trusted_key: TrustedKey::vouch(id, key),
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
    leaf_window: Validity,
    trusted_key: TrustedKey,
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

    /// The id in the leaf's subject: its `serialNumber`, or its CN where it has none.
    pub fn certificate_id(&self) -> &CertificateId {
        self.trusted_key.id()
    }

    /// The leaf's key, bound to [`certificate_id`](Self::certificate_id).
    pub fn trusted_key(&self) -> TrustedKey {
        self.trusted_key.clone()
    }

    /// Fails when the leaf or the anchor is outside its window at `now`.
    pub(crate) fn check_windows(&self, now: UnixTime) -> Result<(), ChainError> {
        path::check_leaf_window(self.leaf_window, now)?;
        path::check_anchor_window(&self.anchor, now)
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
