//! `"@query-param"` (RFC 9421 §2.2.8): parsed and written anew as HTML forms have it (WHATWG URL
//! §5.1 and §5.2), in one pass.

use alloc::string::String;

use super::ValueError;

/// Appends the value of the one parameter called `name`, which is percent-encoded already.
pub(crate) fn write(query: &str, name: &str, out: &mut String) -> Result<(), ValueError> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (pair_name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if is_called(pair_name, name) && found.replace(value).is_some() {
            return Err(ValueError::QueryParamRepeated);
        }
    }
    let value = found.ok_or(ValueError::QueryParamMissing)?;
    let start = out.len();
    for byte in decoded(value) {
        match unreserved(byte) {
            Some(character) => out.push(character),
            None => push_encoded(byte, out),
        }
    }
    // The form decoder puts the same mark for every broken sequence, so two values would be signed
    // alike.
    match is_utf8(value) {
        true => Ok(()),
        false => {
            out.truncate(start);
            Err(ValueError::QueryParamUtf8)
        }
    }
}

/// Whether the name in the query, decoded and encoded anew, is `name`. One that is not UTF-8 is no
/// name.
fn is_called(in_query: &str, name: &str) -> bool {
    let mut rest = name.as_bytes();
    for byte in decoded(in_query) {
        let matched = match unreserved(byte) {
            Some(character) => strip(rest, &[character as u8]),
            None => strip(rest, &encoded(byte)),
        };
        match matched {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty() && is_utf8(in_query)
}

fn strip<'t>(text: &'t [u8], prefix: &[u8]) -> Option<&'t [u8]> {
    text.strip_prefix(prefix)
}

fn is_utf8(text: &str) -> bool {
    // Without percent-encoding a target is ASCII.
    !text.contains('%') || {
        let bytes: alloc::vec::Vec<u8> = decoded(text).collect();
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
                (Some(high), Some(low)) => (high << 4 | low, after),
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

fn push_encoded(byte: u8, out: &mut String) {
    out.extend(encoded(byte).map(char::from));
}

fn encoded(byte: u8) -> [u8; 3] {
    let digit = |value: u8| match value {
        0..=9 => b'0' + value,
        _ => b'A' + value - 10,
    };
    [b'%', digit(byte >> 4), digit(byte & 15)]
}
