//! Whatever is appended verifies, and whatever is done to it afterwards shows.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use gangplank_hash_chain::{Head, Record, Verifier};
use proptest::prelude::*;

type Payload = (String, Option<u64>, Vec<i8>);

fn log(payloads: &[(u32, Payload)]) -> (Vec<Vec<u8>>, Head) {
    let mut head = Head::START;
    let lines = payloads.iter().map(|(time, payload)| {
        let line = head.append(u64::from(*time), payload).unwrap();
        head = line.head();
        line.text().to_vec()
    });
    (lines.collect(), head)
}

fn payloads() -> impl Strategy<Value = Vec<(u32, Payload)>> {
    prop::collection::vec(any::<(u32, Payload)>(), 1..6)
}

proptest! {
    #[test]
    fn what_is_appended_reads_and_verifies(payloads in payloads()) {
        let (lines, head) = log(&payloads);
        let summary = Verifier::new().expecting(head).verify(&lines.concat()).unwrap();
        prop_assert_eq!((summary.head, summary.lines, summary.unfinished), (head, lines.len() as u64, 0));
        for ((time, payload), line) in payloads.iter().zip(&lines) {
            let record = Record::parse(&line[..line.len() - 1]).unwrap();
            prop_assert_eq!(record.time(), u64::from(*time));
            prop_assert_eq!(&record.read::<Payload>().unwrap(), payload);
        }
        // Any part of it, from any line on.
        for begin in 0..=lines.len() {
            let (_, before) = log(&payloads[..begin]);
            let summary = Verifier::after(before).verify(&lines[begin..].concat()).unwrap();
            prop_assert_eq!(summary.head, head);
        }
    }

    #[test]
    fn a_changed_byte_shows(payloads in payloads(), at: prop::sample::Index, flip in 1..=255_u8) {
        let (lines, head) = log(&payloads);
        let mut log = lines.concat();
        let at = at.index(log.len());
        log[at] ^= flip;
        prop_assert!(Verifier::new().expecting(head).verify(&log).is_err());
        // Without the head, too, but for the last line.
        let last = log.len() - lines.last().unwrap().len();
        prop_assert!(at >= last || Verifier::new().verify(&log).is_err());
    }

    #[test]
    fn a_log_that_was_cut_off_shows(payloads in payloads(), end: prop::sample::Index) {
        let (lines, head) = log(&payloads);
        let log = lines.concat();
        let cut = &log[..end.index(log.len())];
        prop_assert!(Verifier::new().expecting(head).verify(cut).is_err());
        // It is a log by itself, whose last line may be unfinished.
        let summary = Verifier::new().verify(cut).unwrap();
        prop_assert!(summary.lines < lines.len() as u64);
    }

    #[test]
    fn lines_in_another_order_show(payloads in payloads(), one: prop::sample::Index, two: prop::sample::Index) {
        let (mut lines, _) = log(&payloads);
        let (one, two) = (one.index(lines.len()), two.index(lines.len()));
        lines.swap(one, two);
        prop_assert_eq!(Verifier::new().verify(&lines.concat()).is_ok(), one == two);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Verifier::new().verify(&bytes);
        let _ = Record::parse(&bytes);
    }
}
