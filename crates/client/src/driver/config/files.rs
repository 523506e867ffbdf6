//! The files that a configuration names.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use gangplank_key::{AwsLcKey, CertificateDer, SigningKey, Zeroizing};
use rustls_pki_types::pem::PemObject as _;

use super::ConfigError;

pub(super) fn read_key(path: &Path) -> Result<Arc<dyn SigningKey + Send + Sync>, ConfigError> {
    let text = read_file(path)?;
    let text = std::str::from_utf8(&text).unwrap_or_default();
    let key = AwsLcKey::from_pem(text).map_err(|error| ConfigError::Key {
        path: path.to_owned(),
        error,
    })?;
    Ok(Arc::new(key))
}

pub(super) fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    read_bounded(path).map_err(|error| ConfigError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// A path that names a device or a wrong file must not fill the memory.
fn read_bounded(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len().min(LONGEST);
    // With room from the start: growing would leave a key's bytes behind in memory.
    let room = usize::try_from(length).unwrap_or_default();
    let mut text = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
    (&mut file).take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is longer than 1 MiB",
        ));
    }
    Ok(text)
}

pub(super) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let text = read_file(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(ConfigError::Certificate {
            path: path.to_owned(),
            error: None,
        }),
    }
}

/// The longest configuration, key, or list of certificates in bytes.
const LONGEST: u64 = 1024 * 1024;
