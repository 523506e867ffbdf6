//! The messages, components and digests in the text of RFC 9421 and RFC 9530.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;
use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gangplank_key::{Algorithm, Backend, PublicKey};
use gangplank_message::content_digest::{ClaimedDigests, DigestField, field_value};
use gangplank_message::{
    Component, Expect, ExpectedTag, Field, Freshness, Limits, Message, SignatureBase,
    SignatureParams, Signatures,
};
use gangplank_testkit::suite;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

mod text;
use text::Text;

#[test]
fn signed_messages() {
    let Some(document) = document("rfc9421-vectors.json") else {
        return;
    };
    let request = document["messages"]["test_request"].as_str().unwrap();
    let response = document["messages"]["test_response"].as_str().unwrap();
    let mut run = Run::new("rfc9421 signed messages", 21);
    for vector in document["vectors"].as_array().unwrap() {
        let label = vector["label"].as_str().unwrap();
        // An appendix shows only the two fields that are added to one of the test messages.
        let shown = vector["message"].as_str().unwrap();
        let whole = match shown.starts_with("Signature-Input") {
            true if label == "sig-b24" => added(response, shown),
            true => added(request, shown),
            false => shown.to_owned(),
        };
        let name = format!("{label}: {}", vector["section"].as_str().unwrap());
        run.count(&name, || check(&document, vector, label, &whole, request));
    }
    run.finish();
}

fn check(
    document: &Value,
    vector: &Value,
    label: &str,
    text: &str,
    request: &str,
) -> Result<(), String> {
    let text = Text::parse(text);
    let request = Text::parse(request);
    let request = request.request("https");
    text.with_message("https", &request, |message| {
        let limits = Limits::DEFAULT;
        let fields = text.fields();
        let signatures = Signatures::read(&fields, &limits).map_err(|e| e.to_string())?;
        let claimed = signatures.claimed(label).map_err(|e| e.to_string())?;
        assert_eq!(
            claimed.claimed_params().to_string(),
            vector["signature_input"].as_str().unwrap()
        );
        let base = claimed.base(message, &limits).map_err(|e| e.to_string())?;
        if base.as_str() != vector["base"].as_str().unwrap() {
            return Err(format!("another base: {}", base.as_str()));
        }
        let verified = if vector["alg"] == "hmac-sha256" {
            let secret = &document["keys"]["test-shared-secret"]["secret_base64"];
            let secret = BASE64_STANDARD.decode(secret.as_str().unwrap()).unwrap();
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
            mac.update(base.as_bytes());
            mac.verify_slice(claimed.claimed_value()).is_ok()
        } else {
            [Backend::PURE_RUST, Backend::AWS_LC_RS]
                .iter()
                .all(|backend| {
                    let key = key(document, vector, *backend);
                    let expect = Expect {
                        covered: &[],
                        freshness: Freshness::NotRequired,
                        tag: ExpectedTag::NotCompared,
                    };
                    signatures
                        .verify(message, label, &key, &expect, &limits)
                        .is_ok()
                })
        };
        match (verified, vector["check"].as_str().unwrap()) {
            (true, "verifies") | (false, "FAILS InvalidSignature") => Ok(()),
            (found, said) => Err(format!("verified: {found}, the suite: {said}")),
        }
    })
}

fn key(document: &Value, vector: &Value, backend: Backend) -> PublicKey {
    let pem = &document["keys"][vector["keyid"].as_str().unwrap()]["pem"];
    let pem = pem.as_str().unwrap();
    let body = |label: &str| {
        let rest = pem.split_once(&format!("-----BEGIN {label}-----"))?.1;
        let body = rest.split_once("-----END")?.0.replace('\n', "");
        BASE64_STANDARD.decode(body).ok()
    };
    let spki = body("PUBLIC KEY").unwrap_or_else(|| {
        // RFC 8017 §A.1.1 in the SubjectPublicKeyInfo of RFC 3279 §2.3.1; 2048 bits only.
        let key = body("RSA PUBLIC KEY").unwrap();
        let mut spki = vec![
            0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
        ];
        spki.extend([
            0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0,
        ]);
        spki.extend(key);
        spki
    });
    let key = PublicKey::from_spki(&spki, backend).unwrap();
    match vector["alg"].as_str().unwrap() {
        "rsa-pss-sha512" => key.using(Algorithm::RsaPssSha512).unwrap(),
        name => {
            assert_eq!(key.algorithm().name(), name);
            key
        }
    }
}

#[test]
fn components() {
    let Some(examples) = document("component-examples.json") else {
        return;
    };
    let vectors = document("rfc9421-vectors.json").unwrap();
    let request = Text::parse(vectors["messages"]["test_request"].as_str().unwrap());
    let request = request.request("https");
    let mut run = Run::new("rfc9421 components", 13);
    for (at, example) in examples.as_array().unwrap().iter().enumerate() {
        let name = format!("{at}: {}", example["section"].as_str().unwrap());
        run.count(&name, || {
            let text = Text::parse(example["message"].as_str().unwrap());
            let lines = example["lines"].as_str().unwrap().replace(":(SP)", ": ");
            text.with_message("https", &request, |message| written(message, &lines))
        });
    }
    run.finish();
}

/// Builds a base of the components that the lines name, and compares it with them.
fn written(message: Message<'_>, lines: &str) -> Result<(), String> {
    let wanted: Vec<&str> = lines
        .lines()
        .filter(|line| !line.starts_with("\"@signature-"))
        .collect();
    let components = wanted
        .iter()
        .map(|line| Component::parse(line.split_once(": ").unwrap().0))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    let params = SignatureParams::new(components).map_err(|error| error.to_string())?;
    let base = SignatureBase::build(message, &params, &Limits::DEFAULT)
        .map_err(|error| error.to_string())?;
    let found: Vec<&str> = base.as_str().lines().collect();
    match found[..found.len() - 1] == wanted {
        true => Ok(()),
        false => Err(format!("{found:#?} is not {wanted:#?}")),
    }
}

#[test]
fn digests() {
    let Some(examples) = document("rfc9530-examples.json") else {
        return;
    };
    let mut run = Run::new("rfc9530 digests", 30);
    for (at, example) in examples.as_array().unwrap().iter().enumerate() {
        let name = format!("{at}: {}", example["section"].as_str().unwrap());
        run.count(&name, || digest(example));
    }
    run.finish();
}

fn digest(example: &Value) -> Result<(), String> {
    let text = Text::parse(example["message"].as_str().unwrap());
    let field = match example["field"].as_str().unwrap() {
        "Content-Digest" => DigestField::ContentDigest,
        "Repr-Digest" => DigestField::ReprDigest,
        other => panic!("{other}"),
    };
    let fields = text.fields();
    let read = |fields: &[Field<'_>]| {
        ClaimedDigests::read(fields, field, &Limits::DEFAULT)
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "no field".to_owned())
    };
    read(&fields)?;
    let Some(bytes) = example["bytes"].as_str() else {
        return Ok(());
    };
    let algorithm = example["alg"].as_str().unwrap();
    let algorithm =
        gangplank_message::content_digest::DigestAlgorithm::from_name(algorithm).unwrap();
    let made = field_value(algorithm, bytes.as_bytes(), Backend::PURE_RUST);
    assert_eq!(
        made,
        format!(
            "{}=:{}:",
            algorithm.name(),
            example["digest"].as_str().unwrap()
        )
    );
    // In two examples another digest stands beside it, of other content.
    read(&[(field.name(), made.as_bytes())])?
        .check(bytes.as_bytes(), Backend::AWS_LC_RS)
        .map_err(|error| error.to_string())
}

/// Counts what passes, and holds every failure against `exceptions.json`.
struct Run {
    suite: &'static str,
    least: usize,
    exceptions: Vec<(String, String)>,
    passed: usize,
    excepted: BTreeSet<String>,
    failed: Vec<String>,
}

impl Run {
    fn new(suite: &'static str, least: usize) -> Self {
        let exceptions: Value =
            serde_json::from_str(include_str!("exceptions.json")).expect("exceptions.json");
        let exceptions = exceptions.as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            suite,
            least,
            exceptions: exceptions
                .filter(|exception| exception["suite"] == suite)
                .map(|exception| (text(&exception["case"]), text(&exception["gangplank"])))
                .collect(),
            passed: 0,
            excepted: BTreeSet::new(),
            failed: Vec::new(),
        }
    }

    fn count(&mut self, name: &str, check: impl FnOnce() -> Result<(), String>) {
        let exception = self.exceptions.iter().find(|(case, _)| case == name);
        match (check(), exception) {
            (Ok(()), None) => self.passed += 1,
            (Err(reason), Some((_, known))) if reason.starts_with(known) => {
                self.excepted.insert(name.to_owned());
            }
            (Ok(()), Some(_)) => self.failed.push(format!("{name} needs no exception")),
            (Err(reason), _) => self.failed.push(format!("{name}: {reason}")),
        }
    }

    fn finish(self) {
        assert!(self.failed.is_empty(), "{}: {:#?}", self.suite, self.failed);
        let run = self.passed + self.excepted.len();
        println!(
            "{}: {run} run, {} passed, {} excepted",
            self.suite,
            self.passed,
            self.excepted.len()
        );
        assert!(run >= self.least, "{}: only {run} run", self.suite);
        assert_eq!(self.excepted.len(), self.exceptions.len());
    }
}

fn document(name: &str) -> Option<Value> {
    let text = fs::read(suite("rfc9421")?.join(name)).unwrap();
    Some(serde_json::from_slice(&text).unwrap())
}

/// Puts more fields into the head of a message.
fn added(message: &str, fields: &str) -> String {
    let (head, body) = message.split_once("\n\n").unwrap();
    format!("{head}\n{fields}\n\n{body}")
}
