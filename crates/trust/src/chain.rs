use alloc::vec::Vec;

use gangplank_key::{Backend, CertificateId, PublicKey, TrustedKey};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    Error, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage,
    RequiredEkuNotFoundContext,
};

use crate::certificate::{self, Window};
use crate::path::{self, Named};
use crate::{Anchor, ChainError, Tenant, TenantId, subject};

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
        .find(|anchor| anchor.certificate() == leaf)
    {
        Some(pinned) => pinned,
        None => anchor_of_path(leaf, intermediates, tenant, backend, now)?,
    };
    let parsed = certificate::parse(leaf).ok_or(ChainError::Malformed { position: 0 })?;
    let leaf_window = certificate::window(&parsed);
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
    leaf_window: Window,
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

fn anchor_of_path<'t>(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    tenant: &'t Tenant,
    backend: Backend,
    now: UnixTime,
) -> Result<&'t Anchor, ChainError> {
    let (current, others): (Vec<&Anchor>, Vec<&Anchor>) = tenant
        .anchors
        .iter()
        .partition(|anchor| path::check_anchor_window(anchor, now).is_ok());
    let build = |anchors: &[&'t Anchor]| {
        // Both lists have the same order, so the place in one is the place in the other.
        let (anchors, authorities): (Vec<&Anchor>, Vec<&TrustAnchor<'static>>) = anchors
            .iter()
            .filter_map(|anchor| Some((*anchor, anchor.authority()?)))
            .unzip();
        if authorities.is_empty() {
            return Err(ChainError::NoUsableAnchor);
        }
        let at = path::build(
            leaf,
            intermediates,
            &authorities,
            DevicePurpose,
            backend,
            now,
        )?;
        anchors
            .get(at)
            .copied()
            .ok_or(ChainError::NoAnchorForIssuer)
    };
    let error = match build(&current) {
        Ok(anchor) => return Ok(anchor),
        Err(error) => error,
    };
    // An anchor outside its window never verifies a path; it only tells the operator why there is
    // none. A renewed root has the same name and key, so the current ones had to be tried first.
    let about_anchor = matches!(
        error,
        ChainError::NoUsableAnchor | ChainError::NoAnchorForIssuer | ChainError::BadSignature
    );
    match build(&others) {
        Ok(anchor) if about_anchor => Err(path::check_anchor_window(anchor, now)
            .err()
            .unwrap_or(error)),
        _ => Err(error),
    }
}

/// RFC 5280 §4.2.1.12: a certificate without the extension is good for any purpose, one with it
/// only for those it lists. Intermediates are held to it too, as is usual though not in the RFC.
struct DevicePurpose;

impl ExtendedKeyUsageValidator for DevicePurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let mut present = false;
        for purpose in purposes {
            let purpose = purpose?;
            if purpose == CLIENT_AUTH || purpose == ANY_PURPOSE {
                return Ok(());
            }
            present = true;
        }
        if !present {
            return Ok(());
        }
        Err(Error::RequiredEkuNotFoundContext(
            RequiredEkuNotFoundContext {
                required: KeyUsage::client_auth(),
                present: Vec::new(),
            },
        ))
    }
}

impl Named for DevicePurpose {
    fn name(&self) -> &'static str {
        "client authentication"
    }
}

/// 1.3.6.1.5.5.7.3.2, `id-kp-clientAuth`.
const CLIENT_AUTH: KeyPurposeId<'static> = KeyPurposeId::new(&[0x2b, 6, 1, 5, 5, 7, 3, 2]);
/// 2.5.29.37.0, `anyExtendedKeyUsage`.
const ANY_PURPOSE: KeyPurposeId<'static> = KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0]);

#[cfg(test)]
mod tests;
