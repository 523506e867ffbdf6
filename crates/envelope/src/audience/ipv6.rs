//! The one spelling of an IPv6 address (RFC 5952), told without parsing and printing it: that would
//! be the only use of `core::fmt` in a device that verifies.

/// Whether the text is an IPv6 address as RFC 5952 §4 and §5 write it.
pub(super) fn is_canonical(text: &str) -> bool {
    let Some((before, after)) = text.split_once("::") else {
        return zeros_among(text, GROUPS..=GROUPS).is_some_and(|zeros| zeros < 2);
    };
    if let Some(mapped) = after.strip_prefix("ffff:")
        && before.is_empty()
        && (count(mapped) == 2 || mapped.contains('.'))
    {
        // §5: what maps an IPv4 address shows it as such.
        return is_ipv4(mapped);
    }
    let (count_before, count_after) = (count(before), count(after));
    let gap = GROUPS.saturating_sub(count_before + count_after);
    // §4.2: `::` stands for the longest run of zeros, the first of equals, and for all of it.
    gap >= 2
        && zeros_among(before, 0..=GROUPS).is_some_and(|zeros| zeros < gap)
        && zeros_among(after, 0..=GROUPS).is_some_and(|zeros| zeros <= gap)
        && !(before == "0" || before.ends_with(":0"))
        && !(after == "0" || after.starts_with("0:"))
}

/// The longest run of zeros among groups, if they are groups and so many.
fn zeros_among(groups: &str, counts: core::ops::RangeInclusive<usize>) -> Option<usize> {
    let (mut run, mut longest) = (0, 0);
    if !groups.is_empty() {
        for group in groups.split(':') {
            is_group(group).then_some(())?;
            run = if group == "0" { run + 1 } else { 0 };
            longest = longest.max(run);
        }
    }
    counts.contains(&count(groups)).then_some(longest)
}

fn count(groups: &str) -> usize {
    if groups.is_empty() {
        0
    } else {
        groups.split(':').count()
    }
}

/// §4.1, §4.3: up to four hexadecimal digits in lower case, without leading zeros.
fn is_group(text: &str) -> bool {
    (1..=4).contains(&text.len())
        && (text == "0" || !text.starts_with('0'))
        && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether the text is an IPv4 address as RFC 5952 §5 and RFC 3986 §3.2.2 write it.
pub(super) fn is_ipv4(text: &str) -> bool {
    let is_byte = |part: &str| {
        (part == "0" || !part.starts_with('0'))
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse::<u8>().is_ok()
    };
    text.split('.').count() == 4 && text.split('.').all(is_byte)
}

const GROUPS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv6Addr;
    use proptest::prelude::*;

    /// What the standard library makes of it: the one text that it would print.
    fn is_canonical_to_std(text: &str) -> bool {
        text.parse::<Ipv6Addr>()
            .is_ok_and(|address| address.to_string() == text)
    }

    #[test]
    fn the_examples_of_the_rfc_are_judged_as_it_says() {
        for text in [
            "::",
            "::1",
            "1::",
            "2001:db8::1",
            "2001:db8:0:1:1:1:1:1", // §4.2.2: one group is not shortened
            "2001:0:0:1::1",        // §4.2.3: the longer run
            "2001:db8::1:0:0:1",    // §4.2.3: the first of equals
            "::ffff:192.0.2.1",     // §5
            "::fffe:c000:201",
        ] {
            assert!(is_canonical(text), "{text}");
            assert!(is_canonical_to_std(text), "{text}");
        }
        for text in [
            "",
            ":",
            ":::",
            "1",
            "1::2::3",
            "2001:0db8::1",
            "2001:DB8::1",
            "2001:db8:0:0:1::1",
            "2001:db8::1:1:1:1:1",
            "2001::1:0:0:0:1",
            "2001:db8:0::1",
            "::ffff:c000:201",
            "1:2:0:0:5:6:7:8", // §4.2.1: two groups are shortened
            "0::1",
            "1:0::1",
            "1::0",
            "1::0:1",
            "::ffff:192.0.02.1",
            "::ffff:192.0.2",
            "::192.0.2.1",
            "1:2:3:4:5:6:7:8:9",
            "::12345",
            "::+1",
        ] {
            assert!(!is_canonical(text), "{text}");
            assert!(!is_canonical_to_std(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_text_is_judged_as_by_std(text in "(0|1|ab|::|:|ffff|:0|::ffff:|1\\.2|\\.3|00){0,12}") {
            prop_assert_eq!(is_canonical(&text), is_canonical_to_std(&text));
        }

        #[test]
        fn the_printed_form_of_any_address_is_canonical(groups in prop::array::uniform8(prop_oneof![Just(0u16), Just(0u16), Just(0xffff), any::<u16>()])) {
            prop_assert!(is_canonical(&Ipv6Addr::from(groups).to_string()));
        }
    }
}
