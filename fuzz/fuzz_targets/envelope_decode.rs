//! Arbitrary bytes as an envelope: reading never panics, what is read is written in one way, and
//! nothing verifies under a key that signed nothing.

#![no_main]

use std::sync::LazyLock;

use gangplank_envelope::{Envelope, Expect, ExpectedAudience, ExpectedForm, Freshness, Limits};
use gangplank_key::{Algorithm, PublicKey, SigningKey, SoftwareKey, TrustedKey};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use libfuzzer_sys::fuzz_target;

static FRESH: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
    [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519]
        .into_iter()
        .map(|algorithm| {
            let key = SoftwareKey::generate(algorithm, &mut UnwrapErr(SysRng)).expect("a key");
            key.public_key().clone()
        })
        .collect()
});

fuzz_target!(|wire: &[u8]| {
    let mut scratch = Vec::new();
    let Ok(envelope) = Envelope::decode(wire, &Limits::DEFAULT, &mut scratch) else {
        return;
    };
    let text = envelope.encode();
    let mut scratch = Vec::new();
    let again = Envelope::decode(&text, &Limits::DEFAULT, &mut scratch)
        .expect("what was written can be read");
    assert_eq!(again, envelope);
    assert_eq!(
        again.encode(),
        text,
        "there is one way to write an envelope"
    );

    let anything = Expect {
        form: ExpectedForm::Any,
        audience: ExpectedAudience::NotCompared,
        freshness: Freshness::NotRequired,
    };
    for key in FRESH.iter() {
        let trusted = TrustedKey::vouch(envelope.claimed_signer().clone(), key.clone());
        assert!(envelope.verify(&trusted, &anything).is_err());
    }
});
