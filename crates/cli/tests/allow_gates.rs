//! The gates that images pass before they run, with a program that only records how it was started.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::stand_in::{Answer, StandIn};
use common::{Folder, Ran, Server};
use serde_json::{Value, json};

fn pinned(digit: &str) -> String {
    format!("registry.example/acme/pump:2@sha256:{}", digit.repeat(64))
}

/// A list with the digest of all a, and `docker` that writes its arguments to the file `ran`.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("list", format!("{}\n", "a".repeat(64)));
    let script = "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\" > \"$RAN\"\nexit 42\n";
    for program in ["docker", "podman"] {
        folder.write(program, script);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(program), mode).unwrap();
    }
    folder
}

/// `allow exec` with these options and this command.
fn exec(folder: &Folder, options: &[&str], command: &[&str]) -> Ran {
    let _ = std::fs::remove_file(folder.path("ran"));
    let arguments = [&["allow", "exec"], options, &["--"], command].concat();
    let search = format!("{}:/usr/bin:/bin", folder.path("").display());
    let environment = [("PATH", Path::new(&search)), ("RAN", &folder.path("ran"))];
    folder.run_with(&arguments, b"", &environment)
}

/// The arguments that the program was started with; empty if it was not.
fn started(folder: &Folder) -> Vec<String> {
    let ran = std::fs::read_to_string(folder.path("ran")).unwrap_or_default();
    ran.lines().skip(1).map(str::to_owned).collect()
}

/// Gate, verdict and code of each line of a log that holds together.
fn decisions(folder: &Folder, log: &str) -> Vec<String> {
    folder.ok(&["allow", "log", "verify", log], b"");
    let text = String::from_utf8(folder.read(log)).unwrap();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let payload = &line["payload"];
        let word = |member: &str| payload[member].as_str().unwrap_or("-").to_owned();
        [word("gate"), word("verdict"), word("code")].join(" ")
    });
    lines.collect()
}

#[test]
fn a_check_says_yes_or_no() {
    let folder = folder();
    let (listed, other) = (pinned("a"), pinned("b"));
    let check = |references: &[&str], code: i32| {
        let arguments = [&["allow", "check", "--list", "list"], references].concat();
        folder.run(&arguments, b"").exit(code)
    };
    assert_eq!(check(&[&listed], 0).stdout(), format!("{listed} may run\n"));
    let said = check(&[&listed, &other], 1).stdout();
    assert_eq!(said.lines().count(), 2);
    let digest = "b".repeat(64);
    assert!(
        said.ends_with(&format!("{other}: sha256:{digest} is not on the list\n")),
        "{said}"
    );
    let sha256 = format!("sha256:{}", "a".repeat(64));
    for malformed in [
        "pump:2",
        "pump",
        "",
        "Pump@x",
        " ",
        &sha256,
        &format!("{listed}\n"),
        &listed.replace("aaa", "AAA"),
    ] {
        check(&[malformed], 1);
    }
    let missing = folder.run(&["allow", "check", "--list", "no", &listed], b"");
    missing.exit(2).silent();
    folder.write("empty", "");
    folder
        .run(&["allow", "check", "--list", "empty", &listed], b"")
        .exit(1);
}

#[test]
fn a_check_in_json_has_a_line_for_each_image() {
    let folder = folder();
    let (listed, other) = (pinned("a"), pinned("b"));
    let arguments = [
        "allow", "check", "--json", "--list", "list", &listed, &other, "pump:2",
    ];
    let said = folder.run(&arguments, b"").exit(1).stdout();
    let answers: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let expected = [
        json!({"image": listed, "verdict": "permit", "mode": "enforce", "digest": digest("a"),
            "reason": format!("{listed} may run")}),
        json!({"image": other, "verdict": "deny", "mode": "enforce", "digest": digest("b"),
            "code": "not-listed", "reason": format!("{} is not on the list", digest("b"))}),
        json!({"image": "pump:2", "verdict": "deny", "mode": "enforce", "code": "no-digest",
            "reason": "the image is not pinned by a digest"}),
    ];
    assert_eq!(answers, expected);
}

#[test]
fn audit_mode_is_loud() {
    let folder = folder();
    let other = pinned("b");
    let arguments = [
        "allow", "check", "--audit", "--list", "list", "--log", "log", &other,
    ];
    let ran = folder.run(&arguments, b"").exit(0);
    assert!(
        ran.complaint().contains("AUDIT MODE"),
        "{}",
        ran.complaint()
    );
    assert!(ran.stdout().starts_with("AUDIT MODE: "), "{}", ran.stdout());
    let json = [&arguments[..], &["--json"]].concat();
    let said: Value = serde_json::from_str(&folder.run(&json, b"").exit(0).stdout()).unwrap();
    assert_eq!(
        (&said["verdict"], &said["mode"], &said["code"]),
        (&json!("audit"), &json!("audit"), &json!("not-listed"))
    );
    // Also of what no mode lets pass, and of what the list has.
    let check = |image: &str, code: i32| {
        let arguments = ["allow", "check", "--audit", "--list", "list", image];
        folder.run(&arguments, b"").exit(code).stdout()
    };
    assert_eq!(
        check("pump:2", 1),
        "AUDIT MODE: pump:2: the image is not pinned by a digest\n"
    );
    let listed = pinned("a");
    assert_eq!(check(&listed, 0), format!("AUDIT MODE: {listed} may run\n"));
    assert_eq!(decisions(&folder, "log"), ["check audit not-listed"; 2]);
    let ran = exec(
        &folder,
        &["--audit", "--list", "list"],
        &["docker", "run", &other],
    );
    let complaint = ran.exit(42).complaint();
    assert!(complaint.matches("AUDIT MODE").count() >= 2, "{complaint}");
    assert_eq!(started(&folder), ["run", &other]);
    for (image, code, said) in [
        (listed.as_str(), 42, format!("AUDIT MODE: {listed} may run")),
        ("pump:2", 126, "AUDIT MODE: pump:2: argument 2: ".to_owned()),
        ("--later", 126, "AUDIT MODE: ".to_owned()),
    ] {
        let ran = exec(
            &folder,
            &["--audit", "--list", "list"],
            &["docker", "run", image],
        );
        let complaint = ran.exit(code).complaint();
        let answers: Vec<&str> = complaint.lines().skip(1).collect();
        assert!(
            matches!(answers[..], [answer] if answer.contains(&said)),
            "{complaint}"
        );
    }
}

#[test]
fn what_was_checked_is_started() {
    let folder = folder();
    let listed = pinned("a");
    let options = ["--list", "list", "--log", "log"];
    let commands = [
        vec![
            "docker",
            "run",
            "--rm",
            "-e",
            "A=b c",
            "--",
            &listed,
            "sh",
            "-c",
            "echo  $A; \"",
            "",
        ],
        vec![
            "podman",
            "container",
            "run",
            "--name=x",
            &listed,
            "--privileged",
        ],
    ];
    for command in &commands {
        exec(&folder, &options, command).exit(42);
        assert_eq!(started(&folder), command[1..]);
    }
    let absolute = folder.path("docker");
    exec(
        &folder,
        &options,
        &[absolute.to_str().unwrap(), "create", &listed],
    )
    .exit(42);
    assert_eq!(started(&folder), ["create", &listed]);
    assert_eq!(decisions(&folder, "log"), ["exec permit -"; 3]);
}

#[test]
fn what_is_refused_is_not_started() {
    let folder = folder();
    let (listed, other) = (pinned("a"), pinned("b"));
    for (command, code) in [
        (vec!["docker", "run", &other], "not-listed"),
        (vec!["docker", "run", "pump:2"], "no-digest"),
        (vec!["docker", "run", "Pump"], "malformed"),
        (vec!["docker", "run", "--privileged", &listed], "run-option"),
        (
            vec!["docker", "run", "-v", "/:/host", &listed],
            "run-option",
        ),
        (vec!["docker", "run", "--later", &listed], "unknown-option"),
        (vec!["docker", "run", "pump:2", &listed], "no-digest"),
        (vec!["docker", "pull", &listed], "verb"),
        (vec!["docker", "run"], "no-image"),
        (vec!["sh", "-c", &listed], "program"),
        (vec!["./docker", "run", &listed], "program"),
    ] {
        let ran = exec(&folder, &["--list", "list", "--log", "log"], &command).exit(126);
        ran.silent();
        assert_eq!(started(&folder), [""; 0], "{command:?}");
        let last = decisions(&folder, "log").pop().unwrap();
        assert_eq!(last, format!("exec deny {code}"));
    }
    let said = exec(
        &folder,
        &["--list", "list", "--json"],
        &["docker", "run", &other],
    )
    .exit(126);
    let first = said.complaint();
    let answer: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&answer["verdict"], &answer["code"], &answer["image"]),
        (&json!("deny"), &json!("not-listed"), &json!(other))
    );
}

#[test]
fn options_are_not_judged_where_that_is_said() {
    let folder = folder();
    let listed = pinned("a");
    let command = ["docker", "run", "--privileged", "-v", "/:/host", &listed];
    let ran = exec(&folder, &["--list", "list", "--policy", "compat"], &command).exit(42);
    assert!(
        ran.complaint().contains("not judged"),
        "{}",
        ran.complaint()
    );
    assert_eq!(started(&folder), command[1..]);
    exec(
        &folder,
        &["--list", "list", "--policy", "compat"],
        &["docker", "run", "pump:2"],
    )
    .exit(126);
}

#[test]
fn what_cannot_be_judged_or_written_down_is_not_started() {
    let folder = folder();
    let listed = pinned("a");
    let command = ["docker", "run", &listed];
    folder.write("damaged", "no record\n");
    for options in [
        &["--list", "no"][..],
        &["--list", "list", "--log", "no/log"],
        &["--list", "list", "--log", "."],
        &["--list", "list", "--log", "damaged"],
        &["--list", "list", "--audit", "--log", "damaged"],
        &["--list", "list", "--policy", "lax"],
        &[],
    ] {
        exec(&folder, options, &command).exit(125);
        assert_eq!(started(&folder), [""; 0], "{options:?}");
    }
    exec(&folder, &["--list", "list"], &[]).exit(125);
    exec(&folder, &["--list", "list"], &["nerdctl", "run", &listed]).exit(125);
    folder.run(&["allow", "exec", "--help"], b"").exit(0);
}

#[test]
fn a_log_tells_where_it_is_broken() {
    let folder = folder();
    let listed = pinned("a");
    let arguments = [
        "allow", "check", "--list", "list", "--log", "log", &listed, &listed, "pump:2",
    ];
    folder.run(&arguments, b"").exit(1);
    let verify = |more: &[&str], code: i32| {
        let arguments = [&["allow", "log", "verify", "log"], more].concat();
        folder.run(&arguments, b"").exit(code)
    };
    let said: Value = serde_json::from_str(&verify(&["--json"], 0).stdout()).unwrap();
    let head = said["head"].as_str().unwrap();
    assert_eq!(
        (&said["verified"], &said["lines"]),
        (&json!(true), &json!(3))
    );
    assert_eq!(
        verify(&["--head", head], 0).stdout(),
        format!("3 lines, head {head}\n")
    );
    let log = String::from_utf8(folder.read("log")).unwrap();
    let lines: Vec<&str> = log.split_inclusive('\n').collect();

    folder.write("log", log.replacen("permit", "deny", 1));
    let said: Value = serde_json::from_str(&verify(&["--json"], 1).stdout()).unwrap();
    assert_eq!(
        (&said["verified"], &said["line"], &said["code"]),
        (&json!(false), &json!(2), &json!("hash"))
    );
    let complaint = verify(&[], 1).silent().complaint();
    assert!(complaint.contains("line 2 "), "{complaint}");

    folder.write("log", lines[..2].concat());
    verify(&[], 0);
    verify(&["--head", head], 1).silent();
    folder.write("log", log.trim_end());
    assert!(verify(&[], 0).complaint().contains("never finished"));
    verify(&["--head", head], 1);
    std::fs::remove_file(folder.path("log")).unwrap();
    verify(&[], 2).silent();
    verify(&["--head", "3"], 2);
}

/// A folder as containerd's `bin_dir`, with the program under the verifier's name, and settings beside
/// the program itself.
struct Verifier {
    folder: Folder,
    link: PathBuf,
}

impl Verifier {
    fn new(settings: &Value) -> Self {
        let folder = folder();
        for name in ["bin", "opt"] {
            std::fs::create_dir(folder.path(name)).unwrap();
        }
        let program = folder.path("opt/gangplank");
        let built = env!("CARGO_BIN_EXE_gangplank");
        if std::fs::hard_link(built, &program).is_err() {
            std::fs::copy(built, &program).unwrap();
        }
        let link = folder.path("bin/gangplank-image-verifier");
        symlink(&program, &link).unwrap();
        let verifier = Self { folder, link };
        verifier.set(settings);
        verifier
    }

    fn set(&self, settings: &Value) {
        let place = |name: &str| json!(self.folder.path(name));
        let mut settings = settings.clone();
        for member in ["list", "log", "state"] {
            if let Some(name) = settings[member].as_str() {
                settings[member] = place(name);
            }
        }
        self.folder
            .write("opt/gangplank-image-verifier.json", settings.to_string());
    }

    /// As containerd runs it.
    fn run(&self, arguments: &[&str], stdin: &str) -> (i32, String) {
        use std::io::Write as _;
        let mut child = Command::new(&self.link)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir("/")
            .spawn()
            .unwrap();
        // It need not read it.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let Output { status, stdout, .. } = child.wait_with_output().unwrap();
        (status.code().unwrap(), String::from_utf8(stdout).unwrap())
    }

    fn pull(&self, name: &str, digit: &str) -> (i32, String) {
        let digest = format!("sha256:{}", digit.repeat(64));
        let stdin = json!({"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": 1});
        self.run(
            &[
                "-name",
                name,
                "-digest",
                &digest,
                "-stdin-media-type",
                DESCRIPTOR,
            ],
            &stdin.to_string(),
        )
    }
}

#[test]
fn containerd_is_answered_by_a_signed_list_as_it_is_remembered() {
    let verifier = Verifier::new(&json!({"list": "list", "state": "state"}));
    let pull = |digit| verifier.pull("docker.io/library/pump:2", digit).0;
    assert_eq!(pull("a"), 1);
    let folder = &verifier.folder;
    folder.device("signer", "SN-0001", "p256");
    let list = ["--list", "list", "--name", "plant-7", "--version", "1"];
    let signer = ["--key", "signer.key", "--id", "SN-0001", "-o", "manifest"];
    let sign = ["allow", "sign", "--expires", "2100-01-01T00:00:00Z"];
    folder.ok(&[&sign[..], &list, &signer].concat(), b"");
    let verify = [
        "allow",
        "verify",
        "--manifest",
        "manifest",
        "--cert",
        "signer.pem",
    ];
    let remembered = ["--list", "list", "--state", "state"];
    folder.ok(&[&verify[..], &remembered].concat(), b"");
    assert_eq!((pull("a"), pull("b")), (0, 1));
    let longer = ["a", "b"].map(|digit| digit.repeat(64) + "\n").concat();
    folder.write("list", longer);
    assert_eq!((pull("a"), pull("b")), (1, 1));
}

#[test]
fn containerd_is_answered_by_exit_code_and_reason() {
    let verifier = Verifier::new(&json!({"list": "list", "log": "log"}));
    let (code, reason) = verifier.pull("docker.io/library/pump:2", "a");
    assert_eq!((code, reason.lines().count()), (0, 1), "{reason}");
    let (code, reason) = verifier.pull("docker.io/library/pump:2", "b");
    assert!(
        code == 1 && reason.contains("is not on the list"),
        "{reason}"
    );
    assert_eq!(verifier.pull("A B", "a").0, 1);
    let digest = format!("sha256:{}", "a".repeat(64));
    let input = json!({"descriptor": {"digest": digest}, "operation": "run", "annotations": {}})
        .to_string();
    let run = [
        "-name",
        "pump",
        "-digest",
        &digest,
        "-stdin-media-type",
        INPUT,
        "-operation",
        "run",
    ];
    assert_eq!(verifier.run(&run, &input).0, 0);
    assert_eq!(
        verifier.run(&run, &input.replace("sha256:a", "sha256:b")).0,
        1
    );
    assert_eq!(verifier.run(&run, "").0, 1);
    assert_eq!(verifier.run(&run[..2], &input).0, 1);
    assert_eq!(verifier.run(&[], "").0, 1);
    assert_eq!(verifier.run(&["--help"], "").0, 1);
    assert_eq!(verifier.run(&["allow", "check"], "").0, 1);
    let long = format!("{}{}", "x".repeat(60_000), '\u{1b}');
    let (code, reason) = verifier.pull(&long, "a");
    assert!(
        code == 1 && reason.len() < 32 << 10 && !reason.contains('\u{1b}'),
        "{reason}"
    );
    let log = decisions(&verifier.folder, "log");
    assert_eq!(
        log,
        [
            "image-verifier permit -",
            "image-verifier deny not-listed",
            "image-verifier permit -"
        ]
    );
}

#[test]
fn without_settings_list_or_log_containerd_is_told_no() {
    let verifier = Verifier::new(&json!({"list": "list"}));
    assert_eq!(verifier.pull("pump", "a").0, 0);
    for settings in [
        json!({"list": "no"}),
        json!({"list": "list", "log": "no/log"}),
        json!({"list": "list", "more": true}),
        json!({"list": "list", "mode": "off"}),
        json!([verifier.folder.path("list")]),
        json!({}),
    ] {
        match settings {
            Value::Array(_) => verifier
                .folder
                .write("opt/gangplank-image-verifier.json", settings.to_string()),
            _ => verifier.set(&settings),
        }
        let (code, reason) = verifier.pull("pump", "a");
        assert!(
            code == 1 && !reason.trim().is_empty(),
            "{settings}: {reason}"
        );
    }
    verifier.set(&json!({"list": "list", "mode": "audit"}));
    let (code, reason) = verifier.pull("pump", "b");
    assert!(code == 0 && reason.starts_with("AUDIT MODE"), "{reason}");
    verifier.set(&json!({"list": "list", "mode": "audit", "log": "no/log"}));
    let (code, reason) = verifier.pull("pump", "b");
    assert!(code == 1 && reason.starts_with("AUDIT MODE"), "{reason}");
    verifier.folder.write("list", "");
    verifier.set(&json!({"list": "list"}));
    assert_eq!(verifier.pull("pump", "a").0, 1);
}

#[test]
fn ways_past_the_verifier_are_found() {
    let verifier = Verifier::new(&json!({"list": "list"}));
    let folder = &verifier.folder;
    let bin = folder.path("bin");
    let set_mode = |name: &str, mode: u32| {
        std::fs::set_permissions(folder.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode("bin", 0o755);
    let configuration = |more: &str, plugins: &str| {
        let bin = bin.display();
        let table = r#"[plugins."io.containerd.image-verifier.v1.bindir"]"#;
        format!("version = 3\n{more}\n{table}\nbin_dir = '{bin}'\nverify_on_run = true\n{plugins}")
    };
    // By the program that the link leads to.
    let check = |more: &[&str]| -> (i32, Vec<String>) {
        let program = folder.path("opt/gangplank");
        let fixed = [
            "allow",
            "containerd-check",
            "--json",
            "--config",
            "config.toml",
        ];
        let mut command = Command::new(program);
        let output = command
            .args(fixed)
            .args(more)
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let codes = lines.lines().map(|line| {
            let finding: Value = serde_json::from_str(line).unwrap();
            let word = |member: &str| finding[member].as_str().unwrap().to_owned();
            assert!(!word("sentence").is_empty());
            [word("kind"), word("code")].join(" ")
        });
        (output.status.code().unwrap(), codes.collect())
    };
    let of = |text: &str| {
        folder.write("config.toml", text);
        check(&[])
    };
    let found = |code: i32, finding: &str| (code, vec![finding.to_owned()]);
    let good = configuration("", "");
    assert_eq!(of(&good), (0, vec![]));
    for (more, plugins, expected) in [
        (
            "disabled_plugins = ['io.containerd.image-verifier.v1.bindir']",
            "",
            found(1, "open disabled"),
        ),
        ("imports = ['/x']", "", found(0, "unseen imports")),
        ("", "max_verifiers = 0", found(1, "open skipped")),
        ("", "max_verifiers = -1", (0, vec![])),
        (
            "",
            "[plugins.'io.containerd.cri.v1.images']\nuse_local_image_pull = true",
            found(1, "open local-pull"),
        ),
        (
            "",
            "[plugins.'io.containerd.cri.v1.images'.registry.mirrors.x]\nendpoint = ['y']",
            found(1, "open local-pull"),
        ),
        (
            "",
            "[plugins.'io.containerd.cri.v1.images']\nuse_local_image_pull = false",
            (0, vec![]),
        ),
    ] {
        assert_eq!(
            of(&configuration(more, plugins)),
            expected,
            "{more} {plugins}"
        );
    }
    assert_eq!(
        of(&good.replace("run = true", "run = false")),
        found(1, "open not-on-run")
    );
    assert_eq!(of("= nothing").0, 1);
    folder.write("config.toml", &good);
    assert_eq!(check(&["--bin-dir", "opt"]).0, 1);
    assert_eq!(check(&["--config", "bin"]).0, 2);

    // Others come before it, by name.
    for number in 0..10 {
        let name = format!("bin/a{number}");
        folder.write(&name, "");
        set_mode(&name, 0o755);
    }
    assert_eq!(check(&[]), found(1, "open skipped"));
    for number in 0..10 {
        std::fs::remove_file(folder.path(&format!("bin/a{number}"))).unwrap();
    }
    folder.write("bin/README", "");
    assert_eq!(check(&[]), found(0, "shut no-program"));
    std::fs::remove_file(folder.path("bin/README")).unwrap();
    set_mode("bin", 0o777);
    assert_eq!(check(&[]), found(1, "open writable"));
    set_mode("bin", 0o755);
    verifier.set(&json!({"list": "list", "mode": "audit"}));
    assert_eq!(check(&[]), found(1, "open audit"));
    verifier.set(&json!({"list": "no"}));
    assert_eq!(check(&[]), found(0, "shut list"));
    verifier.set(&json!({"lists": "list"}));
    assert_eq!(check(&[]), found(0, "shut settings"));
    verifier.set(&json!({"list": "list"}));
    std::fs::remove_file(&verifier.link).unwrap();
    assert_eq!(check(&[]), found(1, "open empty-bin-dir"));
    symlink(folder.path("docker"), &verifier.link).unwrap();
    assert_eq!(check(&[]), found(1, "open other-program"));
    std::fs::rename(&verifier.link, folder.path("bin/other")).unwrap();
    assert_eq!(check(&[]), found(1, "open no-verifier"));
    std::fs::remove_dir_all(&bin).unwrap();
    assert_eq!(check(&[]), found(1, "open no-bin-dir"));
    std::fs::remove_file(folder.path("config.toml")).unwrap();
    let codes = check(&["--bin-dir", "bin"]).1;
    assert_eq!(codes[0], "unseen no-configuration");
    assert!(
        codes.contains(&"open other-bin-dir".to_owned()),
        "{codes:?}"
    );
}

const DESCRIPTOR: &str = "application/vnd.oci.descriptor.v1+json";
const INPUT: &str = "application/vnd.containerd.image-verifier.input.v1+json";

#[test]
fn the_servers_list_is_asked_before_a_launch() {
    let folder = folder();
    let server = Server::start(&folder, &[]);
    let edit = |verb: &str, digit: &str, more: &[&str]| {
        let digest = digit.repeat(64);
        let arguments = [&["allow", verb, digest.as_str(), "--data", "data"], more].concat();
        folder.ok(&arguments, b"");
    };
    edit("add", "b", &[]);
    edit("add", "c", &["--expires", "1"]);
    let run = |digit: &str, more: &[&str], code: i32| {
        let image = pinned(digit);
        let options = [&["--data", "data", "--log", "decisions"], more].concat();
        let ran = exec(&folder, &options, &["docker", "run", &image]);
        let complaint = ran.exit(code).complaint();
        let expected: &[&str] = if code == 42 { &["run", &image] } else { &[] };
        assert_eq!(started(&folder), expected, "{digit}");
        complaint
    };
    run("b", &[], 42);
    // The file `list` has it; the server's list does not.
    run("a", &[], 126);
    assert!(run("c", &[], 126).contains("was listed until 1 (Unix seconds)"));
    let said = run("c", &["--json"], 126);
    let said: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let digest = format!("sha256:{}", "c".repeat(64));
    let expected = json!({"image": pinned("c"), "verdict": "deny", "mode": "enforce", "digest": digest,
        "code": "expired", "reason": format!("{digest} was listed until 1 (Unix seconds)")});
    assert_eq!(said, expected);
    edit("remove", "b", &[]);
    run("b", &[], 126);
    assert!(run("b", &["--audit"], 125).contains("--list"));
    assert!(run("b", &["--tenant", "nobody"], 125).contains("nobody"));
    server.stop();
    run("b", &[], 125);
    let expected = [
        "permit -",
        "deny not-listed",
        "deny expired",
        "deny expired",
        "deny not-listed",
    ];
    let expected = expected.map(|decision| format!("exec {decision}"));
    assert_eq!(decisions(&folder, "decisions"), expected);
}

/// Nothing is started, and nothing written down: nobody decided anything.
#[test]
fn a_server_that_gives_no_verdict_lets_nothing_start() {
    let folder = folder();
    let image = pinned("a");
    let run = |server: &StandIn, options: &[&str]| {
        let options = [&server.place()[..], &["--log", "decisions"], options].concat();
        exec(&folder, &options, &["docker", "run", &image])
    };
    let of = |verdicts: Value| json!({ "verdicts": verdicts }).to_string();
    let permitted = |image: &str| json!({"image": image, "verdict": "permitted"});
    let denied = json!({"image": image, "verdict": "denied", "code": "not-yet", "reason": "later"});
    let ok = move |verdicts: Value| ("200 OK".to_owned(), of(verdicts));
    let status = |status: &str| (status.to_owned(), of(json!([permitted(&image)])));
    let answers: Vec<Answer> = vec![
        status("500 Internal Server Error"),
        status("503 Service Unavailable"),
        status("404 Not Found"),
        status("302 Found\r\nLocation: /elsewhere"),
        status("307 Temporary Redirect\r\nLocation: /elsewhere"),
        ok(json!([])),
        ok(json!([null])),
        ok(json!([permitted(&image), permitted(&image)])),
        ok(json!([permitted(&pinned("b"))])),
        ok(
            json!([{"image": pinned("b"), "verdict": "denied", "code": "not-listed", "reason": "r"}]),
        ),
        ok(json!([{"image": image, "verdict": "denied"}])),
        ok(json!([{"image": image, "verdict": "audit"}])),
        ("200 OK".to_owned(), "verdicts".to_owned()),
    ];
    for answer in answers {
        let (elsewhere, said) = (status("200 OK"), answer.clone());
        let server = StandIn::start(&folder, move |target| match target {
            "/elsewhere" => elsewhere.clone(),
            _ => said.clone(),
        });
        let ran = run(&server, &[]);
        assert_eq!(
            ran.1.status.code(),
            Some(125),
            "{answer:?}: {}",
            ran.complaint()
        );
        assert_eq!(started(&folder), [""; 0], "{answer:?}");
        assert!(!folder.path("decisions").exists(), "{answer:?}");
    }
    let good = ok(json!([permitted(&image)]));
    let server = StandIn::start(&folder, move |_| good.clone());
    folder.device("other", "SN-0001", "p256");
    let under_another = [
        "--url",
        server.place()[1],
        "--root",
        "other.pem",
        "--token-file",
        "token",
    ];
    exec(&folder, &under_another, &["docker", "run", &image]).exit(125);
    assert_eq!(started(&folder), [""; 0]);
    run(&server, &[]).exit(42);
    assert_eq!(started(&folder), ["run", &image]);
    let server = StandIn::start(&folder, move |_| ok(json!([denied])));
    let complaint = run(&server, &[]).exit(126).silent().complaint();
    assert!(complaint.contains("later"), "{complaint}");
    assert_eq!(
        decisions(&folder, "decisions"),
        ["exec permit -", "exec deny not-yet"]
    );
    // What cannot be written down is no refusal that anybody could find again.
    folder.write("decisions", "no record\n");
    run(&server, &[]).exit(125);
}
