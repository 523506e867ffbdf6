//! The receiving side of Margo 1.0 on a gateway: verify a request's HTTP message signature and the
//! digest of its body, under a registered P-256 key.

#![no_std]
#![no_main]

use core::time::Duration;

use embedded_probe::{measure, print, program};
use gangplank_freshness::Window;
use gangplank_key::{Backend, PublicKey, UnixTime};
use gangplank_message::margo::{Incoming, Profile, verify};
use gangplank_message::{Limits, Request, Target};

program!(run);

fn run() -> bool {
    let Ok(key) = measure("load", || PublicKey::from_spki(SPKI, Backend::PURE_RUST)) else {
        return false;
    };
    let verified = measure("message", || is_verified(BODY, &key));
    let refused = !is_verified(b"{}", &key);
    print(if verified {
        "verified\n"
    } else {
        "NOT VERIFIED\n"
    });
    print(if refused {
        "tampered refused\n"
    } else {
        "TAMPERED ACCEPTED\n"
    });
    verified && refused
}

fn is_verified(body: &[u8], key: &PublicKey) -> bool {
    let fields = [
        ("content-digest", CONTENT_DIGEST),
        ("signature-input", SIGNATURE_INPUT),
        ("signature", SIGNATURE),
    ];
    let Ok(target) = Target::parse(TARGET) else {
        return false;
    };
    let request = Request::new("POST", target, &fields);
    let incoming = Incoming::new(&request, body);
    let second = Duration::from_secs(1_767_225_601);
    let window = Window {
        now: UnixTime::since_unix_epoch(second),
        max_age: Duration::from_secs(300),
        max_lead: Duration::from_secs(60),
    };
    let verified = verify(
        &incoming,
        "press-7",
        key,
        &Profile::MARGO_1_0,
        &window,
        &Limits::DEFAULT,
    );
    verified.is_ok_and(|verified| verified.body() == body)
}

const TARGET: &str = "https://wfm.example/api/v1/clients/press-7/deployment/7/status";
const BODY: &[u8] = include_bytes!("../../data/payload.json");
const CONTENT_DIGEST: &[u8] = include_bytes!("../../data/content-digest.txt");
const SIGNATURE_INPUT: &[u8] = include_bytes!("../../data/signature-input.txt");
const SIGNATURE: &[u8] = include_bytes!("../../data/signature.txt");
const SPKI: &[u8] = include_bytes!("../../data/key.spki.der");
