//! NIST's Public Key Interoperability Test Suite, as the crate `pkix-path` carries it: certificate
//! paths and the revocation lists for them, all judged by one profile.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gangplank_key::{Backend, CertificateDer, UnixTime};
use gangplank_testkit::deny_unknown_keys;
use gangplank_trust::{Anchor, PathProfile, Purpose, Revocation, RevocationLists, verify_path};
use serde_json::Value;

#[test]
fn every_case_is_judged_as_pkits_does() {
    let folder = source_of("pkix-path").join("tests/pkits");
    let cases: Value = serde_json::from_slice(&read(&folder.join("vectors.json"))).unwrap();
    let cases = cases.as_array().unwrap();
    let mut exceptions = exceptions();
    let excepted = exceptions.len();
    let mut diverging = Vec::new();
    for case in cases {
        let name = case["Name"].as_str().unwrap();
        let valid = case["ShouldValidate"].as_bool().unwrap();
        let found = verdict(&folder, case);
        match exceptions.remove(name) {
            Some(exception) => {
                assert_ne!(
                    found.is_ok(),
                    valid,
                    "{name}: the exception no longer applies"
                );
                assert_eq!(exception["suite"] == "valid", valid, "{name}");
                let found = found.err().unwrap_or("accepted");
                assert_eq!(exception["gangplank"], found, "{name}");
                let policies = exception["reason"].as_str().unwrap().contains("§6.1.5");
                assert!(valid || policies, "{name}: wrongly accepted");
            }
            None if found.is_ok() == valid => {}
            None => diverging.push(format!("{name}: valid is {valid}, {found:?}")),
        }
    }
    let passed = cases.len() - excepted - diverging.len();
    println!(
        "PKITS: {} run, {passed} passed, {excepted} excepted",
        cases.len()
    );
    assert!(diverging.is_empty(), "{}", diverging.join("\n"));
    assert!(exceptions.is_empty(), "not in the suite: {exceptions:?}");
    assert!(cases.len() >= COMMITTED, "{} cases", cases.len());
}

/// What gangplank makes of a case: nothing, or the code of its refusal.
fn verdict(folder: &Path, case: &Value) -> Result<(), &'static str> {
    let mut path = files(&folder.join("certs"), &case["CertPath"]);
    let lists = files(&folder.join("crls"), &case["CRLPath"]);
    let Ok(lists) = RevocationLists::read(lists.iter().map(Vec::as_slice)) else {
        return Err("revocation-list-malformed");
    };
    let leaf = CertificateDer::from(path.pop().unwrap());
    let mut path = path.into_iter().map(CertificateDer::from);
    let anchor = Anchor::from_certificate("root", path.next().unwrap()).unwrap();
    let intermediates: Vec<CertificateDer<'_>> = path.collect();
    verify_path(
        &leaf,
        &intermediates,
        [&anchor],
        PathProfile::new(Purpose::Any),
        Revocation::Lists(&lists),
        Backend::AWS_LC_RS,
        NOW,
    )
    .map(|_| ())
    .map_err(|error| error.code())
}

fn files(folder: &Path, names: &Value) -> Vec<Vec<u8>> {
    let names = names.as_array().unwrap().iter();
    names
        .map(|name| read(&folder.join(name.as_str().unwrap())))
        .collect()
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn exceptions() -> BTreeMap<String, Value> {
    let list: Value = serde_json::from_str(include_str!("pkits-exceptions.json")).unwrap();
    let entries = list.as_array().unwrap().iter().map(|exception| {
        let name = exception["name"].as_str().unwrap().to_owned();
        deny_unknown_keys(&name, exception, &["name", "suite", "gangplank", "reason"]);
        assert!(exception["reason"].as_str().unwrap().len() > 20, "{name}");
        (name, exception.clone())
    });
    let by_name: BTreeMap<String, Value> = entries.collect();
    assert_eq!(
        by_name.len(),
        list.as_array().unwrap().len(),
        "listed twice"
    );
    by_name
}

/// The folder of a dependency's source, where cargo keeps it.
fn source_of(package: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut packages = metadata["packages"].as_array().unwrap().iter();
    let found = packages.find(|found| found["name"] == package).unwrap();
    let manifest = Path::new(found["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().to_owned()
}

/// 2026-11-22; the suite's certificates last from 2010 to 2030.
const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_795_305_600));

/// The cases of the suite.
const COMMITTED: usize = 249;
