//! What RFC 5280 §4 asks of each certificate by itself.
//!
//! Serial numbers are left alone: §4.1.2.2 asks users of certificates to bear odd ones. So are key
//! identifiers, which §6 does not look at and many device certificates lack.

use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, NameConstraints, SubjectAltName};

use super::CertificateFault as Fault;
use super::general_name;
use super::name_constraints::Constraints;
use crate::certificate::Certificate;

/// The first certificate of a path, which is no authority.
pub(crate) fn check_leaf(
    certificate: &Certificate<'_>,
    allows: impl Fn(KeyUsage) -> bool,
) -> Result<(), Fault> {
    let names = check_any(certificate)?;
    // §4.1.2.6, §4.2.1.6: without a subject, the names have to be understood.
    let named = certificate.has_subject() || matches!(names, Names::Critical);
    if !named {
        return Err(Fault::Nameless);
    }
    // §4.2.1.10: "MUST be used only in a CA certificate".
    if !matches!(certificate.extension::<NameConstraints>(), Ok(None)) {
        return Err(Fault::ConstraintsWithoutAuthority);
    }
    match key_usage(certificate)? {
        // §4.2.1.9: the leaf's `cA` is not set, or it was refused before.
        Some(usage) if usage.key_cert_sign() => Err(Fault::SignsWithoutAuthority),
        // §4.2.1.12: "the certificate MUST only be used for a purpose consistent with both".
        Some(usage) if !allows(usage) => Err(Fault::KeyUsageNotAllowed),
        _ => Ok(()),
    }
}

/// A certificate between leaf and anchor. Returns its name constraints.
pub(crate) fn check_intermediate(certificate: &Certificate<'_>) -> Result<Constraints, Fault> {
    check_any(certificate)?;
    check_authority(certificate)
}

/// An anchor that is an authority. Its own subject alternative names play no part in a path. Returns
/// its name constraints.
pub(crate) fn check_anchor(certificate: &Certificate<'_>) -> Result<Constraints, Fault> {
    check_extensions(certificate)?;
    let constraints = check_authority(certificate)?;
    // §4.2.1.9: "MUST mark the extension as critical". That is for who makes the certificate; §6.1.4
    // (k) does not ask it of those that a path leads through.
    match certificate.extension::<BasicConstraints>() {
        Ok(Some((true, _))) => Ok(constraints),
        _ => Err(Fault::BasicConstraintsNotCritical),
    }
}

fn check_authority(certificate: &Certificate<'_>) -> Result<Constraints, Fault> {
    // §4.1.2.6: "If the subject is a CA […] non-empty distinguished name".
    if !certificate.has_subject() {
        return Err(Fault::SubjectEmpty);
    }
    Constraints::of(certificate)
}

enum Names {
    NoneOrNotCritical,
    Critical,
}

fn check_any(certificate: &Certificate<'_>) -> Result<Names, Fault> {
    check_extensions(certificate)?;
    // §4.1.2.4.
    if !certificate.has_issuer() {
        return Err(Fault::IssuerEmpty);
    }
    key_usage(certificate)?;
    let names = certificate
        .extension::<SubjectAltName>()
        .map_err(|_| Fault::AlternativeNameMalformed)?;
    let Some((critical, SubjectAltName(names))) = names else {
        return Ok(Names::NoneOrNotCritical);
    };
    // §4.2.1.6: "the sequence MUST contain at least one entry".
    if names.is_empty() || !names.iter().all(general_name::is_well_formed) {
        return Err(Fault::AlternativeNameMalformed);
    }
    Ok(match critical {
        true => Names::Critical,
        false => Names::NoneOrNotCritical,
    })
}

/// §4.2: "A certificate MUST NOT include more than one instance of a particular extension."
fn check_extensions(certificate: &Certificate<'_>) -> Result<(), Fault> {
    let extensions = &certificate.extensions;
    let repeated = extensions.iter().enumerate().any(|(at, extension)| {
        let before = extensions.iter().take(at);
        before.into_iter().any(|other| other.id == extension.id)
    });
    match repeated {
        true => Err(Fault::ExtensionRepeated),
        false => Ok(()),
    }
}

/// §4.2.1.3: "at least one of the bits MUST be set to 1".
fn key_usage(certificate: &Certificate<'_>) -> Result<Option<KeyUsage>, Fault> {
    match certificate.extension::<KeyUsage>() {
        Ok(None) => Ok(None),
        Ok(Some((_, usage))) if !usage.0.is_empty() => Ok(Some(usage)),
        _ => Err(Fault::KeyUsageMalformed),
    }
}

#[cfg(test)]
mod tests;
