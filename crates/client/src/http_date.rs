//! `Date` (RFC 9110 §6.6.1) as servers write it.

use der::DateTime;
use gangplank_key::UnixTime;

/// Reads an IMF-fixdate (RFC 9110 §5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`. The two obsolete
/// forms, which no server may write, are passed over; so is whether the day of the week is right.
pub(crate) fn parse(text: &str) -> Option<UnixTime> {
    let (weekday, rest) = text.split_once(", ")?;
    let mut words = rest.splitn(5, ' ');
    let day = number(words.next()?, 2)?;
    let month = words.next()?;
    let year = number(words.next()?, 4)?;
    let mut clock = words.next()?.splitn(3, ':');
    let hour = number(clock.next()?, 2)?;
    let minute = number(clock.next()?, 2)?;
    // A leap second counts as the second before it.
    let second = number(clock.next()?, 2)
        .filter(|second| *second <= 60)?
        .min(59);
    if words.next()? != "GMT" || !WEEKDAYS.contains(&weekday) {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let small = |number: u16| u8::try_from(number).ok();
    let date = DateTime::new(
        year,
        u8::try_from(month).ok()?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
    );
    Some(UnixTime::since_unix_epoch(date.ok()?.unix_duration()))
}

fn number(digits: &str, length: usize) -> Option<u16> {
    let plain = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_date_reads_them() {
        // The seconds are what `date -u -d … +%s` prints.
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_799),
            ("Sun, 22 Nov 2026 05:30:00 GMT", 1_795_325_400),
        ] {
            assert_eq!(
                parse(text).map(|time| time.as_secs()),
                Some(seconds),
                "{text}"
            );
        }
    }

    #[test]
    fn other_forms_are_passed_over() {
        for text in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 30 Feb 2024 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Xyz, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
