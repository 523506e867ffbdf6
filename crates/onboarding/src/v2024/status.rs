//! `POST /device/{deviceId}/deployment/{deploymentId}/status`: how a deployment fares.

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};
use core::fmt;

use gangplank_token::{IdentifierError, check_identifier};
use serde::{Serialize, Serializer};

use crate::{
    DeviceId, LongText, MessageError, ShortText,
    json::{Json, Object, number_text, write},
};

/// Where it is.
pub fn path(device: &DeviceId, deployment: &DeploymentId) -> String {
    format!("/device/{device}/deployment/{deployment}/status")
}

/// The `apiVersion` of the message.
pub const API_VERSION: &str = "deployment.margo/v1";

/// The `kind` of the message.
pub const KIND: &str = "DeploymentStatus";

/// The message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// Which deployment; must be that of the path, which the server compares.
    pub deployment_id: DeploymentId,
    /// How the whole of it fares.
    pub status: Status,
    /// How its components fare.
    pub components: Vec<ComponentStatus>,
}

impl DeploymentStatus {
    /// A deployment in this state, without components.
    pub fn new(deployment_id: DeploymentId, state: State) -> Self {
        Self {
            deployment_id,
            status: Status { state, error: None },
            components: Vec::new(),
        }
    }

    /// The JSON payload, states in lower case.
    pub fn encode(&self) -> Vec<u8> {
        write(&Wire {
            api_version: API_VERSION,
            kind: KIND,
            deployment_id: self.deployment_id.as_str(),
            status: &self.status,
            components: &self.components,
        })
    }

    /// Reads the payload. Tolerated: states in any case and with the names of Margo's prose, a
    /// number as an error's code, and no components.
    ///
    /// # Errors
    /// [`MessageError`], the device's fault.
    pub fn decode(payload: &[u8]) -> Result<Self, MessageError> {
        let mut object = Object::read(payload)?;
        object.header(API_VERSION, &[KIND])?;
        let deployment_id =
            object.parsed("deploymentId", "no deployment id", DeploymentId::parse)?;
        let status = Status::read(&mut object.object("status")?)?;
        let components = object.objects("components", MAX_COMPONENTS)?;
        let read = |mut component: Object| {
            Ok(ComponentStatus {
                name: component.text("name")?,
                status: Status::read(&mut component)?,
            })
        };
        Ok(Self {
            deployment_id,
            status,
            components: components.into_iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

/// How a deployment or a component fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// In which state it is.
    pub state: State,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StatusError>,
}

impl Status {
    fn read(object: &mut Object) -> Result<Self, MessageError> {
        let error = object.optional_object("error")?;
        Ok(Self {
            state: object.parsed("state", "no state", |text| State::parse(text).ok_or(()))?,
            error: error.map(StatusError::read).transpose()?,
        })
    }
}

/// How a component fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentStatus {
    /// The component's name in the deployment.
    pub name: ShortText,
    /// How it fares.
    #[serde(flatten)]
    pub status: Status,
}

/// What went wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatusError {
    /// A code of the device's own.
    pub code: ShortText,
    /// A message for people.
    pub message: LongText,
}

impl StatusError {
    fn read(mut object: Object) -> Result<Self, MessageError> {
        let code = match object.optional("code") {
            None => String::new(),
            Some(Json::Text(text)) => text,
            Some(Json::Number(number)) => number_text(&number),
            Some(_) => return Err(object.wrong("code", "a string")),
        };
        Ok(Self {
            code: ShortText::parse(&code).map_err(|_| object.invalid("code", "no short text"))?,
            message: object.optional_text("message")?.unwrap_or_default(),
        })
    }
}

/// The states of a deployment or a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Known, and nothing done yet.
    Pending,
    /// Being installed.
    Installing,
    /// Installed; Margo's prose also says `Success`.
    Installed,
    /// Failed; Margo's prose also says `Failure`.
    Failed,
}

impl State {
    /// Reads a state in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let is = |name: &str| text.eq_ignore_ascii_case(name);
        match () {
            () if is("pending") => Some(Self::Pending),
            () if is("installing") => Some(Self::Installing),
            () if is("installed") || is("success") => Some(Self::Installed),
            () if is("failed") || is("failure") => Some(Self::Failed),
            () => None,
        }
    }

    /// The state as it is written: Margo's example's lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Installing => "installing",
            Self::Installed => "installed",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The name of a deployment: a UUID by Margo 2024; here whatever a [`DeviceId`] may be, since some
/// orchestrators use other names, and it must only be safe in a path. Compared byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeploymentId(String);

impl DeploymentId {
    /// Reads an id; nothing is normalised.
    ///
    /// # Errors
    /// [`IdentifierError`] names the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        check_identifier(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The id as it is written in paths and messages.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeploymentId({})", self.0)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    api_version: &'a str,
    kind: &'a str,
    deployment_id: &'a str,
    status: &'a Status,
    components: &'a [ComponentStatus],
}

/// How many components a deployment may have.
const MAX_COMPONENTS: usize = 1024;

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
