//! Arbitrary bytes as a digest: reading never panics, and reads what a slow and plain reader reads.

#![no_main]

use gangplank_allowlist::{ImageDigest, OciDigest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let found = ImageDigest::from_hex(input);
    assert_eq!(found.ok().map(|digest| *digest.as_bytes()), slowly(input));
    if let Ok(digest) = found {
        assert_eq!(digest.to_hex(), input);
    }
    let Ok(text) = core::str::from_utf8(input) else {
        return;
    };
    let Ok(digest) = OciDigest::parse(text) else {
        assert!(slowly(text.strip_prefix("sha256:").unwrap_or("").as_bytes()).is_none());
        return;
    };
    let (algorithm, encoded) = (digest.algorithm(), digest.encoded());
    assert_eq!(format!("{algorithm}:{encoded}"), text);
    assert_eq!(
        digest.registered().is_some(),
        REGISTERED.contains(&algorithm)
    );
    let sha256 = (algorithm == "sha256").then(|| slowly(encoded.as_bytes()).expect("64 digits"));
    assert_eq!(digest.image_digest(), sha256.map(ImageDigest::from_bytes));
});

fn slowly(digits: &[u8]) -> Option<[u8; 32]> {
    let values: Vec<u8> = digits
        .iter()
        .map(|digit| {
            HEX.iter()
                .position(|hex| hex == digit)
                .map(|value| value as u8)
        })
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = values
        .chunks(2)
        .map(|pair| pair[0] * 16 + pair.get(1).unwrap_or(&0))
        .collect();
    (digits.len() == 64).then(|| bytes.try_into().expect("32 bytes"))
}

const HEX: &[u8] = b"0123456789abcdef";
const REGISTERED: [&str; 3] = ["sha256", "sha512", "blake3"];
