//! HTTP message signatures by hand, against bytes that are not ours: the examples of RFC 9421, the
//! worked example of Margo's rules, and Python's `cryptography` (`outside_message.py`).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::Folder;
use gangplank_testkit::suite;
use serde_json::Value;

/// Margo's worked example: the private scalar, the public key, the base and the signature.
const SCALAR: &str = "ff111c603bdb7cf789701ea34425d7008ecd71787adc2dcadd8f40e3339740f9";
const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfGAwi3AXPe3ka1txgIkE8UL7KuqZzxXyTtnqhxqEP3PxNwNW7zrDdTzl3LGa4vYn4Wuqgt4xuvEWc6wnC7emFw==";
const REQUEST: &str = "POST /api/v1/clients/c-1/deployments/d-1/status HTTP/1.1\r\nHost: wfm.example\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
const DIGEST: &str = "sha-256=:AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:";
const PARAMS: &str = "(\"@method\" \"@target-uri\" \"@authority\" \"content-digest\");created=1767225600;keyid=\"554d4b95d1406a67c1d6c6e24d5608606fa48c23260fb3fbf53afde3e17c1c92\"";
const SIGNATURE: &str = "SSSRkbwvhEZkmE7V5BCPKmYkvYEiN0cV+x8AVJTZrCzfZkngzy0E8aEmI9Wkv8m7bj6+BnVCNnq/BPZz/27kPA==";
const SHA256: &str = "4617292ccf91add9db1b27fbcabc1ee59af23111ae8e8979d67b1e3e1482bc6c";
const BASE: &str = "\"@method\": POST
\"@target-uri\": https://wfm.example/api/v1/clients/c-1/deployments/d-1/status
\"@authority\": wfm.example
\"content-digest\": sha-256=:AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:
\"@signature-params\": (\"@method\" \"@target-uri\" \"@authority\" \"content-digest\");created=1767225600;keyid=\"554d4b95d1406a67c1d6c6e24d5608606fa48c23260fb3fbf53afde3e17c1c92\"";

/// The key of the worked example, `k.der` and `k.spki`, and its request, signed and not.
fn worked() -> Folder {
    let folder = Folder::new();
    let spki = BASE64_STANDARD.decode(SPKI).unwrap();
    // RFC 5958 around RFC 5915; the public point is the last 65 bytes of the SubjectPublicKeyInfo.
    let mut pkcs8 = unhex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420");
    pkcs8.extend(unhex(SCALAR));
    pkcs8.extend(unhex("a144034200"));
    pkcs8.extend(&spki[spki.len() - 65..]);
    folder.write("k.der", pkcs8);
    folder.write("k.spki", spki);
    folder.write("plain.http", REQUEST);
    folder.write("signed.http", signed());
    folder.write("base", BASE);
    folder
}

fn signed() -> String {
    let added = format!(
        "Content-Digest: {DIGEST}\r\nSignature-Input: sig1={PARAMS}\r\nSignature: sig1=:{SIGNATURE}:\r\n\r\n"
    );
    REQUEST.replacen("\r\n\r\n", &format!("\r\n{added}"), 1)
}

fn unhex(digits: &str) -> Vec<u8> {
    let bytes = (0..digits.len()).step_by(2);
    bytes
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// The arguments of `message`, split at blanks.
fn message<'a>(words: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["message"];
    arguments.extend(words.split(' '));
    arguments
}

#[test]
fn the_worked_example_is_signed_to_the_byte() {
    let folder = worked();
    let sign = "sign plain.http --key k.der --created 1767225600 --content-digest sha-256";
    let printed = folder.ok(&message(sign), b"");
    assert_eq!(String::from_utf8(printed).unwrap(), signed());
    let fields = folder.run(&message(&format!("{sign} --fields-only")), b"");
    assert_eq!(
        fields.exit(0).stdout(),
        format!(
            "Content-Digest: {DIGEST}\nSignature-Input: sig1={PARAMS}\nSignature: sig1=:{SIGNATURE}:\n"
        )
    );
    let json = &folder.run(&message(&format!("{sign} --json")), b"").exit(0).lines()[0];
    assert_eq!(json["base"], BASE);
    assert_eq!(json["Signature"], format!("sig1=:{SIGNATURE}:"));
    // The same through the list of components, and out of standard input.
    let (list, parameters) = PARAMS.split_once(')').unwrap();
    let digested = signed().replace("Signature", "X-Signature");
    for list in [PARAMS.to_owned(), format!("{list})")] {
        let mut arguments = vec!["message", "sign", "-", "--key", "k.der", "--fields-only"];
        arguments.extend(["--components", &list]);
        if list != PARAMS {
            arguments.extend(["--created", "1767225600"]);
        }
        let fields = folder.run(&arguments, digested.as_bytes()).exit(0).stdout();
        assert!(fields.contains(SIGNATURE), "{parameters}: {fields}");
    }
}

#[test]
fn the_worked_example_is_verified_and_its_base_printed() {
    let folder = worked();
    let base = folder.ok(&message("base signed.http"), b"");
    assert_eq!(String::from_utf8(base).unwrap(), BASE);
    let json = &folder.run(&message("base signed.http --json"), b"").exit(0).lines()[0];
    assert_eq!(json["base"], BASE);
    assert_eq!(json["sha256"], SHA256);
    // Line ends of a person's editor, and a line end after the body.
    let pasted = signed().replace("\r\n", "\n") + "\n";
    assert_eq!(folder.ok(&message("base"), pasted.as_bytes()), BASE.as_bytes());
    // Before there is a signature.
    let unsigned = pasted.replace("\nSignature:", "\nX-Signature:");
    assert_eq!(folder.ok(&message("base"), unsigned.as_bytes()), BASE.as_bytes());
    let found = folder.run(&message("verify signed.http --public-key k.spki"), b"");
    assert_eq!(
        found.exit(0).stdout(),
        format!(
            "label        sig1
covered      \"@method\": POST
covered      \"@target-uri\": https://wfm.example/api/v1/clients/c-1/deployments/d-1/status
covered      \"@authority\": wfm.example
covered      \"content-digest\": {DIGEST}
parameters   {}
created      2026-01-01T00:00:00Z
algorithm    ecdsa-p256-sha256
content      7 bytes, which Content-Digest is of
yes: the signature verifies
",
            PARAMS.split_once(");").unwrap().1
        )
    );
}
