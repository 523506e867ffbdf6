use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a tenant's events go.
///
/// ```
/// use gangplank_server::notify::NotificationTarget;
///
/// let target = NotificationTarget::parse(br#"{"url": "https://example.com/events"}"#)?;
/// assert_eq!(target.url(), "https://example.com/events");
/// assert!(NotificationTarget::parse(br#"{"url": "http://example.com/events"}"#).is_err());
/// # Ok::<(), gangplank_server::notify::TargetError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationTarget {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    custom: Map<String, Value>,
}

impl NotificationTarget {
    /// Reads `url` (HTTPS), `ca` (optional; base64 DER of the one root that the receiver's certificate is
    /// under, else the machine's roots count) and `custom` (optional; an object that each event
    /// carries).
    ///
    /// # Errors
    /// [`TargetError`]: what is wrong.
    pub fn parse(json: &[u8]) -> Result<Self, TargetError> {
        let target: Self = serde_json::from_slice(json)?;
        let uri: http::Uri = target.url.parse().map_err(|_| TargetError::Url)?;
        let https = uri.scheme_str() == Some("https") && uri.authority().is_some();
        let bare = !target.url.contains(['#', '@']);
        if !https || !bare {
            return Err(TargetError::Url);
        }
        match &target.ca {
            Some(_) if target.ca().is_none() => Err(TargetError::Ca),
            _ => Ok(target),
        }
    }

    /// Where events are posted to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The root that the receiver's certificate has to be under.
    pub fn ca(&self) -> Option<CertificateDer<'static>> {
        let der = STANDARD.decode(self.ca.as_ref()?).ok()?;
        let certificate = CertificateDer::from(der);
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.clone()).ok()?;
        Some(certificate)
    }

    /// What each event carries.
    pub fn custom(&self) -> &Map<String, Value> {
        &self.custom
    }
}

/// Why something is no [`NotificationTarget`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It is not the JSON of one.
    #[error("the notification target cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The URL is none, not HTTPS, or has a user name or a fragment.
    #[error("the notification target's url is not an https URL without user name and fragment")]
    Url,
    /// The root is no certificate in base64.
    #[error("the notification target's ca is not a base64 DER certificate")]
    Ca,
}
