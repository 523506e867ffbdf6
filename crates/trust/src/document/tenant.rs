//! The management view of a tenant.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;

use super::anchor::{self, Entry};
use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{DocumentError, FreeObject, MAX_ANCHORS, RegistrationLimits, TenantDocument};
use crate::{Adapter, AdapterList, Adapters, Alias};

/// Reads a tenant at `pointer`; `stored_certificate` gives the certificate of the anchor of an id.
pub(super) fn read(
    value: Json,
    pointer: &str,
    stored_certificate: &mut dyn FnMut(&str) -> Option<CertificateDer<'static>>,
    new_id: &mut dyn FnMut() -> String,
) -> Result<TenantDocument, DocumentError> {
    let mut object = Object::closed(value, pointer.to_string(), &MEMBERS)?;
    let minimum_message_size = object.read("minimum-message-size", Null::Refused, small_count)?;
    let limits = object.object("registration-limits", Null::Absent, &LIMITS)?;
    let document = TenantDocument {
        enabled: object.read("enabled", Null::Absent, object::boolean)?,
        alias: object.read("alias", Null::Refused, alias)?,
        trust_anchor_group: object.read("trust-anchor-group", Null::Absent, object::text)?,
        ext: free(&mut object, "ext")?.unwrap_or_default(),
        defaults: free(&mut object, "defaults")?.unwrap_or_default(),
        adapters: read_adapters(&mut object)?,
        minimum_message_size: minimum_message_size.unwrap_or_default(),
        resource_limits: free(&mut object, "resource-limits")?,
        registration_limits: limits.map(read_limits).transpose()?,
        tracing: free(&mut object, "tracing")?,
        anchors: read_anchors(&mut object, stored_certificate, new_id)?,
    };
    Ok(document)
}

pub(super) fn write(document: &TenantDocument) -> Json {
    let size = document.minimum_message_size;
    let limits = document.registration_limits;
    object::object([
        ("enabled", document.enabled.map(Json::Bool)),
        ("alias", document.alias.as_ref().map(Json::text)),
        ("ext", some(&document.ext)),
        ("defaults", some(&document.defaults)),
        ("adapters", write_adapters(&document.adapters)),
        (
            "minimum-message-size",
            (size != 0).then(|| object::to_count(size.into())),
        ),
        (
            "resource-limits",
            document.resource_limits.as_ref().map(FreeObject::to_json),
        ),
        ("registration-limits", limits.map(write_limits)),
        (
            "tracing",
            document.tracing.as_ref().map(FreeObject::to_json),
        ),
        (
            "trust-anchor-group",
            document.trust_anchor_group.as_ref().map(Json::text),
        ),
        ("trusted-ca", write_anchors(&document.anchors)),
    ])
}

fn read_anchors(
    object: &mut Object,
    stored_certificate: &mut dyn FnMut(&str) -> Option<CertificateDer<'static>>,
    new_id: &mut dyn FnMut() -> String,
) -> Result<Vec<Entry>, DocumentError> {
    let list = object.list("trusted-ca", Null::Absent, MAX_ANCHORS)?;
    let mut entries: Vec<Entry> = Vec::new();
    for (value, pointer) in list.unwrap_or_default() {
        let entry = anchor::read(value, &pointer, &mut *stored_certificate, new_id)?;
        let id = entry.anchor.id();
        if entries.iter().any(|other| other.anchor.id() == id) {
            let fault = Fault::of_value("an id that no other anchor of the tenant has", id);
            return Err(fault.at(&format!("{pointer}/id")));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn write_anchors(anchors: &[Entry]) -> Option<Json> {
    let written = anchors.iter().map(Entry::write);
    (!anchors.is_empty()).then(|| Json::List(written.collect()))
}

pub(super) fn read_adapters(object: &mut Object) -> Result<Adapters, DocumentError> {
    let pointer = object.pointer_to("adapters");
    let Some(list) = object.list("adapters", Null::Absent, MAX_ADAPTERS)? else {
        return Ok(Adapters::All);
    };
    let mut adapters = Vec::new();
    for (value, pointer) in list {
        let mut object = Object::open(value, pointer)?;
        let required = "device-authentication-required";
        let required = object.read(required, Null::Absent, object::boolean)?;
        adapters.push(Adapter {
            kind: object.required("type", object::text)?,
            enabled: anchor::flag(&mut object, "enabled")?,
            device_authentication_required: required.unwrap_or(true),
            other: FreeObject::of_members(object.rest()),
        });
    }
    let fault = Fault::new("at least one adapter and each type once", "another list");
    let list = AdapterList::new(adapters);
    list.map(Adapters::Listed).ok_or_else(|| fault.at(&pointer))
}

pub(super) fn write_adapters(adapters: &Adapters) -> Option<Json> {
    let Adapters::Listed(list) = adapters else {
        return None;
    };
    Some(Json::List(list.iter().map(write_adapter).collect()))
}

fn write_adapter(adapter: &Adapter) -> Json {
    let required = adapter.device_authentication_required;
    let own = [
        ("type", Json::text(&adapter.kind)),
        ("enabled", Json::Bool(adapter.enabled)),
        ("device-authentication-required", Json::Bool(required)),
    ];
    let is_own = |name: &str| own.iter().any(|(known, _)| *known == name);
    let other = adapter.other.members().filter(|(name, _)| !is_own(name));
    let all = own.clone().into_iter().chain(other);
    object::object(all.map(|(name, value)| (name, Some(value))))
}

fn read_limits(mut object: Object) -> Result<RegistrationLimits, DocumentError> {
    let limits = RegistrationLimits {
        max_devices: object.read("max-devices", Null::Refused, limit)?.flatten(),
        max_credentials_per_device: object
            .read("max-credentials-per-device", Null::Refused, limit)?
            .flatten(),
    };
    Ok(limits)
}

fn write_limits(limits: RegistrationLimits) -> Json {
    let write = |limit: Option<u32>| {
        let number = limit.map_or(NO_LIMIT, i64::from);
        Some(Json::Number(number.into()))
    };
    object::object([
        ("max-devices", write(limits.max_devices)),
        (
            "max-credentials-per-device",
            write(limits.max_credentials_per_device),
        ),
    ])
}

fn limit(value: Json) -> Result<Option<u32>, Fault> {
    match value {
        Json::Number(number) if number.as_i64() == Some(NO_LIMIT) => Ok(None),
        other => small_count(other).map(Some),
    }
}

/// As many as a Java `int` counts.
fn small_count(value: Json) -> Result<u32, Fault> {
    let count = object::count(value)?;
    let small = u32::try_from(count)
        .ok()
        .filter(|count| *count <= i32::MAX as u32);
    small.ok_or_else(|| Fault::new("at most 2147483647", count))
}

fn alias(value: Json) -> Result<Alias, Fault> {
    let text = object::text(value)?;
    Alias::parse(&text).map_err(|error| Fault::new("an alias like plant-7", error))
}

pub(super) fn free(object: &mut Object, name: &str) -> Result<Option<FreeObject>, DocumentError> {
    object.read(name, Null::Absent, FreeObject::of)
}

/// The object, unless it is empty.
pub(super) fn some(object: &FreeObject) -> Option<Json> {
    (!object.is_empty()).then(|| object.to_json())
}

const MEMBERS: [&str; 11] = [
    "enabled",
    "alias",
    "ext",
    "defaults",
    "adapters",
    "minimum-message-size",
    "resource-limits",
    "registration-limits",
    "tracing",
    "trust-anchor-group",
    "trusted-ca",
];
const LIMITS: [&str; 2] = ["max-devices", "max-credentials-per-device"];

const NO_LIMIT: i64 = -1;

/// Types of protocol adapter: Eclipse Hono has six of its own.
const MAX_ADAPTERS: usize = 64;
