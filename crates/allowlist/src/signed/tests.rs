use std::collections::BTreeSet;
use std::convert::Infallible;

use gangplank_envelope::{Binding, Form};
use gangplank_key::{SigningKey, SoftwareKey};
use proptest::prelude::*;

use super::*;
use crate::text::{self, CanonicalText};
use crate::{Allowlist, Entry, ImageDigest, PinnedImage};

const KEY: &str = include_str!("../../../key/tests/data/p256.key.pem");
const IMAGE: &str = "a/b@sha256:0707070707070707070707070707070707070707070707070707070707070707";

fn list(bytes: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let sorted: BTreeSet<u8> = bytes.into_iter().collect();
    let digests = sorted
        .iter()
        .map(|byte| ImageDigest::from_bytes([*byte; 32]));
    digests.flat_map(|digest| text::line(&digest)).collect()
}

fn manifest(list: &[u8], version: u64) -> ListManifest {
    ListManifest {
        name: ListName::parse("plant-7").unwrap(),
        version,
        format: ListFormat::Text,
        size: list.len() as u64,
        digest: Backend::PURE_RUST.sha256(&[list]),
        count: list.len() as u64 / 65,
        not_before: None,
        expires: 2000,
        delta: None,
    }
}

/// Signed, sent and verified.
fn verified(manifest: &ListManifest) -> VerifiedManifest {
    let key = SoftwareKey::from_pem(KEY).unwrap();
    let id = CertificateId::parse("SN-0001").unwrap();
    let form = Form::Bound(Binding::new(PayloadType::ALLOWLIST));
    let envelope = Envelope::prepare(manifest.to_json().unwrap(), form, &id).unwrap();
    let envelope = envelope.sign_with(&key).unwrap();
    let expect = ExpectedList {
        name: ExpectedName::Exactly(manifest.name.clone()),
        audience: ExpectedAudience::NotCompared,
    };
    let trusted = TrustedKey::vouch(id, key.public_key().clone());
    SignedList::new(&envelope)
        .verify(&trusted, &expect)
        .unwrap()
}

#[test]
fn a_list_counts_for_its_time_and_only_by_a_clock() {
    let bytes = list([7]);
    let signed = ListManifest {
        not_before: Some(1000),
        ..manifest(&bytes, 1)
    };
    let verified = verified(&signed);
    let listed = verified.check(&bytes).unwrap().text().unwrap();
    let kept = verified.follow(None).unwrap();
    let dated = kept.over(listed);
    let code = |list: Allowlist<'_>| match list.permit(PinnedImage::parse(IMAGE).unwrap()) {
        Ok(_) => "permitted",
        Err(denied) => denied.code(),
    };
    let list = Allowlist::new(&dated);
    assert_eq!(code(list), "no-clock");
    assert_eq!(code(list.at(999)), "not-yet");
    assert_eq!(code(list.at(1000)), "permitted");
    assert_eq!(code(list.at(1999)), "permitted");
    assert_eq!(code(list.at(2000)), "expired");
}

#[test]
fn an_entry_never_counts_longer_than_its_list() {
    struct One(Entry<'static>);
    impl crate::Listing for One {
        fn find(&self, _: &ImageDigest) -> Result<Option<Entry<'_>>, crate::Damaged> {
            Ok(Some(self.0))
        }
    }
    let signed = ListManifest {
        not_before: Some(1000),
        ..manifest(b"", 1)
    };
    let kept = verified(&signed).follow(None).unwrap();
    let window = |not_before, expires| {
        let entry = Entry {
            not_before,
            expires,
            ..Entry::default()
        };
        let found = kept.over(One(entry));
        let found = crate::Listing::find(&found, &ImageDigest::from_bytes([0; 32]));
        let found = found.unwrap().unwrap();
        (found.not_before.unwrap(), found.expires.unwrap())
    };
    assert_eq!(window(None, None), (1000, 2000));
    assert_eq!(window(Some(5), Some(3000)), (1000, 2000));
    assert_eq!(window(Some(1500), Some(1600)), (1500, 1600));
}

#[test]
fn an_older_list_is_refused_after_a_restart() {
    let [old, new] = [1, 2].map(|version| verified(&manifest(&list([7]), version)));
    let kept = new.follow(None).unwrap();
    // All that survives.
    let bytes = kept.encode(Backend::PURE_RUST);
    drop(kept);
    let kept = Kept::decode(&bytes, Backend::PURE_RUST).unwrap();
    assert_eq!(
        old.follow(Some(&kept)),
        Err(Rollback::Older { kept: 2, found: 1 })
    );
    assert_eq!(new.follow(Some(&kept)), Ok(kept.clone()));
    let other = verified(&ListManifest {
        expires: 3000,
        ..manifest(&list([7]), 2)
    });
    let replaced = Err(Rollback::Replaced { version: 2 });
    assert_eq!(other.follow(Some(&kept)), replaced);
}

#[test]
fn any_changed_bit_of_what_is_kept_is_noticed() {
    let kept = verified(&manifest(&list([7]), 2)).follow(None).unwrap();
    let good = kept.encode(Backend::PURE_RUST);
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Kept::decode(&bytes, Backend::PURE_RUST).is_err(), "{bit}");
    }
    for length in 0..good.len() {
        assert!(Kept::decode(&good[..length], Backend::PURE_RUST).is_err());
    }
}

#[test]
fn what_cannot_be_is_not_written() {
    let code = |change: fn(&mut ListManifest)| {
        let mut manifest = manifest(&list([1, 2]), 7);
        change(&mut manifest);
        manifest.to_json().unwrap_err().code()
    };
    assert_eq!(code(|manifest| manifest.version = 0), "value");
    assert_eq!(code(|manifest| manifest.version = 1 << 53), "value");
    assert_eq!(code(|manifest| manifest.expires = u64::MAX), "value");
    assert_eq!(code(|manifest| manifest.count = 1), "size");
    assert_eq!(code(|manifest| manifest.not_before = Some(2000)), "window");
}

#[test]
fn a_sink_that_fails_is_named() {
    let (from, to) = (list([1]), list([1, 2]));
    let delta = delta(&from, &to);
    let signed = with_delta(&from, &to, &delta);
    let failed = verified(&signed).apply_delta(&from, &delta, |_| Err("full"));
    assert_eq!(failed, Err(DeltaError::Sink("full")));
}

fn delta(from: &[u8], to: &[u8]) -> Vec<u8> {
    let (from, to) = (
        CanonicalText::read(from).unwrap(),
        CanonicalText::read(to).unwrap(),
    );
    let mut delta = Vec::new();
    let written = write_delta(from, to, |part| {
        delta.extend_from_slice(part);
        Ok::<_, Infallible>(())
    });
    written.unwrap();
    delta
}

fn with_delta(from: &[u8], to: &[u8], delta: &[u8]) -> ListManifest {
    ListManifest {
        delta: Some(ListDelta {
            from: 1,
            from_digest: Backend::PURE_RUST.sha256(&[from]),
            size: delta.len() as u64,
            digest: Backend::PURE_RUST.sha256(&[delta]),
        }),
        ..manifest(to, 2)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_delta_leads_from_any_list_to_any_other(from: Vec<u8>, to: Vec<u8>) {
        let (from, to) = (list(from), list(to));
        let delta = delta(&from, &to);
        let mut made = Vec::new();
        let applied = verified(&with_delta(&from, &to, &delta)).apply_delta(&from, &delta, |part| {
            made.extend_from_slice(part);
            Ok::<_, Infallible>(())
        });
        prop_assert_eq!(applied, Ok(()));
        prop_assert_eq!(made, to);
    }

    #[test]
    fn any_changed_byte_of_a_delta_is_refused(
        from: Vec<u8>,
        to: Vec<u8>,
        at: prop::sample::Index,
        bits in 1u8..,
    ) {
        let (from, to) = (list(from), list(to));
        let mut delta = delta(&from, &to);
        prop_assume!(!delta.is_empty());
        let honest = with_delta(&from, &to, &delta);
        let at = at.index(delta.len());
        delta[at] ^= bits;
        // Even one that the signer signed by mistake.
        for signed in [honest, with_delta(&from, &to, &delta)] {
            let applied = verified(&signed).apply_delta(&from, &delta, |_| Ok::<_, Infallible>(()));
            prop_assert!(applied.is_err());
        }
    }

    #[test]
    fn a_manifest_reads_as_it_was_written(
        name in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}",
        version in 2u64..1 << 53,
        (count, size) in (0u64..1 << 46, 0u64..1 << 53),
        digest: [u8; 32],
        window in (proptest::option::of(0u64..1 << 52), 1u64 << 52..1 << 53),
        delta: bool,
        text: bool,
    ) {
        let signed = ListManifest {
            name: ListName::parse(&name).unwrap(),
            version,
            format: if text { ListFormat::Text } else { ListFormat::Indexed },
            size: if text { count * 65 } else { size },
            digest,
            count,
            not_before: window.0,
            expires: window.1,
            delta: (delta && text).then_some(ListDelta { from: 1, from_digest: digest, size, digest }),
        };
        let json = signed.to_json().unwrap();
        prop_assert_eq!(ListManifest::parse(&json), Ok(signed));
        // Another reader finds the same members.
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(&value["list"], &name);
        prop_assert_eq!(&value["version"], version);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>, text in r#"[{}":,a-z0-9\[\] ]{0,80}"#) {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(manifest) = ListManifest::parse(bytes) {
                prop_assert!(manifest.to_json().is_ok());
            }
            let _ = Kept::decode(bytes, Backend::PURE_RUST);
            let _ = CanonicalText::read(bytes);
        }
    }
}
