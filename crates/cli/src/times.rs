//! Times as arguments have them.

use std::time::Duration;

use rustls_pki_types::UnixTime;

/// When something is signed, or looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    Now,
    At(UnixTime),
}

impl Moment {
    /// Reads `now` or Unix seconds.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "now" {
            return Ok(Self::Now);
        }
        seconds(text)
            .map(|seconds| Self::At(UnixTime::since_unix_epoch(Duration::from_secs(seconds))))
            .map_err(|_| "`now`, or Unix seconds from 0 to 2^53 - 1 without leading zeros")
    }

    /// The time, which is the clock's where it says `now`.
    pub(crate) fn time(self) -> UnixTime {
        match self {
            Self::Now => UnixTime::now(),
            Self::At(time) => time,
        }
    }
}

/// Reads Unix seconds.
pub(crate) fn seconds(text: &str) -> Result<u64, &'static str> {
    let canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    match text.parse::<u64>() {
        Ok(seconds) if canonical && seconds < 1 << 53 => Ok(seconds),
        _ => Err("Unix seconds from 0 to 2^53 - 1 without leading zeros"),
    }
}
