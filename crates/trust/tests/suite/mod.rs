//! What the tests of the suite `hono` share: reading, counting, and exceptions as data.

// Each test uses a part of it.
#![allow(dead_code)]

use gangplank_testkit::{deny_unknown_keys, suite};
use serde_json::Value;

/// What is wrong with a case.
pub(crate) type Outcome = Result<(), String>;

pub(crate) struct Vectors(pub(crate) Value);

impl Vectors {
    pub(crate) fn read(file: &str) -> Option<Self> {
        let text = std::fs::read_to_string(suite("hono")?.join(file)).unwrap();
        Some(Self(serde_json::from_str(&text).unwrap()))
    }
}

/// Cases by what became of them; those in the file of exceptions are expected to fail.
pub(crate) struct Run {
    name: &'static str,
    exceptions: Vec<Value>,
    run: usize,
    excepted: usize,
    failures: Vec<String>,
}

impl Run {
    pub(crate) fn new(name: &'static str) -> Self {
        let exceptions: Value =
            serde_json::from_str(include_str!("../hono-exceptions.json")).unwrap();
        let exceptions = exceptions.as_array().unwrap().iter();
        for exception in exceptions.clone() {
            let members = ["suite", "id", "says", "gangplank", "why"];
            deny_unknown_keys("hono-exceptions.json", exception, &members);
            assert!(members.iter().all(|member| exception[member].is_string()));
        }
        let of_this = exceptions.filter(|exception| exception["suite"] == name);
        Self {
            name,
            exceptions: of_this.cloned().collect(),
            run: 0,
            excepted: 0,
            failures: Vec::new(),
        }
    }

    pub(crate) fn every(
        &mut self,
        vectors: &Vectors,
        kind: &str,
        committed: usize,
        judge: fn(&Value) -> Outcome,
    ) {
        let cases = vectors.0[kind].as_array().unwrap();
        self.each(cases.iter().collect(), kind, committed, judge);
    }

    /// Every case of one kind in `cases.json`.
    pub(crate) fn kind(
        &mut self,
        vectors: &Vectors,
        kind: &str,
        committed: usize,
        judge: fn(&Value) -> Outcome,
    ) {
        let cases = vectors.0["cases"].as_array().unwrap().iter();
        let of_kind = cases.filter(|case| case["kind"] == kind);
        self.each(of_kind.collect(), kind, committed, judge);
    }

    fn each(
        &mut self,
        cases: Vec<&Value>,
        kind: &str,
        committed: usize,
        judge: fn(&Value) -> Outcome,
    ) {
        assert!(cases.len() >= committed, "{kind}: {} cases", cases.len());
        for case in cases {
            self.run += 1;
            let exception = self
                .exceptions
                .iter()
                .position(|exception| exception["id"] == case["id"]);
            match (judge(case), exception) {
                (Ok(()), None) => {}
                (Err(what), None) => self.failures.push(format!("{}: {what}", case["id"])),
                (Err(_), Some(at)) => {
                    self.exceptions.remove(at);
                    self.excepted += 1;
                }
                // It stays in the list, where it is found to be unneeded.
                (Ok(()), Some(_)) => {}
            }
        }
    }

    pub(crate) fn finish(self) {
        let (run, excepted) = (self.run, self.excepted);
        let passed = run - excepted - self.failures.len();
        println!(
            "hono {}: {run} run, {passed} passed, {excepted} excepted",
            self.name
        );
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
        let unneeded = self.exceptions;
        assert!(unneeded.is_empty(), "no longer needed: {unneeded:#?}");
    }
}

pub(crate) fn known_members(case: &Value, allowed: &str) -> Outcome {
    let allowed: Vec<&str> = allowed.split(' ').collect();
    let mut members = case.as_object().unwrap().keys();
    match members.find(|member| !allowed.contains(&member.as_str())) {
        Some(member) => Err(format!("unknown member {member}")),
        None => Ok(()),
    }
}

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Outcome {
    if found == expected {
        return Ok(());
    }
    Err(format!("{found:?} instead of {expected:?}"))
}

pub(crate) fn text<'c>(case: &'c Value, member: &str) -> &'c str {
    case[member].as_str().unwrap()
}

pub(crate) fn flag(case: &Value, member: &str) -> bool {
    case[member].as_bool().unwrap()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let octets = hex.as_bytes().chunks_exact(2);
    octets
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
