//! The contract of `gangplank trust verify`, against certificates by rcgen and lists by openssl.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::Folder;
use gangplank_testkit::{Leaf, NOW, Purpose, TestCa, openssl};
use serde_json::{Value, json};

/// Root, one intermediate and a leaf, each in DER under its name.
struct Scene {
    folder: Folder,
    root: TestCa,
    middle: TestCa,
}

impl Scene {
    fn new() -> Self {
        let root = TestCa::new("Root");
        let middle = root.intermediate(&Leaf::new("Middle"));
        let leaf = middle.issue(&Leaf::new("pump").purpose(Purpose::Client));
        let folder = Folder::new();
        folder.write("root.der", &root.certificate);
        folder.write("middle.der", &middle.certificate);
        folder.write("leaf.der", leaf.certificate);
        Self {
            folder,
            root,
            middle,
        }
    }

    /// What it says about the leaf with `--json`, and how it exits.
    fn verify(&self, more: &str) -> (i32, Value) {
        let at = NOW.as_secs().to_string();
        let mut arguments = vec!["trust", "verify", "--json", "--at", &at];
        arguments.extend("--anchor root.der --chain leaf.der".split(' '));
        arguments.extend(more.split_ascii_whitespace());
        let ran = self.folder.run(&arguments, b"");
        let said = serde_json::from_slice(&ran.1.stdout);
        let said = said.unwrap_or_else(|_| panic!("{}", ran.complaint()));
        (ran.1.status.code().unwrap(), said)
    }

    /// The code of the refusal, or nothing.
    fn reason(&self, more: &str) -> Option<String> {
        let (code, said) = self.verify(more);
        let reason = said["reason"].as_str().map(str::to_owned);
        assert_eq!(
            (code, &said["verified"]),
            match reason {
                Some(_) => (1, &json!(false)),
                None => (0, &json!(true)),
            }
        );
        reason
    }
}

const CHAIN: &str = "--intermediate middle.der";

fn sha256(der: &[u8]) -> Option<String> {
    let printed = String::from_utf8(openssl(&["dgst", "-sha256", "-r"], der)?).unwrap();
    printed.split_whitespace().next().map(str::to_owned)
}

#[test]
fn a_path_is_told_by_the_hashes_of_its_certificates() {
    let scene = Scene::new();
    let (code, said) = scene.verify(CHAIN);
    assert_eq!(code, 0);
    let members: Vec<&String> = said.as_object().unwrap().keys().collect();
    assert_eq!(members, ["verified", "anchor", "path"]);
    assert_eq!(said["anchor"], "CN=Root");
    let files = ["leaf.der", "middle.der", "root.der"].map(|name| scene.folder.read(name));
    let Some(hashes) = files
        .iter()
        .map(|der| sha256(der))
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    assert_eq!(said["path"], json!(hashes));
    let at = NOW.as_secs().to_string();
    let mut arguments = vec!["trust", "verify", "--at", &at, "--anchor", "root.der"];
    arguments.extend(["--chain", "leaf.der", "--intermediate", "middle.der"]);
    let text = scene.folder.run(&arguments, b"").exit(0).stdout();
    let expected = "verified by the anchor CN=Root; from the leaf to it:";
    assert_eq!(text, format!("{expected}\n{}\n", hashes.join("\n")));
}

#[test]
fn pem_files_hold_several() {
    let scene = Scene::new();
    let pem = |name: &str| openssl(&["x509", "-inform", "DER"], &scene.folder.read(name));
    let (Some(root), Some(middle), Some(leaf)) =
        (pem("root.der"), pem("middle.der"), pem("leaf.der"))
    else {
        return;
    };
    scene
        .folder
        .write("chain.pem", [leaf, middle.clone()].concat());
    scene.folder.write("anchors.pem", [middle, root].concat());
    let at = format!("{}.9", NOW.as_secs());
    let mut arguments = vec!["trust", "verify", "--json", "--at", &at];
    arguments.extend("--chain chain.pem --anchor anchors.pem".split(' '));
    let said = &scene.folder.run(&arguments, b"").exit(0).lines()[0];
    // The nearer anchor.
    assert_eq!(said["anchor"], "CN=Middle");
}

#[test]
fn refusals_have_their_reason() {
    let scene = Scene::new();
    assert_eq!(scene.reason(CHAIN), None);
    for (more, code) in [
        ("", "no-anchor-for-issuer"),
        (
            "--intermediate middle.der --eku server",
            "purpose-not-allowed",
        ),
        ("--intermediate middle.der --max-depth 0", "path-too-long"),
    ] {
        assert_eq!(scene.reason(more).as_deref(), Some(code), "{more}");
    }
    assert_eq!(
        scene.reason("--intermediate middle.der --max-depth 1"),
        None
    );
    assert_eq!(scene.reason("--intermediate middle.der --eku any"), None);
    let late = [
        "--anchor",
        "root.der",
        "--chain",
        "leaf.der",
        "--at",
        "2050-01-01T00:00:00Z",
    ];
    let arguments = [
        &["trust", "verify"][..],
        &late,
        &["--intermediate", "middle.der"],
    ]
    .concat();
    let text = scene.folder.run(&arguments, b"").exit(1).stdout();
    assert!(
        text.starts_with("refused, intermediate-expired: "),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_told_from_what_is_malformed() {
    let scene = Scene::new();
    scene.folder.write("bad.der", b"0\x00");
    let run = |chain: &str, anchor: &str| {
        let arguments = ["trust", "verify", "--chain", chain, "--anchor", anchor];
        scene.folder.run(&arguments, b"")
    };
    run("missing.der", "root.der").exit(2).silent();
    run("leaf.der", "missing.der").exit(2).silent();
    let text = run("bad.der", "root.der").exit(1).stdout();
    assert!(
        text.starts_with("refused, certificate-malformed: "),
        "{text}"
    );
    // An anchor that is none is as good as absent.
    let text = run("leaf.der", "bad.der").exit(1).stdout();
    assert!(text.starts_with("refused, no-usable-anchor: "), "{text}");
    scene
        .folder
        .run(&["trust", "verify", "--chain", "leaf.der"], b"")
        .exit(2);
}

/// A revocation list of an authority by openssl, which knows the serial numbers as a text database.
fn list(scene: &Scene, ca: &TestCa, name: &str, revoked: Option<&str>) -> Option<()> {
    let folder = &scene.folder;
    let der = |out: &str, arguments: &[&str], der: &[u8]| {
        openssl(arguments, der).map(|pem| folder.write(out, pem))
    };
    der("ca.pem", &["x509", "-inform", "DER"], &ca.certificate)?;
    der("ca.key", &["pkey", "-inform", "DER"], &ca.private_key())?;
    let entry = revoked.map(|file| {
        let printed = openssl(
            &["x509", "-inform", "DER", "-noout", "-serial"],
            &folder.read(file),
        );
        let printed = String::from_utf8(printed.unwrap()).unwrap();
        let serial = printed.trim().strip_prefix("serial=").unwrap().to_owned();
        format!("R\t450101000000Z\t250601000000Z\t{serial}\tunknown\t/CN=x\n")
    });
    folder.write("index.txt", entry.unwrap_or_default());
    folder.write("number", "01\n");
    folder.write(
        "ca.conf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\n\
         crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n",
    );
    let made = folder.openssl(&[
        "ca",
        "-config",
        "ca.conf",
        "-gencrl",
        "-keyfile",
        "ca.key",
        "-cert",
        "ca.pem",
        "-out",
        name,
        "-crl_lastupdate",
        "20251231000000Z",
        "-crl_nextupdate",
        "20260201000000Z",
    ])?;
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    Some(())
}

#[test]
fn with_a_list_every_certificate_needs_one() {
    let scene = Scene::new();
    let made = list(&scene, &scene.root, "root.crl", None)
        .and_then(|()| list(&scene, &scene.middle, "middle.crl", None))
        .and_then(|()| list(&scene, &scene.middle, "revoking.crl", Some("leaf.der")))
        .and_then(|()| list(&scene, &scene.root, "above.crl", Some("middle.der")));
    if made.is_none() {
        return;
    }
    let with = |lists: &str| scene.reason(&format!("{CHAIN} --crl {lists}"));
    assert_eq!(with("root.crl middle.crl"), None);
    assert_eq!(with("root.crl").as_deref(), Some("revocation-unknown"));
    assert_eq!(with("root.crl revoking.crl").as_deref(), Some("revoked"));
    assert_eq!(with("above.crl middle.crl").as_deref(), Some("revoked"));
    scene.folder.write("bad.crl", b"0\x00");
    assert_eq!(with("bad.crl").as_deref(), Some("revocation-unknown"));
    scene.folder.write("empty.pem", b"-----BEGIN ");
    for more in ["--chain empty.pem", "--intermediate empty.pem"] {
        let at = NOW.as_secs().to_string();
        let mut arguments = vec!["trust", "verify", "--json", "--at", &at];
        arguments.extend("--anchor root.der".split(' '));
        if !more.starts_with("--chain") {
            arguments.extend("--chain leaf.der".split(' '));
        }
        arguments.extend(more.split(' '));
        let said = &scene.folder.run(&arguments, b"").exit(1).lines()[0];
        assert_eq!(said["reason"], "certificate-malformed", "{more}");
    }
    let mut arguments = vec![
        "trust", "verify", "--anchor", "root.der", "--chain", "leaf.der",
    ];
    arguments.extend(["--crl", "bad.crl"]);
    scene.folder.run(&arguments, b"").exit(1).silent();
}
