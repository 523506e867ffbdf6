//! A device asks whether an image may run: a list of 100 digests in flash, and no allocation.

#![no_std]
#![no_main]

use embedded_probe::{measure, print, program};
use gangplank_allowlist::{Allowlist, ImageDigest, PinnedImage};

program!(run);

fn run() -> bool {
    let image = measure("parse", || PinnedImage::parse(LISTED).ok());
    let list = Allowlist::new(&LIST);
    let permitted = measure("permit", || {
        image.is_some_and(|image| list.permit(image).is_ok())
    });
    let refused = PinnedImage::parse(OTHER).is_ok_and(|image| list.permit(image).is_err());
    print(if permitted {
        "permitted\n"
    } else {
        "NOT PERMITTED\n"
    });
    print(if refused {
        "other refused\n"
    } else {
        "OTHER PERMITTED\n"
    });
    permitted && refused
}

/// Every second byte, 32 times.
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

const LISTED: &str = "registry.example.com:5000/team/pump:1.2.3@sha256:\
    5656565656565656565656565656565656565656565656565656565656565656";
const OTHER: &str = "registry.example.com:5000/team/pump:1.2.3@sha256:\
    5757575757575757575757575757575757575757575757575757575757575757";
