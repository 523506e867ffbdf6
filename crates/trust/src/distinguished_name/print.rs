use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::{Attribute, Shown, encode};

/// RFC 2253 §2 as the JDK prints it.
pub(super) fn name(relative_names: &[Vec<Attribute>], out: &mut dyn Write) -> fmt::Result {
    let mut separator = "";
    for relative_name in relative_names.iter().rev() {
        for attribute in relative_name {
            out.write_str(separator)?;
            print_attribute(attribute, out)?;
            separator = "+";
        }
        separator = ",";
    }
    Ok(())
}

fn print_attribute(attribute: &Attribute, out: &mut dyn Write) -> fmt::Result {
    out.write_str(&attribute.printed_type())?;
    out.write_char('=')?;
    match attribute.shown() {
        Shown::Text(text) => escaped(&text, out),
        Shown::Hex => {
            out.write_char('#')?;
            let mut octets = encode::value(attribute).into_iter();
            octets.try_for_each(|octet| write!(out, "{octet:02x}"))
        }
    }
}

fn escaped(text: &str, out: &mut dyn Write) -> fmt::Result {
    let blank = |c| matches!(c, ' ' | '\r');
    let leading = text.len() - text.trim_start_matches(blank).len();
    let trailing = text.trim_end_matches(blank).len();
    // Runs of ordinary characters go out in one piece.
    let mut written = 0;
    for (at, character) in text.char_indices() {
        let at_an_end = at < leading || at >= trailing;
        let (escape, next) = match character {
            '\0' => ("\\00", at + 1),
            _ if is_special(character) || (blank(character) && at_an_end) => ("\\", at),
            _ => continue,
        };
        out.write_str(text.get(written..at).unwrap_or_default())?;
        out.write_str(escape)?;
        written = next;
    }
    out.write_str(text.get(written..).unwrap_or_default())
}

/// The characters that a backslash makes ordinary (RFC 2253 §2.4, and `=`).
pub(super) fn is_special(character: char) -> bool {
    matches!(
        character,
        ',' | '=' | '+' | '<' | '>' | '#' | ';' | '"' | '\\'
    )
}
