//! The way to a certificate's key, past everything else in it.
//!
//! A reader of whole certificates would cost a microcontroller a sixth of its program, only to throw
//! the names, times and extensions away. Whoever needs those judges them: `gangplank-trust`.

use der::asn1::AnyRef;
use der::{Decode, Tag, TagNumber, Tagged};

use crate::KeyError;

/// The DER SubjectPublicKeyInfo of a DER certificate (RFC 5280 §4.1), as it stands there.
///
/// The frame of the certificate is checked down to the key: its elements, their order and kinds,
/// and that nothing follows. What the other elements hold is not looked at.
pub(crate) fn spki_of(certificate: &[u8]) -> Result<&[u8], KeyError> {
    walk(certificate).ok_or(KeyError::Certificate)
}

fn walk(certificate: &[u8]) -> Option<&[u8]> {
    let mut rest = certificate;
    let mut parts = next(&mut rest, Tag::Sequence)?.value();
    let mut to_be_signed = next(&mut parts, Tag::Sequence)?.value();
    next(&mut parts, Tag::Sequence)?; // signatureAlgorithm
    next(&mut parts, Tag::BitString)?; // signatureValue
    if !rest.is_empty() || !parts.is_empty() {
        return None;
    }
    // Version 1 is the default, and a default is left out.
    let _ = next(&mut to_be_signed, VERSION);
    next(&mut to_be_signed, Tag::Integer)?; // serialNumber
    for _ in ["signature", "issuer", "validity", "subject"] {
        next(&mut to_be_signed, Tag::Sequence)?;
    }
    let from = to_be_signed;
    next(&mut to_be_signed, Tag::Sequence)?;
    from.get(..from.len() - to_be_signed.len())
}

/// Takes the first element off `elements` if it has this tag.
fn next<'d>(elements: &mut &'d [u8], tag: Tag) -> Option<AnyRef<'d>> {
    let (element, rest) = AnyRef::from_der_partial(elements).ok()?;
    if element.tag() != tag {
        return None;
    }
    *elements = rest;
    Some(element)
}

const VERSION: Tag = Tag::ContextSpecific {
    constructed: true,
    number: TagNumber(0),
};

#[cfg(test)]
mod tests {
    use super::*;
    use der::Encode;

    const CERTIFICATES: [(&[u8], &[u8]); 3] = [
        (
            include_bytes!("../tests/data/p256.cert.der"),
            include_bytes!("../tests/data/p256.spki.der"),
        ),
        (
            include_bytes!("../tests/data/p256.v1.cert.der"),
            include_bytes!("../tests/data/p256.spki.der"),
        ),
        (
            include_bytes!("../tests/data/ed25519.cert.der"),
            include_bytes!("../tests/data/ed25519.spki.der"),
        ),
    ];

    #[test]
    fn the_key_is_the_one_openssl_put_there() {
        for (certificate, spki) in CERTIFICATES {
            assert_eq!(spki_of(certificate), Ok(spki));
        }
    }

    #[test]
    fn a_changed_length_or_tag_is_no_other_key() {
        // Whoever reads whole certificates finds the same key, or none, wherever a byte is changed.
        for (certificate, _) in CERTIFICATES {
            for at in 0..certificate.len() {
                for change in [0x01, 0x02, 0x20, 0x80, 0xff] {
                    let mut changed = certificate.to_vec();
                    changed[at] ^= change;
                    let Ok(whole) = x509_cert::Certificate::from_der(&changed) else {
                        continue;
                    };
                    let spki = whole.tbs_certificate().subject_public_key_info().to_der();
                    assert_eq!(spki_of(&changed), Ok(spki.unwrap().as_slice()), "{at}");
                }
            }
        }
    }

    #[test]
    fn what_is_cut_or_too_long_is_no_certificate() {
        for (certificate, spki) in CERTIFICATES {
            for length in 0..certificate.len() {
                assert_eq!(spki_of(&certificate[..length]), Err(KeyError::Certificate));
            }
            let longer = [certificate, &[0]].concat();
            assert_eq!(spki_of(&longer), Err(KeyError::Certificate));
            assert_eq!(spki_of(spki), Err(KeyError::Certificate));
        }
    }
}
