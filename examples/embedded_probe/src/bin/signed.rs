//! A device gets a list of 100 digests that somebody signed, and asks it whether an image may run: the
//! manifest, what is remembered of the version before, the list's bytes, and a decision.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use embedded_probe::{measure, print, program};
use gangplank_allowlist::signed::{
    ExpectedList, ExpectedName, Kept, ListName, SignedList, VerifiedManifest,
};
use gangplank_allowlist::text::CanonicalText;
use gangplank_allowlist::{Allowlist, PinnedImage};
use gangplank_envelope::ExpectedAudience;
use gangplank_key::{Backend, CertificateId, PublicKey, TrustedKey};

program!(run);

fn run() -> bool {
    checks() == Some(true)
}

fn checks() -> Option<bool> {
    let key = measure("load", || {
        PublicKey::from_spki(SPKI, Backend::PURE_RUST).ok()
    });
    let key = TrustedKey::vouch(CertificateId::parse("SN-0001").ok()?, key?);
    let (verified, kept) = measure("verify", || follow(&key, REMEMBERED))?;
    let (list, remembered) = measure("check", || {
        let list = verified.check(LIST).ok()?.text().ok()?;
        Some((list, kept.encode(Backend::PURE_RUST)))
    })?;
    let image = measure("parse", || PinnedImage::parse(LISTED).ok())?;
    let permitted = measure("permit", || may_run(image, &kept, list));
    say(permitted, "permitted\n", "NOT PERMITTED\n");

    let other = !may_run(PinnedImage::parse(OTHER).ok()?, &kept, list);
    say(other, "other refused\n", "OTHER PERMITTED\n");
    // What cannot be read would refuse it, too.
    let readable = Kept::decode(NEWER, Backend::PURE_RUST).is_ok();
    let older = readable && follow(&key, NEWER).is_none();
    say(older, "older refused\n", "OLDER ACCEPTED\n");
    let mut changed = Vec::from(LIST);
    *changed.get_mut(100)? ^= 1;
    let changed = verified.check(&changed).is_err();
    say(changed, "changed refused\n", "CHANGED ACCEPTED\n");
    Some(permitted && other && older && changed && remembered == NOW_REMEMBERED)
}

fn follow(key: &TrustedKey, remembered: &[u8]) -> Option<(VerifiedManifest, Kept)> {
    let expect = ExpectedList {
        name: ExpectedName::Exactly(ListName::parse("plant-7").ok()?),
        audience: ExpectedAudience::NotCompared,
    };
    let before = Kept::decode(remembered, Backend::PURE_RUST).ok()?;
    let verified = SignedList::new(MANIFEST).verify(key, &expect).ok()?;
    let kept = verified.follow(Some(&before)).ok()?;
    Some((verified, kept))
}

fn may_run(image: PinnedImage<'_>, kept: &Kept, list: CanonicalText<'_>) -> bool {
    let list = kept.over(list);
    Allowlist::new(&list).at(NOW).permit(image).is_ok()
}

fn say(is_so: bool, yes: &str, no: &str) {
    print(if is_so { yes } else { no });
}

const MANIFEST: &[u8] = include_bytes!("../../data/manifest.json");
const LIST: &[u8] = include_bytes!("../../data/list.txt");
/// What is remembered of the version before, of the one that comes, and of one behind it.
const REMEMBERED: &[u8] = include_bytes!("../../data/kept-6.bin");
const NOW_REMEMBERED: &[u8] = include_bytes!("../../data/kept-7.bin");
const NEWER: &[u8] = include_bytes!("../../data/kept-8.bin");
const SPKI: &[u8] = include_bytes!("../../data/key.spki.der");
/// Before the list expires.
const NOW: u64 = 1_790_000_000;
/// SHA-256 of `image 42`, and of `image 100`.
const LISTED: &str = "registry.example.com:5000/team/pump:1.2.3@sha256:\
    64a882d7b07fa552458299b5b17077a1c5a3ceaae5742e3146fc70c1a77e1482";
const OTHER: &str = "registry.example.com:5000/team/pump:1.2.3@sha256:\
    31b69da79887b86c3de2ed61a96a4cc8cfefe9b90ebf968ed0ecc01ec9dc5422";
