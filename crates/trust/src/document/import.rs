use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{CredentialDocument, DeviceDocument, DocumentError, MAX_IMPORTED, credential, device};
use crate::PreparedName;
use crate::device_id::is_device_id;

/// Many devices that are to be registered at once, each with its credentials.
///
/// ```
/// use gangplank_trust::ImportDocument;
///
/// # fn main() -> Result<(), gangplank_trust::DocumentError> {
/// let json = br#"[
///     {"device-id": "pump-1", "credentials": [{"type": "x509-cert", "auth-id": "CN=1", "secrets": [{}]}]},
///     {"device": {"via": ["pump-1"]}}
/// ]"#;
/// let import = ImportDocument::decode(json)?;
/// assert_eq!(import.devices.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ImportDocument {
    /// The devices, in the order that they were written in. No two have one device id or credential.
    pub devices: Vec<ImportedDevice>,
}

/// One of [`ImportDocument`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportedDevice {
    /// Its device id; whoever saves it makes one if it has none.
    pub device_id: Option<String>,
    /// The device.
    pub device: DeviceDocument,
    /// Its credentials.
    pub credentials: Vec<CredentialDocument>,
}

impl ImportDocument {
    /// Reads a list of at most [`MAX_IMPORTED`] closed objects `{"device-id", "device",
    /// "credentials"}`, of which no member has to be there.
    ///
    /// # Errors
    /// [`DocumentError`]: the first thing that is wrong, and where.
    pub fn decode(json: &[u8]) -> Result<Self, DocumentError> {
        let list = object::elements(Json::read(json)?, "", MAX_IMPORTED)?;
        let mut taken = Taken::default();
        let mut devices = Vec::with_capacity(list.len());
        for (value, pointer) in list {
            let one = read(value, &pointer)?;
            taken.add(&one, &pointer)?;
            devices.push(one);
        }
        Ok(Self { devices })
    }
}

/// Reads the name of a device, as Eclipse Hono and gangplank both have it.
pub(super) fn device_id(value: Json) -> Result<String, Fault> {
    let text = object::text(value)?;
    match is_device_id(&text) {
        true => Ok(text),
        false => {
            let expected =
                "a device id: 1 to 128 of A-Z a-z 0-9 _ . : = -, the first a letter or digit";
            Err(Fault::of_value(expected, &text))
        }
    }
}

fn read(value: Json, pointer: &str) -> Result<ImportedDevice, DocumentError> {
    let mut object = Object::closed(value, pointer.to_string(), &MEMBERS)?;
    let device_id = object.read(DEVICE_ID, Null::Absent, device_id)?;
    let (at_device, at_credentials) = (object.pointer_to(DEVICE), object.pointer_to(CREDENTIALS));
    let device = object.read(DEVICE, Null::Absent, Ok)?;
    let device = device.map(|value| device::read(value, &at_device));
    let credentials = object.read(CREDENTIALS, Null::Absent, Ok)?;
    let credentials = credentials.map(|value| credential::read_list(value, &at_credentials));
    Ok(ImportedDevice {
        device_id,
        device: device.transpose()?.unwrap_or_default(),
        credentials: credentials.transpose()?.unwrap_or_default(),
    })
}

/// What the devices so far have for themselves.
#[derive(Default)]
struct Taken {
    device_ids: BTreeSet<String>,
    auth_ids: BTreeSet<String>,
    names: BTreeSet<PreparedName>,
}

impl Taken {
    fn add(&mut self, one: &ImportedDevice, pointer: &str) -> Result<(), DocumentError> {
        if let Some(id) = &one.device_id
            && !self.device_ids.insert(id.clone())
        {
            let fault = Fault::of_value("a device id that no other device has", id);
            return Err(fault.at(&[pointer, "/device-id"].concat()));
        }
        for (at, credential) in one.credentials.iter().enumerate() {
            let auth_id = credential.auth_id();
            let name = auth_id.prepared_name().cloned();
            let is_new = self.auth_ids.insert(auth_id.as_str().to_string());
            if !is_new || name.is_some_and(|name| !self.names.insert(name)) {
                let pointer = alloc::format!("{pointer}/{CREDENTIALS}/{at}");
                return Err(credential::repeated(credential, &pointer));
            }
        }
        Ok(())
    }
}

const DEVICE_ID: &str = "device-id";
const DEVICE: &str = "device";
const CREDENTIALS: &str = "credentials";
const MEMBERS: [&str; 3] = [DEVICE_ID, DEVICE, CREDENTIALS];
