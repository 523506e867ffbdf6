//! What single values of an anchor are read as.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;

use super::KeyAlgorithm;
use super::error::Fault;
use super::json::Json;
use super::object;
use crate::certificate::Certificate;
use crate::{DistinguishedName, Template};

pub(super) fn template(value: Json) -> Result<Template, Fault> {
    let text = object::text(value)?;
    Template::parse(&text).map_err(|error| Fault::new("a template like {{subject-cn}}", error))
}

pub(super) fn name_of_text(value: Json) -> Result<DistinguishedName, Fault> {
    let text = object::text(value)?;
    DistinguishedName::parse(&text).map_err(|error| Fault::new("a distinguished name", error))
}

pub(super) fn name_of_bytes(value: Json) -> Result<DistinguishedName, Fault> {
    let der = object::base64(value)?;
    DistinguishedName::from_der(&der).map_err(|error| Fault::new("the DER of a name", error))
}

/// A name that is said twice is one name if it prints alike, or if both are equal by RFC 5280 §7.1:
/// the text cannot say each string type.
pub(super) fn same_name(
    bytes: DistinguishedName,
    text: &DistinguishedName,
) -> Result<DistinguishedName, Fault> {
    if bytes.matches(text) || bytes.to_string() == text.to_string() {
        return Ok(bytes);
    }
    Err(Fault::of_value(
        "the name of subject-dn",
        &bytes.to_string(),
    ))
}

pub(super) fn is_said_by_text(name: &DistinguishedName) -> bool {
    let read = DistinguishedName::parse(&name.to_string());
    read.is_ok_and(|read| read.to_der() == name.to_der())
}

pub(super) fn check_id(id: String) -> Result<String, Fault> {
    let readable = !id.chars().any(char::is_control);
    match readable && (1..=MAX_ID_BYTES).contains(&id.len()) {
        true => Ok(id),
        false => {
            let expected = "an id of 1 to 128 bytes, without control characters";
            Err(Fault::of_value(expected, &id))
        }
    }
}

pub(super) fn algorithm(value: Json) -> Result<KeyAlgorithm, Fault> {
    let text = object::text(value)?;
    let named = KeyAlgorithm::named(&text);
    named.ok_or_else(|| Fault::of_value("RSA, EC or EdDSA", &text))
}

pub(super) fn key(value: Json, algorithm: KeyAlgorithm) -> Result<Vec<u8>, Fault> {
    let spki = object::base64(value)?;
    let found = match KeyAlgorithm::of(&spki) {
        Some(found) if found == algorithm => return Ok(spki),
        Some(found) => found.name(),
        None => "none",
    };
    let expected =
        "the DER SubjectPublicKeyInfo of a key of its algorithm, which is RSA unless said";
    Err(Fault::new(expected, format_args!("that of {found}")))
}

/// RFC 3986 §3, as far as it is needed to be one line of a log and to have a scheme.
pub(super) fn uri(value: Json) -> Result<String, Fault> {
    let text = object::text(value)?;
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_http = matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
    match is_http && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text),
        false => Err(Fault::of_value("an http URI", &text)),
    }
}

pub(super) fn responder_certificate(value: Json) -> Result<CertificateDer<'static>, Fault> {
    let der = object::base64(value)?;
    match Certificate::read(&der) {
        Some(_) => Ok(der.into()),
        None => Err(Fault::new(
            "the base64 of a DER X.509 certificate",
            "something else",
        )),
    }
}

/// Longer than any identifier that is made by a machine; ids are in each log entry.
const MAX_ID_BYTES: usize = 128;
