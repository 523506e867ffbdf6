use crate::MAX_CERTIFICATE_BYTES;
use crate::elements::{Elements, SEQUENCE, explicit};

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
        let mut outer = Elements::inside(SEQUENCE, certificate)?;
        let mut body = Elements::inside(SEQUENCE, outer.whole()?)?;
        let _version = body.optional(explicit(0));
        let _serial_number = body.whole()?;
        let _signature_algorithm = body.whole()?;
        let issuer = body.whole()?;
        let _validity = body.whole()?;
        let _subject = body.whole()?;
        let spki = body.whole()?;
        Some(Self { issuer, spki })
    }
}
