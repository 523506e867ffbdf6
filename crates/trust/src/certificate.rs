//! The few fields of a certificate that webpki does not hand out.

use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use rustls_pki_types::UnixTime;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use crate::{DistinguishedName, Validity};

pub(crate) fn parse(der: &[u8]) -> Option<Certificate> {
    Certificate::from_der(der).ok()
}

/// As the certificate has it, even if it ends before it begins: it never counts then.
pub(crate) fn validity(certificate: &Certificate) -> Validity {
    let validity = certificate.tbs_certificate().validity();
    Validity {
        not_before: UnixTime::since_unix_epoch(validity.not_before.to_unix_duration()),
        not_after: UnixTime::since_unix_epoch(validity.not_after.to_unix_duration()),
    }
}

pub(crate) fn subject(certificate: &Certificate) -> Option<DistinguishedName> {
    let der = certificate.tbs_certificate().subject().to_der().ok()?;
    DistinguishedName::from_der(&der).ok()
}

pub(crate) fn issuer(certificate: &Certificate) -> Option<DistinguishedName> {
    let der = certificate.tbs_certificate().issuer().to_der().ok()?;
    DistinguishedName::from_der(&der).ok()
}

/// DER SubjectPublicKeyInfo.
pub(crate) fn spki(certificate: &Certificate) -> Option<Vec<u8>> {
    let spki = certificate.tbs_certificate().subject_public_key_info();
    spki.to_der().ok()
}

/// Whether the certificate may issue others: `cA` set (RFC 5280 §4.2.1.9) and, where there is a key
/// usage, `keyCertSign` in it (§4.2.1.3). An extension that does not decode counts against it.
pub(crate) fn is_authority(certificate: &Certificate) -> bool {
    let tbs = certificate.tbs_certificate();
    let constraints = tbs.get_extension::<BasicConstraints>();
    let usage = tbs.get_extension::<KeyUsage>();
    matches!(constraints, Ok(Some((_, constraints))) if constraints.ca)
        && match usage {
            Ok(Some((_, usage))) => usage.key_cert_sign(),
            Ok(None) => true,
            Err(_) => false,
        }
}

/// The first critical extension that path building would not process, were the certificate in the
/// middle of a path (RFC 5280 §4.2). webpki ignores them in an anchor.
pub(crate) fn unknown_critical_extension(certificate: &Certificate) -> Option<ObjectIdentifier> {
    let extensions = certificate.tbs_certificate().extensions()?;
    let unknown = |extension: &&x509_cert::ext::Extension| {
        extension.critical && !PROCESSED.contains(&extension.extn_id)
    };
    extensions
        .iter()
        .find(unknown)
        .map(|extension| extension.extn_id)
}

/// keyUsage, subjectAltName, basicConstraints, nameConstraints, extKeyUsage.
const PROCESSED: [ObjectIdentifier; 5] = [
    ObjectIdentifier::new_unwrap("2.5.29.15"),
    ObjectIdentifier::new_unwrap("2.5.29.17"),
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.30"),
    ObjectIdentifier::new_unwrap("2.5.29.37"),
];
