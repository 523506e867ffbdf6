//! The two handshake signatures of a TLS client, and that of a TLS 1.3 server.
//!
//! A TLS peer verifies over the transcript that it saw itself. Here it saw whatever suits the
//! attacker, so all that is left to check is whether the bytes can be a transcript at all.

use gangplank_key::{Algorithm, Backend, PublicKey, SigningKey};

use crate::x509::raw_public_key;
use crate::{Purpose, Signed};

/// RFC 5246 §7.4.8: over all handshake messages, from the ClientHello up to this one.
pub(crate) struct Tls12CertificateVerify;

impl Purpose for Tls12CertificateVerify {
    fn name(&self) -> &'static str {
        "TLS 1.2 CertificateVerify"
    }

    /// The ClientHello, its certificate and its key exchange are the signer's own. All that the
    /// server says is the attacker's.
    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        let client_hello = [VERSION, &[7; 32], b"\0\0\x02\xc0\x2b\x01\0\0\0"].concat();
        let mut random = bait.to_vec();
        random.resize(64, 0);
        let (random, session) = random.split_at(32);
        let server_hello = [VERSION, random, b"\x20", session, b"\xc0\x2b\0\0\0"].concat();
        let public = raw_public_key(key.public_key());
        let bytes = [
            message(CLIENT_HELLO, &client_hello),
            message(SERVER_HELLO, &server_hello),
            message(CERTIFICATE, &certificates(bait)),
            message(SERVER_KEY_EXCHANGE, bait),
            message(CERTIFICATE_REQUEST, bait),
            message(SERVER_HELLO_DONE, b""),
            message(CERTIFICATE, &certificates(&public)),
            message(CLIENT_KEY_EXCHANGE, &[&[65, 4][..], &[5; 64]].concat()),
        ];
        Signed::new(key, bytes.concat())
    }

    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let mut rest = &signed.bytes[..];
        let mut types = Vec::new();
        while let Some((kind, body, after)) = split_message(rest) {
            let hello = kind == CLIENT_HELLO || kind == SERVER_HELLO;
            if hello && !(body.starts_with(VERSION) && body.len() >= 38) {
                return false;
            }
            types.push(kind);
            rest = after;
        }
        rest.is_empty() && types == ORDER && signed.verifies(key)
    }
}

/// RFC 8446 §4.4.3, of a server or of a client.
pub(crate) struct Tls13CertificateVerify {
    name: &'static str,
    context: &'static [u8],
}

impl Tls13CertificateVerify {
    pub(crate) const SERVER: Self = Self {
        name: "TLS 1.3 CertificateVerify, server",
        context: b"TLS 1.3, server CertificateVerify\0",
    };
    pub(crate) const CLIENT: Self = Self {
        name: "TLS 1.3 CertificateVerify, client",
        context: b"TLS 1.3, client CertificateVerify\0",
    };

    pub(crate) fn begin(&self) -> Vec<u8> {
        [&[b' '; 64], self.context].concat()
    }
}

impl Purpose for Tls13CertificateVerify {
    fn name(&self) -> &'static str {
        self.name
    }

    /// §4.2.3: no PKCS #1 v1.5 in a handshake.
    fn takes(&self, algorithm: Algorithm) -> bool {
        algorithm != Algorithm::RsaPkcs1Sha256
    }

    /// The peer has its say in the transcript, of which the hash is signed.
    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        let transcript = Backend::PURE_RUST.sha256(&[bait]);
        Signed::new(key, [&self.begin()[..], &transcript].concat())
    }

    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let hash = signed.bytes.strip_prefix(&self.begin()[..]);
        hash.is_some_and(|hash| [32, 48].contains(&hash.len())) && signed.verifies(key)
    }
}

/// RFC 5246 §7.4.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

fn split_message(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let ([kind, a, b, c], rest) = bytes.split_first_chunk()?;
    let length = u32::from_be_bytes([0, *a, *b, *c]);
    let (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((*kind, body, rest))
}

/// RFC 5246 §7.4.2, with one entry.
fn certificates(entry: &[u8]) -> Vec<u8> {
    let length = |extra: usize| u32::try_from(entry.len() + extra).unwrap().to_be_bytes();
    [&length(3)[1..], &length(0)[1..], entry].concat()
}

const VERSION: &[u8] = &[3, 3];
pub(crate) const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
/// The messages of a handshake with ECDHE and a client certificate, up to the signature.
const ORDER: &[u8] = &[
    CLIENT_HELLO,
    SERVER_HELLO,
    CERTIFICATE,
    SERVER_KEY_EXCHANGE,
    CERTIFICATE_REQUEST,
    SERVER_HELLO_DONE,
    CERTIFICATE,
    CLIENT_KEY_EXCHANGE,
];
