//! `provisioning-policy`: what gangplank adds to an anchor. It is closed, and null is no value in it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use ipnet::{IpNet, Ipv4Net};

use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{DocumentError, MAX_DENIED, MAX_PURPOSES, MAX_SOURCES, time};
use crate::{
    AnchorPolicy, AnchorStanding, Approval, DenyList, IdentityBinding, KeyKind, LeafRules,
    NamePattern, Validity,
};

pub(super) fn read(mut object: Object, policy: &mut AnchorPolicy) -> Result<(), DocumentError> {
    let standing = object.read("enabled", Null::Refused, object::boolean)?;
    if standing == Some(false) {
        policy.standing = AnchorStanding::Disabled;
    }
    let approval = object.read("approval", Null::Refused, |value| {
        one_of(value, &APPROVALS, "refuse or queue")
    })?;
    policy.approval = approval.unwrap_or_default();
    let binding = object.read("identity-binding", Null::Refused, |value| {
        let expected = "subject, subject+issuer, public-key or certificate";
        one_of(value, &BINDINGS, expected)
    })?;
    policy.identity_binding = binding.unwrap_or_default();
    policy.max_devices = object.read("max-devices", Null::Refused, object::count)?;
    if let Some(window) = object.object("window", Null::Refused, &WINDOW)? {
        policy.window = Some(read_window(window, &object.pointer_to("window"))?);
    }
    policy.sources = object.list_of("source-cidrs", MAX_SOURCES, source)?;
    if let Some(leaf) = object.object("leaf", Null::Refused, &LEAF)? {
        policy.leaf = read_leaf(leaf)?;
    }
    if let Some(deny) = object.object("deny", Null::Refused, &DENY)? {
        policy.deny = read_deny(deny)?;
    }
    Ok(())
}

/// The object; none if it would say nothing.
pub(super) fn write(policy: &AnchorPolicy) -> Option<Json> {
    let standing = policy.standing == AnchorStanding::Disabled;
    let sources = policy.sources.as_ref();
    let json = object::object([
        ("enabled", standing.then_some(Json::Bool(false))),
        ("approval", changed(policy.approval, &APPROVALS)),
        (
            "identity-binding",
            changed(policy.identity_binding, &BINDINGS),
        ),
        ("max-devices", policy.max_devices.map(object::to_count)),
        ("window", policy.window.map(write_window)),
        (
            "source-cidrs",
            sources.map(|sources| list(sources, |range| Json::text(range))),
        ),
        ("leaf", write_leaf(&policy.leaf)),
        ("deny", write_deny(&policy.deny)),
    ]);
    some_members(json)
}

fn read_window(mut object: Object, pointer: &str) -> Result<Validity, DocumentError> {
    let window = time::window(&mut object)?;
    window
        .map_err(|inverted| Fault::new("a window that begins before it ends", inverted).at(pointer))
}

fn write_window(window: Validity) -> Json {
    object::object([
        ("not-before", Some(time::print(window.not_before()))),
        ("not-after", Some(time::print(window.not_after()))),
    ])
}

/// A range of IPv4 addresses that are mapped into IPv6 counts as IPv4, as sources do.
fn source(value: Json) -> Result<IpNet, Fault> {
    let text = object::text(value)?;
    let range = text.parse::<IpNet>();
    let range = range.map_err(|_| Fault::of_value("a range like 192.0.2.0/24", &text))?;
    let IpNet::V6(wide) = range else {
        return Ok(range);
    };
    let mapped = wide.addr().to_ipv4_mapped();
    let narrow = mapped.zip(wide.prefix_len().checked_sub(96));
    let narrow = narrow.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    Ok(narrow.map_or(range, IpNet::V4))
}

fn read_leaf(mut object: Object) -> Result<LeafRules, DocumentError> {
    let purposes = object.list_of("extended-key-usage", MAX_PURPOSES, purpose)?;
    let key_kinds = object.list_of("key-types", KEY_KINDS.len(), |value| {
        one_of(value, &KEY_KINDS, "P-256, P-384, Ed25519 or RSA")
    })?;
    let alternative_name = object.read("san-pattern", Null::Refused, |value| {
        let text = object::text(value)?;
        NamePattern::parse(&text)
            .map_err(|error| Fault::new("a pattern like *.acme.example", error))
    })?;
    Ok(LeafRules {
        purposes: purposes.unwrap_or_default(),
        key_kinds,
        alternative_name,
    })
}

fn write_leaf(leaf: &LeafRules) -> Option<Json> {
    let purposes = (!leaf.purposes.is_empty()).then_some(&leaf.purposes);
    let kinds = leaf.key_kinds.as_ref();
    some_members(object::object([
        (
            "extended-key-usage",
            purposes.map(|found| list(found, purpose_name)),
        ),
        (
            "key-types",
            kinds.map(|kinds| list(kinds, |kind| word(*kind, &KEY_KINDS))),
        ),
        (
            "san-pattern",
            leaf.alternative_name.as_ref().map(Json::text),
        ),
    ]))
}

fn purpose(value: Json) -> Result<ObjectIdentifier, Fault> {
    let text = object::text(value)?;
    let named = PURPOSES.iter().find(|(name, _)| *name == text);
    let oid = named.map_or_else(|| ObjectIdentifier::new(&text), |(_, oid)| Ok(*oid));
    oid.map_err(|_| {
        let expected = "a dotted object identifier, clientAuth, serverAuth or anyExtendedKeyUsage";
        Fault::of_value(expected, &text)
    })
}

fn purpose_name(purpose: &ObjectIdentifier) -> Json {
    let named = PURPOSES.iter().find(|(_, oid)| oid == purpose);
    named.map_or_else(|| Json::text(purpose), |(name, _)| Json::text(name))
}

fn read_deny(mut object: Object) -> Result<DenyList, DocumentError> {
    let certificates = object.list_of("certificates", MAX_DENIED, sha256)?;
    let keys = object.list_of("keys", MAX_DENIED, sha256)?;
    Ok(DenyList {
        certificates: certificates.unwrap_or_default(),
        keys: keys.unwrap_or_default(),
    })
}

fn write_deny(deny: &DenyList) -> Option<Json> {
    let hashes = |hashes: &Vec<[u8; 32]>| (!hashes.is_empty()).then(|| list(hashes, hex));
    some_members(object::object([
        ("certificates", hashes(&deny.certificates)),
        ("keys", hashes(&deny.keys)),
    ]))
}

fn sha256(value: Json) -> Result<[u8; 32], Fault> {
    let text = object::text(value)?;
    let digits = text.bytes().map(|digit| char::from(digit).to_digit(16));
    let digits: Option<Vec<u32>> = digits.collect();
    let (pairs, rest) = digits.as_deref().unwrap_or_default().as_chunks::<2>();
    // Sixteen times fifteen and fifteen more is a byte.
    let bytes = pairs.iter().map(|[high, low]| (high * 16 + low) as u8);
    let bytes: Vec<u8> = bytes.collect();
    match <[u8; 32]>::try_from(bytes) {
        Ok(hash) if rest.is_empty() => Ok(hash),
        _ => Err(Fault::of_value("64 hexadecimal digits", &text)),
    }
}

fn hex(hash: &[u8; 32]) -> Json {
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Json::Text(digits)
}

/// The value that a word stands for.
fn one_of<T: Copy>(value: Json, words: &[(&str, T)], expected: &'static str) -> Result<T, Fault> {
    let text = object::text(value)?;
    let found = words.iter().find(|(word, _)| *word == text);
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| Fault::of_value(expected, &text))
}

fn word<T: Copy + PartialEq>(value: T, words: &[(&str, T)]) -> Json {
    let found = words.iter().find(|(_, known)| *known == value);
    found.map_or(Json::Null, |(word, _)| Json::Text(word.to_string()))
}

/// The word for a value that is not the default.
fn changed<T: Copy + PartialEq + Default>(value: T, words: &[(&str, T)]) -> Option<Json> {
    (value != T::default()).then(|| word(value, words))
}

fn list<T>(elements: &[T], write: impl Fn(&T) -> Json) -> Json {
    Json::List(elements.iter().map(write).collect())
}

fn some_members(json: Json) -> Option<Json> {
    (json != Json::Object(Vec::new())).then_some(json)
}

pub(super) const MEMBERS: [&str; 8] = [
    "enabled",
    "approval",
    "identity-binding",
    "max-devices",
    "window",
    "source-cidrs",
    "leaf",
    "deny",
];
const WINDOW: [&str; 2] = ["not-before", "not-after"];
const LEAF: [&str; 3] = ["extended-key-usage", "key-types", "san-pattern"];
const DENY: [&str; 2] = ["certificates", "keys"];

const APPROVALS: [(&str, Approval); 2] = [("refuse", Approval::Refuse), ("queue", Approval::Queue)];

const BINDINGS: [(&str, IdentityBinding); 4] = [
    ("subject", IdentityBinding::Subject),
    ("subject+issuer", IdentityBinding::SubjectAndIssuer),
    ("public-key", IdentityBinding::PublicKey),
    ("certificate", IdentityBinding::Certificate),
];

const KEY_KINDS: [(&str, KeyKind); 4] = [
    ("P-256", KeyKind::P256),
    ("P-384", KeyKind::P384),
    ("Ed25519", KeyKind::Ed25519),
    ("RSA", KeyKind::Rsa),
];

/// RFC 5280 §4.2.1.12.
const PURPOSES: [(&str, ObjectIdentifier); 3] = [
    (
        "clientAuth",
        ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2"),
    ),
    (
        "serverAuth",
        ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"),
    ),
    (
        "anyExtendedKeyUsage",
        ObjectIdentifier::new_unwrap("2.5.29.37.0"),
    ),
];
