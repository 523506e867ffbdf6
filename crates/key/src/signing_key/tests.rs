use super::*;
use crate::{Algorithm, Backend, PublicKey};
use gangplank_testkit::{TestRng, openssl};

const P256: &str = include_str!("../../tests/data/p256.key.pem");
const SEC1: &str = include_str!("../../tests/data/p256.sec1.pem");
const P384: &str = include_str!("../../tests/data/p384.key.pem");
const P384_SEC1: &str = include_str!("../../tests/data/p384.sec1.pem");
#[cfg(feature = "rsa")]
const RSA: &str = include_str!("../../tests/data/rsa.key.pem");
const ED25519: &str = include_str!("../../tests/data/ed25519.key.pem");
/// PKCS#8, and the traditional encryption of SEC 1 and PKCS#1.
const ENCRYPTED: [&str; 3] = [
    include_str!("../../tests/data/p256.encrypted.pem"),
    include_str!("../../tests/data/p256.sec1.encrypted.pem"),
    include_str!("../../tests/data/rsa.pkcs1.encrypted.pem"),
];

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
    let key = p256::SecretKey::from_slice(&scalar).unwrap();
    let der = p256::pkcs8::EncodePrivateKey::to_pkcs8_der(&key)
        .unwrap()
        .to_bytes();
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
    for encrypted in ENCRYPTED {
        assert_eq!(error(encrypted), PrivateKeyError::Encrypted);
    }
    assert_eq!(
        error(&P256.replace("MIGH", "AAAA")),
        PrivateKeyError::Malformed
    );
    assert_eq!(error(RSA), PrivateKeyError::RsaInPureRust);
    if let Some(other) = openssl(&["genpkey", "-algorithm", "X25519"], b"") {
        assert_eq!(
            error(core::str::from_utf8(&other).unwrap()).to_string(),
            "private keys of kind 1.3.101.110 are not supported; use P-256, P-384, Ed25519 or RSA"
        );
    }
}

#[test]
fn generated_keys_are_read_by_openssl() {
    for algorithm in [
        Algorithm::EcdsaP256Sha256,
        Algorithm::EcdsaP384Sha384,
        Algorithm::Ed25519,
    ] {
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
    for pem in [P256, P384, ED25519] {
        let key = SoftwareKey::from_pem(pem).unwrap();
        let public = key.public_key();
        let expected = format!("SoftwareKey {{ public: {public:?}, .. }}");
        assert_eq!(format!("{key:?}"), expected);
    }
    #[cfg(feature = "aws-lc-rs")]
    for pem in [P256, P384, ED25519, RSA] {
        let key = AwsLcKey::from_pem(pem).unwrap();
        let public = key.public_key();
        let expected = format!("AwsLcKey {{ public: {public:?}, .. }}");
        assert_eq!(format!("{key:?}"), expected);
    }
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn both_backends_sign_for_each_other() {
    for pem in [P256, SEC1, P384, P384_SEC1, ED25519] {
        let software = SoftwareKey::from_pem(pem).unwrap();
        let aws = AwsLcKey::from_pem(pem).unwrap();
        assert_eq!(software.public_key(), aws.public_key());
        let (one, other) = (software.sign(b"m").unwrap(), aws.sign(b"m").unwrap());
        assert_eq!(aws.public_key().verify(b"m", &one), Ok(()));
        assert_eq!(software.public_key().verify(b"m", &other), Ok(()));
    }
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn rsa_signs_with_the_padding_asked_for() {
    let data = |algorithm| {
        let key = AwsLcKey::from_pem(RSA).unwrap();
        let key = key.using(algorithm).unwrap();
        let signature = key.sign(b"m").unwrap();
        let public = PublicKey::from_spki(key.public_key().spki(), Backend::PURE_RUST).unwrap();
        assert_eq!(
            public.using(algorithm).unwrap().verify(b"m", &signature),
            Ok(())
        );
        (key, signature)
    };
    let (key, signature) = data(Algorithm::RsaPkcs1Sha256);
    assert_eq!(
        key.public_key().spki(),
        include_bytes!("../../tests/data/rsa.spki.der")
    );
    // PKCS#1 v1.5 is deterministic: the bytes are OpenSSL's own.
    let message = include_bytes!("../../tests/data/message.txt");
    assert_eq!(
        key.sign(message).unwrap().to_wire(),
        include_bytes!("../../tests/data/rsa.pkcs1.sig.bin")
    );
    for algorithm in [Algorithm::RsaPssSha256, Algorithm::RsaPssSha512] {
        let (pss, other) = data(algorithm);
        assert_ne!(signature, other);
        assert!(pss.using(Algorithm::Ed25519).is_err());
    }
    let pkcs1 = AwsLcKey::from_pem(include_str!("../../tests/data/rsa.pkcs1.pem")).unwrap();
    assert_eq!(pkcs1.public_key(), key.public_key());
}

#[test]
fn a_curve_that_is_not_named_is_told_by_the_length_of_the_key() {
    for pem in [SEC1, P384_SEC1] {
        let named = SoftwareKey::from_pem(pem).unwrap();
        let key = &pem[pem.find("-----BEGIN EC PRIVATE KEY").unwrap()..];
        let (_, der) = der::SecretDocument::from_pem(key).unwrap();
        let mut key = der.decode_msg::<sec1::EcPrivateKey<'_>>().unwrap();
        key.parameters = None;
        let unnamed = der::SecretDocument::encode_msg(&key).unwrap();
        let unnamed = unnamed.to_pem("EC PRIVATE KEY", der::pem::LineEnding::LF);
        let unnamed = SoftwareKey::from_pem(&unnamed.unwrap()).unwrap();
        assert_eq!(unnamed.public_key(), named.public_key());
    }
}
