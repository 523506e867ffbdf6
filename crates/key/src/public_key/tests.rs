use super::*;
use crate::{SigningKey, SoftwareKey};
use proptest::prelude::*;

fn backends() -> Vec<Backend> {
    vec![
        Backend::PURE_RUST,
        #[cfg(feature = "aws-lc-rs")]
        Backend::AWS_LC_RS,
    ]
}

const MESSAGE: &[u8] = include_bytes!("../../tests/data/message.txt");
const P256_SPKI: &[u8] = include_bytes!("../../tests/data/p256.spki.der");
const P384_SPKI: &[u8] = include_bytes!("../../tests/data/p384.spki.der");
const RSA_SPKI: &[u8] = include_bytes!("../../tests/data/rsa.spki.der");
const ED25519_SPKI: &[u8] = include_bytes!("../../tests/data/ed25519.spki.der");

const RSA_WITH_SHA256: [(Algorithm, &[u8]); 2] = [
    (
        Algorithm::RsaPkcs1Sha256,
        include_bytes!("../../tests/data/rsa.pkcs1.sig.bin"),
    ),
    (
        Algorithm::RsaPssSha256,
        include_bytes!("../../tests/data/rsa.pss-sha256.sig.bin"),
    ),
];

#[test]
fn keys_and_signatures_of_openssl_verify() {
    let cases: [(&[u8], &[u8], Algorithm); 6] = [
        (
            P256_SPKI,
            include_bytes!("../../tests/data/p256.sig.der"),
            Algorithm::EcdsaP256Sha256,
        ),
        (
            P384_SPKI,
            include_bytes!("../../tests/data/p384.sig.der"),
            Algorithm::EcdsaP384Sha384,
        ),
        (
            ED25519_SPKI,
            include_bytes!("../../tests/data/ed25519.sig.bin"),
            Algorithm::Ed25519,
        ),
        (
            RSA_SPKI,
            include_bytes!("../../tests/data/rsa.pkcs1.sig.bin"),
            Algorithm::RsaPkcs1Sha256,
        ),
        (
            RSA_SPKI,
            include_bytes!("../../tests/data/rsa.pss-sha256.sig.bin"),
            Algorithm::RsaPssSha256,
        ),
        (
            RSA_SPKI,
            include_bytes!("../../tests/data/rsa.pss-sha512.sig.bin"),
            Algorithm::RsaPssSha512,
        ),
    ];
    for backend in backends() {
        for (spki, bytes, algorithm) in cases {
            let key = PublicKey::from_spki(spki, backend).unwrap();
            let key = key.using(algorithm).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let signature = Signature::from_wire(algorithm, bytes).unwrap();
            assert_eq!(signature.to_wire(), bytes);
            let (hash, other) = (backend.sha256(&[MESSAGE]), backend.sha256(&[b"another"]));
            let context = format!("{backend:?} {algorithm}");
            assert_eq!(key.verify(MESSAGE, &signature), Ok(()), "{context}");
            assert_eq!(key.verify(b"another", &signature), Err(BadSignature));
            let hashed = key.verify_hashed(MESSAGE, &hash, &signature);
            assert_eq!(hashed, Ok(()), "{context}");
            let hashed = key.verify_hashed(b"another", &other, &signature);
            assert_eq!(hashed, Err(BadSignature), "{context}");
        }
    }
}

#[test]
fn a_finished_hash_spares_hashing_where_the_backend_can() {
    let signature = include_bytes!("../../tests/data/p256.sig.der");
    let signature = Signature::from_wire(Algorithm::EcdsaP256Sha256, signature).unwrap();
    for backend in backends() {
        let hash = backend.sha256(&[MESSAGE]);
        let key = PublicKey::from_spki(P256_SPKI, backend).unwrap();
        // The message is not looked at: another one in its place makes no difference.
        assert_eq!(key.verify_hashed(b"", &hash, &signature), Ok(()));
        let rsa = PublicKey::from_spki(RSA_SPKI, backend).unwrap();
        for (algorithm, bytes) in RSA_WITH_SHA256 {
            let signature = Signature::from_wire(algorithm, bytes).unwrap();
            let key = rsa.using(algorithm).unwrap();
            assert_eq!(key.verify_hashed(b"", &hash, &signature), Ok(()));
        }
        let slow = Backend::new("slow", |_| [0; 32], backend.algorithms());
        let key = PublicKey::from_spki(P256_SPKI, slow).unwrap();
        assert_eq!(key.verify_hashed(MESSAGE, &[0; 32], &signature), Ok(()));
        let hashed = key.verify_hashed(b"", &hash, &signature);
        assert_eq!(hashed, Err(BadSignature));
    }
}

#[test]
fn digests_are_those_that_openssl_prints() {
    let digest = |spki: &[u8], algorithm| {
        let key = PublicKey::from_spki(spki, Backend::PURE_RUST).unwrap();
        key.using(algorithm).unwrap().digest(MESSAGE)
    };
    let by_openssl = |name: &str| gangplank_testkit::openssl(&["dgst", name, "-binary"], MESSAGE);
    for (spki, algorithm, name) in [
        (P256_SPKI, Algorithm::EcdsaP256Sha256, "-sha256"),
        (P384_SPKI, Algorithm::EcdsaP384Sha384, "-sha384"),
        (RSA_SPKI, Algorithm::RsaPkcs1Sha256, "-sha256"),
        (RSA_SPKI, Algorithm::RsaPssSha512, "-sha512"),
    ] {
        if let Some(expected) = by_openssl(name) {
            assert_eq!(digest(spki, algorithm), Some(expected), "{algorithm}");
        }
    }
    assert_eq!(digest(ED25519_SPKI, Algorithm::Ed25519), None);
}

#[test]
fn only_rsa_keys_have_several_uses() {
    let p256 = PublicKey::from_spki(P256_SPKI, Backend::PURE_RUST).unwrap();
    assert_eq!(
        p256.using(Algorithm::EcdsaP384Sha384),
        Err(KeyError::Use {
            key: Algorithm::EcdsaP256Sha256,
            wanted: Algorithm::EcdsaP384Sha384
        })
    );
    assert!(p256.using(Algorithm::RsaPssSha256).is_err());
    let rsa = PublicKey::from_spki(RSA_SPKI, Backend::PURE_RUST).unwrap();
    assert_eq!(rsa.algorithm(), Algorithm::RsaPkcs1Sha256);
    assert!(rsa.using(Algorithm::Ed25519).is_err());
    let pss = rsa.using(Algorithm::RsaPssSha256).unwrap();
    let pkcs1 = include_bytes!("../../tests/data/rsa.pkcs1.sig.bin");
    for algorithm in [Algorithm::RsaPkcs1Sha256, Algorithm::RsaPssSha256] {
        let signature = Signature::from_wire(algorithm, pkcs1).unwrap();
        assert_eq!(pss.verify(MESSAGE, &signature), Err(BadSignature));
    }
}

#[test]
fn a_certificate_yields_its_key() {
    let cases: [(&[u8], &[u8]); 2] = [
        (include_bytes!("../../tests/data/p256.cert.der"), P256_SPKI),
        (
            include_bytes!("../../tests/data/ed25519.cert.der"),
            ED25519_SPKI,
        ),
    ];
    for (certificate, spki) in cases {
        let key =
            PublicKey::from_certificate(&CertificateDer::from(certificate), Backend::PURE_RUST)
                .unwrap();
        assert_eq!(key.spki(), spki);
    }
    assert_eq!(
        PublicKey::from_certificate(&CertificateDer::from(P256_SPKI), Backend::PURE_RUST),
        Err(KeyError::Certificate)
    );
}

#[test]
fn a_key_is_named_by_the_hash_that_openssl_prints() {
    // openssl dgst -sha256 -r tests/data/p256.spki.der
    let expected = include_str!("../../tests/data/p256.spki.sha256");
    for backend in backends() {
        let key = PublicKey::from_spki(P256_SPKI, backend).unwrap();
        let hex: String = key
            .spki_sha256()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(Some(hex.as_str()), expected.split_whitespace().next());
    }
}

#[test]
fn other_kinds_are_refused_by_name() {
    let error = |spki: &[u8]| PublicKey::from_spki(spki, Backend::PURE_RUST).unwrap_err();
    let mut other = RSA_SPKI.to_vec();
    let end = other.iter().position(|byte| *byte == 5).unwrap() - 1;
    other[end] = 10; // rsaEncryption becomes id-RSASSA-PSS
    assert_eq!(
        error(&other).to_string(),
        "keys of algorithm 1.2.840.113549.1.1.10 are not supported; use P-256, P-384, Ed25519 or RSA"
    );
    let mut other = P384_SPKI.to_vec();
    let end = other.iter().position(|byte| *byte == 34).unwrap();
    other[end] = 35; // secp521r1
    assert_eq!(
        error(&other).to_string(),
        "the elliptic curve 1.3.132.0.35 is not supported; use P-256 or P-384"
    );
    assert_eq!(
        error(include_bytes!("../../tests/data/p256.compressed.spki.der")),
        KeyError::Point(Algorithm::EcdsaP256Sha256)
    );
    assert_eq!(error(b"\x30\x00"), KeyError::Malformed);
}

#[test]
fn points_that_are_no_keys_are_refused() {
    let mut off_curve = P256_SPKI.to_vec();
    *off_curve.last_mut().unwrap() ^= 1;
    let mut identity = ED25519_SPKI.to_vec();
    let start = identity.len() - 32;
    identity[start..].fill(0);
    identity[start] = 1;
    for backend in backends() {
        assert_eq!(
            PublicKey::from_spki(&off_curve, backend),
            Err(KeyError::Point(Algorithm::EcdsaP256Sha256))
        );
        assert_eq!(
            PublicKey::from_spki(&identity, backend),
            Err(KeyError::Point(Algorithm::Ed25519))
        );
    }
}

#[test]
fn trailing_bytes_after_a_key_are_refused() {
    let mut longer = P256_SPKI.to_vec();
    longer.push(0);
    assert_eq!(
        PublicKey::from_spki(&longer, Backend::PURE_RUST),
        Err(KeyError::Malformed)
    );
}

#[test]
fn a_signature_of_another_algorithm_is_refused() {
    let key = PublicKey::from_spki(P256_SPKI, Backend::PURE_RUST).unwrap();
    let other = Signature::from_wire(Algorithm::Ed25519, &[1; 64]).unwrap();
    assert_eq!(key.verify(MESSAGE, &other), Err(BadSignature));
}

#[test]
fn a_backend_without_the_algorithm_is_named() {
    let empty = Backend::new("empty", |_| [0; 32], &[]);
    assert_eq!(
        PublicKey::from_spki(P256_SPKI, empty)
            .unwrap_err()
            .to_string(),
        "the backend empty does not verify ecdsa-p256-sha256"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn backends_agree(seed in any::<u64>(), message in any::<Vec<u8>>(), flip in 0usize..64, bit in 0u8..8) {
        for algorithm in [Algorithm::EcdsaP256Sha256, Algorithm::EcdsaP384Sha384, Algorithm::Ed25519] {
            let mut rng = gangplank_testkit::TestRng::new(seed);
            let signer = SoftwareKey::generate(algorithm, &mut rng).unwrap();
            let signature = signer.sign(&message).unwrap();
            let mut forged = signature.to_fixed();
            forged[flip] ^= 1 << bit;
            let forged = Signature::from_fixed(algorithm, &forged);
            for backend in backends() {
                let key = PublicKey::from_spki(signer.public_key().spki(), backend).unwrap();
                prop_assert_eq!(key.verify(&message, &signature), Ok(()));
                if let Ok(forged) = &forged {
                    prop_assert_eq!(key.verify(&message, forged), Err(BadSignature));
                }
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        let _ = PublicKey::from_spki(&bytes, Backend::PURE_RUST);
        let _ = PublicKey::from_certificate(&CertificateDer::from(bytes.as_slice()), Backend::PURE_RUST);
        let _ = Signature::from_wire(Algorithm::EcdsaP256Sha256, &bytes);
        let _ = RsaNumbers::read(&bytes);
        let _ = SoftwareKey::from_pkcs8_der(&bytes);
    }
}

#[test]
fn a_certificate_is_known_by_its_key() {
    let certificate = |der: &'static [u8]| CertificateDer::from(der);
    let own = certificate(include_bytes!("../../tests/data/p256.cert.der"));
    let other = certificate(include_bytes!("../../tests/data/ed25519.cert.der"));
    let key = PublicKey::from_spki(P256_SPKI, Backend::PURE_RUST).unwrap();
    assert!(key.is_of_certificate(&own));
    assert!(!key.is_of_certificate(&other));
    assert!(!key.is_of_certificate(&certificate(P256_SPKI)));
}

#[test]
fn keys_are_equal_when_they_are_the_same_key() {
    let key = |spki| PublicKey::from_spki(spki, Backend::PURE_RUST).unwrap();
    assert_eq!(key(P256_SPKI), key(P256_SPKI));
    assert_ne!(key(P256_SPKI), key(ED25519_SPKI));
    let shown = format!("{:?}", key(P256_SPKI));
    assert!(
        shown.ends_with("hash_verifier: Some(Unparsed) }"),
        "{shown}"
    );
}

#[test]
fn a_key_is_checked_as_it_is_read() {
    let mut off_the_curve = P256_SPKI.to_vec();
    *off_the_curve.last_mut().unwrap() ^= 1;
    for spki in [
        P256_SPKI,
        P384_SPKI,
        RSA_SPKI,
        ED25519_SPKI,
        &off_the_curve,
        &P256_SPKI[1..],
        b"",
    ] {
        let read = PublicKey::from_spki(spki, Backend::PURE_RUST);
        let read = read.map(|key| key.algorithm());
        assert_eq!(PublicKey::check_spki(spki), read);
    }
    assert!(PublicKey::check_spki(&off_the_curve).is_err());
}
