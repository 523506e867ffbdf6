//! The little of JSON (RFC 8259) that an envelope has: one object of strings, a number and an array
//! of strings.
//!
//! A general reader looks at every byte of a string for an escape, a control character and broken
//! UTF-8. Here no string has an escape, so a quotation mark ends it, and each member checks its own
//! alphabet, which is ASCII without control characters. So a payload is passed over at the speed of
//! memory (decision 0023).

use alloc::string::String;
use alloc::vec::Vec;

use memchr::memchr2;

use super::{DecodeError, JsonError};
use crate::limits::FORMAT_CERTIFICATES;

pub(super) struct Reader<'w> {
    rest: &'w [u8],
    length: usize,
}

impl<'w> Reader<'w> {
    pub(super) fn new(text: &'w [u8]) -> Self {
        Self {
            rest: text,
            length: text.len(),
        }
    }

    /// The byte after white space (RFC 8259 §2), which is left there.
    pub(super) fn next(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    /// Takes `byte`, which `what` describes.
    pub(super) fn take(&mut self, byte: u8, what: &'static str) -> Result<(), DecodeError> {
        match (self.next(), self.rest) {
            (Some(found), [_, rest @ ..]) if found == byte => {
                self.rest = rest;
                Ok(())
            }
            _ => Err(self.expected(what)),
        }
    }

    /// After an element of an object or array: whether a comma promises another one. If not, `close`
    /// is taken.
    pub(super) fn another(&mut self, close: u8, what: &'static str) -> Result<bool, DecodeError> {
        if self.next() == Some(b',') {
            self.take(b',', what)?;
            return Ok(true);
        }
        self.take(close, what).map(|()| false)
    }

    /// What stands between two quotation marks, whatever it is, but without a backslash.
    pub(super) fn string(&mut self) -> Result<&'w [u8], DecodeError> {
        self.take(b'"', "a string")?;
        let end = memchr2(b'"', b'\\', self.rest);
        match end.and_then(|end| self.rest.split_at_checked(end)) {
            Some((string, [b'"', rest @ ..])) => {
                self.rest = rest;
                Ok(string)
            }
            Some((string, _)) => Err(DecodeError::Backslash {
                at: self.at() + string.len(),
            }),
            None => Err(self.expected("the end of a string")),
        }
    }

    /// A string in UTF-8.
    pub(super) fn text(&mut self) -> Result<&'w str, DecodeError> {
        let string = self.string()?;
        core::str::from_utf8(string).map_err(|_| self.expected("a string in UTF-8"))
    }

    /// A whole number: no sign, no point, no exponent, no leading zero.
    pub(super) fn number(&mut self) -> Result<u64, DecodeError> {
        self.next();
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(digits.count());
        if matches!(digits, [] | [b'0', _, ..]) || matches!(rest, [b'.' | b'e' | b'E', ..]) {
            return Err(self.expected("a whole number"));
        }
        self.rest = rest;
        // What does not even fit in 64 bits is as much too large as what does not fit in 53.
        Ok(digits.iter().fold(0, |number: u64, digit| {
            number
                .saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'))
        }))
    }

    /// An array of strings, no more of them than an envelope may have certificates.
    pub(super) fn strings(&mut self) -> Result<Vec<&'w [u8]>, DecodeError> {
        const END: &str = "`,` or `]`";
        self.take(b'[', "an array of 1 to 8 strings")?;
        let mut strings = Vec::new();
        if self.next() == Some(b']') {
            self.take(b']', END)?;
            return Ok(strings);
        }
        loop {
            if strings.len() == FORMAT_CERTIFICATES {
                return Err(self.expected("no more than 8 strings"));
            }
            strings.push(self.string()?);
            if !self.another(b']', END)? {
                return Ok(strings);
            }
        }
    }

    /// Nothing but white space is left.
    pub(super) fn end(&mut self) -> Result<(), DecodeError> {
        match self.next() {
            None => Ok(()),
            Some(_) => Err(self.expected("nothing after the object")),
        }
    }

    /// The error at this place.
    pub(super) fn error(&self, reason: JsonError) -> DecodeError {
        DecodeError::Json {
            at: self.at(),
            reason,
        }
    }

    /// The error about a member that no envelope has.
    pub(super) fn unknown(&self, name: &[u8]) -> DecodeError {
        let Ok(name) = core::str::from_utf8(name) else {
            return self.expected("a member's name in UTF-8");
        };
        // The name is the sender's choice, however long.
        let end = name
            .char_indices()
            .nth(100)
            .map_or(name.len(), |(at, _)| at);
        let shown = name.get(..end).unwrap_or_default();
        self.error(JsonError::Unknown(String::from(shown)))
    }

    fn at(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }

    fn expected(&self, what: &'static str) -> DecodeError {
        self.error(JsonError::Expected(what))
    }
}
