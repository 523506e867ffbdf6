use alloc::vec::Vec;
use core::ops::Range;

use der::Decode;
use der::asn1::ObjectIdentifier;
use rustls_pki_types::UnixTime;
use x509_cert::ext::{Extension, Extensions};

use super::{NoStatus, RevocationListOutline};
use crate::certificate::time;
use crate::elements::{Elements, GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME, explicit};
use crate::path::Signed;
use crate::{DistinguishedName, PreparedName};

/// One `CertificateList` (RFC 5280 §5.1).
#[derive(Clone, Debug)]
pub(crate) struct RevocationList {
    der: Vec<u8>,
    name: DistinguishedName,
    pub(crate) issuer: PreparedName,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    revoked: Serials,
    flaw: Option<NoStatus>,
}

impl RevocationList {
    /// `None` if the bytes are no list.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let signed = Signed::split(der)?;
        let mut tbs = Elements::inside(SEQUENCE, signed.message)?;
        let version = tbs.optional(INTEGER);
        // §5.1.1.2: "MUST contain the same algorithm identifier".
        if tbs.content(SEQUENCE)? != signed.algorithm {
            return None;
        }
        let name = DistinguishedName::from_der(tbs.whole()?).ok()?;
        let this_update = time(tbs.whole()?)?;
        let next_update = match tbs.next_is(UTC_TIME) || tbs.next_is(GENERALIZED_TIME) {
            true => Some(time(tbs.whole()?)?),
            false => None,
        };
        let entries = tbs.optional(SEQUENCE).unwrap_or_default();
        let extensions = match tbs.optional(explicit(0)) {
            Some(extensions) => Extensions::from_der(extensions).ok()?,
            None => Vec::new(),
        };
        tbs.is_finished().then_some(())?;
        let (revoked, entry_flaw) = Serials::read(entries)?;
        // §5.1.2.1: version 2 is 1. §5.1.2.5: the next update is there.
        let whole = version == Some(&[1]) && next_update.is_some();
        let flaw = (!whole).then_some(NoStatus::NotConformant);
        Some(Self {
            der: der.to_vec(),
            issuer: name.prepared(),
            name,
            this_update,
            next_update,
            revoked,
            flaw: flaw.or(entry_flaw).or(list_flaw(&extensions)),
        })
    }

    pub(crate) fn outline(&self) -> RevocationListOutline<'_> {
        RevocationListOutline {
            issuer: &self.name,
            this_update: self.this_update,
            next_update: self.next_update,
        }
    }

    /// Whether it counts at `now`.
    pub(crate) fn is_current(&self, now: UnixTime) -> Result<(), NoStatus> {
        if now < self.this_update {
            return Err(NoStatus::NotYetValid);
        }
        match self.next_update {
            Some(next_update) if now > next_update => Err(NoStatus::OutOfDate),
            _ => Ok(()),
        }
    }

    /// What is against its use, whoever signed it and whenever.
    pub(crate) fn flaw(&self) -> Option<NoStatus> {
        self.flaw
    }

    pub(crate) fn signed(&self) -> Option<Signed<'_>> {
        Signed::split(&self.der)
    }

    /// Whether it names a certificate, by the content of the INTEGER that is its serial number.
    pub(crate) fn names(&self, serial: &[u8]) -> bool {
        self.revoked.contains(serial)
    }
}

/// The serial numbers of a list: sorted places in one run of bytes, as a list may have many.
#[derive(Clone, Debug, Default)]
struct Serials {
    bytes: Vec<u8>,
    sorted: Vec<Range<usize>>,
}

impl Serials {
    /// And what is against the use of a list with such entries.
    fn read(entries: &[u8]) -> Option<(Self, Option<NoStatus>)> {
        let (mut serials, mut flaw) = (Self::default(), None);
        let mut entries = Elements::of(entries);
        while !entries.is_finished() {
            let mut entry = Elements::of(entries.content(SEQUENCE)?);
            let serial = entry.content(INTEGER)?;
            let _revoked_at = time(entry.whole()?)?;
            if !entry.is_finished() {
                let extensions = Extensions::from_der(entry.whole()?).ok()?;
                flaw = flaw.or(entry_flaw(&extensions));
            }
            entry.is_finished().then_some(())?;
            let begin = serials.bytes.len();
            serials.bytes.extend(serial);
            serials.sorted.push(begin..serials.bytes.len());
        }
        let Self { bytes, sorted } = &mut serials;
        sorted.sort_unstable_by_key(|place| bytes.get(place.clone()));
        Some((serials, flaw))
    }

    fn contains(&self, serial: &[u8]) -> bool {
        let found = |place: &Range<usize>| self.bytes.get(place.clone()).cmp(&Some(serial));
        self.sorted.binary_search_by(found).is_ok()
    }
}

/// §5.2: "MUST NOT use that CRL to determine the status of certificates" with an unknown critical
/// extension. Two that have to be critical are looked for whether they are or not.
fn list_flaw(extensions: &[Extension]) -> Option<NoStatus> {
    let find = |oid| extensions.iter().find(|extension| extension.extn_id == oid);
    let unsupported = extensions.iter().any(|extension| {
        let known = extension.extn_id == CRL_NUMBER;
        extension.critical && !known || PARTIAL.contains(&extension.extn_id)
    });
    if unsupported {
        return Some(NoStatus::Unsupported);
    }
    match find(CRL_NUMBER) {
        // §5.2.3: "a non-critical CRL extension", and "CRL issuers […] MUST include this extension".
        Some(number) if !number.critical => repeated(extensions),
        _ => Some(NoStatus::NotConformant),
    }
}

/// §5.3: "MUST NOT use that CRL to determine the status of any certificates".
fn entry_flaw(extensions: &[Extension]) -> Option<NoStatus> {
    let unsupported = extensions.iter().any(|extension| {
        let known = extension.extn_id == REASON_CODE;
        // §5.3.1: removeFromCRL is for lists of changes.
        let removes = known && extension.extn_value.as_bytes() == REMOVE_FROM_CRL;
        extension.critical && !known || removes || extension.extn_id == CERTIFICATE_ISSUER
    });
    match unsupported {
        true => Some(NoStatus::Unsupported),
        false => repeated(extensions),
    }
}

/// §4.2, for lists as for certificates.
fn repeated(extensions: &[Extension]) -> Option<NoStatus> {
    if extensions.len() > MAX_EXTENSIONS {
        return Some(NoStatus::NotConformant);
    }
    let repeated = extensions.iter().enumerate().any(|(at, extension)| {
        let mut before = extensions.iter().take(at);
        before.any(|other| other.extn_id == extension.extn_id)
    });
    repeated.then_some(NoStatus::NotConformant)
}

/// 2.5.29.20.
const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
/// deltaCRLIndicator and issuingDistributionPoint.
const PARTIAL: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("2.5.29.27"),
    ObjectIdentifier::new_unwrap("2.5.29.28"),
];
/// 2.5.29.21.
const REASON_CODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
/// 2.5.29.29.
const CERTIFICATE_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.29");
/// ENUMERATED 8.
const REMOVE_FROM_CRL: [u8; 3] = [0x0a, 1, 8];
/// Extensions of a list or of an entry: RFC 5280 knows seven and three, and each is compared with
/// each.
const MAX_EXTENSIONS: usize = 32;
