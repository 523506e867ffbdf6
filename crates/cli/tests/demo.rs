//! The demo, end to end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::Folder;

#[test]
fn every_step_is_as_it_should_be_and_nothing_secret_is_shown() {
    let folder = Folder::new();
    let ran = folder
        .run(&["demo", "--json", "--keep", "kept"], b"")
        .exit(0);
    for secret in ["gpcs_", "gpat_", "gpgt_", "PRIVATE KEY"] {
        assert!(!ran.stdout().contains(secret), "{secret}");
    }
    let token = std::fs::read_to_string(folder.path("kept/server/admin.token")).unwrap();
    assert!(!ran.stdout().contains(token.trim()));
    let lines = ran.lines();
    for line in &lines {
        assert_eq!(line["ok"], true, "{line}");
        assert!(line["title"].is_string() && line["millis"].is_number() && line["wire"].is_array());
    }
    let steps: Vec<_> = lines
        .iter()
        .map(|line| line["step"].as_str().unwrap())
        .collect();
    for step in [
        "onboard",
        "push",
        "desired-state",
        "attack-tamper",
        "attack-replay",
        "attack-other-certificate",
        "attack-other-token",
        "attack-rewrite",
        "message-signature",
        "attack-message",
        "auto-provisioning",
        "attack-uninvited",
        "renewal",
        "attack-revoked",
    ] {
        assert!(steps.contains(&step), "{step} in {steps:?}");
    }
    let statuses = |step: &str| -> Vec<_> {
        let line = lines.iter().find(|line| line["step"] == step).unwrap();
        line["wire"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|exchange| exchange["status"].as_u64())
            .collect()
    };
    assert_eq!(statuses("attack-tamper"), [401, 401]);
    assert_eq!(statuses("attack-replay"), [200, 401]);
    assert_eq!(statuses("message-signature").last(), Some(&201));
    assert_eq!(statuses("attack-message"), [401, 400, 401, 201, 401]);
    assert_eq!(statuses("attack-uninvited").last(), Some(&403));
    assert!(statuses("auto-provisioning").contains(&201));
    assert!(statuses("renewal").contains(&200));
    assert_eq!(
        statuses("attack-revoked")
            .iter()
            .filter(|one| **one == 403)
            .count(),
        1
    );
    assert!(lines.len() >= 25, "{} steps", lines.len());
}

#[test]
fn it_leaves_nothing_and_disturbs_nothing() {
    let folder = Folder::new();
    folder.write("occupied", "");
    folder.run(&["demo", "--keep", "."], b"").exit(2).silent();
    let temporary = folder.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let ran = folder
        .run_with(&["demo"], b"", &[("TMPDIR", &temporary)])
        .exit(0);
    assert!(
        ran.stdout().contains("every attack refused"),
        "{}",
        ran.stdout()
    );
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}
