//! The operator's and the device's verbs against a server in its own process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Folder, Ran, Server};
use serde_json::Value;

/// A server, and a device with a key.
fn scene(more: &[&str]) -> (Folder, Server) {
    let folder = Folder::new();
    folder.device("device", "SN-0001", "p256");
    let server = Server::start(&folder, more);
    (folder, server)
}

fn admin(folder: &Folder, arguments: &[&str]) -> Ran {
    folder.run(
        &[&["device"][..], arguments, &["--data", "data"]].concat(),
        b"",
    )
}

fn add(folder: &Folder) -> Value {
    let ran = admin(
        folder,
        &["add", "--json", "--id", "SN-0001", "--cert", "device.pem"],
    );
    ran.exit(0).lines().remove(0)
}

fn onboard(folder: &Folder, target: &str, more: &[&str]) -> Ran {
    let arguments = [
        "onboard",
        target,
        "--id",
        "SN-0001",
        "--key",
        "device.key",
        "--cert",
        "device.pem",
    ];
    folder.run(
        &[&arguments[..], &["--state", "state", "--no-wait"], more].concat(),
        b"",
    )
}

#[test]
fn an_operator_registers_lists_and_decides() {
    let (folder, server) = scene(&[]);
    assert_eq!(admin(&folder, &["list"]).exit(0).stdout(), "");
    let device = add(&folder);
    assert_eq!(device["state"], "registered");
    let id = device["deviceId"].as_str().unwrap();
    assert_eq!(add(&folder)["deviceId"], id, "the same again is the same");
    folder.device("other", "SN-0001", "ed25519");
    let conflict = admin(&folder, &["add", "--id", "SN-0001", "--cert", "other.pem"]);
    conflict.exit(4).silent();
    for name in [id, "SN-0001"] {
        let shown = admin(&folder, &["show", "--json", name]).exit(0).lines();
        assert_eq!(shown[0]["deviceId"], id);
    }
    let listed = admin(&folder, &["list", "--json"]).exit(0).lines();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        admin(&folder, &["list", "--state", "aboard"])
            .exit(0)
            .stdout(),
        ""
    );
    let verb = |verb: &str| {
        admin(&folder, &[verb, "--json", "SN-0001"])
            .exit(0)
            .lines()
            .remove(0)
    };
    assert_eq!(verb("disable")["disabled"], true);
    assert_eq!(verb("enable")["disabled"], false);
    assert_eq!(verb("reject")["state"], "rejected");
    admin(&folder, &["approve", "SN-0001"]).exit(4).silent();
    verb("remove");
    admin(&folder, &["show", "SN-0001"]).exit(1).silent();
    admin(&folder, &["readmit", id, "--tenant", "plant-7"])
        .exit(1)
        .silent();
    admin(&folder, &["readmit", id]).exit(0);
    admin(&folder, &["readmit", id]).exit(1).silent();
    admin(&folder, &["show", "a b"]).exit(2).silent();
    assert_eq!(server.stop(), Some(0));
    admin(&folder, &["list"]).exit(3).silent();
}

#[test]
fn a_name_that_means_two_devices_is_refused() {
    let (folder, _server) = scene(&[]);
    let device = add(&folder);
    let id = device["deviceId"].as_str().unwrap();
    // Somebody claims the device id of the first as its own certificate id.
    folder.device("decoy", id, "p256");
    admin(&folder, &["add", "--id", id, "--cert", "decoy.pem"]).exit(0);
    for verb in ["disable", "remove", "show"] {
        admin(&folder, &[verb, id]).exit(2);
    }
    admin(&folder, &["disable", "SN-0001"]).exit(0);
    let shown = admin(&folder, &["show", "--json", "SN-0001"]);
    let shown = shown.exit(0).lines().remove(0);
    assert_eq!(
        (&shown["deviceId"], &shown["disabled"]),
        (&device["deviceId"], &true.into())
    );
    admin(&folder, &["show", "SN-9999"]).exit(1);
    // A token that cannot stand in a header is said to be none, and nothing is sent.
    folder.write("data/admin.token", "two\nlines\n");
    let ran = admin(&folder, &["list"]);
    assert!(
        ran.exit(1)
            .complaint()
            .contains("admin.token holds no admin token")
    );
}

#[test]
fn a_list_has_every_page() {
    let (folder, _server) = scene(&[]);
    // More than a page of the server's.
    let count = 105;
    folder.ok(&["key", "generate", "--out", "k"], b"");
    for number in 0..count {
        let id = format!("SN-{number}");
        folder.device(&format!("d{number}"), &id, "ed25519");
        let cert = format!("d{number}.pem");
        admin(&folder, &["add", "--id", &id, "--cert", &cert]).exit(0);
    }
    assert_eq!(
        admin(&folder, &["list", "--json"]).exit(0).lines().len(),
        count
    );
}

#[test]
fn the_admin_api_is_found_by_data_folder_arguments_or_environment() {
    let (folder, server) = scene(&[]);
    let list = ["device", "list"];
    folder.run(&list, b"").exit(2).silent();
    let full = [
        "--url",
        server.word("adminUrl"),
        "--root",
        "data/root.pem",
        "--token-file",
        "data/admin.token",
    ];
    folder.run(&[&list[..], &full].concat(), b"").exit(0);
    let environment = [
        ("GANGPLANK_URL", Path::new(server.word("adminUrl"))),
        ("GANGPLANK_ADMIN_TOKEN_FILE", Path::new("data/admin.token")),
    ];
    let with_root = [&list[..], &["--root", "data/root.pem"]].concat();
    folder.run_with(&with_root, b"", &environment).exit(0);
    // A variable that means something to a device does not get in the way of --data.
    let join = [("GANGPLANK_URL", Path::new(server.word("join")))];
    folder
        .run_with(&[&list[..], &["--data", "data"]].concat(), b"", &join)
        .exit(0);
    // Another token, another root.
    folder.write("wrong.token", "0".repeat(64));
    folder
        .run(
            &[
                &list[..],
                &["--data", "data", "--token-file", "wrong.token"],
            ]
            .concat(),
            b"",
        )
        .exit(4)
        .silent();
    folder
        .run(
            &[&list[..], &["--data", "data", "--root", "device.pem"]].concat(),
            b"",
        )
        .exit(3)
        .silent();
    folder
        .run(
            &[&list[..], &["--data", "data", "--root", "device.key"]].concat(),
            b"",
        )
        .exit(1)
        .silent();
    folder
        .run(&[&list[..], &["--data", "none"]].concat(), b"")
        .exit(2)
        .silent();
}

#[test]
fn a_device_comes_aboard_remembers_reports_and_forgets() {
    let (folder, server) = scene(&[]);
    let join = server.word("join").to_owned();
    folder
        .run(&["status", "--state", "state"], b"")
        .exit(2)
        .silent();
    assert_eq!(onboard(&folder, &join, &[]).exit(4).stdout(), "");
    let id = add(&folder)["deviceId"].as_str().unwrap().to_owned();
    let aboard = onboard(&folder, &join, &["--json"]).exit(0);
    let secrets = ["gpcs_", "gpat_", "gpgt_"];
    for secret in secrets {
        assert!(!aboard.stdout().contains(secret) && !aboard.complaint().contains(secret));
    }
    let lines = aboard.lines();
    let steps: Vec<_> = lines
        .iter()
        .map(|line| line["step"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        ["onboarding", "token", "aboard"],
        "the root was believed before"
    );
    assert_eq!(lines[2]["deviceId"], id.as_str());
    let report = [
        "report",
        "deployment",
        "a3e2f5dc-912e-494f-8395-52cf3769bc06",
        "installing",
        "--state",
        "state",
    ];
    folder.run(&report, b"").exit(0);
    let shown = admin(&folder, &["show", "--json", "SN-0001"])
        .exit(0)
        .lines();
    assert_eq!(shown[0]["state"], "aboard");
    assert_eq!(
        shown[0]["deployments"][0]["status"]["status"]["state"],
        "installing"
    );
    assert_eq!(server.stop(), Some(0));

    // Without network it knows who it is, and says that it has no network.
    let status = folder
        .run(&["status", "--state", "state", "--json"], b"")
        .exit(0);
    assert_eq!(status.lines()[0]["deviceId"], id.as_str());
    assert!(
        !secrets
            .iter()
            .any(|secret| status.stdout().contains(secret))
    );
    onboard(&folder, &join, &[]).exit(0);
    folder
        .run(&[&report[..], &["--no-wait"]].concat(), b"")
        .exit(3);
    // Old secrets never go to another URL.
    let elsewhere = join.replace("localhost", "127.0.0.1");
    onboard(&folder, &elsewhere, &[]).exit(2).silent();
    folder.run(&["reset", "--state", "state"], b"").exit(0);
    folder.run(&["status", "--state", "state"], b"").exit(1);
    folder.run(&report, b"").exit(1).silent();
    onboard(&folder, &join, &[]).exit(3);
}

#[test]
fn an_unknown_device_waits_for_an_operator() {
    let (folder, server) = scene(&["--queue-unknown"]);
    let join = server.word("join").to_owned();
    onboard(&folder, &join, &[]).exit(5);
    assert_eq!(
        admin(&folder, &["list", "--json", "--state", "pending"])
            .exit(0)
            .lines()
            .len(),
        1
    );
    admin(&folder, &["approve", "SN-0001"]).exit(0);
    onboard(&folder, &join, &[]).exit(0);
}

#[test]
fn a_root_is_pinned_handed_over_or_trusted_by_an_ugly_name() {
    let (folder, server) = scene(&[]);
    add(&folder);
    let url = server.word("publicUrl").to_owned();
    // Nothing vouches for the root.
    onboard(&folder, &url, &[]).exit(2).silent();
    let wrong = format!(
        "{}?ca=sha256:{}",
        url.replace("https", "gangplank"),
        "0".repeat(64)
    );
    onboard(&folder, &wrong, &[]).exit(6);
    onboard(&folder, &url, &["--root", "data/root.pem"]).exit(0);
    folder.run(&["reset", "--state", "state"], b"").exit(0);
    let trusting = onboard(&folder, &url, &["--insecure-trust-on-first-use"]).exit(0);
    assert!(trusting.complaint().contains("WARNING"));
}

#[test]
fn the_url_comes_from_argument_environment_or_file() {
    let (folder, server) = scene(&[]);
    add(&folder);
    let join = server.word("join");
    let nowhere = format!("gangplank://localhost:1?ca=sha256:{}", "0".repeat(64));
    let config = |url: &str| {
        let members = serde_json::json!({"url": url, "id": "SN-0001", "key": "device.key", "cert": "device.pem", "state": "state"});
        folder.write("config.json", members.to_string());
    };
    let run = |url: Option<&str>, environment: Option<&str>| {
        let mut arguments = vec!["onboard", "--config", "config.json", "--no-wait"];
        arguments.extend(url);
        let environment: Vec<_> = environment
            .map(|url| ("GANGPLANK_URL", Path::new(url)))
            .into_iter()
            .collect();
        let ran = folder.run_with(&arguments, b"", &environment);
        folder.run(&["reset", "--state", "state"], b"").exit(0);
        ran
    };
    config(&nowhere);
    run(None, None).exit(3);
    run(None, Some(join)).exit(0);
    run(Some(join), Some(&nowhere)).exit(0);
    run(Some(&nowhere), Some(join)).exit(3);
    config(join);
    run(None, None).exit(0);
    folder.write("config.json", "{\"uri\": 1}");
    folder
        .run(&["onboard", "--config", "config.json"], b"")
        .exit(2)
        .silent();
}

#[test]
fn git_gets_a_password_for_the_one_repository_and_no_other() {
    let (folder, server) = scene(&[]);
    add(&folder);
    onboard(&folder, server.word("join"), &[]).exit(0);
    let status = folder
        .run(&["status", "--state", "state", "--json"], b"")
        .exit(0)
        .lines()
        .remove(0);
    let url = status["gitRepositoryUrl"]
        .as_str()
        .unwrap()
        .strip_prefix("https://")
        .unwrap()
        .to_owned();
    let (host, path) = url.split_once('/').unwrap();
    let helper = |action: &str, host: &str, path: &str| {
        let request = format!("protocol=https\nhost={host}\npath={path}\n\n");
        folder.run(
            &["git-credential", "--state", "state", action],
            request.as_bytes(),
        )
    };
    let answer = helper("get", host, path).exit(0).stdout();
    assert!(answer.contains("password=gpgt_"), "it has a password");
    assert_eq!(
        helper("get", "elsewhere.example", path).exit(0).stdout(),
        ""
    );
    assert_eq!(helper("get", host, "git/other.git").exit(0).stdout(), "");
    assert_eq!(helper("store", host, path).exit(0).stdout(), "");
    assert_eq!(helper("erase", host, path).exit(0).stdout(), "");
    assert_ne!(
        helper("get", host, path).exit(0).stdout(),
        answer,
        "a new one"
    );
    if Command::new("git").arg("--version").output().is_ok() {
        let fetched = folder
            .run(&["desired-state", "into", "--state", "state"], b"")
            .exit(0);
        assert_eq!(fetched.stdout(), "no commit yet\n");
    }
    let missing = [
        "desired-state",
        "into",
        "--state",
        "state",
        "--git",
        "/nowhere/git",
    ];
    let missing = folder.run(&missing, b"").exit(2);
    assert!(
        missing.complaint().contains("install git"),
        "{}",
        missing.complaint()
    );
}

#[test]
fn broken_content_is_a_no_and_what_is_missing_cannot_be_told() {
    let folder = Folder::new();
    folder.device("device", "SN-0001", "p256");
    folder.device("other", "SN-0001", "p256");
    folder.write("broken", "not what it should be");
    let join = format!("gangplank://localhost:1?ca=sha256:{}", "0".repeat(64));
    let run = |key: &str, cert: &str| {
        let arguments = ["onboard", &join, "--id", "SN-0001", "--key", key];
        let more = ["--cert", cert, "--state", "state", "--no-wait"];
        folder.run(&[&arguments[..], &more].concat(), b"")
    };
    run("broken", "device.pem").exit(1).silent();
    run("device.key", "broken").exit(1).silent();
    run("missing", "device.pem").exit(2).silent();
    run("device.key", "missing").exit(2).silent();
    // A key and a certificate that do not belong together.
    run("device.key", "other.pem").exit(2).silent();
    run("device.key", "device.pem").exit(3);
}
