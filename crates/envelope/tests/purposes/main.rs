//! No signature made for one purpose verifies for another, though one key makes them all.
//!
//! Each purpose signs as its real software does, after an attacker got what it would rather have
//! signed (the bait) into everything that somebody else than the signer chooses. Then each other
//! purpose is offered those bytes with that signature, in whatever wrapping suits it best: headers,
//! encodings and everything else that is not signed are the attacker's.
//!
//! No rebuilding can help the attacker beyond that: a verifier accepts only if the bytes that it
//! rebuilds *equal* those that were signed, and `leads.rs` shows that the bytes of no two purposes
//! ever begin alike.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod bodies;
mod bound;
mod http;
mod jwt;
mod key_exchange;
mod leads;
mod tls;
mod x509;

use std::cell::RefCell;

use gangplank_key::{
    Algorithm, AwsLcKey, PublicKey, Signature, SigningError, SigningKey, SoftwareKey,
};

/// Something that a key is used for.
trait Purpose {
    fn name(&self) -> &'static str;

    /// Whether keys of this algorithm serve it.
    fn takes(&self, _: Algorithm) -> bool {
        true
    }

    /// Signs as the software of this purpose does, with `bait` in all that it lets others choose.
    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed;

    /// Presents the bytes and the signature as this purpose, and verifies as this purpose does.
    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool;
}

/// A signature, and exactly the bytes that were signed.
struct Signed {
    bytes: Vec<u8>,
    signature: Signature,
    /// What travels beside them and is signed by its hash only.
    beside: Vec<u8>,
}

impl Signed {
    fn new(key: &dyn SigningKey, bytes: Vec<u8>) -> Self {
        let signature = key.sign(&bytes).unwrap();
        Self {
            bytes,
            signature,
            beside: Vec::new(),
        }
    }

    /// Runs real software with a key that writes down what it is asked to sign.
    fn by(key: &dyn SigningKey, software: impl FnOnce(&Recorder<'_>)) -> Self {
        let recorder = Recorder {
            key,
            signed: RefCell::new(None),
        };
        software(&recorder);
        recorder.signed.into_inner().expect("a signature")
    }

    fn verifies(&self, key: &PublicKey) -> bool {
        key.verify(&self.bytes, &self.signature).is_ok()
    }
}

struct Recorder<'k> {
    key: &'k dyn SigningKey,
    signed: RefCell<Option<Signed>>,
}

impl SigningKey for Recorder<'_> {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SigningError> {
        let signed = Signed::new(self.key, message.to_vec());
        let signature = signed.signature.clone();
        *self.signed.borrow_mut() = Some(signed);
        Ok(signature)
    }
}

fn purposes(algorithm: Algorithm) -> Vec<Box<dyn Purpose>> {
    let mut all: Vec<Box<dyn Purpose>> = vec![
        Box::new(bodies::PlainEnvelope),
        Box::new(bodies::PayloadHeader),
        Box::new(bound::BoundEnvelope),
        Box::new(http::MessageSignature),
        Box::new(jwt::ClientAssertion),
        Box::new(jwt::DpopProof),
        Box::new(x509::Request),
        Box::new(x509::Certificate),
        Box::new(key_exchange::ServerKeyExchange),
        Box::new(tls::Tls12CertificateVerify),
        Box::new(tls::Tls13CertificateVerify::SERVER),
        Box::new(tls::Tls13CertificateVerify::CLIENT),
    ];
    all.retain(|purpose| purpose.takes(algorithm));
    all
}

fn keys() -> Vec<Box<dyn SigningKey>> {
    let software = |text| -> Box<dyn SigningKey> { Box::new(SoftwareKey::from_pem(text).unwrap()) };
    let mut keys: Vec<_> = [P256_KEY, P384_KEY, ED25519_KEY].map(software).into();
    keys.push(Box::new(AwsLcKey::from_pem(RSA_KEY).unwrap()));
    keys
}

#[test]
fn no_signature_of_one_purpose_verifies_for_another() {
    for key in keys() {
        let algorithm = key.public_key().algorithm();
        let all = purposes(algorithm);
        let (mut refused, mut same) = (0, 0);
        for target in &all {
            let wanted = target.sign(&*key, b"").bytes;
            for source in &all {
                let cell = format!("{algorithm:?}: {} as {}", source.name(), target.name());
                // The attacker tries with the bait, and without.
                let accepted = [&wanted[..], b""].map(|bait| {
                    let signed = source.sign(&*key, bait);
                    assert!(signed.verifies(key.public_key()), "{cell}");
                    target.accepts(key.public_key(), &signed)
                });
                if source.name() == target.name() {
                    assert_eq!(accepted, [true, true], "{cell}");
                } else if SAME.contains(&(source.name(), target.name())) {
                    assert_eq!(accepted, [true, true], "{cell}: no exception any more");
                    same += 1;
                } else {
                    assert_eq!(accepted, [false, false], "{cell}");
                    refused += 1;
                }
            }
        }
        let n = all.len();
        println!(
            "{algorithm:?}: purposes: {n}, cells refused: {refused}, one statement in two wrappings: {same}"
        );
        assert_eq!(refused + same + n, n * n);
        assert_eq!(same, SAME.len());
    }
}

/// Two wrappings of one statement: "the holder of this key signed this JSON object", with nothing
/// said of its type, receiver or time (docs/payload-signature.md §2). Whoever carries one can turn
/// it into the other, and says nothing new by it.
const SAME: [(&str, &str); 2] = [
    (bodies::PLAIN_ENVELOPE, bodies::PAYLOAD_HEADER),
    (bodies::PAYLOAD_HEADER, bodies::PLAIN_ENVELOPE),
];

const P256_KEY: &str = include_str!("../../../key/tests/data/p256.key.pem");
const P384_KEY: &str = include_str!("../../../key/tests/data/p384.key.pem");
const ED25519_KEY: &str = include_str!("../../../key/tests/data/ed25519.key.pem");
const RSA_KEY: &str = include_str!("../../../key/tests/data/rsa.key.pem");
