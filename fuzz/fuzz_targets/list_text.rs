//! Arbitrary bytes as the text of a list: reading never panics, finds what a slow and plain reader finds,
//! and what is written of it reads as the same.

#![no_main]

use std::collections::BTreeSet;

use gangplank_allowlist::{Allowlist, ImageDigest, PinnedImage, text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let found: Vec<_> = text::lines(input)
        .map(|(line, read)| (line, read.ok()))
        .collect();
    assert_eq!(found, slowly(input));
    let digests: BTreeSet<ImageDigest> = found.iter().filter_map(|(_, read)| *read).collect();
    let written: Vec<u8> = digests.iter().flat_map(text::line).collect();
    let again = text::lines(&written).map(|(_, read)| read.expect("a written line"));
    assert!(again.eq(digests.iter().copied()));
    let listing: Vec<_> = digests.iter().copied().collect();
    let listing = listing.as_slice();
    for digest in digests.iter().chain([&ImageDigest::from_bytes([0x5a; 32])]) {
        let image = format!("a@{digest}");
        let image = PinnedImage::parse(&image).expect("a pinned image");
        let permit = Allowlist::new(&listing).permit(image);
        assert_eq!(permit.is_ok(), digests.contains(digest));
    }
});

fn slowly(input: &[u8]) -> Vec<(usize, Option<ImageDigest>)> {
    let mut found = Vec::new();
    for (at, line) in input.split(|byte| *byte == b'\n').enumerate() {
        let mut line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        while line.last().is_some_and(|last| b" \t".contains(last)) {
            line.pop();
        }
        while line.first().is_some_and(|first| b" \t".contains(first)) {
            line.remove(0);
        }
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        line.make_ascii_lowercase();
        let digit = |digit: &u8| char::from(*digit).to_digit(16).map(|value| value as u8);
        let values: Option<Vec<u8>> = line.iter().map(digit).collect();
        let bytes = values.filter(|values| values.len() == 64).map(|values| {
            let bytes = values.chunks(2).map(|pair| pair[0] * 16 + pair[1]);
            bytes.collect::<Vec<u8>>().try_into().expect("32 bytes")
        });
        found.push((at + 1, bytes.map(ImageDigest::from_bytes)));
    }
    found
}
