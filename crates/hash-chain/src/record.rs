use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::line::sha256;
use crate::{Head, MAX_LINE, MAX_NUMBER, hex};

/// A line that was read. That it is one says nothing of the lines around it: [`Verifier`] does.
///
/// [`Verifier`]: crate::Verifier
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'l> {
    line: &'l [u8],
    sequence: u64,
    time: u64,
    previous: [u8; 32],
    payload: &'l str,
}

impl<'l> Record<'l> {
    /// Reads a line without its LF.
    ///
    /// # Errors
    /// [`NoRecord`]: it is none, and at which byte that shows.
    pub fn parse(line: &'l [u8]) -> Result<Self, NoRecord> {
        let mut scan = Scan { line, at: 0 };
        if line.len() >= MAX_LINE {
            return Err(NoRecord { at: MAX_LINE });
        }
        scan.literal(b"{\"sequence\":")?;
        let sequence = scan.number()?;
        scan.literal(b",\"time\":")?;
        let time = scan.number()?;
        scan.literal(b",\"previous\":\"")?;
        let previous = scan.hash()?;
        scan.literal(b"\",\"payload\":")?;
        let payload = scan.payload()?;
        Ok(Self {
            line,
            sequence,
            time,
            previous,
            payload,
        })
    }

    /// The line's number; the first has 1.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Unix seconds, as the writer's clock had them.
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// The SHA-256 that the line before is said to have.
    pub const fn previous(&self) -> &[u8; 32] {
        &self.previous
    }

    /// The payload: a JSON text.
    pub const fn payload(&self) -> &'l str {
        self.payload
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// It is of another type.
    pub fn read<P: Deserialize<'l>>(&self) -> Result<P, serde_json::Error> {
        serde_json::from_str(self.payload)
    }

    /// Where a log ends that has this as its last line.
    pub fn head(&self) -> Head {
        Head::new(self.sequence, sha256(self.line))
    }
}

/// Bytes are no [`Record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no record from byte {at} on")]
pub struct NoRecord {
    /// Where the part begins, from 0, that cannot be read; 65536 if it is too long.
    pub at: usize,
}

/// Digits of a number of at most 2^53 - 1, without leading zeros.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let canonical = digits == b"0" || !digits.starts_with(b"0");
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = core::str::from_utf8(digits).ok()?.parse().ok()?;
    (all && canonical && number <= MAX_NUMBER).then_some(number)
}

struct Scan<'l> {
    line: &'l [u8],
    at: usize,
}

impl<'l> Scan<'l> {
    fn rest(&self) -> &'l [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), NoRecord> {
        match self.rest().starts_with(literal) {
            true => {
                self.at += literal.len();
                Ok(())
            }
            false => Err(self.fault()),
        }
    }

    fn number(&mut self) -> Result<u64, NoRecord> {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = rest.get(..length).unwrap_or_default();
        let number = number(digits).ok_or(self.fault())?;
        self.at += length;
        Ok(number)
    }

    fn hash(&mut self) -> Result<[u8; 32], NoRecord> {
        let digits = self.rest().get(..64).and_then(hex::parse);
        let hash = digits.ok_or(self.fault())?;
        self.at += 64;
        Ok(hash)
    }

    /// All but the brace that ends the line.
    fn payload(&self) -> Result<&'l str, NoRecord> {
        let bytes = self.rest().strip_suffix(b"}").ok_or(self.fault())?;
        let text = core::str::from_utf8(bytes).map_err(|_| self.fault())?;
        let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
        match is_json && !bytes.contains(&b'\n') {
            true => Ok(text),
            false => Err(self.fault()),
        }
    }

    const fn fault(&self) -> NoRecord {
        NoRecord { at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_told_by_its_place() {
        let zeros = "0".repeat(64);
        let line = format!(
            "{{\"sequence\":1,\"time\":2,\"previous\":\"{zeros}\",\"payload\":{{\"a\":[1]}}}}"
        );
        let record = Record::parse(line.as_bytes()).unwrap();
        assert_eq!((record.sequence(), record.time()), (1, 2));
        assert_eq!(record.payload(), "{\"a\":[1]}");
        let payload_at = line.find("{\"a\"").unwrap();
        for (from, to, at) in [
            ("{\"s", " {\"s", 0),
            ("sequence", "Sequence", 0),
            (":1,", ":01,", 12),
            (":1,", ":-1,", 12),
            (":1,", ":9007199254740992,", 12),
            (":1,", ":1.0,", 13),
            (":2,", ": 2,", 21),
            ("000\"", "00A\"", 35),
            ("000\"", "00\"", 35),
            ("000\"", "0000\"", 35 + 64),
            ("payload", "load", 35 + 64),
            ("[1]", "[1", payload_at),
            ("[1]", "[\n1]", payload_at),
            ("}}", "}", payload_at),
            ("}}", "},1}", payload_at),
            ("}}", "}} ", payload_at),
        ] {
            let changed = line.replacen(from, to, 1);
            assert_ne!(changed, line);
            let found = Record::parse(changed.as_bytes());
            assert_eq!(found, Err(NoRecord { at }), "{changed}");
        }
        let mut not_text = line.into_bytes();
        not_text[payload_at + 2] = 0xff;
        assert_eq!(Record::parse(&not_text), Err(NoRecord { at: payload_at }));
    }
}
