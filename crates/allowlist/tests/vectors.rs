//! `vectors/allowlist`: references, pinned images, lists as text, and command lines. docs/vectors.md says
//! what the members mean.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use gangplank_allowlist::{
    DockerReference, ImageReference, Launch, OptionPolicy, PinnedImage, text,
};
use gangplank_testkit::{count_at_least, deny_unknown_keys};
use serde_json::{Value, json};

#[test]
fn all_cases() {
    let mut kinds = BTreeSet::new();
    for case in count_at_least("allowlist", COMMITTED) {
        case.deny_unknown_keys(&["comment", "spec", "expect", "inputs"]);
        let (name, inputs) = (case.name(), &case.value["inputs"]);
        let file = case.path.file_name().unwrap().to_str().unwrap();
        let (kind, _) = file.split_once('-').unwrap();
        kinds.insert(kind.to_owned());
        let found = match kind {
            "reference" => reference(&name, inputs),
            "pin" => pin(&name, inputs),
            "list" => list(&name, inputs),
            "launch" => launch(&name, inputs),
            other => panic!("{name}: {other}"),
        };
        let found = match found {
            Ok(()) => "accept".to_owned(),
            Err(code) => format!("refuse: {code}"),
        };
        assert_eq!(found, case.value["expect"].as_str().unwrap(), "{name}");
    }
    assert_eq!(kinds.len(), 4);
}

fn reference(name: &str, inputs: &Value) -> Result<(), String> {
    let members = "reference domain path tag digest docker at";
    known(name, inputs, members);
    let text = inputs["reference"].as_str().unwrap();
    let reference = ImageReference::parse(text).map_err(|error| {
        assert_eq!(json!(error.at()), inputs["at"], "{name}");
        error.code()
    })?;
    let digest = reference.digest().map(|digest| digest.to_string());
    let docker = DockerReference::parse(text).ok();
    for (member, found) in [
        ("domain", json!(reference.domain())),
        ("path", json!(reference.path())),
        ("tag", json!(reference.tag())),
        ("digest", json!(digest)),
        ("docker", json!(docker.map(|docker| docker.to_string()))),
    ] {
        assert_eq!(found, inputs[member], "{name} {member}");
    }
    Ok(())
}

fn pin(name: &str, inputs: &Value) -> Result<(), String> {
    known(name, inputs, "image sha256");
    let image = PinnedImage::parse(inputs["image"].as_str().unwrap());
    let image = image.map_err(|error| error.code())?;
    let sha256 = image.digest().to_hex();
    assert_eq!(
        sha256,
        inputs["sha256"].as_str().unwrap().as_bytes(),
        "{name}"
    );
    Ok(())
}

fn list(name: &str, inputs: &Value) -> Result<(), String> {
    known(name, inputs, "list listBase64 digests line");
    let bytes = match inputs["list"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => BASE64_STANDARD
            .decode(inputs["listBase64"].as_str().unwrap())
            .unwrap(),
    };
    let good: BTreeSet<_> = text::lines(&bytes)
        .filter_map(|(_, read)| read.ok())
        .collect();
    let expected = inputs["digests"].as_array().unwrap().iter();
    let expected: BTreeSet<_> = expected
        .map(|digest| digest.as_str().unwrap().as_bytes().to_vec())
        .collect();
    let good: BTreeSet<_> = good.iter().map(|digest| digest.to_hex().to_vec()).collect();
    assert_eq!(good, expected, "{name}");
    let mut faults = text::lines(&bytes).filter_map(|(line, read)| Some((line, read.err()?)));
    match faults.next() {
        None => Ok(()),
        Some((line, fault)) => {
            assert_eq!(json!(line), inputs["line"], "{name}");
            Err(fault.code().to_owned())
        }
    }
}

fn launch(name: &str, inputs: &Value) -> Result<(), String> {
    known(name, inputs, "arguments options imageAt");
    let policy = match inputs["options"].as_str().unwrap() {
        "compat" => OptionPolicy::Compat,
        "strict" => OptionPolicy::Strict,
        other => panic!("{name}: {other}"),
    };
    let arguments = inputs["arguments"].as_array().unwrap().iter();
    let arguments: Vec<&str> = arguments
        .map(|argument| argument.as_str().unwrap())
        .collect();
    let launch = Launch::parse(&arguments, policy).map_err(|fault| fault.code())?;
    assert_eq!(json!(launch.image_at()), inputs["imageAt"], "{name}");
    Ok(())
}

fn known(name: &str, inputs: &Value, members: &str) {
    let members: Vec<&str> = members.split(' ').collect();
    deny_unknown_keys(name, inputs, &members);
}

const COMMITTED: usize = 91;
