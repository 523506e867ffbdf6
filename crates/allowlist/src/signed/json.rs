//! Reads the few shapes of JSON that a manifest has: objects, ASCII strings without escapes, and whole
//! numbers. A general reader would accept more, and be most of what a small device links.

use super::ManifestError;

pub(super) struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    pub(super) const fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// One object: `member` is told each name and reads its value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &'t str) -> Result<(), ManifestError>,
    ) -> Result<(), ManifestError> {
        self.token(b'{')?;
        loop {
            let name = self.string()?;
            self.token(b':')?;
            member(self, name)?;
            match self.next_after_space() {
                Some(b',') => {}
                Some(b'}') => return Ok(()),
                _ => return Err(self.unreadable()),
            }
        }
    }

    pub(super) fn string(&mut self) -> Result<&'t str, ManifestError> {
        self.token(b'"')?;
        let rest = self.text.get(self.at..).unwrap_or_default();
        let plain = |byte: &&u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let length = rest.iter().take_while(plain).count();
        let text = rest.get(..length).unwrap_or_default();
        self.at += length;
        self.token_at_once(b'"')?;
        core::str::from_utf8(text).map_err(|_| self.unreadable())
    }

    /// From 0 to 2^53 - 1, without sign, fraction, exponent or leading zero.
    pub(super) fn number(&mut self) -> Result<u64, ManifestError> {
        self.space();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = rest.get(..length).unwrap_or_default();
        if length == 0 || length > LONGEST_NUMBER || (length > 1 && digits.starts_with(b"0")) {
            return Err(self.unreadable());
        }
        let value = digits.iter().fold(0, |value: u64, digit| {
            value * 10 + u64::from(digit.wrapping_sub(b'0'))
        });
        if value > LARGEST_NUMBER {
            return Err(self.unreadable());
        }
        self.at += length;
        Ok(value)
    }

    /// Only space is left.
    pub(super) fn end(&mut self) -> Result<(), ManifestError> {
        self.space();
        match self.at == self.text.len() {
            true => Ok(()),
            false => Err(self.unreadable()),
        }
    }

    fn space(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += rest.iter().take_while(is_space).count();
    }

    fn token(&mut self, wanted: u8) -> Result<(), ManifestError> {
        self.space();
        self.token_at_once(wanted)
    }

    fn token_at_once(&mut self, wanted: u8) -> Result<(), ManifestError> {
        if self.text.get(self.at) != Some(&wanted) {
            return Err(self.unreadable());
        }
        self.at += 1;
        Ok(())
    }

    fn next_after_space(&mut self) -> Option<u8> {
        self.space();
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    const fn unreadable(&self) -> ManifestError {
        ManifestError::Json { at: self.at }
    }
}

/// 2^53 - 1: what every reader of JSON keeps exactly (RFC 8259 §6).
pub(super) const LARGEST_NUMBER: u64 = (1 << 53) - 1;
const LONGEST_NUMBER: usize = 16;
