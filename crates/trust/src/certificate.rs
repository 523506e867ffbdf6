//! A certificate as the rest of this crate reads it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode, Tag};
use rustls_pki_types::UnixTime;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::{Certificate, TbsCertificate};

use crate::elements::{Elements, explicit};
use crate::path::Signed;
use crate::{DistinguishedName, PreparedName, Validity};

/// A version 3 certificate, read once: its fields, and the bytes of those that are compared.
#[derive(Debug)]
pub(crate) struct ReadCertificate<'c> {
    pub(crate) fields: Certificate,
    pub(crate) signed: Signed<'c>,
    /// The content of the serial number's INTEGER.
    pub(crate) serial: &'c [u8],
    pub(crate) issuer: PreparedName,
    pub(crate) subject: PreparedName,
    /// DER SubjectPublicKeyInfo.
    pub(crate) spki: &'c [u8],
}

/// Names prepared so far, by their DER: to prepare one costs more than to find it, and what is an
/// issuer here is a subject there.
#[derive(Debug, Default)]
pub(crate) struct Names<'c>(BTreeMap<&'c [u8], PreparedName>);

impl<'c> Names<'c> {
    pub(crate) fn add(&mut self, der: &'c [u8], prepared: PreparedName) {
        self.0.insert(der, prepared);
    }

    fn prepared(&mut self, der: &'c [u8]) -> Option<PreparedName> {
        if let Some(known) = self.0.get(der) {
            return Some(known.clone());
        }
        let prepared = DistinguishedName::from_der(der).ok()?.prepared();
        self.0.insert(der, prepared.clone());
        Some(prepared)
    }
}

impl<'c> ReadCertificate<'c> {
    pub(crate) fn from_der(der: &'c [u8], names: &mut Names<'c>) -> Option<Self> {
        let fields = parse(der)?;
        // RFC 5280 §4.1.2.1: extensions are of version 3, and no path is without them.
        if fields.tbs_certificate().version() != Version::V3 {
            return None;
        }
        let signed = Signed::split(der)?;
        let mut tbs = Elements::inside(Tag::Sequence, signed.message)?;
        tbs.content(explicit(0))?;
        let serial = tbs.content(Tag::Integer)?;
        // RFC 5280 §4.1.1.2: "MUST contain the same algorithm identifier".
        if tbs.content(Tag::Sequence)? != signed.algorithm {
            return None;
        }
        let issuer = names.prepared(tbs.whole()?)?;
        let _validity = tbs.whole()?;
        let subject = names.prepared(tbs.whole()?)?;
        let spki = tbs.whole()?;
        Some(Self {
            fields,
            signed,
            serial,
            issuer,
            subject,
            spki,
        })
    }

    pub(crate) fn tbs(&self) -> &TbsCertificate {
        self.fields.tbs_certificate()
    }

    /// RFC 5280 §3.2: the same name as subject and issuer.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
}

pub(crate) fn parse(der: &[u8]) -> Option<Certificate> {
    let again = |_| Certificate::from_der(&begun_in_1970(der)?).ok();
    Certificate::from_der(der).map_or_else(again, Some)
}

/// RFC 5280 §4.1.2.5.1: a UTCTime from 50 on is of the last century, and so may be before 1970, where
/// neither the times of `x509-cert` nor Unix times begin. Who sees it at 1970 judges it the same.
fn begun_in_1970(der: &[u8]) -> Option<Vec<u8>> {
    let tbs = Elements::inside(Tag::Sequence, der)?.whole()?;
    let mut fields = Elements::inside(Tag::Sequence, tbs)?;
    // Version, serial number, algorithm and issuer.
    for _ in 0..4 {
        fields.whole()?;
    }
    let validity = fields.whole()?;
    let begin = Elements::inside(Tag::Sequence, validity)?.whole()?;
    let year = begin.strip_prefix(&[0x17, 13])?.first_chunk()?;
    let old = matches!(year, [b'5' | b'6', b'0'..=b'9']);
    let at = year.as_ptr().addr().checked_sub(der.as_ptr().addr())?;
    let mut moved = der.to_vec();
    moved.get_mut(at..at + 2)?.copy_from_slice(b"70");
    old.then_some(moved)
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

/// The basic constraints of a certificate that may issue others: `cA` set (RFC 5280 §4.2.1.9) and,
/// where there is a key usage, `keyCertSign` in it (§4.2.1.3). An extension that does not decode
/// counts against it.
pub(crate) fn authority(certificate: &Certificate) -> Option<BasicConstraints> {
    let tbs = certificate.tbs_certificate();
    let (_, constraints) = tbs.get_extension::<BasicConstraints>().ok()??;
    let may_sign = match tbs.get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) => usage.key_cert_sign(),
        Ok(None) => true,
        Err(_) => false,
    };
    (constraints.ca && may_sign).then_some(constraints)
}

/// Whether the key usage has `cRLSign`, if there is one (RFC 5280 §6.3.3 (f)).
pub(crate) fn signs_lists(certificate: &Certificate) -> Option<bool> {
    match certificate.tbs_certificate().get_extension::<KeyUsage>() {
        Ok(usage) => usage.map(|(_, usage)| usage.crl_sign()),
        Err(_) => Some(false),
    }
}

/// The first critical extension that is not processed (RFC 5280 §4.2).
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

/// keyUsage, subjectAltName, basicConstraints, nameConstraints, extKeyUsage. Certificate policies and
/// what constrains them are not among them: nothing here asks for a policy, and who marks one as
/// critical means that somebody does.
const PROCESSED: [ObjectIdentifier; 5] = [
    ObjectIdentifier::new_unwrap("2.5.29.15"),
    ObjectIdentifier::new_unwrap("2.5.29.17"),
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.30"),
    ObjectIdentifier::new_unwrap("2.5.29.37"),
];
