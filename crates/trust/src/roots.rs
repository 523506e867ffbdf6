//! Root certificates as people hand them around: is it one, and what is its fingerprint?

use gangplank_key::{Backend, KeyError, PublicKey};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::Validity;
use crate::certificate::{NamedCertificate, Names};

/// Checks that a certificate is a self-signed certificate authority and valid at `now`.
///
/// It makes a mistake visible early, such as a leaf handed out as the root. It is no reason to trust
/// the certificate: that needs its [`fingerprint`] from somewhere else.
///
/// # Errors
/// [`RootError`]: what the certificate is instead.
pub fn check_root(
    certificate: &CertificateDer<'_>,
    backend: Backend,
    now: UnixTime,
) -> Result<(), RootError> {
    let read =
        NamedCertificate::read(certificate, &mut Names::default()).ok_or(RootError::Malformed)?;
    if !read.is_self_issued() {
        return Err(RootError::IssuedByAnother);
    }
    if read.fields.authority().is_none() {
        return Err(RootError::NoAuthority);
    }
    PublicKey::from_spki(read.fields.spki, backend).map_err(RootError::Key)?;
    // With any of the algorithms that signatures in a path may have.
    read.fields
        .signed
        .verify(read.fields.spki, backend)
        .map_err(|_| RootError::BadSignature)?;
    let Validity {
        not_before,
        not_after,
    } = read.fields.validity;
    if now < not_before {
        return Err(RootError::NotYetValid { not_before });
    }
    if now > not_after {
        return Err(RootError::Expired { not_after });
    }
    Ok(())
}

/// SHA-256 of the certificate's DER, as in a join string and in `openssl x509 -fingerprint -sha256`.
pub fn fingerprint(certificate: &CertificateDer<'_>, backend: Backend) -> [u8; 32] {
    backend.sha256(&[certificate])
}

/// Why a certificate is no root. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// The bytes are no certificate.
    #[error("the root is not a DER X.509 certificate")]
    Malformed,
    /// Its issuer is not its subject.
    #[error("the certificate was issued by another one, so it is no root")]
    IssuedByAnother,
    /// It is no certificate authority.
    #[error("the certificate is not a certificate authority")]
    NoAuthority,
    /// Its key cannot be used.
    #[error("the root's key cannot be used: {0}")]
    Key(KeyError),
    /// Its own key did not sign it.
    #[error("the root is not signed with its own key")]
    BadSignature,
    /// It has ended.
    #[error("the root ended at {}", not_after.as_secs())]
    Expired {
        /// Its last second.
        not_after: UnixTime,
    },
    /// It has not begun.
    #[error("the root begins at {}", not_before.as_secs())]
    NotYetValid {
        /// Its first second.
        not_before: UnixTime,
    },
}

#[cfg(test)]
mod tests {
    use gangplank_testkit::{KeyKind, Leaf, NOW, TestCa, openssl, self_signed};

    use super::*;

    fn check(certificate: &CertificateDer<'_>) -> Result<(), RootError> {
        check_root(certificate, Backend::PURE_RUST, NOW)
    }

    #[test]
    fn roots_pass() {
        assert_eq!(check(&TestCa::new("Root").certificate), Ok(()));
        let ed25519 = TestCa::root(&Leaf::new("Root").key(KeyKind::Ed25519));
        assert_eq!(check(&ed25519.certificate), Ok(()));
    }

    #[test]
    fn roots_of_openssl_pass_whatever_their_kind_and_hash() {
        let p384 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
        for kind in [
            &["rsa:2048"][..],
            &["rsa:3072", "-sha384"],
            &["rsa:2048", "-sha512"],
            &p384,
            &[&p384[..], &["-sha384"]].concat(),
        ] {
            let request = ["req", "-x509", "-nodes", "-keyout", "/dev/null"];
            let rest = ["-subj", "/CN=Root", "-outform", "DER", "-newkey"];
            let Some(root) = openssl(&[&request[..], &rest, kind].concat(), b"") else {
                return;
            };
            let mut root = CertificateDer::from(root).to_vec();
            for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
                let checked = check_root(&root.clone().into(), backend, UnixTime::now());
                assert_eq!(checked, Ok(()), "{kind:?} {backend:?}");
            }
            *root.last_mut().unwrap() ^= 1;
            let checked = check_root(&root.into(), Backend::PURE_RUST, UnixTime::now());
            assert_eq!(checked, Err(RootError::BadSignature), "{kind:?}");
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        let root = TestCa::new("Root");
        let below = root.intermediate(&Leaf::new("Below"));
        assert_eq!(check(&below.certificate), Err(RootError::IssuedByAnother));
        let leaf = self_signed(&Leaf::new("pump"));
        assert_eq!(check(&leaf.certificate), Err(RootError::NoAuthority));
        assert_eq!(check(&vec![0x30, 0].into()), Err(RootError::Malformed));
        // Same name as the root, another key: self-issued and not self-signed (RFC 5280 §3.2).
        let poser = root.intermediate(&Leaf::new("Root"));
        assert_eq!(check(&poser.certificate), Err(RootError::BadSignature));
        let now = NOW.as_secs();
        let past = TestCa::root(&Leaf::new("Root").valid(0, now - 1));
        assert!(matches!(
            check(&past.certificate),
            Err(RootError::Expired { .. })
        ));
        let future = TestCa::root(&Leaf::new("Root").valid(now + 1, now + 2));
        assert!(matches!(
            check(&future.certificate),
            Err(RootError::NotYetValid { .. })
        ));
    }

    #[test]
    fn fingerprint_is_that_of_openssl() {
        let root = TestCa::new("Root").certificate;
        let arguments = [
            "x509",
            "-inform",
            "DER",
            "-noout",
            "-fingerprint",
            "-sha256",
        ];
        let Some(printed) = openssl(&arguments, &root) else {
            return;
        };
        let hex: Vec<String> = fingerprint(&root, Backend::PURE_RUST)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(
            printed.trim_end(),
            format!("sha256 Fingerprint={}", hex.join(":"))
        );
    }
}
