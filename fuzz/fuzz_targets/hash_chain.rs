//! Arbitrary bytes as a log, as a line and as a head: reading never panics, a record has one spelling
//! around its payload, and a log that holds together goes on with one line more and with none less.

#![no_main]

use gangplank_hash_chain::{Head, Record, Verifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(record) = Record::parse(input) {
        check(input, &record);
    }
    if let Some(head) = core::str::from_utf8(input)
        .ok()
        .and_then(|text| text.parse::<Head>().ok())
    {
        assert_eq!(head.to_string().as_bytes(), input);
    }
    // From where its first line begins, since no fuzzer finds a hash.
    let first = input
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let before = match Record::parse(first) {
        Ok(record) => Head::new(record.sequence().wrapping_sub(1), *record.previous()),
        Err(_) => Head::START,
    };
    let Ok(summary) = Verifier::after(before).verify(input) else {
        return;
    };
    let finished = &input[..input.len() - summary.unfinished];
    assert_eq!(
        Verifier::after(before)
            .expecting(summary.head)
            .verify(finished)
            .map(|of| of.head),
        Ok(summary.head)
    );
    if let Ok(line) = summary.head.append(0, "more") {
        let longer = [finished, line.text()].concat();
        let followed = Verifier::after(before)
            .verify(&longer)
            .expect("what is appended follows");
        assert_eq!(
            (followed.head, followed.lines),
            (line.head(), summary.lines + 1)
        );
    }
    if summary.lines > 1 {
        let left_out = &finished[first.len() + 1..];
        assert!(Verifier::after(before).verify(left_out).is_err());
    }
});

fn check(line: &[u8], record: &Record<'_>) {
    let previous: String = record
        .previous()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (sequence, time, payload) = (record.sequence(), record.time(), record.payload());
    let written = format!(
        r#"{{"sequence":{sequence},"time":{time},"previous":"{previous}","payload":{payload}}}"#
    );
    assert_eq!(written.as_bytes(), line);
    assert_eq!(record.head().sequence(), sequence);
}
