//! What the tests of the suites share: reading, counting, and exceptions as data.

// Each test uses a part of it.
#![allow(dead_code)]

use gangplank_testkit::{deny_unknown_keys, suite};
use serde_json::Value;

/// What is wrong with a case.
pub(crate) type Outcome = Result<(), String>;

/// A group of cases and who judges it.
pub(crate) type Runner = (&'static str, fn(&Value) -> Outcome);

/// Runs every case of a suite that has at least `committed`; prints nothing but a line if it is absent.
/// Groups `elsewhere` are only counted: each with the test that runs it.
pub(crate) fn run(
    name: &str,
    committed: usize,
    exceptions: &str,
    runners: &[Runner],
    elsewhere: &[(&str, &str)],
) {
    let Some(folder) = suite(name) else { return };
    let text = std::fs::read_to_string(folder.join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() >= committed, "{} cases", cases.len());
    let mut exceptions = read_exceptions(exceptions);
    let (mut run, mut left, mut excepted) = (0, 0, 0);
    let mut failures = Vec::new();
    for case in &cases {
        let members = ["id", "group", "input", "expect", "note", "source"];
        deny_unknown_keys(text_of(case, "id"), case, &members);
        let group = text_of(case, "group");
        if elsewhere.iter().any(|(other, _)| *other == group) {
            left += 1;
            continue;
        }
        let runner = runners.iter().find(|(of, _)| *of == group);
        let (_, judge) = runner.unwrap_or_else(|| panic!("no runner for group {group}"));
        run += 1;
        let exception = exceptions.iter().position(|e| e["id"] == case["id"]);
        match (judge(case), exception) {
            // An exception that is no longer needed stays in the list.
            (Ok(()), _) => {}
            (Err(what), None) => failures.push(format!("{}: {what}", case["id"])),
            (Err(_), Some(at)) => {
                exceptions.remove(at);
                excepted += 1;
            }
        }
    }
    let passed = run - excepted - failures.len();
    print!("{name}: {run} run, {passed} passed, {excepted} excepted");
    match elsewhere {
        [] => println!(),
        _ => println!(", {left} left to other tests: {elsewhere:?}"),
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(exceptions.is_empty(), "no longer needed: {exceptions:#?}");
}

fn read_exceptions(text: &str) -> Vec<Value> {
    let exceptions: Vec<Value> = serde_json::from_str(text).unwrap();
    for exception in &exceptions {
        let members = ["id", "says", "gangplank", "why"];
        deny_unknown_keys("exceptions.json", exception, &members);
        assert!(members.iter().all(|member| exception[member].is_string()));
    }
    exceptions
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    Err(format!("{found:?} instead of {expected:?}"))
}

pub(crate) fn text_of<'c>(case: &'c Value, member: &str) -> &'c str {
    case[member].as_str().unwrap()
}
