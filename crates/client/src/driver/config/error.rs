use std::io;
use std::path::PathBuf;

use gangplank_key::{CertificateIdError, KeyError, PrivateKeyError};
use gangplank_onboarding::{JoinError, TextError};
use gangplank_trust::SubjectError;

use crate::driver::KeyLocation;
#[cfg(feature = "pkcs11")]
use crate::pkcs11::Pkcs11Error;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The configuration file is not one.
    #[error("{}: {error}", path.display())]
    Malformed {
        /// Which one.
        path: PathBuf,
        /// Where and why.
        error: serde_json::Error,
    },
    /// Something is missing.
    #[error("the device's {0} is not configured")]
    Missing(&'static str),
    /// Neither root URL nor join string.
    #[error("the root URL cannot be used: {0}")]
    Url(JoinError),
    /// No certificate id.
    #[error("the certificate id cannot be used: {0}")]
    Id(CertificateIdError),
    /// No certificate id, and none in the certificate.
    #[error("the device's certificate id is not configured, and its certificate says none: {0}")]
    NoId(SubjectError),
    /// A text about the device is too long.
    #[error("the device's {member} cannot be used: {error}")]
    Text {
        /// Which one.
        member: &'static str,
        /// Why.
        error: TextError,
    },
    /// No private key.
    #[error("{}: {error}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        error: PrivateKeyError,
    },
    /// No certificate, or one with a key that cannot be used.
    #[error("{} holds no certificate that can be used", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with its key, if it is that.
        error: Option<KeyError>,
    },
    /// The key in a token cannot be used.
    #[cfg(feature = "pkcs11")]
    #[error("{0}")]
    Token(Pkcs11Error),
    /// The key is in a token, and this program cannot speak to one.
    #[cfg(not(feature = "pkcs11"))]
    #[error("this program was built without PKCS#11")]
    NoPkcs11,
    /// The key is not that of the certificate.
    #[error("the certificate {} is not that of the key {key}", cert.display())]
    OtherKey {
        /// The certificate's file.
        cert: PathBuf,
        /// Where the key is.
        key: Box<KeyLocation>,
    },
    /// The root file is not the certificate that the join string pins.
    #[error("{} is not the root certificate that the join string names", path.display())]
    OtherRoot {
        /// The root's file.
        path: PathBuf,
    },
    /// It cannot be written down, so no other process could go on with it.
    #[error("the configuration cannot be kept: {0}")]
    Unkept(serde_json::Error),
    /// Nothing says which root certificate to believe.
    #[error("nothing says which root certificate to believe: give a join string or a root file")]
    NoTrust,
}
