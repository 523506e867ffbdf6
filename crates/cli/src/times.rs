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

    /// Reads `now`, Unix seconds, or a time by RFC 3339. A fraction is left off: certificates count whole
    /// seconds.
    pub(crate) fn parse_any(text: &str) -> Result<Self, &'static str> {
        if let Ok(moment) = Self::parse(text) {
            return Ok(moment);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
        let time = match seconds(whole) {
            Ok(seconds) if digits => Some(seconds),
            _ => text
                .parse::<jiff::Timestamp>()
                .ok()
                .and_then(|time| u64::try_from(floor(time)).ok()),
        };
        time.map(|seconds| Self::At(UnixTime::since_unix_epoch(Duration::from_secs(seconds))))
            .ok_or("`now`, Unix seconds, or a time such as 2026-11-21T00:00:00Z, not before 1970")
    }

    /// The time, which is the clock's where it says `now`.
    pub(crate) fn time(self) -> UnixTime {
        match self {
            Self::Now => UnixTime::now(),
            Self::At(time) => time,
        }
    }
}

fn floor(time: jiff::Timestamp) -> i64 {
    let below = i64::from(time.subsec_nanosecond() < 0);
    time.as_second().saturating_sub(below)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_left_off() {
        for (text, seconds) in [
            ("5", 5),
            ("5.999", 5),
            ("1970-01-01T00:00:05Z", 5),
            ("1970-01-01T00:00:05.999Z", 5),
            ("1970-01-01T01:00:05+01:00", 5),
        ] {
            let moment = Moment::parse_any(text).unwrap();
            assert_eq!(moment.time().as_secs(), seconds, "{text}");
        }
        for text in [
            "",
            "5.",
            "5.x",
            "-5",
            "05",
            "1969-12-31T23:59:59.5Z",
            "1970-01-01",
        ] {
            assert!(Moment::parse_any(text).is_err(), "{text}");
        }
    }
}
