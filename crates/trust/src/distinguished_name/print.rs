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
    for (at, character) in text.char_indices() {
        if character == '\0' {
            out.write_str("\\00")?;
            continue;
        }
        let at_an_end = at < leading || at >= trailing;
        if is_special(character) || (blank(character) && at_an_end) {
            out.write_char('\\')?;
        }
        out.write_char(character)?;
    }
    Ok(())
}

/// The characters that a backslash makes ordinary (RFC 2253 §2.4, and `=`).
pub(super) fn is_special(character: char) -> bool {
    matches!(
        character,
        ',' | '=' | '+' | '<' | '>' | '#' | ';' | '"' | '\\'
    )
}
