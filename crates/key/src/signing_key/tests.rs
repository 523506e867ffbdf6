use super::*;
use crate::Algorithm;
use gangplank_testkit::{TestRng, openssl};

const P256: &str = include_str!("../../tests/data/p256.key.pem");
const SEC1: &str = include_str!("../../tests/data/p256.sec1.pem");
const ED25519: &str = include_str!("../../tests/data/ed25519.key.pem");
const ENCRYPTED: &str = include_str!("../../tests/data/p256.encrypted.pem");

#[test]
fn openssl_keys_sign_for_openssl_public_keys() {
    let key = SoftwareKey::from_pem(P256).unwrap();
    assert_eq!(
        key.public_key().spki(),
        include_bytes!("../../tests/data/p256.spki.der")
    );
    let key = SoftwareKey::from_pem(ED25519).unwrap();
    assert_eq!(
        key.public_key().spki(),
        include_bytes!("../../tests/data/ed25519.spki.der")
    );
    // Ed25519 is deterministic: the bytes are OpenSSL's own.
    assert_eq!(
        key.sign(include_bytes!("../../tests/data/message.txt"))
            .unwrap()
            .to_wire(),
        include_bytes!("../../tests/data/ed25519.sig.bin")
    );
    assert!(SoftwareKey::from_pem(SEC1).is_ok());
}

#[test]
fn ecdsa_is_deterministic_as_rfc_6979_says() {
    // RFC 6979 §A.2.5, curve P-256, SHA-256, message "sample".
    let private = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    let expected = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                    f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    let scalar: Vec<u8> = (0..32)
        .map(|i| u8::from_str_radix(&private[2 * i..2 * i + 2], 16).unwrap())
        .collect();
    let der = private_key::PrivateKey::EcdsaP256(p256::SecretKey::from_slice(&scalar).unwrap())
        .to_pkcs8_der()
        .unwrap();
    let signature = SoftwareKey::from_pkcs8_der(&der)
        .unwrap()
        .sign(b"sample")
        .unwrap();
    let hex: String = signature
        .to_fixed()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(hex, expected);
}

#[test]
fn what_cannot_be_used_says_why() {
    let error = |text: &str| SoftwareKey::from_pem(text).unwrap_err();
    assert_eq!(error("hello"), PrivateKeyError::NoKey);
    assert_eq!(error(ENCRYPTED), PrivateKeyError::Encrypted);
    assert_eq!(
        error(&P256.replace("MIGH", "AAAA")),
        PrivateKeyError::Malformed
    );
    if let Some(rsa) = openssl(&["genpkey", "-algorithm", "RSA"], b"") {
        assert_eq!(
            error(core::str::from_utf8(&rsa).unwrap()).to_string(),
            "private keys of kind 1.2.840.113549.1.1.1 are not supported; use P-256 or Ed25519"
        );
    }
}

#[test]
fn generated_keys_are_read_by_openssl() {
    for algorithm in [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519] {
        let key = SoftwareKey::generate(algorithm, &mut TestRng::new(7)).unwrap();
        let pem = key.to_pkcs8_pem().unwrap();
        if let Some(spki) = openssl(&["pkey", "-pubout", "-outform", "DER"], pem.as_bytes()) {
            assert_eq!(key.public_key().spki(), spki);
        }
        assert_eq!(
            SoftwareKey::from_pem(&pem).unwrap().public_key(),
            key.public_key()
        );
    }
}

#[test]
fn private_keys_do_not_print() {
    let key = SoftwareKey::from_pem(P256).unwrap();
    let printed = format!("{key:?}");
    let private = format!("{:?}", key.to_pkcs8_der().unwrap().get(36..68).unwrap());
    assert!(!printed.contains(private.trim_matches(['[', ']'])));
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn both_backends_sign_for_each_other() {
    for pem in [P256, SEC1, ED25519] {
        let software = SoftwareKey::from_pem(pem).unwrap();
        let aws = AwsLcKey::from_pem(pem).unwrap();
        assert_eq!(software.public_key(), aws.public_key());
        let (one, other) = (software.sign(b"m").unwrap(), aws.sign(b"m").unwrap());
        assert_eq!(aws.public_key().verify(b"m", &one), Ok(()));
        assert_eq!(software.public_key().verify(b"m", &other), Ok(()));
    }
}
