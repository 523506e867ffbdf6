//! `"@query-param"` (RFC 9421 §2.2.8): parsed and written anew as HTML forms have it (WHATWG URL
//! §5.1 and §5.2), in one pass.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::ValueError;
use crate::component::Kind;
use crate::{Message, SignatureParams, work};

/// The query parameters that are covered, by their percent-encoded names.
pub(crate) struct QueryParams<'b>(BTreeMap<&'b str, Found<'b>>);

enum Found<'b> {
    Missing,
    Once(&'b str),
    /// Once, under a name that is only read like the one that is covered.
    NotUtf8,
    Repeated,
}

impl<'b> QueryParams<'b> {
    /// Looks for them in the query of the request, or of the request that is answered.
    pub(crate) fn find(message: Message<'b>, params: &'b SignatureParams<'_>) -> Self {
        let names = params.components().iter();
        let mut wanted: BTreeMap<_, _> = names
            .filter_map(|component| match &component.kind {
                Kind::QueryParam(name) => Some((name.as_str(), Found::Missing)),
                _ => None,
            })
            .collect();
        let request = match message {
            Message::Request(request) => Some(request),
            Message::Response(response) => response.request,
        };
        let query = request.and_then(|request| request.target.query());
        if let Some(query) = query.filter(|_| !wanted.is_empty()) {
            find(query, &mut wanted);
        }
        Self(wanted)
    }

    /// Appends the value of one.
    pub(crate) fn write(&self, name: &str, out: &mut String) -> Result<(), ValueError> {
        match self.0.get(name) {
            // The form decoder puts the same mark for every broken sequence, so two values would be
            // signed alike.
            Some(Found::Once(value)) if !is_utf8(value) => Err(ValueError::QueryParamUtf8),
            Some(Found::NotUtf8) => Err(ValueError::QueryParamUtf8),
            Some(Found::Once(value)) => {
                push_encoded(decoded(value), out);
                Ok(())
            }
            Some(Found::Repeated) => Err(ValueError::QueryParamRepeated),
            Some(Found::Missing) | None => Err(ValueError::QueryParamMissing),
        }
    }
}

fn find<'b>(query: &'b str, wanted: &mut BTreeMap<&'b str, Found<'b>>) {
    work::done(query.len());
    let (mut bytes, mut encoded) = (Vec::new(), String::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        bytes.clear();
        bytes.extend(decoded(name));
        // As a form is read, with U+FFFD for what is not UTF-8: such a name may be that of another
        // parameter.
        let name = String::from_utf8_lossy(&bytes);
        encoded.clear();
        push_encoded(name.bytes(), &mut encoded);
        if let Some(found) = wanted.get_mut(encoded.as_str()) {
            *found = match (&*found, name) {
                (Found::Missing, Cow::Borrowed(_)) => Found::Once(value),
                (Found::Missing, Cow::Owned(_)) => Found::NotUtf8,
                _ => Found::Repeated,
            };
        }
    }
}

fn is_utf8(text: &str) -> bool {
    // Without percent-encoding a target is ASCII.
    !text.contains('%') || {
        let bytes: Vec<u8> = decoded(text).collect();
        core::str::from_utf8(&bytes).is_ok()
    }
}

/// The bytes that a part of a form stands for: `+` is a blank, `%` and two hexadecimal digits a
/// byte, any other `%` itself.
fn decoded(text: &str) -> impl Iterator<Item = u8> {
    let mut rest = text.as_bytes();
    core::iter::from_fn(move || {
        let (byte, after) = match rest {
            [] => return None,
            [b'%', high, low, after @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, after),
                _ => (b'%', rest.get(1..).unwrap_or_default()),
            },
            [b'+', after @ ..] => (b' ', after),
            [byte, after @ ..] => (*byte, after),
        };
        rest = after;
        Some(byte)
    })
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

/// A byte outside the application/x-www-form-urlencoded percent-encode set.
fn unreserved(byte: u8) -> Option<char> {
    (byte.is_ascii_alphanumeric() || b"*-._".contains(&byte)).then(|| char::from(byte))
}

/// Appends decoded bytes of a form, percent-encoded anew.
fn push_encoded(bytes: impl Iterator<Item = u8>, out: &mut String) {
    for byte in bytes {
        match unreserved(byte) {
            Some(character) => out.push(character),
            None => out.extend(encoded(byte).map(char::from)),
        }
    }
}

fn encoded(byte: u8) -> [u8; 3] {
    let digit = |value: u8| match value {
        0..=9 => b'0' + value,
        _ => b'A' + value - 10,
    };
    [b'%', digit(byte >> 4), digit(byte & 15)]
}
