//! The certificate id in a certificate's subject.

use alloc::string::String;

use der::asn1::{Ia5StringRef, PrintableStringRef};
use gangplank_key::{CertificateId, CertificateIdError};
use rustls_pki_types::CertificateDer;

use crate::DistinguishedName;
use crate::certificate::Certificate;
use crate::distinguished_name::{Attribute, IA5_STRING, PRINTABLE_STRING, UTF8_STRING};

/// The certificate id in a certificate's subject, which a trust anchor behind the certificate makes
/// its device's: `serialNumber` (2.5.4.5), or the CN where it has none. Nothing is verified.
///
/// # Errors
/// [`SubjectError`]: the subject yields none; [`SubjectError::Missing`] also for what is no X.509
/// certificate in DER.
pub fn claimed_certificate_id(
    certificate: &CertificateDer<'_>,
) -> Result<CertificateId, SubjectError> {
    let fields = Certificate::read(certificate).ok_or(SubjectError::Missing)?;
    let subject = DistinguishedName::from_der(fields.subject).map_err(|_| SubjectError::Missing)?;
    certificate_id(&subject)
}

/// The name of a certificate's issuer, as paths are built with it. Nothing is verified.
///
/// [`None`] for what is no X.509 certificate in DER.
pub fn claimed_issuer(certificate: &CertificateDer<'_>) -> Option<DistinguishedName> {
    let fields = Certificate::read(certificate)?;
    DistinguishedName::from_der(fields.issuer).ok()
}

/// The subject's `serialNumber` (2.5.4.5), or its CN where it has none.
///
/// A `serialNumber` that cannot be used is an error and not a reason to take the CN: one
/// certificate must not name two devices.
pub(crate) fn certificate_id(subject: &DistinguishedName) -> Result<CertificateId, SubjectError> {
    let serial_number = single(subject, SERIAL_NUMBER, "serialNumber")?;
    let found = match serial_number {
        Some(text) => Some(("serialNumber", text)),
        None => single(subject, COMMON_NAME, "CN")?.map(|text| ("CN", text)),
    };
    let (attribute, text) = found.ok_or(SubjectError::Missing)?;
    CertificateId::parse(&text).map_err(|reason| SubjectError::NotAnId { attribute, reason })
}

/// Why a certificate's subject yields no certificate id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// It has neither a `serialNumber` nor a CN.
    #[error("the subject has neither a serialNumber nor a CN")]
    Missing,
    /// It has the attribute more than once, so it names more than one device.
    #[error("the subject has more than one {attribute}")]
    Ambiguous {
        /// `serialNumber` or `CN`.
        attribute: &'static str,
    },
    /// The attribute is neither a PrintableString nor a UTF8String nor an IA5String.
    #[error("the subject's {attribute} is not text in a supported encoding")]
    NotText {
        /// `serialNumber` or `CN`.
        attribute: &'static str,
    },
    /// The attribute's text is no certificate id.
    #[error("the subject's {attribute} is no certificate id: {reason}")]
    NotAnId {
        /// `serialNumber` or `CN`.
        attribute: &'static str,
        /// What is wrong with it.
        reason: CertificateIdError,
    },
}

fn single(
    subject: &DistinguishedName,
    kind: &[u8],
    attribute: &'static str,
) -> Result<Option<String>, SubjectError> {
    let attributes = subject.relative_names().iter().flatten();
    let mut values = attributes.filter(|found| found.kind() == kind);
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(SubjectError::Ambiguous { attribute });
    }
    text(first)
        .map(|text| Some(text.into()))
        .ok_or(SubjectError::NotText { attribute })
}

// RFC 5280 §4.1.2.6: conforming authorities write PrintableString or UTF8String; IA5String is met in
// the field and is as unambiguous. The other string types have no encoding that all agree on.
fn text(value: &Attribute) -> Option<&str> {
    let (tag, content) = value.value();
    match tag {
        PRINTABLE_STRING => Some(PrintableStringRef::new(content).ok()?.as_str()),
        UTF8_STRING => core::str::from_utf8(content).ok(),
        IA5_STRING => Some(Ia5StringRef::new(content).ok()?.as_str()),
        _ => None,
    }
}

/// 2.5.4.5.
const SERIAL_NUMBER: &[u8] = &[0x55, 4, 5];
/// 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];

#[cfg(test)]
mod tests {
    use super::*;

    /// A name with one CN, whose value is of this tag.
    fn common_name(tag: u8, value: &[u8]) -> DistinguishedName {
        let length = |more: usize| u8::try_from(value.len() + more).unwrap();
        let mut name = vec![0x30, length(11), 0x31, length(9), 0x30, length(7)];
        name.extend([0x06, 3, 0x55, 4, 3, tag, length(0)]);
        name.extend(value);
        DistinguishedName::from_der(&name).unwrap()
    }

    #[test]
    fn text_is_read_from_three_kinds_of_string() {
        for tag in [0x0c, 0x13, 0x16] {
            assert_eq!(
                certificate_id(&common_name(tag, b"A")).unwrap().as_str(),
                "A"
            );
        }
        for (tag, value) in [
            (0x14, &b"A"[..]),
            (0x1e, b"\0A"),
            (0x04, b"A"),
            (0x0c, b"\xff"),
        ] {
            let error = certificate_id(&common_name(tag, value)).unwrap_err();
            assert_eq!(error, SubjectError::NotText { attribute: "CN" });
        }
    }
}
