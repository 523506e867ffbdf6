//! Tenants and trust anchors by hand, and devices that come aboard by them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use common::{Folder, Ran, Server};
use gangplank_testkit::{Leaf, TestCa};
use serde_json::{Value, json};

/// An operator's verb.
fn operator(folder: &Folder, arguments: &[&str]) -> Ran {
    folder.run(&[arguments, &["--data", "data"]].concat(), b"")
}

/// What a verb prints with `--json`.
fn json_of(folder: &Folder, arguments: &[&str]) -> Vec<Value> {
    operator(folder, &[arguments, &["--json"]].concat())
        .exit(0)
        .lines()
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// An authority, `NAME.pem`.
fn authority(folder: &Folder, name: &str) -> TestCa {
    let ca = TestCa::new(name);
    folder.write(&format!("{name}.pem"), pem("CERTIFICATE", &ca.certificate));
    ca
}

/// A device of an authority, `NAME.key` and `NAME.pem`; its subject says `id`.
fn device(folder: &Folder, ca: &TestCa, name: &str, id: &str) {
    let issued = ca.issue(&Leaf::new(name).serial_number(id));
    folder.write(
        &format!("{name}.pem"),
        pem("CERTIFICATE", &issued.certificate),
    );
    folder.write(
        &format!("{name}.key"),
        pem("PRIVATE KEY", &issued.private_key),
    );
}

fn onboard(folder: &Folder, server: &Server, name: &str, more: &[&str]) -> Ran {
    onboard_at(folder, server.word("join"), name, more)
}

fn onboard_at(folder: &Folder, join: &str, name: &str, more: &[&str]) -> Ran {
    let [key, cert, state] = ["key", "pem", "state"].map(|end| format!("{name}.{end}"));
    let arguments = [
        "onboard",
        join,
        "--key",
        &key,
        "--cert",
        &cert,
        "--state",
        &state,
        "--no-wait",
    ];
    folder.run(&[&arguments[..], more].concat(), b"")
}

#[test]
fn an_operator_makes_lists_shows_and_removes_tenants() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    folder.write(
        "acme.json",
        r#"{"alias": "plant-7", "ext": {"n": 18446744073709551615}}"#,
    );
    let made = json_of(&folder, &["tenant", "add", "acme", "--file", "acme.json"]);
    assert_eq!(made[0]["id"], "acme");
    operator(&folder, &["tenant", "add", "works"]).exit(0);
    operator(&folder, &["tenant", "add", "acme"])
        .exit(4)
        .silent();
    operator(&folder, &["tenant", "add", "a b"]).exit(2);
    folder.write("wrong.json", r#"{"colour": 1}"#);
    let wrong = operator(&folder, &["tenant", "add", "third", "--file", "wrong.json"]);
    assert!(wrong.exit(4).complaint().contains("/colour"));
    let listed = json_of(&folder, &["tenant", "list"]);
    let ids: Vec<&str> = listed
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["acme", "default", "works"]);
    let lines = operator(&folder, &["tenant", "list"]).exit(0).stdout();
    assert_eq!(lines.lines().next(), Some("acme  anchors: 0"));
    // To the last digit.
    let shown = operator(&folder, &["tenant", "show", "acme", "--json"])
        .exit(0)
        .stdout();
    assert!(shown.contains("18446744073709551615"), "{shown}");
    operator(&folder, &["tenant", "remove", "acme"]).exit(0);
    operator(&folder, &["tenant", "show", "acme"])
        .exit(1)
        .silent();
    operator(&folder, &["tenant", "remove", "default"])
        .exit(4)
        .silent();
    assert_eq!(server.stop(), Some(0));
    operator(&folder, &["tenant", "list"]).exit(3).silent();
}

#[test]
fn an_operator_says_who_is_told() {
    let folder = Folder::new();
    let _server = Server::start(&folder, &[]);
    let notify = ["tenant", "notify", "default"];
    operator(&folder, &notify).exit(1).silent();
    let target = json!({"url": "https://events.example/", "custom": {"plant": 7}});
    folder.write("target.json", target.to_string());
    let set = [&notify[..], &["--file", "target.json"]].concat();
    operator(&folder, &set).exit(0);
    assert_eq!(operator(&folder, &notify).exit(0).lines(), [target]);
    folder.write("target.json", r#"{"url": "http://events.example/"}"#);
    let refused = operator(&folder, &set).exit(4).silent();
    assert!(
        refused.complaint().contains("https"),
        "{}",
        refused.complaint()
    );
    operator(&folder, &[&notify[..], &["--off"]].concat()).exit(0);
    operator(&folder, &notify).exit(1).silent();
}

#[test]
fn an_operator_changes_anchors() {
    let folder = Folder::new();
    let _server = Server::start(&folder, &[]);
    authority(&folder, "ca");
    authority(&folder, "other");
    folder.write("acme.json", r#"{"ext": {"n": 18446744073709551615}}"#);
    operator(&folder, &["tenant", "add", "acme", "--file", "acme.json"]).exit(0);
    let of_acme =
        |arguments: &[&str]| operator(&folder, &[arguments, &["--tenant", "acme"]].concat());
    let anchor = |arguments: &[&str]| {
        let mut lines = of_acme(&[arguments, &["--json"]].concat()).exit(0).lines();
        assert_eq!(lines.len(), 1);
        lines.remove(0)
    };
    let added = anchor(&["trust", "add", "--cert", "ca.pem", "--id", "a"]);
    assert_eq!(
        (&added["id"], &added["auto-provisioning-enabled"]),
        (&json!("a"), &json!(false))
    );
    assert_eq!(added["subject-dn"], "CN=ca");
    of_acme(&["trust", "add", "--cert", "other.pem", "--id", "a"])
        .exit(4)
        .silent();
    let added = anchor(&["trust", "add", "--cert", "other.pem", "--auto-provisioning"]);
    assert_eq!(added["auto-provisioning-enabled"], true);
    let made = added["id"].as_str().unwrap();
    // The default tenant has none of them, and may not trust the same issuer.
    assert!(json_of(&folder, &["trust", "list"]).is_empty());
    operator(&folder, &["trust", "add", "--cert", "ca.pem"])
        .exit(4)
        .silent();

    let before = anchor(&["trust", "enable", "a"]);
    let disabled = anchor(&["trust", "disable", "a"]);
    assert_eq!(disabled["provisioning-policy"]["enabled"], false);
    let line = of_acme(&["trust", "list"]).exit(0).stdout();
    assert!(
        line.lines()
            .next()
            .unwrap()
            .ends_with("registered devices only, disabled"),
        "{line}"
    );
    assert_eq!(anchor(&["trust", "enable", "a"]), before);
    assert_eq!(
        anchor(&["trust", "auto-provisioning", "a", "on"])["auto-provisioning-enabled"],
        true
    );
    assert_eq!(anchor(&["trust", "auto-provisioning", "a", "off"]), before);
    of_acme(&["trust", "auto-provisioning", "a", "perhaps"]).exit(2);
    of_acme(&["trust", "remove", made]).exit(0);
    for verb in ["enable", "disable", "remove"] {
        of_acme(&["trust", verb, made]).exit(1).silent();
    }
    operator(&folder, &["trust", "list", "--tenant", "nobody"])
        .exit(1)
        .silent();
    let shown = operator(&folder, &["tenant", "show", "acme", "--json"])
        .exit(0)
        .stdout();
    assert!(
        shown.contains(r#""ext":{"n":18446744073709551615}"#),
        "{shown}"
    );
}

#[test]
fn operators_that_change_one_tenant_at_once_lose_nothing() {
    let folder = Folder::new();
    let _server = Server::start(&folder, &[]);
    let names = ["one", "two", "three"];
    for name in names {
        authority(&folder, name);
    }
    std::thread::scope(|scope| {
        for name in names {
            let folder = &folder;
            let cert = format!("{name}.pem");
            scope.spawn(move || {
                operator(folder, &["trust", "add", "--cert", &cert, "--id", name]).exit(0)
            });
        }
    });
    let mut ids: Vec<String> = json_of(&folder, &["trust", "list"])
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    assert_eq!(ids, ["one", "three", "two"]);
}

#[test]
fn a_device_comes_aboard_because_of_its_certificate() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let ca = authority(&folder, "ca");
    device(&folder, &ca, "pump", "SN-1");
    onboard(&folder, &server, "pump", &[]).exit(4);
    operator(&folder, &["tenant", "add", "acme"]).exit(0);
    let add = [
        "trust", "add", "--cert", "ca.pem", "--id", "a", "--tenant", "acme",
    ];
    operator(&folder, &[&add[..], &["--auto-provisioning"]].concat()).exit(0);
    onboard(&folder, &server, "pump", &[]).exit(0);
    let devices = json_of(&folder, &["device", "list"]);
    assert_eq!(devices.len(), 1);
    let pump = &devices[0];
    let found = ["tenant", "certificateId", "anchorId", "state"]
        .map(|member| pump[member].as_str().unwrap());
    assert_eq!(found, ["acme", "SN-1", "a", "aboard"]);

    // One that claims another id than its certificate yields.
    device(&folder, &ca, "liar", "SN-2");
    onboard(&folder, &server, "liar", &["--id", "SN-3"]).exit(4);
    let log = String::from_utf8(folder.read("server.log")).unwrap();
    assert!(log.contains("certificate-id-mismatch"), "{log}");

    operator(
        &folder,
        &["trust", "auto-provisioning", "a", "off", "--tenant", "acme"],
    )
    .exit(0);
    device(&folder, &ca, "late", "SN-4");
    onboard(&folder, &server, "late", &[]).exit(4);
    let log = String::from_utf8(folder.read("server.log")).unwrap();
    assert!(log.contains("provisioning-disabled"), "{log}");
    assert_eq!(json_of(&folder, &["device", "list"]).len(), 1);
}

#[test]
fn a_device_says_by_its_url_which_of_two_tenants_has_it() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let ca = authority(&folder, "ca");
    folder.write("group.json", r#"{"trust-anchor-group": "shared"}"#);
    for tenant in ["acme", "works"] {
        operator(&folder, &["tenant", "add", tenant, "--file", "group.json"]).exit(0);
        let add = ["trust", "add", "--cert", "ca.pem", "--tenant", tenant];
        operator(&folder, &[&add[..], &["--auto-provisioning"]].concat()).exit(0);
    }
    let join = server.word("join").to_owned();
    let (place, pin) = join.split_once('?').unwrap();
    let at = |tenant: &str| format!("{place}/tenant/{tenant}?{pin}");
    let log = || String::from_utf8(folder.read("server.log")).unwrap();
    device(&folder, &ca, "pump", "SN-1");
    onboard_at(&folder, &join, "pump", &[]).exit(4);
    assert!(log().contains("tenant-ambiguous"), "{}", log());
    device(&folder, &ca, "lost", "SN-2");
    onboard_at(&folder, &at("nobody"), "lost", &[]).exit(4);
    assert!(log().contains("tenant-unknown"), "{}", log());
    // No tenant's id begins like that, nor has an alias more than 63 characters.
    device(&folder, &ca, "odd", "SN-3");
    let odd = format!("-{}", "a".repeat(63));
    onboard_at(&folder, &at(&odd), "odd", &[]).exit(4);
    assert!(log().contains("tenant-hint-malformed"), "{}", log());
    assert!(json_of(&folder, &["device", "list"]).is_empty());

    // The state of the one that was refused is another URL's.
    std::fs::remove_dir_all(folder.path("pump.state")).unwrap();
    device(&folder, &ca, "fan", "SN-4");
    for (name, tenant) in [("pump", "works"), ("fan", "acme")] {
        onboard_at(&folder, &at(tenant), name, &[]).exit(0);
    }
    let mut found: Vec<(String, String)> = json_of(&folder, &["device", "list"])
        .iter()
        .map(|one| {
            ["certificateId", "tenant"].map(|member| one[member].as_str().unwrap().to_owned())
        })
        .map(|[id, tenant]| (id, tenant))
        .collect();
    found.sort();
    let expected = [("SN-1", "works"), ("SN-4", "acme")];
    assert_eq!(
        found,
        expected.map(|(id, tenant)| (id.to_owned(), tenant.to_owned()))
    );
}

/// A revocation list of an authority made for it, in DER.
fn revocation_list(name: &str) -> Vec<u8> {
    use rcgen::{
        CertificateParams, CertificateRevocationListParams, DnType, Issuer, KeyIdMethod, KeyPair,
        SerialNumber, date_time_ymd,
    };
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let issuer = Issuer::new(parameters, KeyPair::generate().unwrap());
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2025, 1, 1),
        next_update: date_time_ymd(2045, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&issuer).unwrap().der().to_vec()
}

#[test]
fn an_operator_says_which_certificates_are_revoked() {
    let folder = Folder::new();
    let _server = Server::start(&folder, &[]);
    folder.write("one.crl", revocation_list("One"));
    let two = pem("X509 CRL", &revocation_list("Two"));
    folder.write("two.pem", &two);
    folder.write("none.crl", "no list");
    let revocation =
        |arguments: &[&str]| operator(&folder, &[&["trust", "revocation"], arguments].concat());
    let shown = || revocation(&[]).exit(0).lines().remove(0)["revocationLists"].clone();
    assert_eq!(shown(), json!([]));
    revocation(&["--crl", "one.crl", "two.pem"]).exit(0);
    let lists = shown();
    assert_eq!(lists[0]["issuer"], "CN=One");
    assert_eq!(lists[1]["issuer"], "CN=Two");
    assert_eq!(lists[1]["nextUpdate"], 2_366_841_600_u64);
    revocation(&["--crl", "none.crl"]).exit(4).silent();
    revocation(&["--crl", "one.crl", "--tenant", "plant-7"])
        .exit(1)
        .silent();
    assert_eq!(shown(), lists);
    revocation(&["--off"]).exit(0);
    assert_eq!(shown(), json!([]));
}
