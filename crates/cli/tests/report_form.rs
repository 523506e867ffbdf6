//! `--allow-header-form` and `--allow-message-signatures` at the server, `--form` at the device.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{Folder, Ran, Server};
use serde_json::Value;

const DEPLOYMENT: &str = "a3e2f5dc-912e-494f-8395-52cf3769bc06";

/// A device that is aboard at a server with these arguments.
fn aboard(serve: &[&str], onboard: &[&str]) -> (Folder, Server) {
    let folder = Folder::new();
    folder.device("device", "SN-0001", "p256");
    let server = Server::start(&folder, serve);
    let id = ["--id", "SN-0001", "--cert", "device.pem"];
    let data = ["--data", "data"];
    folder.ok(&[&["device", "add"][..], &id, &data].concat(), b"");
    let join = server.word("join").to_owned();
    let rest = ["--key", "device.key", "--state", "state", "--no-wait"];
    folder.ok(
        &[&["onboard", &join][..], &id, &rest, onboard].concat(),
        b"",
    );
    (folder, server)
}

fn report(folder: &Folder, state: &str, more: &[&str]) -> Ran {
    let arguments = [
        "report",
        "deployment",
        DEPLOYMENT,
        state,
        "--state",
        "state",
    ];
    folder.run(&[&arguments[..], &["--no-wait"], more].concat(), b"")
}

/// The state of the deployment, as the operator sees it.
fn shown(folder: &Folder) -> Value {
    let list = ["device", "list", "--json", "--data", "data"];
    let device = folder.run(&list, b"").exit(0).lines().remove(0);
    let id = device["deviceId"].as_str().unwrap();
    let show = ["device", "show", id, "--json", "--data", "data"];
    let device = folder.run(&show, b"").exit(0).lines().remove(0);
    device["deployments"][0]["status"]["status"]["state"].clone()
}

#[test]
fn the_header_is_an_option_of_both_sides() {
    let (folder, _server) = aboard(&["--allow-header-form"], &[]);
    for (state, form) in [("installing", "header"), ("installed", "envelope")] {
        report(&folder, state, &["--form", form]).exit(0);
        assert_eq!(shown(&folder), state);
    }
    report(&folder, "failed", &["--form", "jws"]).exit(2);
}

#[test]
fn a_device_may_be_configured_to_sign_so() {
    let (folder, _server) = aboard(&["--allow-header-form=bare"], &["--report-form", "header"]);
    let config: Value = serde_json::from_slice(&folder.read("state/device.json")).unwrap();
    assert_eq!(config["reportForm"], "header");
    report(&folder, "installed", &[]).exit(0);
    // The same bytes once more, with the token that the device asks for anew.
    report(&folder, "installed", &[]).exit(0);
    assert_eq!(shown(&folder), "installed");
}

#[test]
fn a_server_that_was_not_told_to_refuses_it() {
    let (folder, _server) = aboard(&[], &[]);
    report(&folder, "installed", &["--form", "header"]).exit(4);
    let log = String::from_utf8(folder.read("server.log")).unwrap();
    assert!(
        log.contains("X-Payload-Signature is not accepted here"),
        "{log}"
    );
    assert!(shown(&folder).is_null());
    report(&folder, "installed", &[]).exit(0);
    assert_eq!(shown(&folder), "installed");
}

#[test]
fn message_signatures_are_an_option_of_both_sides() {
    let (folder, _server) = aboard(
        &["--allow-message-signatures"],
        &["--report-form", "message"],
    );
    let config: Value = serde_json::from_slice(&folder.read("state/device.json")).unwrap();
    assert_eq!(config["reportForm"], "message");
    for (state, form) in [("installing", "message"), ("installed", "envelope")] {
        report(&folder, state, &["--form", form]).exit(0);
        assert_eq!(shown(&folder), state);
    }
    report(&folder, "failed", &[]).exit(0);
    assert_eq!(shown(&folder), "failed");
    report(&folder, "pending", &["--form", "header"]).exit(4);
    assert_eq!(shown(&folder), "failed");
}

#[test]
fn a_server_that_was_not_told_to_take_messages_refuses_them() {
    let (folder, _server) = aboard(&[], &[]);
    report(&folder, "installed", &["--form", "message"]).exit(4);
    let log = String::from_utf8(folder.read("server.log")).unwrap();
    assert!(
        log.contains("HTTP message signatures are not accepted here"),
        "{log}"
    );
    assert!(shown(&folder).is_null());
}
