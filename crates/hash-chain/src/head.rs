use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::Serialize;

use crate::hex::{self, Hex};
use crate::line::Line;
use crate::record::number;
use crate::{MAX_LINE, MAX_NUMBER};

/// Where a log ends: the number of its last line and the SHA-256 of it. Written `12:4f53…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    sequence: u64,
    hash: [u8; 32],
}

impl Head {
    /// Of a log without lines: number 0, and a hash of zeros.
    pub const START: Self = Self {
        sequence: 0,
        hash: [0; 32],
    };

    /// Of a log whose last line has this number and this SHA-256, its LF left out.
    pub const fn new(sequence: u64, hash: [u8; 32]) -> Self {
        Self { sequence, hash }
    }

    /// The number of the last line; 0 if there is none.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The SHA-256 of the last line.
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The line that goes after this, at `time` in Unix seconds. Nothing is appended before its
    /// [text](Line::text) is.
    ///
    /// # Errors
    /// [`AppendError`]: there can be no such line.
    pub fn append<P: Serialize + ?Sized>(
        &self,
        time: u64,
        payload: &P,
    ) -> Result<Line, AppendError> {
        let sequence = self.sequence.saturating_add(1);
        if sequence > MAX_NUMBER {
            return Err(AppendError::Full);
        }
        if time > MAX_NUMBER {
            return Err(AppendError::Time(time));
        }
        let mut text = Vec::new();
        let previous = Hex(&self.hash);
        let before = format_args!(
            "{{\"sequence\":{sequence},\"time\":{time},\"previous\":\"{previous}\",\"payload\":"
        );
        text.extend_from_slice(alloc::fmt::format(before).as_bytes());
        let payload = serde_json::to_vec(payload).map_err(AppendError::Payload)?;
        text.extend_from_slice(&payload);
        text.extend_from_slice(b"}\n");
        match text.len() {
            length if length > MAX_LINE => Err(AppendError::TooLong(length)),
            // Only a payload that is JSON text already, taken over as it is, can have one.
            _ if payload.contains(&b'\n') => Err(AppendError::LineFeed),
            _ => Ok(Line::new(sequence, text)),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, Hex(&self.hash))
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Head {
    type Err = NoHead;

    fn from_str(text: &str) -> Result<Self, NoHead> {
        let (sequence, hash) = text.split_once(':').ok_or(NoHead)?;
        let head = Self {
            sequence: number(sequence.as_bytes()).ok_or(NoHead)?,
            hash: hex::parse(hash.as_bytes()).ok_or(NoHead)?,
        };
        // No line has the number 0, so there is one hash only that goes with it.
        match head.sequence == 0 && head != Self::START {
            true => Err(NoHead),
            false => Ok(head),
        }
    }
}

/// A text is no [`Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a head is the number of a line, a colon and the 64 lower-case hex digits of its SHA-256")]
pub struct NoHead;

/// There can be no line with such a payload, or none after this one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// It cannot be written as JSON.
    #[error("the payload cannot be written as JSON")]
    Payload(#[source] serde_json::Error),
    /// It would be a line of so many bytes.
    #[error("a line of {0} bytes is longer than {MAX_LINE}")]
    TooLong(usize),
    /// The payload, which was JSON already, has a line feed.
    #[error("the payload has a line feed")]
    LineFeed,
    /// The time is above 2^53 - 1.
    #[error("the time {0} is above 2^53 - 1")]
    Time(u64),
    /// The last line has the largest number.
    #[error("the log has 2^53 - 1 lines")]
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_as_it_is_written() {
        let written = format!("7:{}", "0a".repeat(32));
        assert_eq!(written.parse(), Ok(Head::new(7, [10; 32])));
        assert_eq!(Head::new(7, [10; 32]).to_string(), written);
        let start = format!("0:{}", "0".repeat(64));
        assert_eq!(start.parse(), Ok(Head::START));
        for text in [
            String::new(),
            written.replace('7', "07"),
            written.replace('7', "+7"),
            written.replace('7', ""),
            written.replace('7', "0"),
            written.replace('7', "9007199254740992"),
            written.replace('a', "A"),
            written.replace(':', ""),
            format!("{written}0"),
            format!("{written}00"),
            format!("{written}\n"),
        ] {
            assert_eq!(text.parse::<Head>(), Err(NoHead), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_line_is_refused() {
        let refused = |head: Head, time, payload: &str| head.append(time, payload).err();
        let overhead = Head::START.append(0, "").unwrap().text().len();
        let fits = "x".repeat(MAX_LINE - overhead);
        assert!(refused(Head::START, 0, &fits).is_none());
        assert!(matches!(
            refused(Head::START, 0, &format!("{fits}x")),
            Some(AppendError::TooLong(length)) if length == MAX_LINE + 1
        ));
        assert!(refused(Head::START, MAX_NUMBER, "").is_none());
        assert!(matches!(
            refused(Head::START, 1 << 53, ""),
            Some(AppendError::Time(_))
        ));
        assert!(refused(Head::new(MAX_NUMBER - 1, [1; 32]), 0, "").is_none());
        for last in [MAX_NUMBER, u64::MAX] {
            let full = refused(Head::new(last, [1; 32]), 0, "");
            assert!(matches!(full, Some(AppendError::Full)));
        }
    }
}
