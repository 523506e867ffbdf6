//! Serialisation (RFC 9651 §4.1). Every value that exists can be written.

use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::cursor::TRUE;
use super::{BareItem, Dictionary, Entry, InnerList, Item, List, Member, Parameters};

impl BareItem<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Integer(number) => write_number(number.get(), out),
            Self::Decimal(number) => write_decimal(number.thousandths(), out),
            Self::String(text) => write_string(text.as_str(), out),
            Self::Token(token) => out.push_str(token.as_str()),
            Self::ByteSequence(bytes) => write_bytes(bytes, out),
            Self::Boolean(true) => out.push_str("?1"),
            Self::Boolean(false) => out.push_str("?0"),
            Self::Date(seconds) => {
                out.push('@');
                write_number(seconds.get(), out);
            }
            Self::DisplayString(text) => write_display_string(text, out),
        }
    }
}

impl Parameters<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        for (key, value) in &self.0 {
            out.push(';');
            out.push_str(key.as_str());
            if *value != TRUE {
                out.push('=');
                value.write(out);
            }
        }
    }
}

impl Item<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        self.value.write(out);
        self.parameters.write(out);
    }
}

impl InnerList<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        write_inner_list(self.items.iter(), &self.parameters, out);
    }
}

impl Member<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Item(item) => item.write(out),
            Self::InnerList(list) => list.write(out),
        }
    }
}

impl List<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        for (at, member) in self.0.iter().enumerate() {
            if at > 0 {
                out.push_str(", ");
            }
            member.write(out);
        }
    }
}

impl Dictionary<'_> {
    pub(crate) fn write(&self, out: &mut String) {
        write_dictionary(&self.0, out);
    }
}

/// Appends the members of a dictionary.
pub(crate) fn write_dictionary(members: &[Entry<'_, Member<'_>>], out: &mut String) {
    for (at, (key, member)) in members.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(key.as_str());
        match member {
            Member::Item(item) if item.value == TRUE => item.parameters.write(out),
            _ => {
                out.push('=');
                member.write(out);
            }
        }
    }
}

/// Appends items in brackets, with parameters of the whole.
pub(crate) fn write_inner_list<'i, 'a: 'i>(
    items: impl Iterator<Item = &'i Item<'a>>,
    parameters: &Parameters<'_>,
    out: &mut String,
) {
    out.push('(');
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push(' ');
        }
        item.write(out);
    }
    out.push(')');
    parameters.write(out);
}

/// Appends a decimal integer.
pub(crate) fn write_number(number: i64, out: &mut String) {
    if number < 0 {
        out.push('-');
    }
    let mut digits = [0; 20];
    let mut rest = number.unsigned_abs();
    let mut count = 0;
    for digit in &mut digits {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend(
        digits
            .iter()
            .take(count)
            .rev()
            .map(|digit| char::from(*digit)),
    );
}

/// RFC 9651 §4.1.5: at least one digit after the point, and no zeros at the end but that one.
fn write_decimal(thousandths: i64, out: &mut String) {
    if thousandths < 0 {
        out.push('-');
    }
    let value = thousandths.unsigned_abs();
    write_number(i64::try_from(value / 1000).unwrap_or_default(), out);
    out.push('.');
    for place in [100, 10, 1] {
        let digit = u8::try_from(value / place % 10).unwrap_or_default();
        out.push(char::from(b'0' + digit));
        if value.is_multiple_of(place) {
            return;
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    if text.contains(['"', '\\']) {
        for character in text.chars() {
            if matches!(character, '"' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
    } else {
        out.push_str(text);
    }
    out.push('"');
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    out.push(':');
    STANDARD.encode_string(bytes, out);
    out.push(':');
}

/// RFC 9651 §4.1.11.
fn write_display_string(text: &str, out: &mut String) {
    out.push_str("%\"");
    for byte in text.bytes() {
        match byte {
            b'%' | b'"' | 0x00..=0x1f | 0x7f..=0xff => {
                out.push('%');
                out.push(hex_digit(byte >> 4));
                out.push(hex_digit(byte & 15));
            }
            _ => out.push(char::from(byte)),
        }
    }
    out.push('"');
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}
