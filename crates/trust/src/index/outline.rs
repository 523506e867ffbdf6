use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader};

use crate::MAX_CERTIFICATE_BYTES;

/// What a certificate is looked up by, each as DER. The rest of it is not read: looking up believes
/// nothing, and reading a certificate whole takes longer than looking it up.
pub(super) struct Outline<'d> {
    pub(super) issuer: &'d [u8],
    pub(super) spki: &'d [u8],
}

impl<'d> Outline<'d> {
    /// RFC 5280 §4.1.
    pub(super) fn of(certificate: &'d [u8]) -> Option<Self> {
        if certificate.len() > MAX_CERTIFICATE_BYTES {
            return None;
        }
        let mut outer = SliceReader::new(content(certificate)?).ok()?;
        let mut body = SliceReader::new(content(outer.tlv_bytes().ok()?)?).ok()?;
        let mut next = || body.tlv_bytes().ok();
        let mut first = next()?;
        if first.first() == Some(&VERSION) {
            first = next()?;
        }
        let _serial_number = first;
        let _signature_algorithm = next()?;
        let issuer = next()?;
        let _validity = next()?;
        let _subject = next()?;
        let spki = next()?;
        Some(Self { issuer, spki })
    }
}

fn content(element: &[u8]) -> Option<&[u8]> {
    Some(AnyRef::from_der(element).ok()?.value())
}

/// `[0]`, constructed.
const VERSION: u8 = 0xa0;
