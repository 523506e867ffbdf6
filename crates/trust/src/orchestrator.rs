//! The device's side: is this the certificate that the orchestrator signs its answers with?
//!
//! An orchestrator's root issues TLS leaves and signing leaves. A box that ends TLS may hold a TLS
//! leaf, so only a leaf with an extended key usage of gangplank's own may sign answers.

use alloc::string::String;
use core::fmt::Write;

use gangplank_key::{Backend, CertificateId, PublicKey, TrustedKey};
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_cert::ext::pkix::KeyUsage;

use crate::certificate::Certificate;
use crate::path::{self, MAX_INTERMEDIATES, Need, Search};
use crate::{Anchor, ChainError, Revocation};

/// The purpose in dotted form: 2.25 and the UUID a6dfa681-1533-4975-b807-d219f110a091 (ITU-T X.667
/// §7).
pub const SIGNING_PURPOSE: &str = "2.25.221813106606737659307915894774761037969";

/// The purpose as the value of a DER OBJECT IDENTIFIER, without tag and length.
pub const SIGNING_PURPOSE_DER: &[u8] = &[
    0x69, 0x82, 0xcd, 0xdf, 0xd3, 0xa0, 0xa2, 0xd3, 0x9a, 0xa5, 0xeb, 0xb8, 0x83, 0xf4, 0xc3, 0x9f,
    0x88, 0xc2, 0xc1, 0x11,
];

/// The DER of an `ExtKeyUsageSyntax` with that purpose alone: the value of the extension 2.5.29.37
/// in a signing certificate. For issuers whose library has no arcs of 128 bits.
pub const SIGNING_EKU_EXTENSION: &[u8] = &[
    0x30, 0x16, 0x06, 0x14, 0x69, 0x82, 0xcd, 0xdf, 0xd3, 0xa0, 0xa2, 0xd3, 0x9a, 0xa5, 0xeb, 0xb8,
    0x83, 0xf4, 0xc3, 0x9f, 0x88, 0xc2, 0xc1, 0x11,
];

/// Looks for a path from the first of `certificates` to exactly `root`, every certificate of it for
/// signing answers, and returns the leaf's key under the id that signed envelopes have: the
/// lower-case hex SHA-256 of the leaf's DER.
///
/// A leaf without an extended key usage, or with `anyExtendedKeyUsage` alone, does not do. An
/// intermediate certificate has to carry the purpose as well: only an authority that was meant for
/// it makes orchestrators. The root itself is never a leaf.
///
/// `now` is the caller's: on a device without a trustworthy clock it is the latest of the build
/// time and the last time that an authenticated answer showed, so that it never runs backwards.
///
/// # Errors
/// [`ChainError`]: why the certificate may not sign for the orchestrator.
pub fn verify_orchestrator(
    certificates: &[CertificateDer<'_>],
    root: &CertificateDer<'_>,
    backend: Backend,
    now: UnixTime,
) -> Result<TrustedKey, ChainError> {
    let (leaf, intermediates) = path::bounded(certificates)?;
    let root = Anchor::from_certificate("root", root.clone().into_owned())
        .map_err(|_| ChainError::RootUnusable)?;
    if !root.is_authority() {
        return Err(ChainError::RootUnusable);
    }
    path::check_anchor_window(&root, now)?;
    let search = Search {
        leaf,
        intermediates,
        max_intermediates: MAX_INTERMEDIATES,
        revocation: Revocation::NotChecked,
        backend,
        now,
    };
    search.run([&root], &SigningPurpose)?;
    let fields = Certificate::read(leaf).ok_or(ChainError::Malformed { position: 0 })?;
    path::check_leaf_window(fields.validity, now)?;
    let key = PublicKey::from_certificate(leaf, backend).map_err(ChainError::Key)?;
    Ok(TrustedKey::vouch(signer_id(leaf, backend)?, key))
}

/// The id under which the holder of this certificate signs: lower-case hex SHA-256 of its DER. Not a
/// proof of anything.
///
/// # Errors
/// None in practice; 64 hex digits are a certificate id.
pub fn signer_id(
    certificate: &CertificateDer<'_>,
    backend: Backend,
) -> Result<CertificateId, ChainError> {
    let mut hex = String::with_capacity(64);
    for byte in backend.sha256(&[certificate]) {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    CertificateId::parse(&hex).map_err(|reason| {
        ChainError::SubjectUnusable(crate::SubjectError::NotAnId {
            attribute: "SHA-256",
            reason,
        })
    })
}

struct SigningPurpose;

impl Need for SigningPurpose {
    fn name(&self) -> &'static str {
        "signing an orchestrator's answers"
    }

    fn is_served_by(&self, listed: Option<&[&[u8]]>) -> bool {
        listed.is_some_and(|listed| listed.contains(&SIGNING_PURPOSE_DER))
    }

    fn allows(&self, usage: KeyUsage) -> bool {
        usage.digital_signature()
    }
}

#[cfg(test)]
mod tests;
