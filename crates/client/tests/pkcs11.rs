//! Keys in a real token: SoftHSM 2. What it signs, openssl and both backends verify.
#![cfg(all(
    feature = "pkcs11",
    feature = "http",
    feature = "ed25519",
    feature = "p384",
    feature = "rsa"
))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub
)]

mod softhsm;

use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::types::AuthPin;
use gangplank_client::envelope::{
    Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits, PayloadType,
};
use gangplank_client::key::{
    Algorithm, Backend, CertificateId, KeyError, PublicKey, Signature, SigningKey, TrustedKey,
};
use gangplank_client::pkcs11::{KeyUri, Pkcs11Error, Pkcs11Key};
use gangplank_testkit::{openssl, openssl_accepts};
use softhsm::{
    ED25519, Hsm, P256, P384, PIN, curve_pair, inside, private_template, rsa_pair, secret,
};

#[test]
fn p256() {
    inside("p256", |hsm| {
        hsm.new_token("t", |session| curve_pair(session, P256, "k", 1));
        let key = hsm.open("token=t;object=k").unwrap();
        signs(hsm, &key, Algorithm::EcdsaP256Sha256, &["-sha256"]);
    });
}

#[test]
fn p384() {
    inside("p384", |hsm| {
        hsm.new_token("t", |session| curve_pair(session, P384, "k", 1));
        let key = hsm.open("token=t;object=k").unwrap();
        signs(hsm, &key, Algorithm::EcdsaP384Sha384, &["-sha384"]);
    });
}

#[test]
fn rsa() {
    inside("rsa", |hsm| {
        hsm.new_token("t", |session| {
            rsa_pair(session, 2048, "k", 1);
            rsa_pair(session, 1024, "short", 2);
            curve_pair(session, P256, "curve", 3);
        });
        let open = || hsm.open("token=t;object=k").unwrap();
        signs(hsm, &open(), Algorithm::RsaPkcs1Sha256, &["-sha256"]);
        let pss = |digest, salt| [digest, "-sigopt", "rsa_padding_mode:pss", "-sigopt", salt];
        for (algorithm, arguments) in [
            (
                Algorithm::RsaPssSha256,
                pss("-sha256", "rsa_pss_saltlen:32"),
            ),
            (
                Algorithm::RsaPssSha512,
                pss("-sha512", "rsa_pss_saltlen:64"),
            ),
        ] {
            let key = open().using(algorithm).unwrap();
            signs(hsm, &key, algorithm, &arguments);
            // A padding is not forgotten when the session is renewed.
            hsm.pkcs11.clone().finalize().unwrap();
            signs(hsm, &key, algorithm, &arguments);
        }
        let short = hsm.open("token=t;object=short").unwrap_err();
        assert!(
            matches!(
                short,
                Pkcs11Error::Key(KeyError::ModulusBits { bits: 1024 })
            ),
            "{short:?}"
        );
        let curve = hsm.open("token=t;object=curve").unwrap();
        let other = curve.using(Algorithm::RsaPssSha256).unwrap_err();
        assert!(
            matches!(other, Pkcs11Error::Key(KeyError::Use { .. })),
            "{other}"
        );
    });
}

/// Prepared here, signed in the token, verified with the key alone.
#[test]
fn an_envelope_from_a_token() {
    inside("an_envelope_from_a_token", |hsm| {
        hsm.new_token("t", |session| curve_pair(session, P256, "k", 1));
        let key = hsm.open("token=t;object=k").unwrap();
        let id = CertificateId::parse("SN-0001").unwrap();
        let payload = PayloadType::parse("DeviceCapabilities").unwrap();
        let prepare = || {
            let form = Form::Bound(Binding::new(payload.clone()));
            Envelope::prepare(b"{}".to_vec(), form, &id).unwrap()
        };
        let by_trait = prepare().sign_with(&key).unwrap();
        let waiting = prepare();
        let signature = key.sign(waiting.message()).unwrap();
        let by_hand = waiting.complete(&signature);
        let trusted = TrustedKey::vouch(id.clone(), key.public_key().clone());
        for wire in [by_trait, by_hand] {
            let mut scratch = Vec::new();
            let envelope = Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch).unwrap();
            let expect = Expect {
                form: ExpectedForm::Bound(payload.clone()),
                audience: ExpectedAudience::NotCompared,
                freshness: Freshness::NotRequired,
            };
            let verified = envelope.verify(&trusted, &expect).unwrap();
            assert_eq!(verified.payload(), b"{}");
        }
    });
}

#[test]
fn ed25519() {
    inside("ed25519", |hsm| {
        hsm.new_token("t", |session| curve_pair(session, ED25519, "k", 1));
        let key = hsm.open("token=t;id=%01;type=private").unwrap();
        signs(hsm, &key, Algorithm::Ed25519, &[]);
    });
}

/// The public half read from the token is the one that openssl computes from the same private key.
#[test]
fn imported_keys() {
    inside("imported_keys", |hsm| {
        hsm.new_token("t", |_| {});
        let kinds: [&[&str]; 4] = [
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            &["-algorithm", "ED25519"],
        ];
        for (number, kind) in kinds.iter().enumerate() {
            let label = format!("k{number}");
            let Some(pem) = openssl(&[&["genpkey"], *kind].concat(), b"") else {
                return;
            };
            if !hsm.import(
                &hsm.write("key.pem", &pem),
                "t",
                &label,
                &format!("0{number}"),
            ) {
                return;
            }
            let key = hsm.open(&format!("token=t;object={label}")).unwrap();
            let spki = openssl(&["pkey", "-pubout", "-outform", "DER"], &pem).unwrap();
            assert_eq!(key.public_key().spki(), spki, "{kind:?}");
        }
    });
}

#[test]
fn a_certificate_is_a_public_half_too() {
    inside("a_certificate_is_a_public_half_too", |hsm| {
        let certificate = hsm.new_token("t", |session| {
            let (public, _) = curve_pair(session, P256, "k", 1);
            session.destroy_object(public).unwrap();
            let (other, _) = curve_pair(session, P256, "other", 2);
            session.destroy_object(other).unwrap();
            let made = gangplank_testkit::self_signed(&gangplank_testkit::Leaf::new("SN-0001"));
            session
                .create_object(&[
                    Attribute::Class(ObjectClass::CERTIFICATE),
                    Attribute::CertificateType(cryptoki::object::CertificateType::X_509),
                    Attribute::Token(true),
                    Attribute::Subject(vec![0x30, 0]),
                    Attribute::Id(vec![1]),
                    Attribute::Value(made.certificate.to_vec()),
                ])
                .unwrap();
            made.certificate
        });
        let key = hsm.open("token=t;object=k").unwrap();
        assert!(key.public_key().is_of_certificate(&certificate));
        // It is the certificate of another key, which the token cannot know. We do.
        let refused = key.sign(b"message").unwrap_err().reason;
        assert_eq!(refused, Pkcs11Error::BadSignature.to_string());
        let none = hsm.open("token=t;object=other").unwrap_err();
        assert!(matches!(none, Pkcs11Error::NoPublicHalf { .. }), "{none}");
    });
}

#[test]
fn a_wrong_pin_costs_one_try() {
    inside("a_wrong_pin_costs_one_try", |hsm| {
        hsm.new_token("t", |session| curve_pair(session, P256, "k", 1));
        let error = hsm.open_with("token=t;object=k", Some("4321")).unwrap_err();
        assert!(
            matches!(&error, Pkcs11Error::PinRefused { token } if token == "t"),
            "{error}"
        );
        assert!(error.needs_operator() && !format!("{error} {error:?}").contains("4321"));
        let none = hsm.open_with("token=t;object=k", None).unwrap_err();
        assert!(matches!(none, Pkcs11Error::PinNeeded { .. }), "{none}");
        // A PIN file that cannot be read costs none.
        let empty = hsm.write("empty", b"\n");
        let text = format!("{}&pin-source=file:{empty}", hsm.uri("token=t;object=k"));
        let uri = KeyUri::parse(&text).unwrap();
        let unread = Pkcs11Key::open(&uri, None, Backend::PURE_RUST).unwrap_err();
        assert!(matches!(unread, Pkcs11Error::PinFile { .. }), "{unread}");
        hsm.write("empty", b"1234\n");
        Pkcs11Key::open(&uri, None, Backend::PURE_RUST).unwrap();
    });
}

/// The PIN is changed behind the key's back. It is tried once more, at the new login, and then never.
#[test]
fn a_pin_that_was_changed_is_not_tried_twice() {
    inside("a_pin_that_was_changed_is_not_tried_twice", |hsm| {
        hsm.new_token("t", |session| curve_pair(session, P256, "k", 1));
        let key = hsm.open("token=t;object=k").unwrap();
        let pins = [PIN, "5678"].map(|pin| AuthPin::from(pin.to_owned()));
        hsm.in_token("t", PIN, |session| {
            session.set_pin(&pins[0], &pins[1]).unwrap()
        });
        hsm.pkcs11.clone().finalize().unwrap();
        let refused = key.sign(b"message").unwrap_err();
        assert!(refused.reason.contains("refused the PIN"), "{refused}");
        hsm.in_token("t", "5678", |session| {
            session.set_pin(&pins[1], &pins[0]).unwrap()
        });
        // Now it would be right, but the key does not know that, and asks nobody.
        assert_eq!(key.sign(b"message").unwrap_err(), refused);
        hsm.open("token=t;object=k")
            .unwrap()
            .sign(b"message")
            .unwrap();
    });
}

/// Neither does another padding cost a try of the PIN that was refused.
#[test]
fn a_refused_pin_is_not_tried_for_another_padding() {
    inside("a_refused_pin_is_not_tried_for_another_padding", |hsm| {
        hsm.new_token("t", |session| rsa_pair(session, 2048, "k", 1));
        let key = hsm.open("token=t;object=k").unwrap();
        let pins = [PIN, "5678"].map(|pin| AuthPin::from(pin.to_owned()));
        hsm.in_token("t", PIN, |session| {
            session.set_pin(&pins[0], &pins[1]).unwrap()
        });
        hsm.pkcs11.clone().finalize().unwrap();
        key.sign(b"message").unwrap_err();
        // Now it would be right, so that a try would be seen.
        hsm.in_token("t", "5678", |session| {
            session.set_pin(&pins[1], &pins[0]).unwrap()
        });
        let refused = key.using(Algorithm::RsaPssSha256).unwrap_err();
        assert!(
            matches!(&refused, Pkcs11Error::PinRefused { token } if token == "t"),
            "{refused}"
        );
    });
}

/// What a token offers cannot be seen while it is out of reach; and once it is back, nothing of the
/// key was lost with the session.
#[test]
fn a_padding_asked_for_when_the_session_is_lost() {
    inside("a_padding_asked_for_when_the_session_is_lost", |hsm| {
        hsm.new_token("t", |session| rsa_pair(session, 2048, "k", 1));
        let key = hsm.open("token=t;object=k").unwrap();
        hsm.pkcs11.clone().finalize().unwrap();
        let away = key.using(Algorithm::RsaPssSha256).unwrap_err();
        assert!(matches!(away, Pkcs11Error::Token { .. }), "{away}");
        assert!(!away.is_about_the_key());
        hsm.start();
        let key = hsm.open("token=t;object=k").unwrap();
        let (tokens, elsewhere) = (hsm.folder.join("tokens"), hsm.folder.join("away"));
        std::fs::rename(&tokens, &elsewhere).unwrap();
        std::fs::create_dir(&tokens).unwrap();
        hsm.pkcs11.clone().finalize().unwrap();
        key.sign(b"message").unwrap_err();
        std::fs::remove_dir_all(&tokens).unwrap();
        std::fs::rename(&elsewhere, &tokens).unwrap();
        hsm.pkcs11.clone().finalize().unwrap();
        let key = key.using(Algorithm::RsaPssSha256).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(key.public_key().verify(b"message", &signature), Ok(()));
    });
}

#[test]
fn what_is_not_there() {
    inside("what_is_not_there", |hsm| {
        hsm.new_token("one", |session| curve_pair(session, P256, "k", 1));
        hsm.new_token("two", |session| {
            curve_pair(session, P256, "k", 1);
            curve_pair(session, P256, "k", 2);
            curve_pair(session, P256, "lone", 3);
        });
        let missing = hsm.open("token=three").unwrap_err();
        assert!(
            matches!(&missing, Pkcs11Error::NoToken { present } if present.len() == 2),
            "{missing}"
        );
        assert!(missing.to_string().contains("\"one\""), "{missing}");
        let several = hsm.open("object=k").unwrap_err();
        assert!(
            matches!(several, Pkcs11Error::SeveralTokens { .. }),
            "{several}"
        );
        let keys = hsm.open("token=two;object=k").unwrap_err();
        assert!(
            matches!(keys, Pkcs11Error::SeveralKeys { count: 2, .. }),
            "{keys}"
        );
        hsm.open("token=two;object=k;id=%02").unwrap();
        let none = hsm.open("token=one;object=lone").unwrap_err();
        assert!(matches!(none, Pkcs11Error::NoKey { .. }), "{none}");
        for path in [
            "token=one;manufacturer=nobody",
            "token=one;model=nothing",
            "token=one;serial=",
            "token=one;slot-id=123",
            "token=one;slot-description=",
            "token=one;slot-manufacturer=nobody",
            "token=one;library-manufacturer=nobody",
            "token=one;library-description=nothing",
            "token=one;library-version=1.0",
        ] {
            let error = hsm.open(path).unwrap_err();
            assert!(
                matches!(error, Pkcs11Error::NoToken { .. }),
                "{path}: {error}"
            );
        }
        let slot = hsm.slot("one").id();
        let whole = format!(
            "token=one;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;slot-id={slot};\
             slot-manufacturer=SoftHSM%20project;library-manufacturer=SoftHSM;\
             library-description=Implementation%20of%20PKCS11;library-version=2.6"
        );
        hsm.open(&whole).unwrap();
    });
}

#[test]
fn modules_that_are_none() {
    inside("modules_that_are_none", |hsm| {
        let open = |query: &str| {
            let uri = KeyUri::parse(&format!("pkcs11:token=t{query}")).unwrap();
            Pkcs11Key::open(&uri, Some(secret(PIN)), Backend::PURE_RUST).unwrap_err()
        };
        assert!(matches!(open(""), Pkcs11Error::NoModule));
        let text = hsm.write("text.so", b"no library");
        for path in ["/nowhere/module.so", &text, "/"] {
            let error = open(&format!("?module-path={path}"));
            assert!(
                matches!(error, Pkcs11Error::Module { .. }),
                "{path}: {error}"
            );
        }
        // A library that is none of PKCS#11: the C library, which this process has loaded.
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let library = maps
            .split_whitespace()
            .find(|word| word.contains("/libc.so"));
        if let Some(path) = library {
            let error = open(&format!("?module-path={path}")).to_string();
            assert!(error.ends_with("it is no PKCS#11 module"), "{error}");
        }
    });
}

#[test]
fn keys_that_are_unfit() {
    inside("keys_that_are_unfit", |hsm| {
        const SECP521R1: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x23";
        hsm.new_token("t", |session| {
            curve_pair(session, SECP521R1, "p521", 1);
            let mut each_time = private_template("each-time", 2);
            each_time.push(Attribute::AlwaysAuthenticate(true));
            let mut public = softhsm::public_template("each-time", 2);
            public.push(Attribute::EcParams(P256.to_vec()));
            let mechanism = cryptoki::mechanism::Mechanism::EccKeyPairGen;
            session
                .generate_key_pair(&mechanism, &public, &each_time)
                .unwrap();
        });
        let curve = hsm.open("token=t;object=p521").unwrap_err();
        assert!(
            matches!(curve, Pkcs11Error::Key(KeyError::Curve(_))),
            "{curve}"
        );
        let each_time = hsm.open("token=t;object=each-time").unwrap_err();
        assert!(matches!(each_time, Pkcs11Error::PinEachTime), "{each_time}");
    });
}

/// An operator has given one key's public half the id of another.
#[test]
fn halves_that_do_not_belong_together() {
    inside("halves_that_do_not_belong_together", |hsm| {
        hsm.new_token("t", |session| {
            let (right, _) = curve_pair(session, P256, "k", 1);
            let (wrong, _) = curve_pair(session, P256, "other", 2);
            session.destroy_object(right).unwrap();
            session
                .update_attributes(wrong, &[Attribute::Id(vec![1])])
                .unwrap();
        });
        let key = hsm.open("token=t;object=k").unwrap();
        let refused = key.sign(b"message").unwrap_err().reason;
        assert_eq!(refused, Pkcs11Error::BadSignature.to_string());
        hsm.in_token("t", PIN, |session| {
            curve_pair(session, P256, "third", 1);
        });
        let several = hsm.open("token=t;object=k").unwrap_err();
        assert!(
            matches!(several, Pkcs11Error::SeveralPublicHalves { .. }),
            "{several}"
        );
    });
}

#[test]
fn a_lost_session_is_renewed() {
    inside("a_lost_session_is_renewed", |hsm| {
        hsm.new_token("t", |session| curve_pair(session, P256, "k", 1));
        let key = hsm.open("token=t;object=k").unwrap();
        let sign = || {
            key.sign(b"message")
                .map(|signature| verified(&key, &signature))
        };
        sign().unwrap();
        // Somebody else in this process logs out, which ends the login of all sessions.
        hsm.in_token("t", PIN, |session| session.logout().unwrap());
        sign().unwrap();
        // Somebody ends the module, as after a reset: every handle is gone.
        hsm.pkcs11.clone().finalize().unwrap();
        sign().unwrap();
        // The token is gone. Then it is back.
        let (tokens, away) = (hsm.folder.join("tokens"), hsm.folder.join("away"));
        std::fs::rename(&tokens, &away).unwrap();
        std::fs::create_dir(&tokens).unwrap();
        hsm.pkcs11.clone().finalize().unwrap();
        for _ in 0..2 {
            let gone = sign().unwrap_err();
            assert!(gone.reason.contains("no token"), "{gone}");
        }
        std::fs::remove_dir(&tokens).unwrap();
        std::fs::rename(&away, &tokens).unwrap();
        hsm.pkcs11.clone().finalize().unwrap();
        sign().unwrap();
        // The name now means another key.
        hsm.in_token("t", PIN, |session| {
            for object in session.find_objects(&[Attribute::Id(vec![1])]).unwrap() {
                session.destroy_object(object).unwrap();
            }
            curve_pair(session, P256, "k", 1);
        });
        let other = sign().unwrap_err();
        assert_eq!(other.reason, Pkcs11Error::OtherKey.to_string());
    });
}

#[test]
fn threads_take_turns() {
    inside("threads_take_turns", |hsm| {
        hsm.new_token("t", |session| curve_pair(session, P256, "k", 1));
        let key = hsm.open("token=t;object=k").unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4u8 {
                let key = &key;
                scope.spawn(move || {
                    for number in 0..25u8 {
                        let message = [thread, number];
                        let signature = key.sign(&message).unwrap();
                        key.public_key().verify(&message, &signature).unwrap();
                    }
                });
            }
        });
    });
}

/// The key signs; both backends and openssl verify; neither takes another message.
fn signs(hsm: &Hsm, key: &Pkcs11Key, algorithm: Algorithm, digest: &[&str]) {
    let public = key.public_key();
    assert_eq!(public.algorithm(), algorithm);
    let message = b"a message for the token";
    let signature = key.sign(message).unwrap();
    verify_with_both(public, algorithm, message, &signature);
    let spki = hsm.write("public.der", public.spki());
    let wire = hsm.write("signature", &signature.to_wire());
    for (message, good) in [(message.as_slice(), true), (b"another", false)] {
        let file = hsm.write("message", message);
        let key = ["-keyform", "DER"];
        let arguments = match digest {
            [] => [
                &["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey", &spki][..],
                &key,
                &["-sigfile", &wire, "-in", &file],
            ]
            .concat(),
            _ => [
                &["dgst"],
                digest,
                &["-verify", &spki],
                &key,
                &["-signature", &wire, &file],
            ]
            .concat(),
        };
        let accepts = openssl_accepts(&arguments, b"").unwrap_or(good);
        assert_eq!(accepts, good, "{algorithm}: openssl {arguments:?}");
    }
}

fn verify_with_both(
    public: &PublicKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &Signature,
) {
    for backend in [Backend::PURE_RUST, Backend::AWS_LC_RS] {
        let public = PublicKey::from_spki(public.spki(), backend).unwrap();
        let public = public.using(algorithm).unwrap();
        public.verify(message, signature).unwrap();
        assert!(public.verify(b"another", signature).is_err());
    }
}

fn verified(key: &Pkcs11Key, signature: &Signature) {
    key.public_key().verify(b"message", signature).unwrap();
}
