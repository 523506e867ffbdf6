//! What the tests of the suites share: reading, counting, and exceptions as data.

// Each test uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;

use gangplank_testkit::{deny_unknown_keys, suite, workspace_root};
use serde_json::Value;

/// What is wrong with a case.
pub(crate) type Outcome = Result<(), String>;

/// A group of cases and who judges it.
pub(crate) type Runner = (&'static str, fn(&Value) -> Outcome);

/// Runs every case of a suite that has at least `committed`; prints nothing but a line if it is absent.
pub(crate) fn run(name: &str, committed: usize, exceptions: &str, runners: &[Runner]) {
    let Some(cases) = read(name) else { return };
    assert!(cases.len() >= committed, "{} cases", cases.len());
    let judged = Judged::of(cases.iter(), exceptions, runners);
    println!("{name}: {} run, {}", judged.run, judged.counts());
    judged.assert();
}

/// Runs the groups of a suite that are those of the test `here`, and accounts for all others: `groups` says
/// of each how many cases it has, and which test runs it or why none does.
pub(crate) fn run_groups(
    name: &str,
    here: &str,
    groups: &str,
    exceptions: &str,
    runners: &[Runner],
) {
    let groups = read_groups(groups);
    let Some(cases) = read(name) else { return };
    let faults = faults(&cases, &groups);
    assert!(faults.is_empty(), "{faults:#?}");
    let is_here = |case: &&Value| {
        let group = groups.iter().find(|group| group["group"] == case["group"]);
        group.unwrap()["test"] == here
    };
    let judged = Judged::of(cases.iter().filter(is_here), exceptions, runners);
    let excepted = groups.iter().filter(|group| group["test"].is_null());
    let (mut without, mut listed) = (0, Vec::new());
    for group in excepted {
        without += count(group);
        listed.push(format!("{} {}", text_of(group, "group"), count(group)));
    }
    println!(
        "{name}: {} cases, {} run here ({}), {} in other crates, {without} excepted ({})",
        cases.len(),
        judged.run,
        judged.counts(),
        cases.len() - judged.run - without,
        listed.join(", ")
    );
    judged.assert();
}

/// Where cases and what is said of their groups differ.
pub(crate) fn faults(cases: &[Value], groups: &[Value]) -> Vec<String> {
    let mut found = BTreeMap::new();
    for case in cases {
        *found.entry(text_of(case, "group")).or_insert(0) += 1;
    }
    let mut faults = Vec::new();
    for group in groups {
        let (name, said) = (text_of(group, "group"), count(group));
        match found.remove(name) {
            Some(cases) if cases == said => {}
            Some(cases) => faults.push(format!("{name}: {cases} cases, not {said}")),
            None => faults.push(format!("{name}: no such group any more, or named twice")),
        }
    }
    faults.extend(found.keys().map(|name| format!("{name}: an unknown group")));
    faults
}

/// What became of cases.
struct Judged {
    run: usize,
    excepted: usize,
    failures: Vec<String>,
    /// Exceptions that no case needed.
    left: Vec<Value>,
}

impl Judged {
    fn of<'c>(cases: impl Iterator<Item = &'c Value>, exceptions: &str, of: &[Runner]) -> Self {
        let mut judged = Self {
            run: 0,
            excepted: 0,
            failures: Vec::new(),
            left: read_exceptions(exceptions),
        };
        for case in cases {
            judged.judge(case, of);
        }
        judged
    }

    fn judge(&mut self, case: &Value, runners: &[Runner]) {
        let group = text_of(case, "group");
        let runner = runners.iter().find(|(of, _)| *of == group);
        let (_, judge) = runner.unwrap_or_else(|| panic!("no runner for group {group}"));
        self.run += 1;
        let exception = self.left.iter().position(|e| e["id"] == case["id"]);
        match (judge(case), exception) {
            // An exception that is no longer needed stays in the list.
            (Ok(()), _) => {}
            (Err(what), None) => self.failures.push(format!("{}: {what}", case["id"])),
            (Err(_), Some(at)) => {
                self.left.remove(at);
                self.excepted += 1;
            }
        }
    }

    fn counts(&self) -> String {
        let passed = self.run - self.excepted - self.failures.len();
        format!("{passed} passed, {} excepted", self.excepted)
    }

    fn assert(&self) {
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
        assert!(self.left.is_empty(), "no longer needed: {:#?}", self.left);
    }
}

/// `None` where the suite is absent, which a line says.
fn read(name: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(suite(name)?.join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    for case in &cases {
        let members = ["id", "group", "input", "expect", "note", "source"];
        deny_unknown_keys(text_of(case, "id"), case, &members);
    }
    Some(cases)
}

/// Each has the test that runs it, which has to be there, or the reason why none does.
fn read_groups(text: &str) -> Vec<Value> {
    let groups: Vec<Value> = serde_json::from_str(text).unwrap();
    for group in &groups {
        let name = text_of(group, "group");
        deny_unknown_keys(name, group, &["group", "cases", "test", "excepted"]);
        match (group["test"].as_str(), group["excepted"].as_str()) {
            (Some(test), None) => {
                let test = std::fs::read_to_string(workspace_root().join(test)).unwrap();
                assert!(test.contains(&format!("\"{name}\"")), "{name} is not there");
            }
            (None, Some(reason)) => assert!(!reason.is_empty(), "{name}"),
            _ => panic!("{name}: either run or excepted"),
        }
    }
    groups
}

fn count(group: &Value) -> usize {
    group["cases"].as_u64().unwrap().try_into().unwrap()
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
