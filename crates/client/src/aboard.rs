use alloc::{
    borrow::Cow,
    string::{String, ToString as _},
};
use core::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gangplank_key::{CertificateDer, CertificateId, UnixTime};
use gangplank_onboarding::{DeviceId, HttpsUrl, RootUrl};
use gangplank_token::{ClientId, ClientSecret, GitToken};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// All that a device remembers, from the moment it believes in a root certificate.
///
/// Serialised it is a JSON object with secrets in it: a file of mode 0600. With it a device still
/// knows who it is after a reboot without network. It belongs to one root URL and one certificate
/// id; with others [`Onboarding::new`](crate::Onboarding::new) refuses it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceState {
    /// The layout of this object: 1.
    version: Version,
    /// Where the orchestrator is.
    #[serde(with = "root_url")]
    pub root_url: RootUrl,
    /// The GUID that the manufacturer gave.
    #[serde(with = "certificate_id")]
    pub certificate_id: CertificateId,
    /// The orchestrator's root.
    #[serde(with = "certificate")]
    pub root: CertificateDer<'static>,
    /// The latest time that an authenticated answer showed, Unix seconds.
    #[serde(
        with = "time::optional",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub last_authenticated: Option<UnixTime>,
    /// What the orchestrator gave; absent until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aboard: Option<Aboard>,
}

/// What an orchestrator gave to a device that is aboard.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Aboard {
    /// The server's name for the device.
    pub device_id: DeviceId,
    /// The device's name at the token endpoint.
    #[serde(with = "client_id")]
    pub client_id: ClientId,
    /// Its password there.
    #[serde(with = "gangplank_token::exposed")]
    pub client_secret: ClientSecret,
    /// Where access tokens come from.
    #[serde(with = "url")]
    pub token_endpoint_url: HttpsUrl,
    /// The repository of the desired state.
    #[serde(with = "url")]
    pub git_repository_url: HttpsUrl,
    /// Where Git credentials come from.
    #[serde(with = "url")]
    pub git_credential_url: HttpsUrl,
    /// The Git credential that is held; absent after the server refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<GitAccess>,
    /// Whether the orchestrator has the device's capabilities.
    pub capabilities: Reported,
}

/// A credential for the device's one repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitAccess {
    /// The user name.
    pub username: String,
    /// The password.
    #[serde(with = "gangplank_token::exposed")]
    pub token: GitToken,
    /// When it ends, by the server's clock.
    #[serde(with = "time")]
    pub expires_at: UnixTime,
}

/// Whether something was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reported {
    /// It was.
    Sent,
    /// It was not.
    NotSent,
}

impl DeviceState {
    /// The state of a device that believes in a root and is not aboard yet.
    pub fn new(
        root_url: RootUrl,
        certificate_id: CertificateId,
        root: CertificateDer<'static>,
    ) -> Self {
        Self {
            version: Version,
            root_url,
            certificate_id,
            root,
            last_authenticated: None,
            aboard: None,
        }
    }
}

/// The number 1. A later layout gets another number, so that an older program refuses it.
#[derive(Clone, Copy, Debug)]
struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(1)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            1 => Ok(Self),
            _ => Err(D::Error::custom("a state of another version")),
        }
    }
}

/// serde for a type that is one checked text.
macro_rules! as_text {
    ($module:ident, $type:ty) => {
        mod $module {
            use super::*;

            pub(super) fn serialize<S: Serializer>(
                value: &$type,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(value.as_str())
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$type, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                <$type>::parse(&text).map_err(D::Error::custom)
            }
        }
    };
}

as_text!(root_url, RootUrl);
as_text!(certificate_id, CertificateId);
as_text!(client_id, ClientId);
as_text!(url, HttpsUrl);

mod certificate {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        der: &CertificateDer<'static>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(der))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<CertificateDer<'static>, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        STANDARD
            .decode(text.as_bytes())
            .map(CertificateDer::from)
            .map_err(|error| D::Error::custom(error.to_string()))
    }
}

mod time {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        time: &UnixTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(time.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<UnixTime, D::Error> {
        u64::deserialize(deserializer)
            .map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }

    pub(super) mod optional {
        use super::*;

        pub(in super::super) fn serialize<S: Serializer>(
            time: &Option<UnixTime>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time.as_ref().map(UnixTime::as_secs).serialize(serializer)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<UnixTime>, D::Error> {
            let seconds = Option::<u64>::deserialize(deserializer)?;
            Ok(seconds.map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds))))
        }
    }
}
