//! What a desired state names is held to lists as the other gates take them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Folder, Ran, Server};
use serde_json::{Value, json};

/// A device that is aboard, and a server with a commit for it that names [`IMAGE`]; `None` without git.
fn scene() -> Option<(Folder, Server)> {
    if Command::new("git").arg("--version").output().is_err() {
        println!("desired state not judged: git absent");
        return None;
    }
    let folder = Folder::new();
    folder.device("device", "SN-0001", "p256");
    let server = Server::start(&folder, &[]);
    let device = ["--id", "SN-0001", "--cert", "device.pem"];
    let add = ["device", "add", "--json", "--data", "data"];
    let added = run(&folder, &[&add[..], &device].concat()).exit(0).lines();
    let onboard = ["onboard", server.word("join"), "--key", "device.key"];
    let state = ["--state", "state", "--no-wait"];
    run(&folder, &[&onboard[..], &device, &state].concat()).exit(0);
    push(&folder, &server, added[0]["deviceId"].as_str().unwrap());
    Some((folder, server))
}

fn run(folder: &Folder, arguments: &[&str]) -> Ran {
    folder.run(arguments, b"")
}

/// As an operator does it, with the git of this machine.
fn push(folder: &Folder, server: &Server, device: &str) {
    let work = folder.path("work");
    std::fs::create_dir(&work).unwrap();
    folder.write(
        "work/compose.yaml",
        format!("services:\n  pump:\n    image: {IMAGE}\n"),
    );
    let admin = server
        .word("adminUrl")
        .replace("https://", "https://admin@");
    let url = format!("{admin}/git/{device}.git");
    git(folder, &work, &["init", "--quiet", "--initial-branch=main"]);
    git(folder, &work, &["add", "compose.yaml"]);
    git(
        folder,
        &work,
        &["commit", "--quiet", "--message", "Run the pump"],
    );
    git(folder, &work, &["push", "--quiet", &url, "HEAD:main"]);
}

fn git(folder: &Folder, work: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("GIT_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    let root = format!("http.sslCAInfo={}", folder.path("data/root.pem").display());
    let helper = r#"credential.helper=!f() { test "$1" = get && printf 'password=%s\n' "$(cat "$TOKEN_FILE")"; }; f"#;
    for setting in [
        &root,
        helper,
        "user.name=Operator",
        "user.email=operator@example.org",
    ] {
        command.args(["-c", setting]);
    }
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("TOKEN_FILE", folder.path("data/admin.token"))
        .current_dir(work)
        .args(arguments);
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
}

/// What is said of the image.
fn judged(folder: &Folder, more: &[&str], code: i32) -> Value {
    let arguments = [
        "desired-state",
        "into",
        "--state",
        "state",
        "--json",
        "--allowlist",
        "list",
    ];
    let lines = run(folder, &[&arguments[..], more].concat())
        .exit(code)
        .lines();
    lines.last().unwrap().clone()
}

#[test]
fn a_desired_state_is_held_to_a_list_as_it_was_signed_and_for_its_time() {
    let Some((folder, _server)) = scene() else {
        return;
    };
    let sign = |version: &str, expires: &str, at: &str| {
        let list = ["--list", "list", "--name", "plant-7", "--version", version];
        let signer = [
            "--key",
            "device.key",
            "--id",
            "SN-0001",
            "--expires",
            expires,
        ];
        let sign = ["allow", "sign", "-o", "manifest"];
        run(&folder, &[&sign[..], &list, &signer].concat()).exit(0);
        let verify = [
            "allow",
            "verify",
            "--manifest",
            "manifest",
            "--list",
            "list",
        ];
        let kept = ["--cert", "device.pem", "--state", "kept", "--at", at];
        run(&folder, &[&verify[..], &kept].concat()).exit(0);
    };
    let signed = ["--allowlist-state", "kept"];
    folder.write("list", format!("{}\n", &IMAGE[IMAGE.len() - 64..]));
    judged(&folder, &signed, 2);
    sign("1", "4102444800", "1767225600");
    assert_eq!(judged(&folder, &signed, 0)["verdict"], "permit");
    sign("2", "1767225600", "1767225599");
    assert_eq!(judged(&folder, &signed, 1)["code"], "expired");
    // Put there by hand, or the one before.
    folder.write(
        "list",
        format!("{}\n{}\n", "0".repeat(64), &IMAGE[IMAGE.len() - 64..]),
    );
    assert_eq!(
        judged(&folder, &signed, 1)["step"],
        "desired-state",
        "nothing is judged"
    );
    assert_eq!(judged(&folder, &[], 0)["verdict"], "permit");
}

#[test]
fn a_desired_state_is_held_to_a_list_for_the_tenant_of_the_device() {
    let Some((folder, _server)) = scene() else {
        return;
    };
    let digest = IMAGE.split_once('@').unwrap().1;
    folder.write("empty", "");
    let import = ["allow", "import", "empty", "--list", "list"];
    run(&folder, &import).exit(0);
    let add = [
        "allow", "add", digest, "--list", "list", "--tenant", "plant-7",
    ];
    run(&folder, &add).exit(0);
    for (more, code, said) in [
        (&[][..], 1, json!("other-tenant")),
        (&["--allowlist-tenant", "plant-8"], 1, json!("other-tenant")),
        (&["--allowlist-tenant", "plant-7"], 0, json!(null)),
    ] {
        assert_eq!(judged(&folder, more, code)["code"], said, "{more:?}");
    }
    let alone = ["desired-state", "into", "--state", "state"];
    for more in [
        ["--allowlist-state", "kept"],
        ["--allowlist-tenant", "plant-7"],
    ] {
        run(&folder, &[&alone[..], &more].concat()).exit(2);
    }
}

const IMAGE: &str =
    "acme/pump@sha256:0000000000000000000000000000000000000000000000000000000000000007";
