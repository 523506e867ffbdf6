//! A device signs a message of its own with a P-256 key in its memory.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::time::Duration;

use embedded_probe::{measure, print, program};
use gangplank_envelope::{Audience, Binding, Envelope, Form, PayloadType};
use gangplank_freshness::Nonce;
use gangplank_key::{CertificateId, SoftwareKey, UnixTime};

program!(run);

fn run() -> bool {
    // RFC 6979 signatures are deterministic, so these bytes are those that Python wrote.
    let same = sealed().is_some_and(|wire| wire == WIRE);
    print(if same { "signed\n" } else { "OTHER BYTES\n" });
    same
}

fn sealed() -> Option<Vec<u8>> {
    let key = measure("load", || SoftwareKey::from_pkcs8_der(KEY)).ok()?;
    let id = CertificateId::parse("SN-0001").ok()?;
    let binding = Binding::new(PayloadType::ONBOARDING_RESPONSE)
        .created(UnixTime::since_unix_epoch(Duration::from_secs(
            1_767_225_600,
        )))
        .nonce(Nonce::parse("AAECAwQFBgcICQoLDA0ODw").ok()?)
        .audience(Audience::parse("https://wfm.example/margo").ok()?);
    let payload = Vec::from(PAYLOAD);
    measure("sign", || {
        let unsigned = Envelope::prepare(payload, Form::Bound(binding), &id).ok()?;
        unsigned.sign_with(&key).ok()
    })
}

const WIRE: &[u8] = include_bytes!("../../data/envelope.json");
const PAYLOAD: &[u8] = include_bytes!("../../data/payload.json");
const KEY: &[u8] = include_bytes!("../../data/key.pkcs8.der");
