use alloc::string::String;
use alloc::vec::Vec;

use der::Decode;
use der::asn1::ObjectIdentifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::certificate::Certificate;
use crate::path::conformance;
use crate::path::name_constraints::Constraints;
use crate::{AnchorPolicy, CertificateFault, DistinguishedName, PreparedName};

/// What a path may end at: a name, a key and a validity, and what whoever it vouches for may do.
///
/// It comes from a certificate or is given bare (RFC 5280 §6.1.1 (d) asks for no certificate). If it
/// is an authority, it vouches for the certificates issued below it: a bare one always is, one from a
/// certificate if `cA` is set and, where a key usage is present, `keyCertSign`. Any certificate vouches
/// for itself: a device that presents exactly an anchor's certificate is *pinned*, which is how
/// self-signed device certificates are trusted. A certificate that is no authority vouches for nothing
/// else.
#[derive(Clone, Debug)]
pub struct Anchor {
    id: String,
    name: DistinguishedName,
    spki: Vec<u8>,
    validity: Validity,
    certificate: Option<CertificateDer<'static>>,
    name_der: Vec<u8>,
    prepared_name: PreparedName,
    authority: Option<Authority>,
    constraints: Result<Constraints, CertificateFault>,
    policy: AnchorPolicy,
}

impl Anchor {
    /// Reads an anchor's certificate (DER). `id` is unique within the tenant. Its policy is
    /// [`AnchorPolicy::default`]: nobody joins by it.
    ///
    /// # Errors
    /// [`AnchorError`]: why this certificate cannot be an anchor. That it has ended or not begun is no
    /// reason: its validity is checked at each use.
    pub fn from_certificate(
        id: &str,
        certificate: CertificateDer<'static>,
    ) -> Result<Self, AnchorError> {
        let fields = Certificate::read(&certificate).ok_or(AnchorError::Malformed)?;
        if let Some(oid) = fields.unknown_critical_extension() {
            return Err(AnchorError::UnknownCriticalExtension(oid));
        }
        let name =
            DistinguishedName::from_der(fields.subject).map_err(|_| AnchorError::Malformed)?;
        let authority = fields.authority().map(|constraints| Authority {
            path_length: constraints.path_len_constraint,
            signs_lists: fields.signs_lists().unwrap_or(true),
        });
        Ok(Self {
            id: String::from(id),
            name_der: name.to_der(),
            prepared_name: name.prepared(),
            name,
            spki: fields.spki.to_vec(),
            validity: fields.validity,
            authority,
            constraints: conformance::check_anchor(&fields),
            certificate: Some(certificate),
            policy: AnchorPolicy::default(),
        })
    }

    /// An authority of this name and key (DER SubjectPublicKeyInfo, RFC 5280 §4.1.2.7), without name
    /// constraints. Its policy is [`AnchorPolicy::default`].
    ///
    /// # Errors
    /// [`AnchorError::NameEmpty`], [`AnchorError::KeyMalformed`]. A key that no backend takes is no
    /// reason: it verifies nothing.
    pub fn bare(
        id: &str,
        name: DistinguishedName,
        spki: Vec<u8>,
        validity: Validity,
    ) -> Result<Self, AnchorError> {
        if name.is_empty() {
            return Err(AnchorError::NameEmpty);
        }
        SubjectPublicKeyInfoRef::from_der(&spki).map_err(|_| AnchorError::KeyMalformed)?;
        Ok(Self {
            id: String::from(id),
            name_der: name.to_der(),
            prepared_name: name.prepared(),
            name,
            spki,
            validity,
            certificate: None,
            authority: Some(Authority::UNLIMITED),
            constraints: Ok(Constraints::default()),
            policy: AnchorPolicy::default(),
        })
    }

    /// The same anchor under another policy.
    pub fn with_policy(self, policy: AnchorPolicy) -> Self {
        Self { policy, ..self }
    }

    /// Its id, unique within the tenant.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name that the certificates it issues have as their issuer.
    pub fn name(&self) -> &DistinguishedName {
        &self.name
    }

    /// Its key: DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// When it counts.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The certificate it came from, if it came from one.
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.certificate.as_ref()
    }

    /// What whoever it vouches for may do.
    pub fn policy(&self) -> &AnchorPolicy {
        &self.policy
    }

    /// Whether it vouches for certificates issued below it, and not only for itself.
    pub fn is_authority(&self) -> bool {
        self.authority.is_some()
    }

    /// Its name constraints, or what RFC 5280 has against the certificate as an authority: no path
    /// leads to it then.
    pub(crate) fn constraints(&self) -> Result<&Constraints, CertificateFault> {
        self.constraints.as_ref().map_err(|fault| *fault)
    }

    /// As it mostly stands in certificates.
    pub(crate) fn name_der(&self) -> &[u8] {
        &self.name_der
    }

    pub(crate) fn prepared_name(&self) -> &PreparedName {
        &self.prepared_name
    }

    /// How many intermediates may stand below it, self-issued ones apart.
    pub(crate) fn path_length(&self) -> Option<u8> {
        self.authority?.path_length
    }

    /// Whether its revocation lists count.
    pub(crate) fn signs_lists(&self) -> bool {
        self.authority
            .is_some_and(|authority| authority.signs_lists)
    }
}

/// What an authority says about what is below it.
#[derive(Clone, Copy, Debug)]
struct Authority {
    path_length: Option<u8>,
    signs_lists: bool,
}

impl Authority {
    /// Of a bare anchor, which says nothing.
    const UNLIMITED: Self = Self {
        path_length: None,
        signs_lists: true,
    };
}

/// From when until when something counts, both ends included (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
}

impl Validity {
    /// From `not_before` to `not_after`.
    ///
    /// # Errors
    /// [`ValidityInverted`] if it ends before it begins.
    pub fn new(not_before: UnixTime, not_after: UnixTime) -> Result<Self, ValidityInverted> {
        match not_before <= not_after {
            true => Ok(Self {
                not_before,
                not_after,
            }),
            false => Err(ValidityInverted {
                not_before,
                not_after,
            }),
        }
    }

    /// Its first second.
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// Its last second.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// Whether `now` is in it.
    pub fn contains(&self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

/// A validity ends before it begins. Times are Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it ends at {}, before it begins at {}", not_after.as_secs(), not_before.as_secs())]
pub struct ValidityInverted {
    /// The first second given.
    pub not_before: UnixTime,
    /// The last second given.
    pub not_after: UnixTime,
}

/// Why something cannot be a trust anchor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// The bytes are no certificate.
    #[error("the trust anchor is not a DER X.509 certificate")]
    Malformed,
    /// The certificate says that it must not be used by who does not know an extension, and gangplank
    /// does not.
    #[error("the trust anchor has the critical extension {0}, which is not supported")]
    UnknownCriticalExtension(ObjectIdentifier),
    /// A bare anchor has no name.
    #[error("the trust anchor has an empty name")]
    NameEmpty,
    /// A bare anchor's key is no DER SubjectPublicKeyInfo.
    #[error("the trust anchor's key is not a DER SubjectPublicKeyInfo")]
    KeyMalformed,
}

#[cfg(test)]
mod tests;
