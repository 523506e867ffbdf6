//! A device whose key lives in a PKCS#11 token: SoftHSM 2, in a folder of the test's own.
#![cfg(feature = "pkcs11")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Folder, Ran, Server};

/// A folder, and in it a token with the only copy of a key.
struct Token {
    folder: Folder,
    config: PathBuf,
    module: &'static str,
}

impl Token {
    /// `None`, and a line, when SoftHSM is absent.
    fn new(test: &str) -> Option<Self> {
        let module = MODULES.into_iter().find(|path| Path::new(path).exists());
        let has_tool = Command::new("softhsm2-util")
            .arg("--version")
            .output()
            .is_ok();
        let Some(module) = module.filter(|_| has_tool) else {
            println!("{test} not run: SoftHSM is absent");
            return None;
        };
        let folder = Folder::new();
        std::fs::create_dir(folder.path("tokens")).unwrap();
        let config = folder.path("softhsm2.conf");
        let tokens = folder.path("tokens");
        folder.write(
            "softhsm2.conf",
            format!("directories.tokendir = {}\n", tokens.display()),
        );
        folder.write("pin", "1234\n");
        folder.write("wrong", "4321\n");
        let token = Self {
            folder,
            config,
            module,
        };
        token.util(&[
            "--init-token",
            "--free",
            "--label",
            "device",
            "--so-pin",
            "officer",
        ]);
        token.folder.ok(&["key", "generate", "--out", "key"], b"");
        token.util(&[
            "--import",
            "key",
            "--token",
            "device",
            "--label",
            "onboarding",
            "--id",
            "01",
        ]);
        std::fs::remove_file(token.folder.path("key")).unwrap();
        Some(token)
    }

    fn util(&self, arguments: &[&str]) {
        let mut command = Command::new("softhsm2-util");
        command
            .current_dir(self.folder.path(""))
            .env("SOFTHSM2_CONF", &self.config);
        let output = command
            .args(arguments)
            .args(["--pin", "1234"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
    }

    fn uri(&self) -> String {
        format!(
            "pkcs11:token=device;object=onboarding?module-path={}",
            self.module
        )
    }

    fn run(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        self.run_with(arguments, stdin, &[])
    }

    fn run_with(&self, arguments: &[&str], stdin: &[u8], more: &[(&str, &Path)]) -> Ran {
        let environment = [&[("SOFTHSM2_CONF", self.config.as_path())], more].concat();
        self.folder.run_with(arguments, stdin, &environment)
    }

    fn certificate(&self) {
        let (uri, id) = (self.uri(), ["--id", "SN-0001", "--out", "device.pem"]);
        let arguments = ["cert", "self-signed", "--key", &uri, "--pin-file", "pin"];
        self.run(&[&arguments[..], &id].concat(), b"").exit(0);
    }
}

#[test]
fn a_device_onboards_with_a_key_in_a_token() {
    let Some(token) = Token::new("a_device_onboards_with_a_key_in_a_token") else {
        return;
    };
    token.certificate();
    let folder = &token.folder;
    let verify = [
        "verify",
        "-check_ss_sig",
        "-CAfile",
        "device.pem",
        "device.pem",
    ];
    if let Some(output) = folder.openssl(&verify) {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let server = Server::start(folder, &[]);
    let add = [
        "device",
        "add",
        "--id",
        "SN-0001",
        "--cert",
        "device.pem",
        "--data",
        "data",
    ];
    folder.ok(&add, b"");
    let uri = token.uri();
    let onboard = |pin: &str| {
        let device = [
            "--id",
            "SN-0001",
            "--key",
            &uri,
            "--pin-file",
            pin,
            "--cert",
            "device.pem",
        ];
        let whole = [
            &["onboard", server.word("join")],
            &device[..],
            &STATE,
            &["--no-wait"],
        ];
        token.run(&whole.concat(), b"")
    };
    let refused = onboard("wrong").exit(8).silent();
    assert!(
        refused.complaint().contains("refused the PIN"),
        "{}",
        refused.complaint()
    );
    onboard("pin").exit(0);
    // Key and PIN file are remembered; the PIN is not.
    let report = [
        "report",
        "deployment",
        "a3e2f5dc-912e-494f-8395-52cf3769bc06",
        "installed",
    ];
    token.run(&[&report[..], &STATE].concat(), b"").exit(0);
    let kept = String::from_utf8(folder.read("state/device.json")).unwrap();
    assert!(
        kept.contains("pkcs11:token=device") && !kept.contains("1234"),
        "{kept}"
    );
    folder.write("pin", "");
    let without = token
        .run(&[&report[..], &STATE].concat(), b"")
        .exit(2)
        .silent();
    assert!(
        without.complaint().contains("no PIN: it is empty"),
        "{}",
        without.complaint()
    );
}

#[test]
fn an_envelope_is_signed_in_a_token() {
    let Some(token) = Token::new("an_envelope_is_signed_in_a_token") else {
        return;
    };
    token.certificate();
    let sign = |uri: &str, more: &[(&str, &Path)]| {
        let arguments = [
            "envelope", "sign", "--key", uri, "--id", "SN-0001", "--type", "Test",
        ];
        token.run_with(&arguments, b"{}", more)
    };
    let uri = token.uri();
    let signed = sign(&uri, &[("GANGPLANK_PIN_FILE", Path::new("pin"))]).exit(0);
    let pin = token.folder.path("pin");
    let by_uri = sign(&format!("{uri}&pin-source=file:{}", pin.display()), &[]).exit(0);
    for envelope in [signed, by_uri] {
        let verify = [
            "envelope",
            "verify",
            "--cert",
            "device.pem",
            "--type",
            "Test",
        ];
        let verified = token.run(&verify, envelope.stdout().as_bytes()).exit(0);
        assert_eq!(verified.stdout(), "{}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let Some(token) = Token::new("what_is_wrong_is_said") else {
        return;
    };
    let (uri, module) = (token.uri(), token.module);
    let key = |object: &str| format!("pkcs11:token=device;object={object}?module-path={module}");
    let cases = [
        (
            format!("{uri}&pin-value=hunter2"),
            2,
            "`pin-value` is refused",
        ),
        ("pkcs11:token=device".to_owned(), 2, "no `module-path`"),
        (
            "pkcs11:?module-path=/nowhere.so".to_owned(),
            2,
            "/nowhere.so: the PKCS#11 module",
        ),
        (
            uri.replace("token=device", "token=other"),
            2,
            "there is \"device\"",
        ),
        (key("other"), 2, "no private key"),
    ];
    for (uri, exit, said) in cases {
        let arguments = [
            "cert",
            "self-signed",
            "--id",
            "SN-0001",
            "--pin-file",
            "pin",
            "--key",
        ];
        let ran = token
            .run(&[&arguments[..], &[&uri]].concat(), b"")
            .exit(exit)
            .silent();
        let complaint = ran.complaint();
        assert!(
            complaint.contains(said) && !complaint.contains("hunter2"),
            "{complaint}"
        );
    }
    // Nobody is asked when standard input is no terminal.
    let arguments = ["cert", "self-signed", "--id", "SN-0001", "--key", &uri];
    let ran = token.run(&arguments, b"1234\n").exit(2).silent();
    assert!(
        ran.complaint().contains("needs a PIN"),
        "{}",
        ran.complaint()
    );
}

const STATE: [&str; 2] = ["--state", "state"];
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];
