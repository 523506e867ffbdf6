//! A list in flash is asked without allocating anything.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use gangplank_allowlist::{Allowlist, ImageDigest, Mode, PinnedImage};

static LIST: [ImageDigest; 100] = {
    let mut list = [ImageDigest::from_bytes([0; 32]); 100];
    let mut rest = list.as_mut_slice();
    let mut byte = 0;
    while let Some((digest, after)) = rest.split_first_mut() {
        *digest = ImageDigest::from_bytes([byte; 32]);
        byte += 2;
        rest = after;
    }
    list
};

#[test]
fn a_hundred_digests_are_asked_without_an_allocator() {
    let texts: Vec<String> = (0..200)
        .map(|byte| format!("pump@{}", ImageDigest::from_bytes([byte; 32])))
        .collect();
    let allocated = measure(|| {
        for (byte, text) in texts.iter().enumerate() {
            let image = PinnedImage::parse(text).unwrap();
            let list = Allowlist::new(&LIST).at(1).in_tenant("a");
            assert_eq!(list.permit(image).is_ok(), byte % 2 == 0);
            assert!(list.mode(Mode::Audit).permit(image).is_ok());
        }
    });
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
}
