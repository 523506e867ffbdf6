//! What the authority reads back from its own certificates.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_cert::Certificate;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName, name::GeneralName};

/// From when until when a certificate is valid, both included, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) not_before: u64,
    pub(super) not_after: u64,
}

impl Validity {
    pub(super) fn contains(self, now: UnixTime) -> bool {
        (self.not_before..=self.not_after).contains(&now.as_secs())
    }

    /// Less than a third of the lifetime is left, or this machine's clock stands before its
    /// beginning (it was set back).
    pub(super) fn renewal_due(self, now: UnixTime) -> bool {
        let lifetime = self.not_after.saturating_sub(self.not_before);
        let left = self.not_after.saturating_sub(now.as_secs());
        !self.contains(now) || left.saturating_mul(3) < lifetime
    }
}

/// The fields of a certificate that decide whether it can be kept.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) der: CertificateDer<'static>,
    pub(super) spki: Vec<u8>,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) validity: Validity,
    /// DER of the extended key usage extension's value; empty if it has none.
    pub(super) purposes: Vec<u8>,
    names: Vec<GeneralName>,
}

impl Facts {
    /// Reads one PEM certificate; `None` if the text is not exactly that.
    pub(super) fn from_pem(text: &str) -> Option<Self> {
        let mut blocks = CertificateDer::pem_slice_iter(text.as_bytes());
        let (Some(Ok(der)), None) = (blocks.next(), blocks.next()) else {
            return None;
        };
        Self::from_der(der)
    }

    pub(super) fn from_der(der: CertificateDer<'static>) -> Option<Self> {
        let certificate = Certificate::from_der(&der).ok()?;
        let fields = certificate.tbs_certificate();
        let names = fields.get_extension::<SubjectAltName>().ok()?;
        // As bytes: gangplank's own purpose has an arc of 128 bits, which the decoder cannot hold.
        let purposes = fields
            .extensions()
            .and_then(|all| all.iter().find(|one| one.extn_id == ExtendedKeyUsage::OID))
            .map(|one| one.extn_value.as_bytes().to_vec());
        let validity = fields.validity();
        Some(Self {
            spki: fields.subject_public_key_info().to_der().ok()?,
            issuer: fields.issuer().to_string(),
            subject: fields.subject().to_string(),
            validity: Validity {
                not_before: validity.not_before.to_unix_duration().as_secs(),
                not_after: validity.not_after.to_unix_duration().as_secs(),
            },
            purposes: purposes.unwrap_or_default(),
            names: names
                .map(|(_, SubjectAltName(names))| names)
                .unwrap_or_default(),
            der,
        })
    }

    /// Whether the subject alternative names contain this DNS name or address.
    pub(super) fn names(&self, host: &rcgen::SanType) -> bool {
        self.names.iter().any(|name| match (name, host) {
            (GeneralName::DnsName(held), rcgen::SanType::DnsName(wanted)) => {
                held.as_str() == wanted.as_str()
            }
            (GeneralName::IpAddress(_), rcgen::SanType::IpAddress(wanted)) => {
                *name == GeneralName::from(*wanted)
            }
            _ => false,
        })
    }
}
