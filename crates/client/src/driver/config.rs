use std::path::{Path, PathBuf};
use std::sync::Arc;

use gangplank_key::{Backend, CertificateDer, CertificateId, SigningKey};
use gangplank_onboarding::{RootTarget, ShortText, v2024::onboarding::OnboardingRequest};
use gangplank_trust::roots::fingerprint;
use gangplank_trust::{SubjectError, claimed_certificate_id};
use serde::{Deserialize, Serialize};

use super::{KeyLocation, build_time};
#[cfg(feature = "pkcs11")]
use crate::pkcs11::{KeyUri, Pin, Pkcs11Error, Pkcs11Key};
use crate::{ReportForm, RootTrust, Settings};
use files::{read_certificates, read_file, read_key};

mod error;
mod files;

pub use error::ConfigError;

/// A device's configuration as a person gives it: a JSON file, flags, the environment, or several of
/// these, one [over](Self::over) the other.
///
/// ```
/// use gangplank_client::driver::DeviceConfig;
///
/// let config: DeviceConfig = serde_json::from_str(
///     r#"{"url": "https://wfm.example", "id": "SN-0001", "key": "device.key", "cert": "device.pem",
///         "root": "root.pem", "state": "/var/lib/gangplank"}"#,
/// )?;
/// assert_eq!(config.id.as_deref(), Some("SN-0001"));
/// assert!(serde_json::from_str::<DeviceConfig>(r#"{"uri": "https://wfm.example"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DeviceConfig {
    /// The root URL, or a join string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The GUID that the manufacturer gave; without it what the certificate says: its subject's
    /// `serialNumber`, or the CN where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The private key: a file, PKCS#8 PEM, or a `pkcs11:` URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyLocation>,
    /// The file of the PIN, for a key in a token; else it is the URI's `pin-source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin_file: Option<PathBuf>,
    /// The device's certificate and intermediates, PEM, leaf first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// The orchestrator's root, PEM, handed over out of band.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// Roots that count for transport only, PEM.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transport_ca: Vec<PathBuf>,
    /// The folder of the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PathBuf>,
    /// What the device says it is: its vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_number: Option<String>,
    /// Its serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// How reports are signed: `envelope`, `message` (RFC 9421), or `header` for a server that knows no
    /// other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_form: Option<ReportForm>,
    /// Believe whatever root answers first. For laboratories.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure_trust_on_first_use: Option<bool>,
}

/// A configuration with its files read.
pub(crate) struct Resolved {
    pub(crate) settings: Settings,
    pub(crate) key: Arc<dyn SigningKey + Send + Sync>,
    pub(crate) transport_roots: Vec<CertificateDer<'static>>,
    pub(crate) state: PathBuf,
}

impl DeviceConfig {
    /// Reads a JSON file. Paths in it are relative to its folder. An unknown member is refused.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_file(path)?;
        let config: Self =
            serde_json::from_slice(&text).map_err(|error| ConfigError::Malformed {
                path: path.to_owned(),
                error,
            })?;
        Ok(config.relative_to(path.parent().unwrap_or(Path::new(""))))
    }

    /// This configuration, and that of `lower` where this one says nothing. Another root URL than that
    /// of `lower` comes with the root of here, never with that of `lower`. The same root URL, written
    /// again without pin or root file, keeps what `lower` says of whom to believe.
    #[must_use]
    pub fn over(mut self, lower: Self) -> Self {
        if self.says_no_more_than(&lower) {
            // It is in that of `lower` that the pin may be.
            self.url = None;
        }
        let (root, insecure) = match self.url {
            Some(_) => (self.root, self.insecure_trust_on_first_use),
            None => (
                self.root.or(lower.root),
                self.insecure_trust_on_first_use
                    .or(lower.insecure_trust_on_first_use),
            ),
        };
        let transport_ca = if self.transport_ca.is_empty() {
            lower.transport_ca
        } else {
            self.transport_ca
        };
        Self {
            url: self.url.or(lower.url),
            id: self.id.or(lower.id),
            key: self.key.or(lower.key),
            pin_file: self.pin_file.or(lower.pin_file),
            cert: self.cert.or(lower.cert),
            root,
            transport_ca,
            state: self.state.or(lower.state),
            vendor: self.vendor.or(lower.vendor),
            model_number: self.model_number.or(lower.model_number),
            serial_number: self.serial_number.or(lower.serial_number),
            report_form: self.report_form.or(lower.report_form),
            insecure_trust_on_first_use: insecure,
        }
    }

    /// Whether this one's URL is that of `lower`, and nothing here says which root to believe.
    fn says_no_more_than(&self, lower: &Self) -> bool {
        let target =
            |url: &Option<String>| url.as_deref().and_then(|url| RootTarget::parse(url).ok());
        match (target(&self.url), target(&lower.url)) {
            (Some(own), Some(other)) => {
                own.root_url() == other.root_url() && own.ca().is_none() && self.root.is_none()
            }
            _ => false,
        }
    }

    /// The same with every relative path below `folder`.
    #[must_use]
    pub fn relative_to(mut self, folder: &Path) -> Self {
        if let Some(KeyLocation::File(path)) = &mut self.key {
            *path = folder.join(&*path);
        }
        let single = [
            &mut self.pin_file,
            &mut self.cert,
            &mut self.root,
            &mut self.state,
        ];
        for path in single.into_iter().flatten().chain(&mut self.transport_ca) {
            *path = folder.join(&*path);
        }
        self
    }

    pub(crate) fn resolve(&self) -> Result<Resolved, ConfigError> {
        let url = present(&self.url, "root URL")?;
        let target = RootTarget::parse(url).map_err(ConfigError::Url)?;
        let location = present(&self.key, "key")?;
        let cert_path = present(&self.cert, "certificate")?;
        let key = self.open_key(location)?;
        let certificates = read_certificates(cert_path)?;
        if !certificates
            .first()
            .is_some_and(|leaf| key.public_key().is_of_certificate(leaf))
        {
            return Err(ConfigError::OtherKey {
                cert: cert_path.clone(),
                key: Box::new(location.clone()),
            });
        }
        let id = self.certificate_id(&certificates)?;
        let trust = self.trust(&target)?;
        let root_url = target.root_url().clone();
        let mut settings = Settings::new(root_url, id, certificates, trust, build_time());
        settings.backend = Backend::AWS_LC_RS;
        settings.description = self.description()?;
        settings.report_form = self.report_form.unwrap_or_default();
        let transport_roots: Result<Vec<_>, _> = self
            .transport_ca
            .iter()
            .map(|path| read_certificates(path))
            .collect();
        let transport_roots = transport_roots?.concat();
        let state = present(&self.state, "state folder")?.clone();
        Ok(Resolved {
            settings,
            key,
            transport_roots,
            state,
        })
    }

    /// Without a configured one that of the certificate, which is the one that an orchestrator knows a
    /// device by that nobody registered.
    fn certificate_id(
        &self,
        certificates: &[CertificateDer<'_>],
    ) -> Result<CertificateId, ConfigError> {
        match (&self.id, certificates.first()) {
            (Some(id), _) => CertificateId::parse(id).map_err(ConfigError::Id),
            (None, Some(leaf)) => claimed_certificate_id(leaf).map_err(ConfigError::NoId),
            (None, None) => Err(ConfigError::NoId(SubjectError::Missing)),
        }
    }

    fn open_key(
        &self,
        location: &KeyLocation,
    ) -> Result<Arc<dyn SigningKey + Send + Sync>, ConfigError> {
        match location {
            KeyLocation::File(path) => read_key(path),
            #[cfg(feature = "pkcs11")]
            KeyLocation::Token(uri) => self.open_token(uri).map_err(ConfigError::Token),
            #[cfg(not(feature = "pkcs11"))]
            KeyLocation::Token(_) => Err(ConfigError::NoPkcs11),
        }
    }

    #[cfg(feature = "pkcs11")]
    fn open_token(&self, uri: &KeyUri) -> Result<Arc<dyn SigningKey + Send + Sync>, Pkcs11Error> {
        let pin = self.pin_file.as_deref().map(Pin::from_file).transpose()?;
        Ok(Arc::new(Pkcs11Key::open(uri, pin, Backend::AWS_LC_RS)?))
    }

    /// A file and a pin must agree; without either only the explicit option helps.
    fn trust(&self, target: &RootTarget) -> Result<RootTrust, ConfigError> {
        let pin = target.ca();
        match (&self.root, pin) {
            (Some(path), pin) => {
                let certificates = read_certificates(path)?;
                let [root] = certificates.as_slice() else {
                    return Err(ConfigError::Certificate {
                        path: path.clone(),
                        error: None,
                    });
                };
                if pin.is_some_and(|pin| *pin != fingerprint(root, Backend::AWS_LC_RS)) {
                    return Err(ConfigError::OtherRoot { path: path.clone() });
                }
                Ok(RootTrust::Given(root.clone()))
            }
            (None, Some(pin)) => Ok(RootTrust::Pinned(*pin)),
            (None, None) if self.insecure_trust_on_first_use == Some(true) => {
                Ok(RootTrust::InsecureTrustOnFirstUse)
            }
            (None, None) => Err(ConfigError::NoTrust),
        }
    }

    fn description(&self) -> Result<OnboardingRequest, ConfigError> {
        let text = |member, text: &Option<String>| {
            text.as_deref()
                .map(ShortText::parse)
                .transpose()
                .map_err(|error| ConfigError::Text { member, error })
        };
        Ok(OnboardingRequest {
            vendor: text("vendor", &self.vendor)?,
            model_number: text("model number", &self.model_number)?,
            serial_number: text("serial number", &self.serial_number)?,
        })
    }
}

fn present<'a, T>(value: &'a Option<T>, name: &'static str) -> Result<&'a T, ConfigError> {
    value.as_ref().ok_or(ConfigError::Missing(name))
}
