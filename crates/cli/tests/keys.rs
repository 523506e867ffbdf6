//! Keys and certificates, as openssl reads them.
#![allow(clippy::unwrap_used)]

mod common;

use common::Folder;

fn text(folder: &Folder, arguments: &[&str]) -> Option<String> {
    let output = folder.openssl(arguments)?;
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn openssl_reads_the_keys() {
    let folder = Folder::new();
    for (algorithm, name) in [
        ("p256", "prime256v1"),
        ("p384", "secp384r1"),
        ("ed25519", "ED25519"),
    ] {
        folder.ok(
            &[
                "key",
                "generate",
                "--algorithm",
                algorithm,
                "--out",
                algorithm,
            ],
            b"",
        );
        let Some(text) = text(&folder, &["pkey", "-in", algorithm, "-noout", "-text"]) else {
            return;
        };
        assert!(text.contains(name), "{text}");
        let pem = String::from_utf8(folder.read(algorithm)).unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "PKCS#8");
    }
}

#[cfg(unix)]
#[test]
fn a_key_is_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    folder.ok(&["key", "generate", "--out", "k"], b"");
    let mode = std::fs::metadata(folder.path("k"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = folder.read("k");
    folder
        .run(&["key", "generate", "--out", "k"], b"")
        .exit(2)
        .silent();
    assert_eq!(folder.read("k"), before);
    let [one, other] = [(); 2].map(|()| folder.ok(&["key", "generate"], b""));
    assert_ne!(one, other);
}

#[test]
fn openssl_accepts_the_certificate() {
    let folder = Folder::new();
    for algorithm in ["p256", "ed25519"] {
        folder.device(algorithm, "SN-0001", algorithm);
        let cert = format!("{algorithm}.pem");
        let Some(verified) = text(
            &folder,
            &[
                "verify",
                "-purpose",
                "sslclient",
                "-check_ss_sig",
                "-CAfile",
                &cert,
                &cert,
            ],
        ) else {
            return;
        };
        assert!(verified.ends_with("OK\n"), "{verified}");
        let shown = text(&folder, &["x509", "-in", &cert, "-noout", "-text"]).unwrap();
        for expected in [
            "Subject: CN = SN-0001, serialNumber = SN-0001",
            "CA:FALSE",
            "Digital Signature\n",
            "TLS Web Client Authentication\n",
        ] {
            assert!(shown.contains(expected), "{expected} not in {shown}");
        }
        let of_key = text(
            &folder,
            &["pkey", "-in", &format!("{algorithm}.key"), "-pubout"],
        );
        assert_eq!(
            of_key,
            text(&folder, &["x509", "-in", &cert, "-noout", "-pubkey"])
        );
    }
}

#[test]
fn openssl_makes_keys_that_are_taken() {
    let folder = Folder::new();
    // The first writes EC PARAMETERS and SEC 1, the others PKCS#8.
    let makers: [&[&str]; 4] = [
        &["ecparam", "-name", "prime256v1", "-genkey", "-out", "key"],
        &[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "key",
        ],
        &["genpkey", "-algorithm", "ED25519", "-out", "key"],
        &[
            "genpkey",
            "-algorithm",
            "ED25519",
            "-outform",
            "DER",
            "-out",
            "key",
        ],
    ];
    for maker in makers {
        if text(&folder, maker).is_none() {
            return;
        }
        folder.ok(
            &["cert", "self-signed", "--key", "key", "--id", "SN-0001"],
            b"",
        );
    }
}

#[test]
fn an_rsa_key_signs_a_certificate_and_an_envelope() {
    let folder = Folder::new();
    if text(&folder, &["genpkey", "-algorithm", "RSA", "-out", "rsa"]).is_none() {
        return;
    }
    let out = folder.ok(
        &["cert", "self-signed", "--key", "rsa", "--id", "SN-0001"],
        b"",
    );
    folder.write("rsa.pem", out);
    let verified = text(&folder, &["verify", "-CAfile", "rsa.pem", "rsa.pem"]).unwrap();
    assert!(verified.contains("OK"), "{verified}");
    let sign = ["envelope", "sign", "--key", "rsa", "--id", "SN-0001"];
    let sealed = folder.ok(&[&sign[..], &["--plain"]].concat(), b"{}");
    let sealed: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
    folder.write("payload", "{}");
    folder.write("base64", sealed["signature"].as_str().unwrap());
    text(
        &folder,
        &["base64", "-d", "-A", "-in", "base64", "-out", "sig"],
    );
    text(
        &folder,
        &["pkey", "-in", "rsa", "-pubout", "-out", "public"],
    );
    let verify = ["dgst", "-sha256", "-verify", "public", "-signature", "sig"];
    let verified = text(&folder, &[&verify[..], &["payload"]].concat()).unwrap();
    assert!(verified.contains("Verified OK"), "{verified}");
}

#[test]
fn unusual_ids_and_windows() {
    let folder = Folder::new();
    folder.ok(&["key", "generate", "--out", "k"], b"");
    let cert = |more: &[&str]| {
        folder.run(
            &[&["cert", "self-signed", "--key", "k"][..], more].concat(),
            b"",
        )
    };
    for id in ["a_b~c", "urn:dev:mac:0024befffe804ff1", &"x".repeat(128)] {
        let pem = cert(&["--id", id]).exit(0).1.stdout;
        folder.write("c.pem", pem);
        if let Some(subject) = text(&folder, &["x509", "-in", "c.pem", "-noout", "-subject"]) {
            assert!(subject.contains(id), "{subject}");
        }
    }
    for wrong in [
        &["--id", "{550e8400}"][..],
        &["--id", "a b"],
        &["--id", "a", "--days", "0"],
        &[],
    ] {
        cert(wrong).exit(2);
    }
    folder.write(
        "c.pem",
        cert(&["--id", "a", "--days", "1"]).exit(0).1.stdout,
    );
    if let Some(output) = folder.openssl(&["x509", "-in", "c.pem", "-noout", "-checkend", "90000"])
    {
        assert!(!output.status.success(), "it ends within 25 hours");
    }
}
