//! A certificate as the rest of this crate reads it: in place, field by field (RFC 5280 §4.1).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid;
use der::{Decode, DecodeOwned};
use rustls_pki_types::UnixTime;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::time::Time;

use crate::elements::{
    BOOLEAN, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, explicit, implicit,
};
use crate::path::Signed;
use crate::{DistinguishedName, PreparedName, Validity};

/// A certificate's fields, where they stand in its DER. To make values of all of them costs ten times
/// as much, and few are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Certificate<'c> {
    pub(crate) signed: Signed<'c>,
    pub(crate) version: Version,
    /// The content of the serial number's INTEGER.
    pub(crate) serial: &'c [u8],
    /// DER Name.
    pub(crate) issuer: &'c [u8],
    /// As the certificate has it, even if it ends before it begins: it never counts then.
    pub(crate) validity: Validity,
    /// DER Name.
    pub(crate) subject: &'c [u8],
    /// DER SubjectPublicKeyInfo.
    pub(crate) spki: &'c [u8],
    pub(crate) extensions: Vec<Extension<'c>>,
}

/// RFC 5280 §4.1.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
    V3,
}

/// RFC 5280 §4.2.
#[derive(Clone, Debug)]
pub(crate) struct Extension<'c> {
    pub(crate) id: ObjectIdentifier,
    pub(crate) critical: bool,
    /// The content of `extnValue`.
    pub(crate) value: &'c [u8],
}

/// An extension that is there twice, or is not what its identifier says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreadable;

impl<'c> Certificate<'c> {
    /// `None` if the bytes are no certificate. What is inside of names and extensions is not looked at.
    pub(crate) fn read(der: &'c [u8]) -> Option<Self> {
        let signed = Signed::split(der)?;
        let mut tbs = Elements::inside(SEQUENCE, signed.message)?;
        let version = match tbs.optional(explicit(0)) {
            Some(number) => Version::read(number)?,
            None => Version::V1,
        };
        let serial = tbs.content(INTEGER)?;
        // RFC 5280 §4.1.1.2: "MUST contain the same algorithm identifier".
        if !is_serial(serial) || tbs.content(SEQUENCE)? != signed.algorithm {
            return None;
        }
        let issuer = tbs.whole()?;
        let validity = read_validity(tbs.content(SEQUENCE)?)?;
        let subject = tbs.whole()?;
        let spki = tbs.whole()?;
        for unique_id in [implicit(1), implicit(2)] {
            let bits = tbs.optional(unique_id);
            // X.690 §8.6.2: how many bits of the last octet do not count.
            bits.is_none_or(|bits| matches!(bits, [0..=7, ..]))
                .then_some(())?;
        }
        let extensions = match tbs.optional(explicit(3)) {
            Some(extensions) => read_extensions(extensions)?,
            None => Vec::new(),
        };
        tbs.is_finished().then_some(Self {
            signed,
            version,
            serial,
            issuer,
            validity,
            subject,
            spki,
            extensions,
        })
    }

    /// The extension of a type, and whether it is critical.
    pub(crate) fn extension<T: DecodeOwned + AssociatedOid>(
        &self,
    ) -> Result<Option<(bool, T)>, Unreadable> {
        let mut found = self.extensions.iter().filter(|found| found.id == T::OID);
        let Some(extension) = found.next() else {
            return Ok(None);
        };
        if found.next().is_some() {
            return Err(Unreadable);
        }
        let value = T::from_der(extension.value).map_err(|_| Unreadable)?;
        Ok(Some((extension.critical, value)))
    }

    pub(crate) fn has_subject(&self) -> bool {
        self.subject != EMPTY_NAME
    }

    pub(crate) fn has_issuer(&self) -> bool {
        self.issuer != EMPTY_NAME
    }

    /// The basic constraints of a certificate that may issue others: `cA` set (RFC 5280 §4.2.1.9) and,
    /// where there is a key usage, `keyCertSign` in it (§4.2.1.3). An extension that does not decode
    /// counts against it.
    pub(crate) fn authority(&self) -> Option<BasicConstraints> {
        let (_, constraints) = self.extension::<BasicConstraints>().ok()??;
        let may_sign = match self.extension::<KeyUsage>() {
            Ok(Some((_, usage))) => usage.key_cert_sign(),
            Ok(None) => true,
            Err(Unreadable) => false,
        };
        (constraints.ca && may_sign).then_some(constraints)
    }

    /// Whether the key usage has `cRLSign`, if there is one (RFC 5280 §6.3.3 (f)).
    pub(crate) fn signs_lists(&self) -> Option<bool> {
        match self.extension::<KeyUsage>() {
            Ok(usage) => usage.map(|(_, usage)| usage.crl_sign()),
            Err(Unreadable) => Some(false),
        }
    }

    /// The first critical extension that is not processed (RFC 5280 §4.2).
    pub(crate) fn unknown_critical_extension(&self) -> Option<ObjectIdentifier> {
        let unknown =
            |extension: &&Extension<'_>| extension.critical && !PROCESSED.contains(&extension.id);
        self.extensions.iter().find(unknown).map(|found| found.id)
    }
}

impl Version {
    fn read(number: &[u8]) -> Option<Self> {
        match number {
            [2, 1, 0] => Some(Self::V1),
            [2, 1, 1] => Some(Self::V2),
            [2, 1, 2] => Some(Self::V3),
            _ => None,
        }
    }
}

/// A version 3 certificate with its names to compare.
#[derive(Debug)]
pub(crate) struct NamedCertificate<'c> {
    pub(crate) fields: Certificate<'c>,
    pub(crate) issuer: PreparedName,
    pub(crate) subject: PreparedName,
}

impl<'c> NamedCertificate<'c> {
    pub(crate) fn read(der: &'c [u8], names: &mut Names<'c>) -> Option<Self> {
        let fields = Certificate::read(der)?;
        // RFC 5280 §4.1.2.1: extensions are of version 3, and no path is without them.
        if fields.version != Version::V3 {
            return None;
        }
        Some(Self {
            issuer: names.prepared(fields.issuer)?,
            subject: names.prepared(fields.subject)?,
            fields,
        })
    }

    /// RFC 5280 §3.2: the same name as subject and issuer.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
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

/// Of a certificate or a revocation list (RFC 5280 §4.1.2.5).
pub(crate) fn time(der: &[u8]) -> Option<UnixTime> {
    let time = Time::from_der(der).or_else(|error| {
        let begun_in_1970 = begun_in_1970(der).ok_or(error)?;
        Time::from_der(&begun_in_1970)
    });
    Some(UnixTime::since_unix_epoch(time.ok()?.to_unix_duration()))
}

/// RFC 5280 §4.1.2.5.1: a UTCTime from 50 on is of the last century, and so may be before 1970, where
/// neither the times of `x509-cert` nor Unix times begin. Who sees it at 1970 judges it the same.
fn begun_in_1970(der: &[u8]) -> Option<[u8; 15]> {
    let mut moved: [u8; 15] = der.try_into().ok()?;
    let [0x17, 13, decade @ (b'5' | b'6'), year, ..] = &mut moved else {
        return None;
    };
    (*decade, *year) = (b'7', b'0');
    Some(moved)
}

fn read_validity(content: &[u8]) -> Option<Validity> {
    let mut times = Elements::of(content);
    let validity = Validity {
        not_before: time(times.whole()?)?,
        not_after: time(times.whole()?)?,
    };
    times.is_finished().then_some(validity)
}

/// X.690 §8.3.2: in the shortest form. RFC 5280 §4.1.2.2 has 20 octets at most, and many count without
/// that of the sign.
fn is_serial(content: &[u8]) -> bool {
    let padded = matches!(content, [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..]);
    (1..=21).contains(&content.len()) && !padded
}

fn read_extensions(field: &[u8]) -> Option<Vec<Extension<'_>>> {
    let mut elements = Elements::inside(SEQUENCE, field)?;
    // Those of the field have ten at most.
    let mut extensions = Vec::with_capacity(8);
    while !elements.is_finished() {
        if extensions.len() == MAX_EXTENSIONS {
            return None;
        }
        let mut extension = Elements::of(elements.content(SEQUENCE)?);
        let id = ObjectIdentifier::from_bytes(extension.content(OBJECT_IDENTIFIER)?).ok()?;
        let critical = match extension.optional(BOOLEAN) {
            None | Some([0]) => false,
            Some([0xff]) => true,
            Some(_) => return None,
        };
        let value = extension.content(OCTET_STRING)?;
        extension.is_finished().then_some(())?;
        extensions.push(Extension {
            id,
            critical,
            value,
        });
    }
    Some(extensions)
}

/// Of one certificate: RFC 5280 knows seventeen, and each is compared with each before any signature is
/// looked at.
const MAX_EXTENSIONS: usize = 64;

/// An empty SEQUENCE.
const EMPTY_NAME: &[u8] = &[0x30, 0];

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

#[cfg(test)]
mod tests;
