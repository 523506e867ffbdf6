//! Whatever the bytes are, nothing panics, and adding a field changes nothing else.

use proptest::collection::vec;
use proptest::prelude::*;

use super::against::compare;
use super::text::HttpText;

/// Texts out of the pieces that decide something, and other bytes.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n",
        b"HTTP/2 200 \n",
        b"Host: a\n",
        b"X:\r\n",
        b"X: \r",
        b"  folded \r\n",
        b"Transfer-Encoding: chunked\n",
        b"Content-Length: 3\r\n",
        b"\r\n",
        b"\n",
        b"3\r\n",
        b"abc",
        b"0\n",
        b"fffffffffffffffff\n",
        b":",
        b"\xff",
    ];
    let piece = prop_oneof![
        9 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..8),
    ];
    (0..3_usize, vec(piece, 0..12)).prop_map(|(start, parts)| {
        let start: &[u8] = [b"GET / HTTP/1.1\n", &b"HTTP/1.1 204 x\r\n"[..], b""][start];
        [start, &parts.concat()].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_field_is_added_and_nothing_else_is_changed(bytes in text()) {
        let Ok(before) = HttpText::read(&bytes) else { return Ok(()) };
        let bytes = before.with_fields(&[("X-Added", "v")]);
        let after = HttpText::read(&bytes).unwrap();
        let (added, fields) = after.fields.split_last().unwrap();
        prop_assert_eq!(added, &("X-Added", &b" v"[..]));
        prop_assert_eq!(fields, &before.fields[..]);
        prop_assert_eq!(after.start, before.start);
        prop_assert_eq!(&after.trailers, &before.trailers);
        prop_assert_eq!(after.body.ok(), before.body.ok());
    }

    #[test]
    fn only_the_same_bytes_are_the_same(ours in text(), theirs in text()) {
        let found = compare(&ours, &theirs);
        prop_assert_eq!(found.is_none(), ours == theirs);
        if let Some(difference) = found {
            prop_assert!(difference.to_text().is_ascii());
        }
        prop_assert!(compare(&ours, &ours).is_none());
    }
}
