//! A device reads its orchestrator's answer: decode and verify, under a registered P-256 key.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use embedded_probe::{measure, print, program};
use gangplank_envelope::{
    Audience, Envelope, Expect, ExpectedAudience, ExpectedForm, Limits, PayloadType,
};
use gangplank_freshness::{Freshness, Nonce};
use gangplank_key::{Backend, CertificateId, PublicKey, TrustedKey};

program!(run);

fn run() -> bool {
    checks() == Some(true)
}

fn checks() -> Option<bool> {
    let key = measure("load", || PublicKey::from_spki(SPKI, Backend::PURE_RUST)).ok()?;
    let key = TrustedKey::vouch(CertificateId::parse("SN-0001").ok()?, key);
    let nonce = Nonce::parse("AAECAwQFBgcICQoLDA0ODw").ok()?;
    let expect = Expect {
        form: ExpectedForm::Bound(PayloadType::ONBOARDING_RESPONSE),
        audience: ExpectedAudience::Exactly(Audience::parse("https://wfm.example/margo").ok()?),
        freshness: Freshness::Echo(&nonce),
    };
    let length = measure("verify", || payload_length(WIRE, &key, &expect));
    let mut tampered = Vec::from(WIRE);
    let byte = tampered.get_mut(100)?;
    *byte = if *byte == b'A' { b'B' } else { b'A' };
    let refused = payload_length(&tampered, &key, &expect).is_none();
    print(if length == Some(1024) {
        "verified\n"
    } else {
        "NOT VERIFIED\n"
    });
    print(if refused {
        "tampered refused\n"
    } else {
        "TAMPERED ACCEPTED\n"
    });
    Some(length == Some(1024) && refused)
}

fn payload_length(wire: &[u8], key: &TrustedKey, expect: &Expect<'_>) -> Option<usize> {
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(wire, &Limits::DEFAULT, &mut scratch).ok()?;
    let verified = envelope.verify(key, expect).ok()?;
    Some(verified.payload().len())
}

const WIRE: &[u8] = include_bytes!("../../data/envelope.json");
const SPKI: &[u8] = include_bytes!("../../data/key.spki.der");
