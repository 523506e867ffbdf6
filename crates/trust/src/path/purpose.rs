//! What the certificates of a path are needed for, and whether they say that they are for it (RFC 5280
//! §4.2.1.12).

use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::KeyUsage;

use super::CertificateFault as Fault;
use super::element::Unfit;
use crate::ChainError;
use crate::certificate::Certificate;
use crate::elements::{Elements, OBJECT_IDENTIFIER, SEQUENCE};

/// What a path is needed for.
pub(crate) trait Need {
    /// As refusals name it.
    fn name(&self) -> &'static str;

    /// Whether a certificate serves it that lists these purposes, each the content of an OBJECT
    /// IDENTIFIER, or `None` if it has no extended key usage.
    fn is_served_by(&self, listed: Option<&[&[u8]]>) -> bool;

    /// Whether an authority itself may serve it.
    fn allows_authority(&self) -> bool {
        false
    }

    /// Whether a leaf with this key usage may serve it.
    fn allows(&self, usage: KeyUsage) -> bool;
}

/// Holds the extended key usage of a certificate, if there is one, to what is needed.
pub(crate) fn check(certificate: &Certificate<'_>, need: &impl Need) -> Result<(), Unfit> {
    let listed = listed(certificate)?;
    match need.is_served_by(listed.as_deref()) {
        true => Ok(()),
        false => Err(ChainError::PurposeNotAllowed {
            needed: need.name(),
        })?,
    }
}

/// By their bytes, since no library's object identifiers hold arcs of every length (ITU-T X.667).
fn listed<'c>(certificate: &Certificate<'c>) -> Result<Option<Vec<&'c [u8]>>, Fault> {
    let mut extensions = certificate.extensions.iter();
    let Some(found) = extensions.find(|extension| extension.id == EXTENDED_KEY_USAGE) else {
        return Ok(None);
    };
    let read = || {
        let mut purposes = Elements::inside(SEQUENCE, found.value)?;
        let mut listed = Vec::new();
        while !purposes.is_finished() {
            listed.push(purposes.content(OBJECT_IDENTIFIER)?);
        }
        Some(listed)
    };
    read().map(Some).ok_or(Fault::PurposesMalformed)
}

/// 2.5.29.37, `id-ce-extKeyUsage`.
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
