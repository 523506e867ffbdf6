//! Arbitrary bytes as a header `X-Payload-Signature` and the body below it: reading never panics,
//! what is read is written in one way, and nothing verifies under a key that signed nothing, not
//! even with that key in the header.
//!
//! The input is the header's value, a line feed, and the body.

#![no_main]

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use gangplank_envelope::Limits;
use gangplank_envelope::payload_signature::{PayloadSignature, Spelling};
use gangplank_key::{Algorithm, CertificateId, SigningKey, SoftwareKey, TrustedKey};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use libfuzzer_sys::fuzz_target;

static FRESH: LazyLock<Vec<TrustedKey>> = LazyLock::new(|| {
    [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519]
        .into_iter()
        .map(|algorithm| {
            let key = SoftwareKey::generate(algorithm, &mut UnwrapErr(SysRng)).expect("a key");
            let id = CertificateId::parse("SN-0001").expect("an id");
            TrustedKey::vouch(id, key.public_key().clone())
        })
        .collect()
});

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let value = parts.next().unwrap_or_default();
    let body = parts.next().unwrap_or_default();
    if let Ok(strict) = PayloadSignature::decode(value, Spelling::Wrapped) {
        assert_eq!(strict.encode().as_bytes(), value, "there is one spelling");
        assert_eq!(
            PayloadSignature::decode(value, Spelling::WrappedOrBare).as_ref(),
            Ok(&strict)
        );
    }
    let Ok(header) = PayloadSignature::decode(value, Spelling::WrappedOrBare) else {
        return;
    };
    let again = PayloadSignature::decode(header.encode().as_bytes(), Spelling::Wrapped)
        .expect("what was written can be read");
    assert_eq!(again, header);
    for key in FRESH.iter() {
        assert!(header.verify(body, key, &Limits::DEFAULT).is_err());
        let Some(forged) = with_key(&header, key) else {
            continue;
        };
        assert_eq!(forged.claimed_key(), key.key().spki());
        assert!(forged.verify(body, key, &Limits::DEFAULT).is_err());
    }
});

/// The same signature behind the registered key, so that the comparison of keys does not end it.
fn with_key(header: &PayloadSignature, key: &TrustedKey) -> Option<PayloadSignature> {
    let text = String::from_utf8(BASE64.decode(header.encode()).ok()?).ok()?;
    let (_, signature) = text.split_once(';')?;
    let pair = format!("{};{signature}", BASE64.encode(key.key().spki()));
    PayloadSignature::decode(pair.as_bytes(), Spelling::WrappedOrBare).ok()
}
