//! Names as people write them: RFC 2253 §3 and §4, and what the JDK reads beyond it.

use alloc::string::String;
use alloc::vec::Vec;

use super::attribute::{
    DOMAIN_COMPONENT, EMAIL_ADDRESS, IA5_STRING, PRINTABLE_STRING, UTF8_STRING, oid_of,
};
use super::oid::Oid;
use super::print::is_special;
use super::{Attribute, MAX_ATTRIBUTES, MAX_NAME_BYTES, MAX_RELATIVE_NAMES, decode, encode};

/// Why a text is no [`DistinguishedName`](super::DistinguishedName).
///
/// Every `at` is a byte offset into the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameTextError {
    /// The text, or the name's DER, is longer than what one of the two may have.
    #[error("a name has at most {MAX_NAME_BYTES} bytes, and its text four times as many")]
    TooLong,
    /// More than [`MAX_RELATIVE_NAMES`](super::MAX_RELATIVE_NAMES).
    #[error("a name has at most {MAX_RELATIVE_NAMES} relative names, this one has more")]
    TooManyRelativeNames,
    /// More than [`MAX_ATTRIBUTES`](super::MAX_ATTRIBUTES).
    #[error("a name has at most {MAX_ATTRIBUTES} attributes, this one has more")]
    TooManyAttributes,
    /// Nothing before, after or between separators.
    #[error("there is nothing before or after the separator at byte {at}")]
    EmptyPart {
        /// Where the part should be.
        at: usize,
    },
    /// A part without `=`.
    #[error("the part at byte {at} has no equals sign")]
    NoEqualsSign {
        /// Where the part begins.
        at: usize,
    },
    /// Neither a keyword nor an object identifier before `=`.
    #[error("the attribute type at byte {at} is unknown")]
    UnknownType {
        /// Where the part begins.
        at: usize,
    },
    /// One of `<`, `>` and `"` that has no backslash before it.
    #[error("{character:?} at byte {at} needs a backslash")]
    Unescaped {
        /// The character.
        character: char,
        /// Where it is.
        at: usize,
    },
    /// A backslash before what needs none and is no pair of hexadecimal digits.
    #[error("the backslash at byte {at} has no meaning")]
    Escape {
        /// Where the backslash is.
        at: usize,
    },
    /// Pairs of hexadecimal digits that are no UTF-8.
    #[error("the escaped bytes at byte {at} are not UTF-8")]
    EscapedBytes {
        /// Where the first of them is.
        at: usize,
    },
    /// A quoted value without an end.
    #[error("the quoted value at byte {at} has no end")]
    UnclosedQuote {
        /// Where the opening quote is.
        at: usize,
    },
    /// Something other than a separator after a quoted value.
    #[error("there is text after the closing quote, at byte {at}")]
    AfterQuote {
        /// Where it is.
        at: usize,
    },
    /// A value that begins with `#` and is not the hexadecimal digits of one DER value.
    #[error("the value at byte {at} is not the hexadecimal digits of one DER value")]
    Hexadecimal {
        /// Where the `#` is.
        at: usize,
    },
    /// A value of DC or emailAddress that is not ASCII, as their string type is.
    #[error("the value at byte {at} is not ASCII")]
    NotAscii {
        /// Where the value begins.
        at: usize,
    },
}

pub(super) fn read_text(text: &str) -> Result<Vec<Vec<Attribute>>, NameTextError> {
    if text.len() > MAX_NAME_BYTES * 4 {
        return Err(NameTextError::TooLong);
    }
    let mut relative_names = Vec::new();
    if text.is_empty() {
        return Ok(relative_names);
    }
    let mut cursor = Cursor { text, at: 0 };
    let mut count = 0;
    let mut separator = Some(',');
    while let Some(before) = separator {
        count += 1;
        if count > MAX_ATTRIBUTES {
            return Err(NameTextError::TooManyAttributes);
        }
        let attribute = read_attribute(&mut cursor)?;
        match relative_names.last_mut() {
            Some(relative_name) if before == '+' => Vec::push(relative_name, attribute),
            _ => relative_names.push(Vec::from([attribute])),
        }
        separator = cursor.next();
    }
    if relative_names.len() > MAX_RELATIVE_NAMES {
        return Err(NameTextError::TooManyRelativeNames);
    }
    // RFC 2253 §2.1: the text begins with the last.
    relative_names.reverse();
    if encode::name(&relative_names).len() > MAX_NAME_BYTES {
        return Err(NameTextError::TooLong);
    }
    Ok(relative_names)
}

fn read_attribute(cursor: &mut Cursor<'_>) -> Result<Attribute, NameTextError> {
    cursor.skip_blanks();
    let at = cursor.at;
    let before = cursor.take_until(|c| c == '=' || is_separator(c));
    let name = before.trim_end_matches(' ');
    if cursor.peek() != Some('=') {
        return Err(match name {
            "" => NameTextError::EmptyPart { at },
            _ => NameTextError::NoEqualsSign { at },
        });
    }
    cursor.next();
    let oid = read_type(name).ok_or(NameTextError::UnknownType { at })?;
    cursor.skip_blanks();
    match cursor.peek() {
        Some('#') => hexadecimal(cursor, oid),
        Some('"') => quoted(cursor, oid),
        _ => plain(cursor, oid),
    }
}

fn read_type(name: &str) -> Option<Oid> {
    if let Some(oid) = oid_of(name) {
        return Some(oid);
    }
    let prefix = name.get(..4);
    let prefixed = prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("oid."));
    Oid::from_dotted(name.get(4..).filter(|_| prefixed).unwrap_or(name))
}

fn hexadecimal(cursor: &mut Cursor<'_>, oid: Oid) -> Result<Attribute, NameTextError> {
    let wrong = NameTextError::Hexadecimal { at: cursor.at };
    cursor.next();
    let digits = cursor.take_until(is_separator).trim_end_matches(' ');
    let (pairs, []) = digits.as_bytes().as_chunks() else {
        return Err(wrong);
    };
    let der: Option<Vec<u8>> = pairs.iter().map(|[high, low]| octet(*high, *low)).collect();
    let der = der.ok_or(wrong.clone())?;
    let (tag, content) = decode::single_element(&der).ok_or(wrong)?;
    Ok(Attribute {
        oid,
        tag,
        content: content.to_vec(),
    })
}

fn quoted(cursor: &mut Cursor<'_>, oid: Oid) -> Result<Attribute, NameTextError> {
    let at = cursor.at;
    cursor.next();
    let mut value = Value::default();
    loop {
        match cursor.peek() {
            None => return Err(NameTextError::UnclosedQuote { at }),
            Some('"') => break,
            Some('\\') => value.push_escaped(cursor)?,
            Some(character) => {
                value.text.push(character);
                cursor.next();
            }
        }
    }
    cursor.next();
    cursor.skip_blanks();
    if cursor.peek().is_some_and(|c| !is_separator(c)) {
        return Err(NameTextError::AfterQuote { at: cursor.at });
    }
    value.into_attribute(oid, at)
}

fn plain(cursor: &mut Cursor<'_>, oid: Oid) -> Result<Attribute, NameTextError> {
    let start = cursor.at;
    let mut value = Value::default();
    // Blanks at the end do not count, unless a backslash stands before them.
    let mut significant = 0;
    while let Some(character) = cursor.peek() {
        let at = cursor.at;
        match character {
            _ if is_separator(character) => break,
            '<' | '>' | '"' => return Err(NameTextError::Unescaped { character, at }),
            '\\' => value.push_escaped(cursor)?,
            _ => {
                value.text.push(character);
                cursor.next();
            }
        }
        if character != ' ' {
            significant = value.text.len();
        }
    }
    value.text.truncate(significant);
    value.into_attribute(oid, start)
}

#[derive(Default)]
struct Value {
    text: String,
    /// Whether pairs of hexadecimal digits made some of it.
    has_escaped_bytes: bool,
}

impl Value {
    /// Reads a backslash with what follows: one character, or as many pairs as there are in a row.
    fn push_escaped(&mut self, cursor: &mut Cursor<'_>) -> Result<(), NameTextError> {
        let at = cursor.at;
        let mut octets = Vec::new();
        while let Some(octet) = cursor.take_pair() {
            octets.push(octet);
        }
        if !octets.is_empty() {
            let decoded = core::str::from_utf8(&octets);
            let decoded = decoded.map_err(|_| NameTextError::EscapedBytes { at })?;
            self.text.push_str(decoded);
            self.has_escaped_bytes = true;
            return Ok(());
        }
        cursor.next();
        // What printing puts a backslash before: a carriage return, too.
        match cursor.next() {
            Some(character) if is_special(character) || matches!(character, ' ' | '\r') => {
                self.text.push(character);
                Ok(())
            }
            _ => Err(NameTextError::Escape { at }),
        }
    }

    fn into_attribute(self, oid: Oid, at: usize) -> Result<Attribute, NameTextError> {
        let ascii_only = [DOMAIN_COMPONENT, EMAIL_ADDRESS].contains(&oid.as_bytes());
        let tag = if ascii_only {
            if !self.text.is_ascii() {
                return Err(NameTextError::NotAscii { at });
            }
            IA5_STRING
        } else if self.text.bytes().all(is_printable) && !self.has_escaped_bytes {
            PRINTABLE_STRING
        } else {
            UTF8_STRING
        };
        Ok(Attribute {
            oid,
            tag,
            content: self.text.into_bytes(),
        })
    }
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn take_until(&mut self, end: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = rest.find(end).and_then(|length| rest.get(..length));
        let taken = taken.unwrap_or(rest);
        self.at += taken.len();
        taken
    }

    fn skip_blanks(&mut self) {
        self.take_until(|c| c != ' ');
    }

    /// A backslash and two hexadecimal digits.
    fn take_pair(&mut self) -> Option<u8> {
        let [b'\\', high, low] = self.rest().as_bytes().first_chunk()? else {
            return None;
        };
        let octet = octet(*high, *low)?;
        self.at += 3;
        Some(octet)
    }
}

fn octet(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn is_separator(character: char) -> bool {
    matches!(character, ',' | ';' | '+')
}

/// X.680 §41.4.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}
