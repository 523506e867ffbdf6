use gangplank_testkit::temp_dir;

use super::*;
use crate::allowlist::hash_chain::Record;
use crate::allowlist::{ImageDigest, Mode};

const LISTED: [ImageDigest; 1] = [ImageDigest::from_bytes([0xaa; 32])];

fn pinned(digit: &str) -> String {
    format!("a.example/b:c@sha256:{}", digit.repeat(64))
}

/// Gate, verdict, digest, code and list of each line.
fn written(log: &DecisionLog) -> Vec<String> {
    let text = std::fs::read_to_string(log.path()).unwrap_or_default();
    let lines = text.lines().map(|line| {
        let decision: Decision<'_> = Record::parse(line.as_bytes()).unwrap().read().unwrap();
        let digest = decision.digest.map(|digest| digest[..8].to_owned());
        let (verdict, code) = (decision.verdict, decision.code.as_deref().unwrap_or("-"));
        let digest = digest.as_deref().unwrap_or("-");
        format!(
            "{verdict:?} {digest} {code} {:?} {}",
            decision.list, decision.image
        )
    });
    lines.collect()
}

#[test]
fn each_decision_is_written_before_it_is_told() {
    let folder = temp_dir();
    let log = DecisionLog::new(folder.path().join("log"));
    let gate = Gate::new("test", Allowlist::new(&LISTED))
        .logging(&log)
        .list_serial(Some(7));
    let (listed, other) = (pinned("a"), pinned("b"));
    assert_eq!(gate.image(&listed).unwrap().image().to_string(), listed);
    assert_eq!(gate.image(&other).unwrap_err().code(), "not-listed");
    assert_eq!(gate.image("a:b").unwrap_err().code(), "no-digest");
    let audit = Gate {
        list: gate.list.mode(Mode::Audit),
        ..gate
    };
    assert!(audit.image(&other).unwrap().would_be_denied().is_some());
    let expected = [
        format!("Permit sha256:a - Some(7) {listed}"),
        format!("Deny sha256:b not-listed Some(7) {other}"),
        "Deny - no-digest Some(7) a:b".to_owned(),
        format!("Audit sha256:b not-listed Some(7) {other}"),
    ];
    assert_eq!(written(&log), expected);
}

#[test]
fn a_launch_is_written_without_its_secrets() {
    let folder = temp_dir();
    let log = DecisionLog::new(folder.path().join("log"));
    let gate = Gate::new("test", Allowlist::new(&LISTED)).logging(&log);
    let (listed, other) = (pinned("a"), pinned("b"));
    let code = |arguments: &[&str]| match gate.launch(arguments, OptionPolicy::Strict) {
        Ok(launch) => {
            assert_eq!(launch.arguments(), arguments);
            "permit"
        }
        Err(refused) => refused.code(),
    };
    assert_eq!(
        code(&["docker", "run", "-e", "KEY=hunter2", &listed, "hunter2"]),
        "permit"
    );
    assert_eq!(
        code(&["docker", "run", "-e", "KEY=hunter2", &other]),
        "not-listed"
    );
    assert_eq!(code(&["docker", "run", "a:b", "hunter2"]), "no-digest");
    assert_eq!(
        code(&["docker", "run", "--privileged", &listed]),
        "run-option"
    );
    assert_eq!(code(&["docker", "run", "--hunter2"]), "unknown-option");
    let expected = [
        format!("Permit sha256:a - None {listed}"),
        format!("Deny sha256:b not-listed None {other}"),
        "Deny - no-digest None a:b".to_owned(),
        "Deny - run-option None ".to_owned(),
        "Deny - unknown-option None ".to_owned(),
    ];
    assert_eq!(written(&log), expected);
    assert!(
        !std::fs::read_to_string(log.path())
            .unwrap()
            .contains("hunter2")
    );
}

#[test]
fn without_its_log_a_gate_is_shut() {
    let folder = temp_dir();
    let log = DecisionLog::new(folder.path());
    let listed = pinned("a");
    let list = Allowlist::new(&LISTED);
    for gate in [
        Gate::new("test", list),
        Gate::new("test", list.mode(Mode::Audit)),
    ] {
        assert!(gate.image(&listed).is_ok());
        let gate = gate.logging(&log);
        assert_eq!(gate.image(&listed).unwrap_err().code(), "not-logged");
        let arguments = ["docker", "run", &listed];
        let launch = gate.launch(&arguments, OptionPolicy::Compat);
        assert_eq!(launch.unwrap_err().code(), "not-logged");
    }
}
