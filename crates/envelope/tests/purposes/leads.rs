//! How the bytes of each purpose begin: of every one only that purpose's begin so.
//!
//! The exception is the ServerKeyExchange, whose first 32 bytes a hostile client chooses; see
//! `key_exchange.rs`.

use crate::bound::PREFIX;
use crate::jwt::{DPOP, json_object};
use crate::key_exchange::SERVER_KEY_EXCHANGE;
use crate::tls::{CLIENT_HELLO, Tls13CertificateVerify};
use crate::{bodies, keys, purposes};

type Lead = (&'static [&'static str], fn(&[u8]) -> bool);

/// The names of purposes, and how their bytes begin.
const LEADS: &[Lead] = &[
    (&[bodies::PLAIN_ENVELOPE, bodies::PAYLOAD_HEADER], |bytes| {
        bytes.trim_ascii_start().starts_with(b"{")
    }),
    (&["envelope, bound"], |bytes| bytes.starts_with(PREFIX)),
    (&["RFC 9421"], |bytes| bytes.starts_with(b"\"")),
    (&["client assertion"], |bytes| {
        token_type(bytes).is_some_and(|typ| typ != DPOP)
    }),
    (&["DPoP proof"], |bytes| {
        token_type(bytes).is_some_and(|typ| typ == DPOP)
    }),
    // RFC 2986 §4.1: version 0, then a Name.
    (&["certificate request"], |bytes| {
        sequence(bytes).starts_with(&[0x02, 0x01, 0x00, 0x30])
    }),
    // RFC 5280 §4.1: version 3, tagged. Without it (version 1) comes an AlgorithmIdentifier after
    // the number, which begins with an object identifier as no Name does; webpki refuses those.
    (&["certificate"], |bytes| {
        sequence(bytes).starts_with(&[0xa0, 0x03, 0x02, 0x01, 0x02])
    }),
    (&["TLS 1.2 CertificateVerify"], |bytes| {
        bytes.starts_with(&[CLIENT_HELLO, 0])
    }),
    (&["TLS 1.3 CertificateVerify, server"], |bytes| {
        bytes.starts_with(&Tls13CertificateVerify::SERVER.begin())
    }),
    (&["TLS 1.3 CertificateVerify, client"], |bytes| {
        bytes.starts_with(&Tls13CertificateVerify::CLIENT.begin())
    }),
];

#[test]
fn no_two_purposes_begin_alike() {
    for key in keys() {
        let all = purposes(key.public_key().algorithm());
        let baits = all.iter().map(|purpose| purpose.sign(&*key, b"").bytes);
        let baits: Vec<_> = baits
            .chain([Vec::new(), vec![b'{'; 300], vec![0xff; 300]])
            .collect();
        for purpose in all.iter().filter(|one| one.name() != SERVER_KEY_EXCHANGE) {
            for bait in &baits {
                let bytes = purpose.sign(&*key, bait).bytes;
                let leads = LEADS.iter().filter(|(_, begins)| begins(&bytes));
                let found: Vec<_> = leads.map(|(names, _)| names).collect();
                assert_eq!(found.len(), 1, "{}: {found:?}", purpose.name());
                assert!(found[0].contains(&purpose.name()), "{found:?}");
            }
        }
    }
}

/// The first bytes alone tell all of them apart that do not share a grammar.
#[test]
fn the_first_byte_tells_text_der_tls_and_ours_apart() {
    let firsts: [&[u8]; 6] = [
        b"{",            // JSON, after white space
        &PREFIX[..1],    // a bound envelope
        b"\"",           // an HTTP signature base
        b"eICD",         // base64url of a brace, or of white space before it
        &[0x30],         // DER
        &[CLIENT_HELLO], // a TLS 1.2 transcript
    ];
    let mut seen = std::collections::BTreeSet::new();
    for byte in firsts.concat() {
        assert!(seen.insert(byte), "{byte:02x}");
    }
    // White space begins two of them: after 64 blanks TLS has a letter, where JSON has a brace.
    let tls = Tls13CertificateVerify::SERVER.begin();
    assert_eq!(tls.trim_ascii_start()[0], b'T');
    assert!(!seen.contains(&tls[0]));
}

/// `typ` of what begins like a JWT; empty if there is none.
fn token_type(bytes: &[u8]) -> Option<String> {
    let (header, _) = core::str::from_utf8(bytes).ok()?.split_once('.')?;
    let header = json_object(header)?;
    header.get("alg")?;
    Some(header["typ"].as_str().unwrap_or_default().to_owned())
}

/// The content of a DER SEQUENCE.
fn sequence(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0x30, 0x81, _, content @ ..] | [0x30, 0x82, _, _, content @ ..] => content,
        [0x30, 0..=0x7f, content @ ..] => content,
        _ => &[],
    }
}
