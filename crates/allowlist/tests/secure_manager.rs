//! The suite `secure-manager`, as far as it is about lists and images: what the LF Edge Secure Manager
//! does, and where gangplank must not do the same.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;

use gangplank_allowlist::{
    Allowlist, ImageDigest, Launch, OptionPolicy, PermittedLaunch, PinnedImage, text,
};
use gangplank_testkit::deny_unknown_keys;
use serde_json::{Value, json};

mod suite;

use suite::{Outcome, same, text_of};

#[test]
fn all_cases() {
    suite::run_groups(
        "secure-manager",
        "crates/allowlist/tests/secure_manager.rs",
        include_str!("suite/secure-manager-groups.json"),
        include_str!("suite/secure-manager-exceptions.json"),
        &[
            ("check", check),
            ("list-file", list_file),
            ("exec", exec),
            ("race", race),
        ],
    );
}

#[test]
fn every_group_is_accounted_for() {
    let cases = ["race", "rest", "rest"].map(|group| json!({ "group": group }));
    let groups = |said: Value| said.as_array().unwrap().clone();
    let race = json!({ "group": "race", "cases": 1, "test": "here" });
    let rest = |cases| json!({ "group": "rest", "cases": cases, "excepted": "later" });
    let gone = json!({ "group": "token", "cases": 22, "excepted": "later" });
    for (said, faults) in [
        (json!([race, rest(2)]), &[][..]),
        (json!([race]), &["rest: an unknown group"]),
        (json!([race, rest(3)]), &["rest: 2 cases, not 3"]),
        (json!([race, rest(1)]), &["rest: 2 cases, not 1"]),
        (
            json!([race, rest(2), gone]),
            &["token: no such group any more, or named twice"],
        ),
        (
            json!([race, race, rest(2)]),
            &["race: no such group any more, or named twice"],
        ),
    ] {
        assert_eq!(suite::faults(&cases, &groups(said)), faults);
    }
}

fn check(case: &Value) -> Outcome {
    deny_unknown_keys("check", &case["input"], &["list", "image"]);
    let digests = digests(&case["input"]["list"]);
    let listing = digests.as_deref();
    let list = listing
        .as_ref()
        .map_or(Allowlist::EMPTY, |list| Allowlist::new(list));
    let found = match PinnedImage::parse(text_of(&case["input"], "image")) {
        Err(not_pinned) => Err(not_pinned.code()),
        Ok(image) => list
            .permit(image)
            .map(|_| ())
            .map_err(|denied| denied.code()),
    };
    decided(case, found)
}

fn list_file(case: &Value) -> Outcome {
    let (mut entries, mut errors) = (BTreeSet::new(), Vec::new());
    for (line, read) in text::lines(text_of(&case["input"], "text").as_bytes()) {
        match read {
            Ok(digest) => drop(entries.insert(hex(&digest))),
            Err(fault) => errors.push(json!({"line": line, "kind": fault.code()})),
        }
    }
    let expected = case["expect"]["entries"].as_array().unwrap().iter();
    let expected: BTreeSet<String> = expected.map(|e| e.as_str().unwrap().to_owned()).collect();
    same(entries, expected)?;
    same(&json!(errors), &case["expect"]["errors"])
}

fn exec(case: &Value) -> Outcome {
    let input = &case["input"];
    deny_unknown_keys("exec", input, &["list", "type", "cmd", "options"]);
    let digests = digests(&input["list"]).unwrap();
    let policy = match text_of(input, "options") {
        "compat" => OptionPolicy::Compat,
        _ => OptionPolicy::Strict,
    };
    let arguments = strings(&input["cmd"]);
    match start(&arguments, policy, &Allowlist::new(&digests.as_slice())) {
        Ok(permitted) => {
            let image = permitted.permit().image().to_string();
            same(Some(image.as_str()), case["expect"]["image"].as_str())?;
            same(permitted.arguments(), &arguments)?;
            decided(case, Ok(()))
        }
        // The suite names the kind of the service, or what is wrong with the command.
        Err("program") if input["type"] != "container" => decided(case, Err("not-a-container")),
        Err("program") => decided(case, Err("malformed")),
        Err(code) => decided(case, Err(code)),
    }
}

/// Two commands at once: what the first check permitted is a value that the second cannot reach.
fn race(case: &Value) -> Outcome {
    let digests = digests(&case["input"]["list"]).unwrap();
    let listing = digests.as_slice();
    let list = Allowlist::new(&listing);
    let steps = case["input"]["steps"].as_array().unwrap();
    let [first, second] = [&steps[0]["cmd"], &steps[1]["cmd"]].map(strings);
    // Permitted, and its image is being pulled while the other command comes.
    let pulling = start(&first, OptionPolicy::Compat, &list)?;
    let refused = start(&second, OptionPolicy::Compat, &list).map(|_| ());
    same(refused, Err("no-digest"))?;
    let created = [pulling.permit().image().to_string()];
    same(&json!(created), &case["expect"]["created"])?;
    same(pulling.arguments(), first.as_slice())
}

fn start<'a>(
    arguments: &'a [&'a str],
    policy: OptionPolicy,
    list: &Allowlist<'a>,
) -> Result<PermittedLaunch<'a>, &'static str> {
    let launch = Launch::parse_exec_cmd(arguments, policy).map_err(|fault| fault.code())?;
    launch.permit(list).map_err(|denied| denied.code())
}

fn strings(value: &Value) -> Vec<&str> {
    let strings = value.as_array().unwrap().iter();
    strings.map(|string| string.as_str().unwrap()).collect()
}

/// A decision, and the code of a denial where the suite has one. Its words are the crate's.
fn decided(case: &Value, found: Result<(), &str>) -> Outcome {
    let expected = &case["expect"];
    match found {
        Ok(()) => same("allow", text_of(expected, "decision")),
        Err(code) => {
            same("deny", text_of(expected, "decision"))?;
            same(Some(code), expected["reason"].as_str().or(Some(code)))
        }
    }
}

/// The good lines of a list's text, in order.
fn digests(list: &Value) -> Option<Vec<ImageDigest>> {
    let lines = text::lines(list.as_str()?.as_bytes());
    let digests: BTreeSet<_> = lines.filter_map(|(_, read)| read.ok()).collect();
    Some(digests.into_iter().collect())
}

fn hex(digest: &ImageDigest) -> String {
    String::from_utf8(digest.to_hex().to_vec()).unwrap()
}
