//! Arbitrary bytes as a signed message: nothing verifies under a key that signed nothing, by no
//! policy.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use gangplank_key::{Algorithm, PublicKey, SigningKey, SoftwareKey, UnixTime};
use gangplank_message::margo::{
    self, AuthorityRule, ComponentNames, Ed25519Rule, Incoming, Profile, RsaPaddings,
};
use gangplank_message::{Expect, ExpectedTag, Freshness, Limits, Message, Signatures, Window};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use libfuzzer_sys::fuzz_target;

mod message_text;

static FRESH: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
    [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519]
        .into_iter()
        .map(|algorithm| {
            let key = SoftwareKey::generate(algorithm, &mut UnwrapErr(SysRng)).expect("a key");
            key.public_key().clone()
        })
        .collect()
});

const LIMITS: &Limits = &Limits::DEFAULT;
/// Accepts whatever can be accepted.
const PROFILE: Profile = Profile {
    authority: AuthorityRule::Optional,
    rsa: RsaPaddings::PssThenPkcs1,
    ed25519: Ed25519Rule::Accepted,
    names: ComponentNames::ContentDigestWithCapitals,
};

fuzz_target!(|text: &[u8]| {
    message_text::with_message(text, |message, fields, body| {
        let window = Window {
            now: UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600)),
            max_age: Duration::from_secs(1 << 40),
            max_lead: Duration::from_secs(1 << 40),
        };
        let expect = Expect {
            covered: &[],
            freshness: Freshness::NotRequired,
            tag: ExpectedTag::NotCompared,
        };
        for key in FRESH.iter() {
            if let Message::Request(request) = message {
                let incoming = Incoming::new(request, body);
                let found = margo::verify(&incoming, "c-1", key, &PROFILE, &window, LIMITS);
                assert!(found.is_err());
            }
            if let Ok(signatures) = Signatures::read(fields, LIMITS) {
                for label in signatures.labels() {
                    let found = signatures.verify(message, label, key, &expect, LIMITS);
                    assert!(found.is_err());
                }
            }
        }
    });
});
