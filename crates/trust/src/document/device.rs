use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rustls_pki_types::UnixTime;

use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{DocumentError, FreeObject, tenant, time, values};
use crate::{EdgeDevice, Gateway, ProvisionAs};

/// A device as an operator manages it: Eclipse Hono's management view, a closed object.
///
/// ```
/// use gangplank_trust::DeviceDocument;
///
/// # fn main() -> Result<(), gangplank_trust::DocumentError> {
/// let document = DeviceDocument::decode(br#"{"via": "gateway-1", "status": {}}"#)?;
/// assert_eq!(document.to_stored(), r#"{"via":["gateway-1"]}"#);
///
/// let error = DeviceDocument::decode(br#"{"authorities": ["all"]}"#);
/// assert_eq!(error.unwrap_err().pointer(), "/authorities/0");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceDocument {
    /// Whether it may act; it may if nothing is said.
    pub enabled: Option<bool>,
    /// The operator's own data.
    pub ext: FreeObject,
    /// Defaults for what it sends.
    pub defaults: FreeObject,
    /// How it stands to gateways.
    pub gateways: GatewayLinks,
    /// What it may do beyond acting for itself.
    pub authorities: BTreeSet<Authority>,
    auto_provisioned: bool,
}

/// How a device stands to gateways: it acts through some, or is one of a group of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayLinks {
    /// It may act through these; through none if both are empty.
    Through {
        /// `via`: device ids of gateways.
        via: Vec<String>,
        /// `viaGroups`: groups of gateways.
        via_groups: Vec<String>,
    },
    /// `memberOf`: the groups of gateways that it is in.
    MemberOf(Vec<String>),
}

impl Default for GatewayLinks {
    fn default() -> Self {
        Self::Through {
            via: Vec::new(),
            via_groups: Vec::new(),
        }
    }
}

/// What a device may do beyond acting for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Authority {
    /// `auto-provisioning-enabled`: as a gateway it brings devices that nobody registered.
    AutoProvisioning,
}

/// What the registry knows of a device: shown with it, and never written by an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceStatus {
    /// When it was created.
    pub created: UnixTime,
    /// When it was last changed, if it was.
    pub updated: Option<UnixTime>,
    /// Who changed it last.
    pub last_user: Option<String>,
    /// Whether it is known that everybody who is told of its provisioning has been.
    pub notification_sent: bool,
}

impl DeviceDocument {
    /// Reads what an operator wrote. `status` is read over, since who changes a device gives it back as
    /// it was shown.
    ///
    /// # Errors
    /// [`DocumentError`]: the first thing that is wrong, and where.
    pub fn decode(json: &[u8]) -> Result<Self, DocumentError> {
        read(Json::read(json)?, "")
    }

    /// Writes what an operator is shown, as compact JSON.
    pub fn encode(&self, status: &DeviceStatus) -> String {
        let flag = |flag: bool| flag.then_some(Json::Bool(true));
        let status = object::object([
            ("created", Some(time::print(status.created))),
            ("updated", status.updated.map(time::print)),
            ("last-user", status.last_user.as_ref().map(Json::text)),
            (AUTO_PROVISIONED, flag(self.auto_provisioned)),
            (
                "auto-provisioning-notification-sent",
                flag(status.notification_sent),
            ),
        ]);
        self.write(Some(status)).to_string()
    }

    /// Writes what a database keeps; of the status only whether nobody registered it.
    /// [`DeviceDocument::from_stored`] reads it.
    pub fn to_stored(&self) -> String {
        let flag = (AUTO_PROVISIONED, Some(Json::Bool(true)));
        let status = self.auto_provisioned.then(|| object::object([flag]));
        self.write(status).to_string()
    }

    /// Reads what [`DeviceDocument::to_stored`] wrote.
    ///
    /// # Errors
    /// [`DocumentError`]: it is something else.
    pub fn from_stored(json: &[u8]) -> Result<Self, DocumentError> {
        let mut object = Object::open(Json::read(json)?, String::new())?;
        let status = object.object(STATUS, Null::Refused, &[AUTO_PROVISIONED])?;
        let auto_provisioned = match status {
            Some(mut status) => status.required(AUTO_PROVISIONED, object::boolean)?,
            None => false,
        };
        Ok(Self {
            auto_provisioned,
            ..read(Json::Object(object.rest()), "")?
        })
    }

    /// The same document of a device that came as the one of `stored` did: what an operator writes
    /// does not say it.
    #[must_use]
    pub fn with_origin_of(self, stored: &Self) -> Self {
        Self {
            auto_provisioned: stored.auto_provisioned,
            ..self
        }
    }

    /// Whether nobody registered it: it came by itself, or a gateway brought it.
    pub fn is_auto_provisioned(&self) -> bool {
        self.auto_provisioned
    }

    /// What is written of a device that joined by its own certificate at `now`.
    pub fn provisioned(provision_as: ProvisionAs, now: UnixTime) -> Self {
        let gateway = provision_as == ProvisionAs::Gateway;
        let authorities = gateway.then_some(Authority::AutoProvisioning);
        Self {
            enabled: Some(true),
            ext: provisioning_comment(now),
            authorities: authorities.into_iter().collect(),
            auto_provisioned: true,
            ..Self::default()
        }
    }

    /// What is written of a device that a gateway brought, see
    /// [`EdgeOutcome::Provision`](crate::EdgeOutcome::Provision).
    pub fn brought(via: Vec<String>, via_groups: Vec<String>) -> Self {
        Self {
            enabled: Some(true),
            gateways: GatewayLinks::Through { via, via_groups },
            auto_provisioned: true,
            ..Self::default()
        }
    }

    /// Whether it may act.
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }

    /// It as a device that may act through gateways.
    pub fn edge_device(&self) -> EdgeDevice {
        let (via, via_groups) = match &self.gateways {
            GatewayLinks::Through { via, via_groups } => (via.clone(), via_groups.clone()),
            GatewayLinks::MemberOf(_) => (Vec::new(), Vec::new()),
        };
        EdgeDevice {
            enabled: self.is_enabled(),
            via,
            via_groups,
            auto_provisioned: self.auto_provisioned,
        }
    }

    /// It as a device of this id that others act through.
    pub fn gateway(&self, device_id: &str) -> Gateway {
        Gateway {
            device_id: String::from(device_id),
            enabled: self.is_enabled(),
            may_provision: self.authorities.contains(&Authority::AutoProvisioning),
            member_of: match &self.gateways {
                GatewayLinks::Through { .. } => Vec::new(),
                GatewayLinks::MemberOf(groups) => groups.clone(),
            },
        }
    }

    fn write(&self, status: Option<Json>) -> Json {
        let none = Vec::new();
        let (via, via_groups, member_of) = match &self.gateways {
            GatewayLinks::Through { via, via_groups } => (via, via_groups, &none),
            GatewayLinks::MemberOf(groups) => (&none, &none, groups),
        };
        let authorities: Vec<_> = self.authorities.iter().map(|one| one.name()).collect();
        object::object([
            ("enabled", self.enabled.map(Json::Bool)),
            ("ext", tenant::some(&self.ext)),
            ("defaults", tenant::some(&self.defaults)),
            (VIA, texts(via)),
            (VIA_GROUPS, texts(via_groups)),
            (MEMBER_OF, texts(member_of)),
            ("authorities", texts(&authorities)),
            (STATUS, status),
        ])
    }
}

impl Authority {
    fn name(self) -> &'static str {
        match self {
            Self::AutoProvisioning => "auto-provisioning-enabled",
        }
    }
}

/// Reads a device at `pointer`.
pub(super) fn read(value: Json, pointer: &str) -> Result<DeviceDocument, DocumentError> {
    let mut object = Object::closed(value, pointer.to_string(), &MEMBERS)?;
    object.read(STATUS, Null::Absent, Ok)?;
    let authorities = object.list_of("authorities", MAX_AUTHORITIES, authority)?;
    Ok(DeviceDocument {
        enabled: object.read("enabled", Null::Absent, object::boolean)?,
        ext: tenant::free(&mut object, "ext")?.unwrap_or_default(),
        defaults: tenant::free(&mut object, "defaults")?.unwrap_or_default(),
        gateways: read_links(&mut object)?,
        authorities: authorities.unwrap_or_default().into_iter().collect(),
        auto_provisioned: false,
    })
}

/// The words that provisioning leaves with what it makes.
pub(super) fn provisioning_words(now: UnixTime) -> String {
    match time::print(now) {
        Json::Text(instant) => format!("Auto-provisioned at {instant}"),
        _ => "Auto-provisioned".to_string(),
    }
}

fn provisioning_comment(now: UnixTime) -> FreeObject {
    let words = Json::Text(provisioning_words(now));
    FreeObject::of_members(Vec::from([("comment".to_string(), words)]))
}

fn read_links(object: &mut Object) -> Result<GatewayLinks, DocumentError> {
    let via = names(object, VIA)?;
    let via_groups = names(object, VIA_GROUPS)?;
    let member_of = names(object, MEMBER_OF)?;
    if member_of.is_empty() {
        return Ok(GatewayLinks::Through { via, via_groups });
    }
    if via.is_empty() && via_groups.is_empty() {
        return Ok(GatewayLinks::MemberOf(member_of));
    }
    let fault = Fault::new("absent, where there is via or viaGroups", "there");
    Err(fault.at(&object.pointer_to(MEMBER_OF)))
}

/// A list of names; Eclipse Hono takes a single one for a list of it.
fn names(object: &mut Object, name: &str) -> Result<Vec<String>, DocumentError> {
    let pointer = object.pointer_to(name);
    let Some(value) = object.read(name, Null::Absent, Ok)? else {
        return Ok(Vec::new());
    };
    let read = |value, pointer: &str| {
        let checked = object::text(value).and_then(values::check_id);
        checked.map_err(|fault| fault.at(pointer))
    };
    if let Json::Text(_) = value {
        return Ok(Vec::from([read(value, &pointer)?]));
    }
    let elements = object::elements(value, &pointer, super::MAX_GATEWAYS)?;
    let elements = elements.into_iter();
    elements
        .map(|(value, pointer)| read(value, &pointer))
        .collect()
}

fn authority(value: Json) -> Result<Authority, Fault> {
    let text = object::text(value)?;
    let known = Authority::AutoProvisioning;
    match text == known.name() {
        true => Ok(known),
        false => Err(Fault::of_value("auto-provisioning-enabled", &text)),
    }
}

fn texts(list: &[impl core::fmt::Display]) -> Option<Json> {
    let written = list.iter().map(Json::text);
    (!list.is_empty()).then(|| Json::List(written.collect()))
}

const STATUS: &str = "status";
const AUTO_PROVISIONED: &str = "auto-provisioned";
const VIA: &str = "via";
const VIA_GROUPS: &str = "viaGroups";
const MEMBER_OF: &str = "memberOf";
const MEMBERS: [&str; 8] = [
    "enabled",
    "ext",
    "defaults",
    VIA,
    VIA_GROUPS,
    MEMBER_OF,
    "authorities",
    STATUS,
];

/// There is one.
const MAX_AUTHORITIES: usize = 16;
