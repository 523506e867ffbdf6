//! Arbitrary bytes as a list's manifest, as a signed list, as what is remembered of one, and as a delta on
//! a list: reading never panics, what is read has one spelling, nobody's key but the signer's verifies, and
//! a delta leads to the list that was signed or to none.

#![no_main]

use std::convert::Infallible;
use std::sync::LazyLock;

use gangplank_allowlist::signed::{
    ExpectedList, ExpectedName, Kept, ListDelta, ListFormat, ListManifest, ListName, SignedList,
    VerifiedManifest, write_delta,
};
use gangplank_allowlist::text::CanonicalText;
use gangplank_envelope::{Binding, Envelope, ExpectedAudience, Form, PayloadType};
use gangplank_key::{Algorithm, Backend, CertificateId, SigningKey, SoftwareKey, TrustedKey};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use libfuzzer_sys::fuzz_target;

const BACKEND: Backend = Backend::PURE_RUST;

/// Made a moment ago, so that nothing in a corpus can be signed with it.
static KEY: LazyLock<SoftwareKey> = LazyLock::new(|| {
    SoftwareKey::generate(Algorithm::Ed25519, &mut UnwrapErr(SysRng)).expect("a key")
});

fuzz_target!(|input: &[u8]| {
    if let Ok(manifest) = ListManifest::parse(input) {
        let json = manifest.to_json().expect("what is read can be written");
        assert_eq!(ListManifest::parse(&json).as_ref(), Ok(&manifest));
        let kept = verified(&manifest).follow(None).expect("the first follows");
        assert_eq!(Kept::decode(&kept.encode(BACKEND), BACKEND), Ok(kept));
    }
    if let Ok(kept) = Kept::decode(input, BACKEND) {
        assert_eq!(kept.encode(BACKEND), input);
    }
    let name = ListName::parse("plant-7").expect("a name");
    assert!(
        SignedList::new(input)
            .verify(&trusted(), &expect(&name))
            .is_err()
    );
    if let Some(at) = input.iter().position(|byte| *byte == 0xff) {
        delta(&input[..at], &input[at + 1..]);
    }
});

/// A delta that the signer signed, whatever it is, on a list: it leads to the list that the lines say.
fn delta(base: &[u8], delta: &[u8]) {
    let Ok(from) = CanonicalText::read(base) else {
        return;
    };
    let Some(to) = plainly(base, delta) else {
        let result = apply(base, delta, base);
        assert!(result.is_none(), "a delta that does not fit was applied");
        return;
    };
    assert_eq!(apply(base, delta, &to).as_ref(), Some(&to));
    let to = CanonicalText::read(&to).expect("a delta leads to a canonical list");
    let mut written = Vec::new();
    let done = write_delta(from, to, |part| {
        written.extend_from_slice(part);
        Ok::<_, Infallible>(())
    });
    assert_eq!((done, written.as_slice()), (Ok(()), delta));
}

fn apply(base: &[u8], delta: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let manifest = ListManifest {
        name: ListName::parse("plant-7").ok()?,
        version: 2,
        format: ListFormat::Text,
        size: to.len() as u64,
        digest: BACKEND.sha256(&[to]),
        count: to.len() as u64 / 65,
        not_before: None,
        expires: 1,
        delta: Some(ListDelta {
            from: 1,
            from_digest: BACKEND.sha256(&[base]),
            size: delta.len() as u64,
            digest: BACKEND.sha256(&[delta]),
        }),
    };
    let mut made = Vec::new();
    let applied = verified(&manifest).apply_delta(base, delta, |part| {
        made.extend_from_slice(part);
        Ok::<_, Infallible>(())
    });
    applied.ok().map(|()| made)
}

/// Slow and plain.
fn plainly(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut lines: std::collections::BTreeSet<Vec<u8>> = base
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let mut before = Vec::new();
    for line in delta.split_inclusive(|byte| *byte == b'\n') {
        let (sign, line) = line.split_first()?;
        if CanonicalText::read(line).ok()?.len() != 1 || line <= before.as_slice() {
            return None;
        }
        before = line.to_vec();
        let fits = match sign {
            b'+' => lines.insert(line.to_vec()),
            b'-' => lines.remove(line),
            _ => false,
        };
        if !fits {
            return None;
        }
    }
    Some(lines.into_iter().flatten().collect())
}

fn verified(manifest: &ListManifest) -> VerifiedManifest {
    let form = Form::Bound(Binding::new(PayloadType::ALLOWLIST));
    let json = manifest.to_json().expect("a manifest that can be");
    let envelope = Envelope::prepare(json, form, trusted().id()).expect("an envelope");
    let envelope = envelope.sign_with(&*KEY).expect("a key that signs");
    let signed = SignedList::new(&envelope).verify(&trusted(), &expect(&manifest.name));
    signed.expect("what was signed verifies")
}

fn trusted() -> TrustedKey {
    let id = CertificateId::parse("SN-0001").expect("an id");
    TrustedKey::vouch(id, KEY.public_key().clone())
}

fn expect(name: &ListName) -> ExpectedList {
    ExpectedList {
        name: ExpectedName::Exactly(name.clone()),
        audience: ExpectedAudience::NotCompared,
    }
}
