//! Reading and writing the files that arguments name.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::Path;

use gangplank_client::key::{
    AwsLcKey, Backend, KeyError, PrivateKeyError, PublicKey, SigningKey, SoftwareKey, Zeroizing,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::{Exit, Failure};

/// Reads a small file: a key, a certificate, a token.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    read_up_to(path, MAX_FILE)
}

fn read_up_to(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let at = |failure: Failure| failure.while_doing(path.display());
    let file = File::open(path).map_err(|error| at(Failure::of(Exit::CannotTell, &error)))?;
    bounded(file, limit).map_err(at)
}

/// Reads a small file of UTF-8 text.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = read(path)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(error) => Err(Failure::of(Exit::No, &error).while_doing(path.display())),
    }
}

/// Reads standard input to its end; `limit` bytes and one more are read of a longer one.
pub(crate) fn stdin(limit: usize) -> Result<Vec<u8>, Failure> {
    let mut input = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut input)
        .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing("standard input"))?;
    Ok(input)
}

/// Reads a private key to sign with: PEM (`PRIVATE KEY`, `EC PRIVATE KEY` or `RSA PRIVATE KEY`) or
/// DER PKCS#8.
///
/// RSA keys sign with aws-lc-rs, since pure Rust is not safe for them; all others in pure Rust, whose
/// ECDSA signatures are the same each time.
pub(crate) fn signing_key(path: &Path) -> Result<Box<dyn SigningKey>, Failure> {
    let bytes = read(path)?;
    let key = match software_key(&bytes) {
        Ok(key) => return Ok(Box::new(key)),
        Err(PrivateKeyError::RsaInPureRust) => match std::str::from_utf8(&bytes) {
            Ok(text) => AwsLcKey::from_pem(text),
            Err(_) => AwsLcKey::from_pkcs8_der(&bytes),
        },
        Err(error) => Err(error),
    };
    match key {
        Ok(key) => Ok(Box::new(key)),
        Err(error) => Err(Failure::of(Exit::No, &error).while_doing(path.display())),
    }
}

/// As [`signing_key`], of every kind but RSA.
pub(crate) fn private_key(path: &Path) -> Result<SoftwareKey, Failure> {
    let bytes = read(path)?;
    software_key(&bytes).map_err(|error| Failure::of(Exit::No, &error).while_doing(path.display()))
}

fn software_key(bytes: &[u8]) -> Result<SoftwareKey, PrivateKeyError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => SoftwareKey::from_pem(text),
        Err(_) => SoftwareKey::from_pkcs8_der(bytes),
    }
}

/// Reads the certificates of a file, in its order: all of a PEM text, or one of DER. At least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let certificates = unread_certificates(path)?;
    // Intermediates may have keys that gangplank does not verify with; they must be certificates.
    let is_certificate = |certificate: &CertificateDer<'_>| {
        !matches!(
            PublicKey::from_certificate(certificate, Backend::AWS_LC_RS),
            Err(KeyError::Certificate)
        )
    };
    match certificates.iter().all(is_certificate) {
        true => Ok(certificates),
        false => Err(no_certificate(path)),
    }
}

/// As [`certificates`], for those whose bytes are to be judged: they may be anything.
pub(crate) fn unread_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    pem_or_der(&read(path)?).ok_or_else(|| no_certificate(path))
}

/// Reads the revocation lists of a file, all of a PEM text, or one of DER; the bytes may be anything.
pub(crate) fn revocation_lists(
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Failure> {
    let none =
        || Failure::new(Exit::No, "no revocation list in PEM or DER").while_doing(path.display());
    pem_or_der(&read_up_to(path, MAX_LISTS)?).ok_or_else(none)
}

/// At least one.
fn pem_or_der<T: PemObject + From<Vec<u8>>>(bytes: &[u8]) -> Option<Vec<T>> {
    let is_pem = bytes.windows(BEGIN.len()).any(|window| window == BEGIN);
    let found: Vec<T> = match is_pem {
        true => T::pem_slice_iter(bytes).collect::<Result<_, _>>().ok()?,
        false => vec![T::from(bytes.to_vec())],
    };
    (!found.is_empty()).then_some(found)
}

fn no_certificate(path: &Path) -> Failure {
    Failure::new(Exit::No, "no X.509 certificate in PEM or DER").while_doing(path.display())
}

/// Reads the first certificate of a file.
pub(crate) fn certificate(path: &Path) -> Result<CertificateDer<'static>, Failure> {
    certificates(path)?
        .into_iter()
        .next()
        .ok_or_else(|| Failure::new(Exit::No, "no certificate").while_doing(path.display()))
}

/// Makes a file that was not there, readable by its owner only; never overwrites one.
pub(crate) fn create_private(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    create(path, contents, 0o600)
}

/// Makes a file that was not there, readable by everybody.
pub(crate) fn create_public(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    create(path, contents, 0o644)
}

fn create(path: &Path, contents: &[u8], mode: u32) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let write = |mut file: File| file.write_all(contents).and_then(|()| file.sync_all());
    options.open(path).and_then(write).map_err(|error| {
        let failure = match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new(Exit::CannotTell, "it exists and is not overwritten")
            }
            _ => Failure::of(Exit::CannotTell, &error),
        };
        failure.while_doing(path.display())
    })
}

fn bounded(reader: impl Read, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(Failure::new(
            Exit::No,
            format_args!("longer than {limit} bytes"),
        ));
    }
    Ok(bytes)
}

/// Eight certificates of 16 KiB in PEM, and then some text around them.
const MAX_FILE: u64 = 1 << 20;
/// What is read of revocation lists, in PEM.
const MAX_LISTS: u64 = 24 << 20;
const BEGIN: &[u8] = b"-----BEGIN ";
