//! Help, exit codes and what the server prints.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::{Folder, Server};

#[test]
fn every_verb_has_help() {
    let folder = Folder::new();
    let help = folder.run(&["--help"], b"").exit(0).stdout();
    for verb in [
        "demo",
        "serve",
        "device",
        "key",
        "cert",
        "onboard",
        "status",
        "reset",
        "report",
        "desired-state",
        "envelope",
        "message",
        "git-credential",
        "allow",
    ] {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb} in {help}");
        folder.run(&[verb, "--help"], b"").exit(0);
    }
    for verb in [
        "add", "list", "show", "approve", "reject", "disable", "enable", "remove",
    ] {
        folder.run(&["device", verb, "--help"], b"").exit(0);
    }
    assert!(
        folder
            .run(&["--version"], b"")
            .exit(0)
            .stdout()
            .starts_with("gangplank ")
    );
}

#[test]
fn wrong_usage_is_2() {
    let folder = Folder::new();
    for wrong in [
        &[][..],
        &["fly"],
        &["serve"],
        &["serve", "--data", "d", "--listen", "nowhere"],
        &["serve", "--data", "d", "--listen-plain", "127.0.0.1:0"],
        &["serve", "--data", "d", "--public-url", "http://wfm.example"],
        &["device", "list", "--state", "lost"],
        &["onboard", "--no-wait", "--timeout", "1"],
        &[
            "report",
            "deployment",
            "a3e2f5dc-912e-494f-8395-52cf3769bc06",
            "done",
            "--state",
            "s",
        ],
    ] {
        assert_eq!(folder.run(wrong, b"").exit(2).stdout(), "", "{wrong:?}");
    }
    assert!(!folder.path("d").exists());
}

#[test]
fn a_server_says_where_it_is() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--public-url", "https://WFM.example/margo/"]);
    assert_eq!(server.word("publicUrl"), "https://wfm.example/margo");
    assert!(
        server
            .word("join")
            .starts_with("gangplank://wfm.example/margo?ca=sha256:")
    );
    assert_eq!(
        folder.read("data/join"),
        format!("{}\n", server.word("join")).as_bytes()
    );
    // A second server on the same folder or port is refused in one sentence.
    let listen = server.word("listen").to_owned();
    let second = [
        "serve",
        "--data",
        "other",
        "--listen",
        &listen,
        "--admin-listen",
        "127.0.0.1:0",
    ];
    let second = folder.run(&second, b"").exit(2);
    assert!(
        second
            .complaint()
            .lines()
            .last()
            .unwrap()
            .starts_with("gangplank: ")
    );
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_server_shows_a_code_to_scan() {
    use std::io::{BufRead as _, BufReader};
    let folder = Folder::new();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_gangplank"))
        .args(["serve", "--data", "data", "--qr", "always"])
        .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .current_dir(folder.path(""))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let join = lines
        .find(|line| line.starts_with("devices join with"))
        .unwrap();
    assert!(join.contains("gangplank://localhost:"), "{join}");
    let code = lines.next().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(code.chars().count() > 30 && code.contains('█'), "{code}");
}
