use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{KeyUri, UriError};

/// Where a device's private key is. A text that begins with `pkcs11:` is a URI; a file of such a name
/// is `./pkcs11:…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PathBuf", into = "PathBuf")]
pub enum KeyLocation {
    /// In a file: PKCS#8 PEM.
    File(PathBuf),
    /// In a token, which needs feature `pkcs11`.
    Token(KeyUri),
}

impl TryFrom<PathBuf> for KeyLocation {
    type Error = UriError;

    fn try_from(path: PathBuf) -> Result<Self, UriError> {
        match path.to_str().filter(|text| KeyUri::is_one(text)) {
            Some(text) => KeyUri::parse(text).map(Self::Token),
            None => Ok(Self::File(path)),
        }
    }
}

impl FromStr for KeyLocation {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        PathBuf::from(text).try_into()
    }
}

impl From<KeyLocation> for PathBuf {
    fn from(location: KeyLocation) -> Self {
        match location {
            KeyLocation::File(path) => path,
            KeyLocation::Token(uri) => Self::from(uri.to_string()),
        }
    }
}

impl fmt::Display for KeyLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Token(uri) => uri.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::DeviceConfig;

    #[test]
    fn a_uri_is_not_a_path() {
        let json = r#"{"key":"pkcs11:token=t?module-path=/m.so","pinFile":"pin"}"#;
        let config: DeviceConfig = serde_json::from_str(json).unwrap();
        let there = config.clone().relative_to("/etc/device".as_ref());
        assert_eq!(there.key, config.key);
        assert_eq!(there.pin_file, Some("/etc/device/pin".into()));
        assert_eq!(serde_json::to_string(&config).unwrap(), json);
        let file: DeviceConfig = serde_json::from_str(r#"{"key":"./pkcs11:a"}"#).unwrap();
        assert_eq!(file.key, Some(KeyLocation::File("./pkcs11:a".into())));
        assert_eq!(config.key, "pkcs11:token=t?module-path=/m.so".parse().ok());
        assert_eq!(file.key, "./pkcs11:a".parse().ok());
    }

    #[test]
    fn a_refusal_does_not_repeat_a_pin() {
        let json = r#"{"key":"pkcs11:token=t?pin-value=hunter2"}"#;
        let error = serde_json::from_str::<DeviceConfig>(json).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("pin-value") && !text.contains("hunter2"),
            "{text}"
        );
    }
}
