//! `POST`, `PUT /device/{deviceId}/capabilities`: what a device is made of.

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};

use serde::{Serialize, Serializer};

use crate::{
    DeviceId, MessageError, ShortText,
    json::{Json, Object, number_text, write},
};

/// Where it is.
pub fn path(device: &DeviceId) -> String {
    format!("/device/{device}/capabilities")
}

/// The `apiVersion` of the message.
pub const API_VERSION: &str = "device.margo/v1";

/// The message. Margo's table and Margo's example differ; what is said here is written, and the
/// other form is read too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeviceCapabilities {
    /// `properties.id`: must be the device id of the path, which the server compares.
    pub id: DeviceId,
    /// Who made the device.
    pub vendor: ShortText,
    /// Which model it is.
    pub model_number: ShortText,
    /// Its serial number.
    pub serial_number: ShortText,
    /// What it may be used as.
    pub roles: Vec<Role>,
    /// What it has to run workloads with.
    pub resources: Resources,
    /// What is attached to it.
    pub peripherals: Vec<Attachment>,
    /// How it communicates.
    pub interfaces: Vec<Attachment>,
}

impl DeviceCapabilities {
    /// A device of which nothing but its resources is known; fill in the other fields.
    pub fn new(id: DeviceId, resources: Resources) -> Self {
        Self {
            id,
            vendor: ShortText::default(),
            model_number: ShortText::default(),
            serial_number: ShortText::default(),
            roles: Vec::new(),
            resources,
            peripherals: Vec::new(),
            interfaces: Vec::new(),
        }
    }

    /// The JSON payload.
    pub fn encode(&self) -> Vec<u8> {
        write(&Wire {
            api_version: API_VERSION,
            kind: KINDS[0],
            properties: self,
        })
    }

    /// Reads the payload. Tolerated: the kind `DeviceCapability`, `architecture` for
    /// `cpuArchitecture`, roles in any case, numbers for texts with units, and absent lists.
    ///
    /// # Errors
    /// [`MessageError`], the device's fault.
    pub fn decode(payload: &[u8]) -> Result<Self, MessageError> {
        let mut object = Object::read(payload)?;
        object.header(API_VERSION, &KINDS)?;
        let mut properties = object.object("properties")?;
        Ok(Self {
            id: properties.parsed("id", "no device id", DeviceId::parse)?,
            vendor: properties.text("vendor")?,
            model_number: properties.text("modelNumber")?,
            serial_number: properties.text("serialNumber")?,
            roles: roles(&mut properties)?,
            resources: Resources::read(properties.object("resources")?)?,
            peripherals: attachments(&mut properties, "peripherals")?,
            interfaces: attachments(&mut properties, "interfaces")?,
        })
    }
}

/// What a device may be used as.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// `standalone cluster`
    StandaloneCluster,
    /// `cluster leader`
    ClusterLeader,
    /// `standalone device`
    StandaloneDevice,
    /// A role that Margo 2024 does not list.
    Other(ShortText),
}

impl Role {
    /// Margo's table capitalises, its example does not: the example's form.
    pub fn as_str(&self) -> &str {
        match self {
            Self::StandaloneCluster => "standalone cluster",
            Self::ClusterLeader => "cluster leader",
            Self::StandaloneDevice => "standalone device",
            Self::Other(text) => text.as_str(),
        }
    }
}

/// What a device has to run workloads with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// Its processors.
    pub cpus: Vec<Cpu>,
    /// Its working memory; a number is in GB.
    pub memory: Quantity,
    /// Its storage; a number is in GB.
    pub storage: Quantity,
}

impl Resources {
    fn read(mut object: Object) -> Result<Self, MessageError> {
        let cpus = object.objects("cpus", MAX_LIST)?;
        Ok(Self {
            cpus: cpus.into_iter().map(Cpu::read).collect::<Result<_, _>>()?,
            memory: quantity(&mut object, "memory")?,
            storage: quantity(&mut object, "storage")?,
        })
    }
}

/// A processor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cpu {
    /// Its instruction set, as in `amd64` or `arm64`.
    pub cpu_architecture: ShortText,
    /// How many cores it has.
    pub cores: Quantity,
    /// How fast they are; a number is in GHz.
    pub frequency: Quantity,
}

impl Cpu {
    fn read(mut object: Object) -> Result<Self, MessageError> {
        let cpu_architecture = match object.optional_text("cpuArchitecture")? {
            Some(architecture) => architecture,
            None => match object.optional_text("architecture")? {
                Some(architecture) => architecture,
                None => object.text("cpuArchitecture")?,
            },
        };
        Ok(Self {
            cpu_architecture,
            cores: quantity(&mut object, "cores")?,
            frequency: quantity(&mut object, "frequency")?,
        })
    }
}

/// A peripheral or an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// What the device calls it.
    pub name: ShortText,
    /// What it is, as in `gpu` or `ethernet`.
    #[serde(rename = "type")]
    pub kind: ShortText,
    /// Which model it is.
    pub model_number: ShortText,
    /// Whatever else there is to say.
    pub properties: FreeObject,
}

/// A JSON object of any members, each once; members are in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeObject(String);

impl FreeObject {
    /// Reads the JSON text of an object.
    ///
    /// # Errors
    /// [`MessageError`]: no JSON object, or a member twice.
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        Object::read(text.as_bytes()).map(|object| Self::of(&object.into_json()))
    }

    /// Its compact JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(value: &Json) -> Self {
        Self(String::from_utf8(write(value)).unwrap_or_default())
    }
}

impl Default for FreeObject {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

/// A count or an amount, as the device wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A JSON integer, in the unit of Margo's table.
    Integer(u64),
    /// A text with its unit, as in `8 GB`. A JSON number with a fraction is kept here too.
    Text(ShortText),
}

fn quantity(object: &mut Object, name: &str) -> Result<Quantity, MessageError> {
    let text = match object.required(name)? {
        Json::Text(text) => text,
        Json::Number(number) => match number.as_u64() {
            Some(integer) => return Ok(Quantity::Integer(integer)),
            None => number_text(&number),
        },
        _ => return Err(object.wrong(name, "a number or a string")),
    };
    match ShortText::parse(&text) {
        Ok(text) => Ok(Quantity::Text(text)),
        Err(_) => Err(object.invalid(name, "too long, or with control characters")),
    }
}

fn roles(properties: &mut Object) -> Result<Vec<Role>, MessageError> {
    let list = properties.list("roles", MAX_LIST)?;
    let known = [
        Role::StandaloneCluster,
        Role::ClusterLeader,
        Role::StandaloneDevice,
    ];
    let read = |value: &Json| match value {
        Json::Text(text) => match known.iter().find(|r| r.as_str().eq_ignore_ascii_case(text)) {
            Some(role) => Some(role.clone()),
            None => ShortText::parse(text).ok().map(Role::Other),
        },
        _ => None,
    };
    let roles: Option<_> = list.iter().map(read).collect();
    roles.ok_or_else(|| properties.wrong("roles", "a list of short strings"))
}

fn attachments(properties: &mut Object, name: &str) -> Result<Vec<Attachment>, MessageError> {
    let list = properties.objects(name, MAX_LIST)?;
    let read = |mut object: Object| {
        Ok(Attachment {
            name: object.text("name")?,
            kind: object.text("type")?,
            model_number: object.optional_text("modelNumber")?.unwrap_or_default(),
            properties: match object.optional_object("properties")? {
                Some(free) => FreeObject::of(&free.into_json()),
                None => FreeObject::default(),
            },
        })
    };
    list.into_iter().map(read).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    api_version: &'a str,
    kind: &'a str,
    properties: &'a DeviceCapabilities,
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(integer) => serializer.serialize_u64(*integer),
            Self::Text(text) => text.serialize(serializer),
        }
    }
}

impl Serialize for FreeObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<Json>(&self.0) {
            Ok(value) => value.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

/// The kind of Margo's table, which is written, and that of its example.
const KINDS: [&str; 2] = ["DeviceCapabilities", "DeviceCapability"];

/// How many elements a list may have: far more than a device has parts.
const MAX_LIST: usize = 256;

#[cfg(test)]
#[path = "capabilities_tests.rs"]
mod tests;
