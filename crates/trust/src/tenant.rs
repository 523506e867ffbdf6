use alloc::string::String;
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use rustls_pki_types::{CertificateDer, TrustAnchor};

use crate::certificate::{self, Window};
use crate::path::conformance;
use crate::path::name_constraints::Constraints;
use crate::{CertificateFault, TenantId};

/// A tenant and its policy. A new one is enabled, trusts nothing and refuses strangers.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its name.
    pub id: TenantId,
    /// A disabled tenant admits nobody, not even devices it knows.
    pub enabled: bool,
    /// Counts changes of this policy; a [`Plan`](crate::Plan) names the one it was made under.
    pub policy_revision: u64,
    /// The certificates it trusts.
    pub anchors: Vec<Anchor>,
    /// What becomes of a device that no anchor vouches for.
    pub unknown: UnknownDevices,
}

impl Tenant {
    /// Enabled, revision 0, no anchors, [`UnknownDevices::Refuse`].
    pub fn new(id: TenantId) -> Self {
        Self {
            id,
            enabled: true,
            policy_revision: 0,
            anchors: Vec::new(),
            unknown: UnknownDevices::Refuse,
        }
    }
}

/// What becomes of a device that is not registered and that no anchor vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownDevices {
    /// It is refused.
    #[default]
    Refuse,
    /// It waits for an operator.
    Queue,
}

/// Whether devices under an anchor may join without being registered first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoProvisioning {
    /// They must be registered.
    #[default]
    Disabled,
    /// They may join.
    Enabled,
}

/// A certificate that a tenant trusts, and what it is trusted for.
///
/// If it is an authority (`cA` set and, where a key usage is present, `keyCertSign`), it vouches for
/// the certificates issued below it. Any certificate vouches for itself: a device that presents
/// exactly an anchor's certificate is *pinned*, which is how self-signed device certificates are
/// trusted. A certificate that is no authority vouches for nothing else.
#[derive(Clone, Debug)]
pub struct Anchor {
    id: String,
    certificate: CertificateDer<'static>,
    auto_provisioning: AutoProvisioning,
    window: Window,
    authority: Option<TrustAnchor<'static>>,
    constraints: Result<Constraints, CertificateFault>,
}

impl Anchor {
    /// Reads an anchor's certificate (DER). `id` is unique within the tenant.
    ///
    /// # Errors
    /// [`AnchorError`]: why this certificate cannot be an anchor. Its window is no reason: it is
    /// checked at each use.
    pub fn new(
        id: &str,
        certificate: CertificateDer<'static>,
        auto_provisioning: AutoProvisioning,
    ) -> Result<Self, AnchorError> {
        let parsed = certificate::parse(&certificate).ok_or(AnchorError::Malformed)?;
        if let Some(oid) = certificate::unknown_critical_extension(&parsed) {
            return Err(AnchorError::UnknownCriticalExtension(oid));
        }
        let authority = if certificate::is_authority(&parsed) {
            let anchor = webpki::anchor_from_trusted_cert(&certificate)
                .map_err(|_| AnchorError::Malformed)?;
            // webpki refuses whole kinds of names and self-issued certificates: `constraints` counts.
            Some(TrustAnchor {
                name_constraints: None,
                ..anchor.to_owned()
            })
        } else {
            None
        };
        let window = certificate::window(&parsed);
        Ok(Self {
            id: String::from(id),
            certificate,
            auto_provisioning,
            window,
            authority,
            constraints: conformance::check_anchor(&parsed),
        })
    }

    /// Its name within the tenant.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Whether devices it vouches for may join without being registered.
    pub fn auto_provisioning_enabled(&self) -> bool {
        self.auto_provisioning == AutoProvisioning::Enabled
    }

    /// Whether it vouches for certificates issued below it, and not only for itself.
    pub fn is_authority(&self) -> bool {
        self.authority.is_some()
    }

    pub(crate) fn window(&self) -> Window {
        self.window
    }

    /// Its name constraints, or what RFC 5280 has against the certificate as an authority: no path
    /// leads to it then.
    pub(crate) fn constraints(&self) -> Result<&Constraints, CertificateFault> {
        self.constraints.as_ref().map_err(|fault| *fault)
    }

    pub(crate) fn authority(&self) -> Option<&TrustAnchor<'static>> {
        self.authority.as_ref()
    }
}

/// Why a certificate cannot be a trust anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// The bytes are no certificate.
    #[error("the trust anchor is not a DER X.509 certificate")]
    Malformed,
    /// It says that it must not be used by who does not know an extension, and gangplank does not.
    #[error("the trust anchor has the critical extension {0}, which is not supported")]
    UnknownCriticalExtension(ObjectIdentifier),
}

#[cfg(test)]
mod tests {
    use gangplank_testkit::{Leaf, TestCa, self_signed};

    use super::*;

    #[test]
    fn only_an_authority_vouches_for_others() {
        let anchor =
            |certificate| Anchor::new("a", certificate, AutoProvisioning::Disabled).unwrap();
        assert!(anchor(TestCa::new("Root").certificate).is_authority());
        assert!(!anchor(self_signed(&Leaf::new("pump")).certificate).is_authority());
    }

    #[test]
    fn extensions_that_deny_authority_are_heeded() {
        let basic_constraints =
            |value: &[u8]| Leaf::new("pump").extension(&[2, 5, 29, 19], true, value.to_vec());
        let leaf = basic_constraints(&[0x30, 0]);
        let digital_signature = vec![3, 2, 7, 0x80];
        let may_not_sign = basic_constraints(&[0x30, 3, 1, 1, 0xff]).extension(
            &[2, 5, 29, 15],
            true,
            digital_signature,
        );
        for options in [leaf, may_not_sign] {
            let certificate = self_signed(&options).certificate;
            let anchor = Anchor::new("a", certificate, AutoProvisioning::Disabled).unwrap();
            assert!(!anchor.is_authority());
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_are_refused() {
        let error = Anchor::new("a", vec![0x30, 0].into(), AutoProvisioning::Disabled).unwrap_err();
        assert_eq!(error, AnchorError::Malformed);
    }

    #[test]
    fn unknown_critical_extension_is_refused() {
        let ca = TestCa::root(&Leaf::new("Root").extension(&[1, 2, 3, 4], true, vec![5, 0]));
        let error = Anchor::new("a", ca.certificate, AutoProvisioning::Disabled).unwrap_err();
        let oid = ObjectIdentifier::new_unwrap("1.2.3.4");
        assert_eq!(error, AnchorError::UnknownCriticalExtension(oid));
    }
}
