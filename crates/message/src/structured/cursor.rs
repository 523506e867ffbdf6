use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::text::{in_key, in_string, in_token, starts_key, starts_token};
use super::{BareItem, Decimal, Integer, Key, Text, Token};
use crate::work;

/// Why a text is no structured field of the type asked for (RFC 9651 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StructuredError {
    /// A character that cannot stand there.
    #[error("the character at byte {at} cannot stand there")]
    Character {
        /// Its byte offset.
        at: usize,
    },
    /// The text ends in the middle of a value, or after a comma.
    #[error("the text ends too early")]
    End,
    /// More digits than a number has.
    #[error("the number at byte {at} has too many digits, or ends with its point")]
    Number {
        /// The byte offset of its first digit.
        at: usize,
    },
    /// Not base64 between colons.
    #[error("the byte sequence at byte {at} is not base64")]
    Base64 {
        /// The byte offset of its first character.
        at: usize,
    },
    /// A display string that is not UTF-8.
    #[error("the display string at byte {at} is not UTF-8")]
    Utf8 {
        /// The byte offset of its first character.
        at: usize,
    },
    /// More values than the reader's [`Bounds`](super::Bounds).
    #[error("there are more than {limit} values in a row")]
    TooMany {
        /// How many are accepted.
        limit: usize,
    },
}

/// A place in a text, read from left to right.
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

type Result<T> = core::result::Result<T, StructuredError>;

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        work::done(1);
        self.text.get(self.at).copied()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Steps over `byte` if it comes next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// The error for what comes next.
    pub(crate) fn unexpected(&self) -> StructuredError {
        if self.is_at_end() {
            StructuredError::End
        } else {
            StructuredError::Character { at: self.at }
        }
    }

    pub(crate) fn skip(&mut self, skipped: &[u8]) {
        while self.peek().is_some_and(|byte| skipped.contains(&byte)) {
            self.at += 1;
        }
    }

    pub(crate) fn key(&mut self) -> Result<Key<'a>> {
        self.word(starts_key, in_key)
            .map(|word| Key(Cow::Borrowed(word)))
    }

    pub(crate) fn bare_item(&mut self) -> Result<BareItem<'a>> {
        match self.peek() {
            Some(b'"') => self.string().map(BareItem::String),
            Some(b':') => self.byte_sequence().map(BareItem::ByteSequence),
            Some(b'?') => self.boolean(),
            Some(b'@') => {
                self.at += 1;
                let at = self.at;
                match self.number()? {
                    BareItem::Integer(seconds) => Ok(BareItem::Date(seconds)),
                    _ => Err(StructuredError::Number { at }),
                }
            }
            Some(b'%') => self.display_string().map(BareItem::DisplayString),
            Some(byte) if byte == b'-' || byte.is_ascii_digit() => self.number(),
            _ => self
                .word(starts_token, in_token)
                .map(|word| BareItem::Token(Token(Cow::Borrowed(word)))),
        }
    }

    fn word(&mut self, first: fn(u8) -> bool, next: fn(u8) -> bool) -> Result<&'a str> {
        let start = self.at;
        if !self.peek().is_some_and(first) {
            return Err(self.unexpected());
        }
        while self.peek().is_some_and(next) {
            self.at += 1;
        }
        self.ascii(start)
    }

    /// What lies between `start` and here, all of it checked to be ASCII.
    fn ascii(&self, start: usize) -> Result<&'a str> {
        let bytes = self.text.get(start..self.at).unwrap_or_default();
        core::str::from_utf8(bytes).map_err(|_| StructuredError::Character { at: start })
    }

    fn boolean(&mut self) -> Result<BareItem<'a>> {
        self.at += 1;
        let value = match self.peek() {
            Some(b'1') => true,
            Some(b'0') => false,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(BareItem::Boolean(value))
    }

    /// RFC 9651 §4.2.4.
    fn number(&mut self) -> Result<BareItem<'a>> {
        let sign = if self.take(b'-') { -1 } else { 1 };
        let at = self.at;
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.unexpected());
        }
        let whole = self.digits(15, at)?;
        let digits = self.at - at;
        let number = if self.take(b'.') {
            let start = self.at;
            let fraction = self.digits(3, at)?;
            let places = match (digits, self.at - start) {
                (0..=12, 1) => 100,
                (0..=12, 2) => 10,
                (0..=12, 3) => 1,
                _ => return Err(StructuredError::Number { at }),
            };
            Decimal::from_thousandths(sign * (whole * 1000 + fraction * places))
                .map(BareItem::Decimal)
        } else {
            Integer::new(sign * whole).map(BareItem::Integer)
        };
        number.ok_or(StructuredError::Number { at })
    }

    fn digits(&mut self, most: usize, number: usize) -> Result<i64> {
        let start = self.at;
        let mut value = 0;
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            if self.at - start == most {
                return Err(StructuredError::Number { at: number });
            }
            value = value * 10 + i64::from(byte - b'0');
            self.at += 1;
        }
        Ok(value)
    }

    /// RFC 9651 §4.2.5. Borrows unless there is something to unescape.
    fn string(&mut self) -> Result<Text<'a>> {
        self.at += 1;
        let mut start = self.at;
        let mut unescaped: Option<String> = None;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = self.ascii(start)?;
                    self.at += 1;
                    return Ok(Text(match unescaped {
                        None => Cow::Borrowed(rest),
                        Some(text) => Cow::Owned(text + rest),
                    }));
                }
                Some(b'\\') => {
                    let before = self.ascii(start)?;
                    self.at += 1;
                    if !matches!(self.peek(), Some(b'"' | b'\\')) {
                        return Err(self.unexpected());
                    }
                    unescaped.get_or_insert_default().push_str(before);
                    // The escaped character is the first of what comes next.
                    start = self.at;
                    self.at += 1;
                }
                Some(byte) if in_string(byte) => self.at += 1,
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// RFC 9651 §4.2.7, which asks readers to be lenient about padding and trailing bits.
    fn byte_sequence(&mut self) -> Result<Cow<'a, [u8]>> {
        self.at += 1;
        let at = self.at;
        while self.peek().is_some_and(|byte| byte != b':') {
            self.at += 1;
        }
        let bytes = self.text.get(at..self.at).unwrap_or_default();
        self.expect(b':')?;
        BASE64
            .decode(bytes)
            .map(Cow::Owned)
            .map_err(|_| StructuredError::Base64 { at })
    }

    /// RFC 9651 §4.2.10.
    fn display_string(&mut self) -> Result<Cow<'a, str>> {
        self.at += 1;
        self.expect(b'"')?;
        let at = self.at;
        let mut bytes = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return String::from_utf8(bytes)
                        .map(Cow::Owned)
                        .map_err(|_| StructuredError::Utf8 { at });
                }
                Some(b'%') => {
                    self.at += 1;
                    let high = self.hex_digit()?;
                    bytes.push(high * 16 + self.hex_digit()?);
                }
                Some(byte) if in_string(byte) => {
                    self.at += 1;
                    bytes.push(byte);
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn hex_digit(&mut self) -> Result<u8> {
        let digit = match self.peek() {
            Some(byte @ b'0'..=b'9') => byte - b'0',
            Some(byte @ b'a'..=b'f') => byte - b'a' + 10,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(digit)
    }
}

/// The value of a key or parameter that has none.
pub(crate) const TRUE: BareItem<'static> = BareItem::Boolean(true);

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
