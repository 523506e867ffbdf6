//! `POST /onboarding/`: a device asks to come aboard. Both bodies travel in envelopes.

use alloc::vec::Vec;

use gangplank_token::{ClientId, ClientSecret, GitToken};
use rustls_pki_types::UnixTime;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    DeviceId, HttpsUrl, MessageError, ShortText,
    json::{Object, write},
};

/// Where it is. Margo 2024 writes the final `/`.
pub const PATH: &str = "/onboarding/";

/// The `apiVersion` of both messages.
pub const API_VERSION: &str = "onboarding.margo.org/v1alpha1";

/// The request. Who the device is, its certificate and signature say; the members here only
/// describe it for the operator, and nothing is decided by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnboardingRequest {
    /// Who made the device.
    pub vendor: Option<ShortText>,
    /// Which model it is.
    pub model_number: Option<ShortText>,
    /// Its serial number, as printed on it.
    pub serial_number: Option<ShortText>,
}

impl OnboardingRequest {
    /// The JSON payload.
    pub fn encode(&self) -> Vec<u8> {
        write(&RequestWire {
            api_version: API_VERSION,
            kind: "OnboardingRequest",
            vendor: self.vendor.as_ref().map(ShortText::as_str),
            model_number: self.model_number.as_ref().map(ShortText::as_str),
            serial_number: self.serial_number.as_ref().map(ShortText::as_str),
        })
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// [`MessageError`], the device's fault.
    pub fn decode(payload: &[u8]) -> Result<Self, MessageError> {
        let mut object = Object::read(payload)?;
        object.header(API_VERSION, &["OnboardingRequest"])?;
        Ok(Self {
            vendor: object.optional_text("vendor")?,
            model_number: object.optional_text("modelNumber")?,
            serial_number: object.optional_text("serialNumber")?,
        })
    }
}

/// The answer: all a device needs from now on.
#[derive(Clone, Debug)]
pub struct OnboardingResponse {
    /// The device's name at the token endpoint.
    pub client_id: ClientId,
    /// Its password there; absent for a client that authenticates with its key.
    pub client_secret: Option<ClientSecret>,
    /// Where it gets access tokens.
    pub token_endpoint_url: HttpsUrl,
    /// The server's name for the device, in paths and messages.
    pub device_id: DeviceId,
    /// The repository with its desired state.
    pub git_repository_url: HttpsUrl,
    /// Its password there.
    pub git_access_token: GitToken,
    /// When that password ends; whole Unix seconds on the wire.
    pub git_access_token_expires_at: UnixTime,
    /// Where it gets the next one.
    pub git_credential_url: HttpsUrl,
}

impl OnboardingResponse {
    /// The JSON payload.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(write(&ResponseWire {
            api_version: API_VERSION,
            kind: "OnboardingResponse",
            client_id: self.client_id.as_str(),
            client_secret: self.client_secret.as_ref().map(ClientSecret::expose),
            token_endpoint_url: self.token_endpoint_url.as_str(),
            device_id: self.device_id.as_str(),
            git_repository_url: self.git_repository_url.as_str(),
            git_access_token: self.git_access_token.expose(),
            git_access_token_expires_at: self.git_access_token_expires_at.as_secs(),
            git_credential_url: self.git_credential_url.as_str(),
        }))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// [`MessageError`], the server's fault.
    pub fn decode(payload: &[u8]) -> Result<Self, MessageError> {
        let mut object = Object::read(payload)?;
        object.header(API_VERSION, &["OnboardingResponse"])?;
        let client_secret = match object.optional_string("clientSecret")? {
            None => None,
            Some(text) => Some(
                ClientSecret::from_wire(text)
                    .map_err(|_| object.invalid("clientSecret", "no secret"))?,
            ),
        };
        Ok(Self {
            client_id: object.parsed("clientId", "no client id", ClientId::parse)?,
            client_secret,
            token_endpoint_url: url(&mut object, "tokenEndpointUrl")?,
            device_id: object.parsed("deviceId", "no device id", DeviceId::parse)?,
            git_repository_url: url(&mut object, "gitRepositoryUrl")?,
            git_access_token: git_token(&mut object, "gitAccessToken")?,
            git_access_token_expires_at: object.time("gitAccessTokenExpiresAt")?,
            git_credential_url: url(&mut object, "gitCredentialUrl")?,
        })
    }
}

pub(super) fn url(object: &mut Object, name: &str) -> Result<HttpsUrl, MessageError> {
    object.parsed(name, "no https address", HttpsUrl::parse)
}

pub(super) fn git_token(object: &mut Object, name: &str) -> Result<GitToken, MessageError> {
    let text = object.string(name)?;
    GitToken::from_wire(text).map_err(|_| object.invalid(name, "no git token"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestWire<'a> {
    api_version: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseWire<'a> {
    api_version: &'a str,
    kind: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    token_endpoint_url: &'a str,
    device_id: &'a str,
    git_repository_url: &'a str,
    git_access_token: &'a str,
    git_access_token_expires_at: u64,
    git_credential_url: &'a str,
}

#[cfg(test)]
#[path = "onboarding_tests.rs"]
mod tests;
