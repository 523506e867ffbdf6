//! The envelope contract of the command line, against code that is not ours: `outside.py` has
//! `docs/envelope.md` in Python, with openssl for the signatures.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use common::Folder;
use serde_json::Value;

const AUDIENCE: &str = "https://wfm.example/margo";
const NONCE: &str = "AAECAwQFBgcICQoLDA0ODw";
const PAYLOAD: &[u8] = b"{\"a\": [1, 2]}\n";

/// A device with a key of each kind.
fn devices() -> Folder {
    let folder = Folder::new();
    folder.device("p256", "SN-0001", "p256");
    folder.device("ed25519", "SN-0001", "ed25519");
    folder
}

/// Runs the outside code; `None` where there is no Python or openssl.
fn outside(folder: &Folder, arguments: &[&str]) -> Option<bool> {
    folder.openssl(&["version"])?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside.py");
    let output = Command::new("python3")
        .arg(script)
        .args(arguments)
        .current_dir(folder.path(""))
        .output();
    let output = output
        .inspect_err(|_| println!("check by python3 not run: program absent"))
        .ok()?;
    if output.status.code() != Some(3) {
        return Some(output.status.success());
    }
    panic!(
        "outside.py {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn members(envelope: &[u8]) -> Value {
    serde_json::from_slice(envelope).unwrap()
}

#[test]
fn outside_code_verifies_what_is_signed() {
    let folder = devices();
    for name in ["p256", "ed25519"] {
        let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
        let sign = ["envelope", "sign", "--key", &key, "--id", "SN-0001"];
        let forms: [&[&str]; 5] = [
            &["--plain"],
            &["--type", "T"],
            &["--type", "T", "--nonce", NONCE],
            &["--type", "T", "--created", "0", "--audience", AUDIENCE],
            &[
                "--type",
                "T",
                "--created",
                "1767225600",
                "--nonce",
                NONCE,
                "--audience",
                AUDIENCE,
                "--certificate",
                &cert,
            ],
        ];
        for form in forms {
            let envelope = folder.ok(&[&sign[..], form].concat(), PAYLOAD);
            assert_eq!(envelope.iter().filter(|byte| **byte == b'\n').count(), 1);
            assert!(envelope.ends_with(b"}\n"));
            folder.write("envelope.json", &envelope);
            folder.write("payload", PAYLOAD);
            if outside(&folder, &["verify", &cert, "payload", "envelope.json"]) == Some(false) {
                panic!("{form:?}: {}", String::from_utf8_lossy(&envelope));
            }
        }
    }
}

#[test]
fn what_outside_code_signs_is_verified() {
    let folder = devices();
    folder.write("payload", PAYLOAD);
    for name in ["p256", "ed25519"] {
        let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
        for form in ["plain", "bound", "bound-with-certificate"] {
            if outside(
                &folder,
                &["sign", &key, &cert, form, "payload", "envelope.json"],
            )
            .is_none()
            {
                return;
            }
            let envelope = folder.read("envelope.json");
            let verify = ["envelope", "verify", "--cert", &cert, "--allow-plain"];
            assert_eq!(folder.ok(&verify, &envelope), PAYLOAD, "{name} {form}");
            // The plain form binds no certificate id; nothing but --id tells whose it is.
            let changed = String::from_utf8(envelope).unwrap();
            let changed = changed.replace("SN-0001", "SN-0002");
            let ran = folder.run(&verify, changed.as_bytes());
            ran.exit(i32::from(form != "plain"));
            let named = [&verify[..], &["--id", "SN-0001"]].concat();
            folder.run(&named, changed.as_bytes()).exit(1).silent();
        }
    }
}

#[test]
fn created_is_now_unless_something_else_makes_it_fresh() {
    let folder = devices();
    let sign = [
        "envelope", "sign", "--key", "p256.key", "--id", "SN-0001", "--type", "T",
    ];
    let created =
        |more: &[&str]| members(&folder.ok(&[&sign[..], more].concat(), b""))["created"].as_u64();
    assert!(created(&[]).unwrap().abs_diff(now()) < 60);
    assert!(
        created(&["--created", "now", "--nonce", NONCE])
            .unwrap()
            .abs_diff(now())
            < 60
    );
    assert_eq!(created(&["--nonce", NONCE]), None);
    assert_eq!(created(&["--created", "7"]), Some(7));
    for wrong in ["07", "-1", "+1", "1.0", "9007199254740992", "", "later"] {
        folder
            .run(&[&sign[..], &["--created", wrong]].concat(), b"")
            .exit(2);
    }
}

#[test]
fn sign_refuses_what_nobody_accepts() {
    let folder = devices();
    let sign = ["envelope", "sign", "--key", "p256.key", "--id", "SN-0001"];
    for payload in ["", "[1]", "1", "{\"a\":1}x", "\"x\"", "{"] {
        folder
            .run(&[&sign[..], &["--plain"]].concat(), payload.as_bytes())
            .exit(1)
            .silent();
    }
    // The first certificate must be that of the key.
    folder
        .run(
            &[&sign[..], &["--type", "T", "--certificate", "ed25519.pem"]].concat(),
            b"",
        )
        .exit(1)
        .silent();
    // Usage.
    for wrong in [
        &["--plain", "--type", "T"][..],
        &["--plain", "--nonce", NONCE],
        &["--plain", "--created", "now"],
        &["--plain", "--audience", AUDIENCE],
        &["--plain", "--certificate", "p256.pem"],
        &[],
        &["--type", "a b"],
        &["--type", "T", "--nonce", "AAECAwQFBgcICQoLDA0ODx"],
        &["--type", "T", "--audience", "https://wfm.example/"],
    ] {
        let ran = folder.run(&[&sign[..], wrong].concat(), b"{}").exit(2);
        assert_eq!(ran.stdout(), "", "{wrong:?}");
    }
    let missing = [
        "envelope", "sign", "--key", "none.key", "--id", "SN-0001", "--plain",
    ];
    folder.run(&missing, b"{}").exit(2).silent();
}

#[test]
fn verify_compares_what_is_asked_for() {
    let folder = devices();
    let sign = ["envelope", "sign", "--key", "p256.key", "--id", "SN-0001"];
    let signed = |more: &[&str]| folder.ok(&[&sign[..], more].concat(), b"{}");
    let verify = |envelope: &[u8], more: &[&str]| {
        folder.run(
            &[&["envelope", "verify", "--cert", "p256.pem"][..], more].concat(),
            envelope,
        )
    };
    let full = signed(&[
        "--type",
        "T",
        "--audience",
        AUDIENCE,
        "--certificate",
        "p256.pem",
    ]);
    for more in [
        &[][..],
        &["--id", "SN-0001"],
        &["--type", "T"],
        &["--audience", AUDIENCE],
        &["--max-age", "60"],
        &["--allow-plain"],
        &[
            "--id",
            "SN-0001",
            "--type",
            "T",
            "--audience",
            AUDIENCE,
            "--max-age",
            "60",
        ],
    ] {
        assert_eq!(verify(&full, more).exit(0).1.stdout, b"{}", "{more:?}");
    }
    for more in [
        &["--id", "SN-0002"][..],
        &["--id", "sn-0001"],
        &["--type", "t"],
        &["--audience", "https://wfm.example"],
        &["--audience", "http://wfm.example/margo"],
    ] {
        verify(&full, more).exit(1).silent();
    }
    // An envelope that lacks the member.
    let (bare, plain) = (
        signed(&["--type", "T", "--nonce", NONCE]),
        signed(&["--plain"]),
    );
    verify(&bare, &["--audience", AUDIENCE]).exit(1).silent();
    verify(&bare, &["--max-age", "60"]).exit(1).silent();
    verify(&bare, &[]).exit(0);
    verify(&plain, &[]).exit(1).silent();
    assert_eq!(verify(&plain, &["--allow-plain"]).exit(0).1.stdout, b"{}");
    for more in [
        ["--type", "T"],
        ["--audience", AUDIENCE],
        ["--max-age", "60"],
    ] {
        verify(&plain, &[&["--allow-plain"], &more[..]].concat())
            .exit(1)
            .silent();
    }
    verify(&plain, &["--allow-plain", "--id", "SN-0002"])
        .exit(1)
        .silent();
}

#[test]
fn max_age_bounds_age_and_lead() {
    let folder = devices();
    let verify = |created: u64, max_age: &str| {
        let created = created.to_string();
        let sign = [
            "envelope",
            "sign",
            "--key",
            "p256.key",
            "--id",
            "SN-0001",
            "--type",
            "T",
            "--created",
            &created,
        ];
        let envelope = folder.ok(&sign, b"");
        folder.run(
            &[
                "envelope",
                "verify",
                "--cert",
                "p256.pem",
                "--max-age",
                max_age,
            ],
            &envelope,
        )
    };
    // Margins of 20 s, for a slow machine.
    for (created, max_age) in [(now() - 280, "300"), (now() + 40, "300"), (now(), "20")] {
        verify(created, max_age).exit(0);
    }
    for (created, max_age) in [
        (now() - 320, "300"),
        (now() + 100, "300"),
        (now() + 60, "20"),
        (now() - 40, "20"),
        (0, "300"),
    ] {
        verify(created, max_age).exit(1).silent();
    }
    assert_eq!(verify(0, "18446744073709551615").exit(0).stdout(), "");
}

#[test]
fn whatever_is_wrong_says_one_sentence_and_nothing_else() {
    let folder = devices();
    let sign = [
        "envelope", "sign", "--key", "p256.key", "--id", "SN-0001", "--type", "T",
    ];
    let envelope = String::from_utf8(folder.ok(&sign, PAYLOAD)).unwrap();
    let verify = ["envelope", "verify", "--cert", "p256.pem"];
    let digest = members(envelope.as_bytes())["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    for changed in [
        String::new(),
        "{}".to_owned(),
        format!("[{envelope}]"),
        envelope.replace("\"type\":\"T\"", "\"type\":\"U\""),
        envelope.replace(
            "\"type\":\"T\"",
            "\"type\":\"T\",\"nonce\":\"AAECAwQFBgcICQoLDA0ODw\"",
        ),
        envelope.replace("SN-0001", "SN-0002"),
        envelope.replace(&digest, &format!("sha256:{}", "0".repeat(64))),
        envelope.replace("\"payload\":\"ey", "\"payload\":\"eY"),
        envelope.replace("\"type\"", "\"typ\\u0065\""),
        format!("{envelope}x"),
        envelope.replacen('{', "{\"payload\":\"\",", 1),
        format!("\u{feff}{envelope}"),
    ] {
        folder.run(&verify, changed.as_bytes()).exit(1).silent();
    }
    folder.run(&verify, b"\xff\xfe").exit(1).silent();
    // Another's certificate; malformed ones; a missing one.
    folder
        .run(
            &["envelope", "verify", "--cert", "ed25519.pem"],
            envelope.as_bytes(),
        )
        .exit(1)
        .silent();
    folder.write(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    folder.write("text.pem", "no certificate");
    folder.write("empty.pem", "");
    for cert in ["broken.pem", "text.pem", "empty.pem", "p256.key"] {
        folder
            .run(&["envelope", "verify", "--cert", cert], envelope.as_bytes())
            .exit(1)
            .silent();
    }
    folder
        .run(
            &["envelope", "verify", "--cert", "none.pem"],
            envelope.as_bytes(),
        )
        .exit(2)
        .silent();
    folder
        .run(&["envelope", "verify"], envelope.as_bytes())
        .exit(2);
}

#[test]
fn certificates_are_read_as_pem_and_der_and_must_begin_with_the_signers() {
    let folder = devices();
    let [first, other] = ["p256.pem", "ed25519.pem"].map(|name| folder.read(name));
    folder.write("both.pem", [&first[..], &other[..]].concat());
    let Some(_) = folder.openssl(&[
        "x509", "-in", "p256.pem", "-outform", "DER", "-out", "p256.der",
    ]) else {
        return;
    };
    let sign = [
        "envelope", "sign", "--key", "p256.key", "--id", "SN-0001", "--type", "T",
    ];
    let count = |more: &[&str]| {
        let envelope = folder.ok(&[&sign[..], more].concat(), b"");
        folder
            .run(&["envelope", "verify", "--cert", "p256.der"], &envelope)
            .exit(0);
        members(&envelope)["certificates"].as_array().unwrap().len()
    };
    assert_eq!(count(&["--certificate", "p256.der"]), 1);
    assert_eq!(count(&["--certificate", "both.pem"]), 2);
    assert_eq!(
        count(&["--certificate", "p256.pem", "--certificate", "both.pem"]),
        3
    );
    let nine = ["--certificate", "both.pem"].repeat(5);
    folder
        .run(&[&sign[..], &nine].concat(), b"")
        .exit(1)
        .silent();
}

#[test]
fn a_payload_may_have_sixteen_mebibytes_and_no_more() {
    let folder = devices();
    let sign = [
        "envelope", "sign", "--key", "p256.key", "--id", "SN-0001", "--type", "T",
    ];
    let verify = ["envelope", "verify", "--cert", "p256.pem"];
    let mut payload = vec![0xA5; 16 << 20];
    let envelope = folder.ok(&sign, &payload);
    assert_eq!(folder.ok(&verify, &envelope), payload);
    folder
        .run(
            &[&verify[..], &["--max-payload", "1000"]].concat(),
            &envelope,
        )
        .exit(1)
        .silent();
    payload.push(0);
    folder.run(&sign, &payload).exit(1).silent();
    let more = ["--max-payload", "20000000"];
    let envelope = folder.ok(&[&sign[..], &more].concat(), &payload);
    folder.run(&verify, &envelope).exit(1).silent();
    assert_eq!(
        folder.ok(&[&verify[..], &more].concat(), &envelope),
        payload
    );
}

#[test]
fn inspect_shows_claims_and_says_that_nobody_checked_them() {
    let folder = devices();
    let sign = [
        "envelope",
        "sign",
        "--key",
        "p256.key",
        "--id",
        "SN-0001",
        "--type",
        "T",
        "--created",
        "1767225600",
    ];
    let envelope = folder.ok(&[&sign[..], &["--audience", AUDIENCE]].concat(), b"secret");
    let forged = String::from_utf8(envelope)
        .unwrap()
        .replace("SN-0001", "SN-0009");
    let text = folder
        .run(&["envelope", "inspect"], forged.as_bytes())
        .exit(0)
        .stdout();
    assert!(text.starts_with("NOT VERIFIED"), "{text}");
    assert!(
        text.contains("SN-0009") && text.contains("2026-01-01T00:00:00Z"),
        "{text}"
    );
    let json = folder
        .run(&["envelope", "inspect", "--json"], forged.as_bytes())
        .exit(0)
        .lines();
    assert_eq!(json[0]["verified"], false);
    assert_eq!(json[0]["payloadBytes"], 6);
    folder.run(&["envelope", "inspect"], b"{}").exit(1).silent();
}
