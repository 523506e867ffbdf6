use proptest::prelude::*;

use super::*;
use crate::document::time::{from, print, until};

fn read(text: &str) -> Option<(u64, u64)> {
    let seconds = |read: fn(Json) -> Result<UnixTime, _>| {
        read(Json::text(text)).map(|time| time.as_secs()).ok()
    };
    Some((seconds(from)?, seconds(until)?))
}

#[test]
fn times_are_those_of_rfc_3339() {
    // RFC 3339 §5.8, as `date --date=… +%s` reads them; a window begins late and ends early.
    for (text, begin, end) in [
        ("1985-04-12T23:20:50.52Z", 482_196_051, 482_196_050),
        ("1996-12-19T16:39:57-08:00", 851_042_397, 851_042_397),
        ("1970-01-01t00:00:00z", 0, 0),
        ("1970-01-01T00:00:00.000Z", 0, 0),
        ("2000-02-29T00:00:00+23:59", 951_696_060, 951_696_060),
        ("9999-12-31T23:59:59Z", 253_402_300_799, 253_402_300_799),
    ] {
        assert_eq!(read(text), Some((begin, end)), "{text}");
    }
    for text in [
        "",
        "2026",
        "2026-01-01",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00ZZ",
        "2026-01-01T00:00:00+01",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "+2026-01-01T00:00:00Z",
        "2026-1-01T00:00:00Z",
        "2026-01-01T00:00:0äZ",
        "1970-01-01T00:00:00+00:01",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:59.5Z",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn a_time_beyond_all_years_is_the_last() {
    let late = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    assert_eq!(print(late), Json::text("9999-12-31T23:59:59Z"));
}

proptest! {
    #[test]
    fn times_come_back(seconds in 0u64..253_402_300_800) {
        let Json::Text(text) = print(UnixTime::since_unix_epoch(Duration::from_secs(seconds))) else {
            panic!();
        };
        prop_assert_eq!(read(&text), Some((seconds, seconds)));
    }

    #[test]
    fn times_are_what_jiff_reads(seconds in 0i64..253_000_000_000, minutes in -1439i32..1440) {
        let offset = jiff::tz::Offset::from_seconds(minutes * 60).unwrap();
        let text = jiff::Timestamp::from_second(seconds).unwrap().display_with_offset(offset);
        let expected = seconds.unsigned_abs();
        prop_assert_eq!(read(&text.to_string()), Some((expected, expected)));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-9TZ:.+ä-]{0,26}") {
        let _ = read(&text);
    }
}
