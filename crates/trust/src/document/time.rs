//! Instants as RFC 3339 writes them.

use core::time::Duration;

use der::DateTime;
use rustls_pki_types::UnixTime;

use super::error::Fault;
use super::json::Json;
use super::object::{self, Object};
use crate::{Validity, ValidityInverted};

/// The first second that is not before the instant.
pub(super) fn from(value: Json) -> Result<UnixTime, Fault> {
    instant(value, u64::from)
}

/// The last second that is not after the instant: a window is never longer than it says.
pub(super) fn until(value: Json) -> Result<UnixTime, Fault> {
    instant(value, |_| 0)
}

/// A second as text; one that RFC 3339 has no year for is the last one that it has.
pub(super) fn print(time: UnixTime) -> Json {
    let since = Duration::from_secs(time.as_secs().min(LAST_SECOND));
    DateTime::from_unix_duration(since).map_or(Json::Null, Json::text)
}

/// `not-before` and `not-after`.
pub(super) fn window(
    object: &mut Object,
) -> Result<Result<Validity, ValidityInverted>, super::DocumentError> {
    let not_before = object.required("not-before", from)?;
    let not_after = object.required("not-after", until)?;
    Ok(Validity::new(not_before, not_after))
}

fn instant(value: Json, rounding: fn(bool) -> u64) -> Result<UnixTime, Fault> {
    const EXPECTED: &str = "a time like 2026-01-31T12:00:00Z, from 1970 to 9999";
    let text = object::text(value)?;
    let seconds = read(&text).map(|(seconds, fraction)| seconds + rounding(fraction));
    let known = seconds.filter(|seconds| *seconds <= LAST_SECOND);
    let seconds = known.ok_or_else(|| Fault::of_value(EXPECTED, &text))?;
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

/// RFC 3339 §5.6: Unix seconds, and whether a fraction of a second comes on top. There are no leap
/// seconds: nothing that is compared with has them.
fn read(text: &str) -> Option<(u64, bool)> {
    let mut rest = text;
    let year = number(&mut rest, 4)?;
    let month = part(&mut rest, b"-")?;
    let day = part(&mut rest, b"-")?;
    let hour = part(&mut rest, b"Tt")?;
    let minute = part(&mut rest, b":")?;
    let second = part(&mut rest, b":")?;
    let local = DateTime::new(year, month, day, hour, minute, second).ok()?;
    let fraction = fraction(&mut rest)?;
    let east = offset(rest)?;
    let seconds = i64::try_from(local.unix_duration().as_secs()).ok()?;
    Some((u64::try_from(seconds - east).ok()?, fraction))
}

/// Whether there is a fraction other than zero.
fn fraction(rest: &mut &str) -> Option<bool> {
    let Some(after) = rest.strip_prefix('.') else {
        return Some(false);
    };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, after) = after.split_at_checked(digits)?;
    *rest = after;
    (digits > 0).then(|| fraction.bytes().any(|digit| digit != b'0'))
}

/// Seconds east of Greenwich.
fn offset(mut rest: &str) -> Option<i64> {
    if matches!(rest, "Z" | "z") {
        return Some(0);
    }
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    let hours = part(&mut rest, b"+-").filter(|hours| *hours < 24)?;
    let minutes = part(&mut rest, b":").filter(|minutes| *minutes < 60)?;
    let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
    rest.is_empty().then_some(sign * seconds)
}

/// One of `before`, and two digits.
fn part(rest: &mut &str, before: &[u8]) -> Option<u8> {
    let first = rest.bytes().next()?;
    *rest = rest.get(1..).filter(|_| before.contains(&first))?;
    u8::try_from(number(rest, 2)?).ok()
}

fn number(rest: &mut &str, digits: usize) -> Option<u16> {
    let (number, after) = rest.split_at_checked(digits)?;
    *rest = after;
    let all_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| number.parse().ok()).flatten()
}

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;
