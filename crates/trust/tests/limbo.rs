//! C2SP x509-limbo: every case that applies to a validator of device certificate paths, by one
//! profile. Peer names are not its business, so the suite's are not looked at.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use gangplank_key::{Backend, UnixTime};
use gangplank_testkit::{deny_unknown_keys, suite};
use gangplank_trust::{Anchor, PathProfile, Purpose, Revocation, RevocationLists, verify_path};
use lzma_rust2::XzReader;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use serde_json::Value;

#[test]
fn every_applicable_case_is_judged_as_limbo_does() {
    let Some(folder) = suite("x509-limbo") else {
        return;
    };
    let applicability = unpack(&folder.join("device-applicability.json.xz"));
    let suite = unpack(&folder.join("limbo.json.xz"));
    let mut exceptions = exceptions();
    let excepted = exceptions.len();
    let (mut run, mut diverging, mut slowest) = (0, Vec::new(), (Duration::ZERO, ""));
    for case in suite["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if applicability[id]["applies"] != true {
            continue;
        }
        run += 1;
        let (found, took) = timed(|| verdict(case));
        slowest = slowest.max((took, id));
        let agreed = found.is_ok() == (case["expected_result"] == "SUCCESS");
        match exceptions.remove(id) {
            Some(exception) => {
                assert!(!agreed, "{id}: the exception no longer applies");
                assert_eq!(exception["suite"], case["expected_result"], "{id}");
                let found = found.err().unwrap_or("accepted");
                assert_eq!(exception["gangplank"], found, "{id}");
            }
            None if agreed => {}
            None => diverging.push(format!("{id}: {}, {found:?}", case["expected_result"])),
        }
    }
    let passed = run - excepted - diverging.len();
    println!("x509-limbo: {run} run, {passed} passed, {excepted} excepted");
    println!("slowest: {:?}, {}", slowest.0, slowest.1);
    assert!(diverging.is_empty(), "{}", diverging.join("\n"));
    assert!(exceptions.is_empty(), "not in the suite: {exceptions:?}");
    assert!(run >= COMMITTED, "{run} cases");
}

/// The least of five times where one is long, since the machine may have done something else
/// meanwhile. For `docs/performance.md`: a test cannot judge it.
fn timed<T>(operation: impl Fn() -> T) -> (T, Duration) {
    let once = || {
        let begun = Instant::now();
        (operation(), begun.elapsed())
    };
    let (found, mut took) = once();
    for _ in 0..4 {
        if took > LONG {
            took = took.min(once().1);
        }
    }
    (found, took)
}

/// What the crate makes of a case: nothing, or the code of its refusal.
fn verdict(case: &Value) -> Result<(), &'static str> {
    // An anchor that is refused when it is configured is as good as absent.
    let anchors: Vec<Anchor> = certificates(&case["trusted_certs"])
        .into_iter()
        .filter_map(|certificate| Anchor::from_certificate("a", certificate).ok())
        .collect();
    let leaf = certificate(&case["peer_certificate"]);
    let intermediates = certificates(&case["untrusted_intermediates"]);
    let lists = revocation_lists(&case["crls"])?;
    let revocation = match &lists {
        Some(lists) => Revocation::Lists(lists),
        None => Revocation::NotChecked,
    };
    verify_path(
        &leaf,
        &intermediates,
        &anchors,
        profile(case),
        revocation,
        Backend::AWS_LC_RS,
        time(&case["validation_time"]),
    )
    .map(|_| ())
    .map_err(|error| error.code())
}

/// The purpose and the depth are what a caller of the profile chooses; nothing else is.
fn profile(case: &Value) -> PathProfile {
    let purposes: Vec<&str> = case["extended_key_usage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|purpose| purpose.as_str().unwrap())
        .collect();
    let mut profile = PathProfile::new(match purposes.as_slice() {
        // The suite's own default for the validation of servers.
        [] | ["serverAuth"] => Purpose::Server,
        ["clientAuth"] => Purpose::Client,
        other => panic!("purposes {other:?}"),
    });
    if let Some(depth) = case["max_chain_depth"].as_u64() {
        profile.max_intermediates = usize::try_from(depth).unwrap();
    }
    profile
}

fn exceptions() -> BTreeMap<String, Value> {
    let list: Value = serde_json::from_str(include_str!("limbo-exceptions.json")).unwrap();
    let entries = list.as_array().unwrap().iter().map(|exception| {
        let id = exception["id"].as_str().unwrap().to_owned();
        deny_unknown_keys(&id, exception, &["id", "suite", "gangplank", "reason"]);
        assert!(exception["reason"].as_str().unwrap().len() > 20, "{id}");
        (id, exception.clone())
    });
    let by_id: BTreeMap<String, Value> = entries.collect();
    assert_eq!(by_id.len(), list.as_array().unwrap().len(), "listed twice");
    by_id
}

/// Nothing, if the case has none.
fn revocation_lists(pems: &Value) -> Result<Option<RevocationLists>, &'static str> {
    let pems = pems.as_array().unwrap().iter();
    let lists: Vec<CertificateRevocationListDer<'_>> = pems
        .map(|pem| {
            let pem = pem.as_str().unwrap().as_bytes();
            CertificateRevocationListDer::from_pem_slice(pem).unwrap()
        })
        .collect();
    if lists.is_empty() {
        return Ok(None);
    }
    let lists = RevocationLists::read(lists.iter().map(AsRef::as_ref));
    lists.map(Some).map_err(|_| "revocation-list-malformed")
}

fn certificates(list: &Value) -> Vec<CertificateDer<'static>> {
    list.as_array().unwrap().iter().map(certificate).collect()
}

fn certificate(pem: &Value) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_str().unwrap().as_bytes()).unwrap()
}

/// A time with a fraction is floored, as certificates count whole seconds. A case without one is
/// about certificates that outlive everybody, and means now (limbo-schema.json).
fn time(text: &Value) -> UnixTime {
    let Some(text) = text.as_str() else {
        return UnixTime::now();
    };
    let time: jiff::Timestamp = text.parse().unwrap();
    UnixTime::since_unix_epoch(Duration::from_secs(time.as_second().try_into().unwrap()))
}

fn unpack(path: &Path) -> Value {
    let mut text = Vec::new();
    XzReader::new(File::open(path).unwrap(), false)
        .read_to_end(&mut text)
        .unwrap();
    serde_json::from_slice(&text).unwrap()
}

const LONG: Duration = Duration::from_millis(5);

/// The cases that apply.
const COMMITTED: usize = 6_877;
