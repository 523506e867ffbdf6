//! Lists in files and on the server, edited and shown.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use common::stand_in::StandIn;
use common::{Folder, Ran, Server};
use serde_json::{Value, json};

fn hex(digit: &str) -> String {
    digit.repeat(64)
}

fn sha256(digit: &str) -> String {
    format!("sha256:{}", hex(digit))
}

/// `allow VERB …` on the list `list`.
fn on_file(folder: &Folder, verb: &str, more: &[&str], code: i32) -> Ran {
    let arguments = [&["allow", verb, "--list", "list"], more].concat();
    folder.run(&arguments, b"").exit(code)
}

#[test]
fn a_list_as_text_is_edited_and_shown() {
    let folder = Folder::new();
    on_file(&folder, "add", &[&hex("b"), &sha256("a"), &hex("b")], 0);
    assert_eq!(
        folder.read("list"),
        format!("{}\n{}\n", hex("a"), hex("b")).as_bytes()
    );
    // As in a file that people edit.
    on_file(
        &folder,
        "add",
        &[&hex("C"), &sha256("c").replace('c', "C")],
        0,
    );
    let shown = on_file(&folder, "list", &[], 0).stdout();
    assert_eq!(
        shown,
        format!("{}\n{}\n{}\n", sha256("a"), sha256("b"), sha256("c"))
    );
    let lines = on_file(&folder, "list", &["--json"], 0).lines();
    assert_eq!(lines[0], json!({"digest": sha256("a")}));
    on_file(&folder, "remove", &[&sha256("b"), &hex("d")], 0);
    assert_eq!(
        folder.read("list"),
        format!("{}\n{}\n", hex("a"), hex("c")).as_bytes()
    );
    let stats = on_file(&folder, "stats", &["--json"], 0).lines().remove(0);
    assert_eq!(stats, json!({"kind": "text", "images": 2, "badLines": 0}));
    let refused = on_file(
        &folder,
        "add",
        &[&hex("d"), "--owner", "o", "--expires", "5"],
        2,
    );
    let complaint = refused.silent().complaint();
    assert!(complaint.contains("--expires, --owner"), "{complaint}");
    for wrong in [
        "",
        "a",
        "sha512:a",
        &format!("sha256:{}", sha256("e")),
        &sha256("e").to_uppercase(),
        &format!("SHA256:{}", hex("e")),
        &format!("sha256: {}", hex("e")),
        "sha256:",
        &hex("g"),
        &format!("{}0", hex("a")),
        &format!(" {}", hex("a")),
    ] {
        on_file(&folder, "add", &[&hex("e"), wrong], 2);
        on_file(&folder, "remove", &[&hex("a"), wrong], 2);
    }
    assert_eq!(
        folder.read("list"),
        format!("{}\n{}\n", hex("a"), hex("c")).as_bytes()
    );
    on_file(&folder, "clear", &[], 0);
    assert_eq!(folder.read("list"), b"");
    std::fs::remove_file(folder.path("list")).unwrap();
    for (verb, more) in [
        ("remove", vec!["-"; 0]),
        ("clear", vec![]),
        ("list", vec![]),
        ("stats", vec![]),
        ("export", vec![]),
    ] {
        let digest = hex("a");
        let more = if verb == "remove" {
            vec![digest.as_str()]
        } else {
            more
        };
        on_file(&folder, verb, &more, 2).silent();
    }
    assert!(!folder.path("list").exists());
}

#[test]
fn bad_lines_are_told_and_refused_by_an_import() {
    let folder = Folder::new();
    folder.write(
        "list",
        format!("{}\r\nno digest\n# a remark\n\n{}", hex("A"), hex("b")),
    );
    let ran = on_file(&folder, "list", &[], 0);
    assert_eq!(ran.stdout(), format!("{}\n{}\n", sha256("a"), sha256("b")));
    assert!(ran.complaint().contains("line 2: "), "{}", ran.complaint());
    for (more, there) in [
        (vec!["--list", "new"], false),
        (vec!["--list", "old"], true),
    ] {
        folder.write("old", format!("{}\n", hex("c")));
        let arguments = [&["allow", "import", "list"], &more[..]].concat();
        let complaint = folder.run(&arguments, b"").exit(1).silent().complaint();
        assert!(complaint.contains("line 2: "), "{complaint}");
        assert_eq!(folder.path(more[1]).exists(), there);
    }
    assert_eq!(folder.read("old"), format!("{}\n", hex("c")).as_bytes());
    folder
        .run(&["allow", "import", "no", "--list", "new"], b"")
        .exit(2);
}

/// The list is made by somebody else while the import waits for the lock.
#[cfg(target_os = "linux")]
#[test]
fn an_import_adds_to_a_list_that_appeared_meanwhile() {
    let folder = Folder::new();
    folder.write("new", format!("{}\n", hex("b")).as_bytes());
    let lock = std::fs::File::create(folder.path("list.lock")).unwrap();
    lock.lock().unwrap();
    let mut import = std::process::Command::new(env!("CARGO_BIN_EXE_gangplank"));
    import.args(["allow", "import", "new", "--list", "list"]);
    let mut import = import.current_dir(folder.path(".")).spawn().unwrap();
    common::until_it_waits(&mut import);
    folder.write("list", format!("{}\n", hex("a")).as_bytes());
    drop(lock);
    assert!(import.wait().unwrap().success());
    let expected = format!("{}\n{}\n", hex("a"), hex("b"));
    assert_eq!(folder.read("list"), expected.as_bytes());
}

#[test]
fn an_indexed_list_keeps_what_is_said() {
    let folder = Folder::new();
    let text = format!("{}\n{}\n", hex("b"), hex("a"));
    let import = ["allow", "import", "-", "--list", "list", "--json"];
    let stats = folder
        .run(&import, text.as_bytes())
        .exit(0)
        .lines()
        .remove(0);
    assert_eq!(
        (&stats["kind"], &stats["images"]),
        (&json!("indexed"), &json!(2))
    );
    assert!(folder.read("list").starts_with(b"gangplank list\n"));
    let said = [
        "--expires",
        "2100-01-01T00:00:00Z",
        "--not-before",
        "5",
        "--repository",
        "a.example/pump",
        "--owner",
        "ops",
        "--reason",
        "release 7",
        "--tenant",
        "plant-7",
    ];
    on_file(
        &folder,
        "add",
        &[&[hex("c").as_str()], &said[..]].concat(),
        0,
    );
    on_file(&folder, "add", &[&hex("d"), "--reason", "because"], 0);
    on_file(&folder, "remove", &[&hex("b")], 0);
    let all = json!({"digest": sha256("c"), "notBefore": 5, "expires": 4_102_444_800_u64, "tenant": "plant-7",
        "repository": "a.example/pump", "owner": "ops", "reason": "release 7"});
    let lines = on_file(&folder, "list", &["--json"], 0).lines();
    assert_eq!(
        lines,
        [
            json!({"digest": sha256("a")}),
            all,
            json!({"digest": sha256("d"), "reason": "because"})
        ]
    );
    assert_eq!(
        on_file(&folder, "list", &["--tenant", "other"], 0)
            .stdout()
            .lines()
            .count(),
        2
    );

    let pump = format!("a.example/pump@{}", sha256("c"));
    let other = format!("a.example/other@{}", sha256("c"));
    on_file(&folder, "check", &[&pump, "--tenant", "plant-7"], 0);
    for (image, more, code) in [
        (&pump, vec![], "other-tenant"),
        (&other, vec!["--tenant", "plant-7"], "other-repository"),
    ] {
        let arguments = [&[image.as_str(), "--json"], &more[..]].concat();
        assert_eq!(
            on_file(&folder, "check", &arguments, 1).lines()[0]["code"],
            code
        );
    }

    on_file(&folder, "export", &[], 1).silent();
    let ran = on_file(&folder, "export", &["--unconditional"], 0);
    assert_eq!(ran.stdout(), format!("{}\n{}\n", hex("a"), hex("d")));
    assert!(
        ran.complaint().contains("1 with conditions"),
        "{}",
        ran.complaint()
    );
    on_file(&folder, "export", &["--unconditional", "--out", "text"], 0);
    on_file(&folder, "export", &["--unconditional", "--out", "text"], 2);
    folder
        .run(
            &[
                "allow", "import", "text", "--list", "again", "--format", "text",
            ],
            b"",
        )
        .exit(0);
    assert_eq!(folder.read("again"), folder.read("text"));

    on_file(&folder, "clear", &[], 0);
    assert_eq!(on_file(&folder, "list", &[], 0).stdout(), "");
    on_file(
        &folder,
        "add",
        &[&hex("e"), "--expires", "5", "--not-before", "5"],
        2,
    );
    let mut damaged = folder.read("list");
    damaged[20] ^= 1;
    folder.write("list", damaged);
    on_file(&folder, "list", &[], 1).silent();
    on_file(&folder, "check", &[&pump], 1).silent();
    on_file(&folder, "add", &[&hex("e")], 1).silent();
    on_file(&folder, "clear", &[], 0);
    assert!(folder.read("list").starts_with(b"gangplank list\n"));
    assert_eq!(on_file(&folder, "list", &[], 0).stdout(), "");
    // Neither header nor log.
    folder.write("list", &folder.read("list")[..20]);
    on_file(&folder, "clear", &[], 0);
    on_file(&folder, "add", &[&hex("e")], 0);
}

#[test]
fn the_servers_list_is_edited_and_asked() {
    let folder = Folder::new();
    let server = Server::start(&folder, &["--public-url", "https://wfm.example"]);
    let run = |verb: &str, more: &[&str], code: i32| {
        let arguments = [&["allow", verb, "--data", "data"], more].concat();
        folder.run(&arguments, b"").exit(code)
    };
    assert_eq!(run("list", &[], 0).stdout(), "");
    let added = run("add", &[&hex("b"), &sha256("a"), "--json"], 0)
        .lines()
        .remove(0);
    assert_eq!((&added["added"], &added["count"]), (&json!(2), &json!(2)));
    run(
        "add",
        &[
            &hex("c"),
            "--expires",
            "4102444800",
            "--repository",
            "a.example/pump",
            "--owner",
            "ops",
        ],
        0,
    );
    let lines = run("list", &["--json"], 0).lines();
    let said = json!({"digest": sha256("c"), "expires": 4_102_444_800_u64, "repository": "a.example/pump", "owner": "ops"});
    assert_eq!(
        lines,
        [
            json!({"digest": sha256("a")}),
            json!({"digest": sha256("b")}),
            said
        ]
    );
    let image = |name: &str, digit: &str| format!("{name}@{}", sha256(digit));
    let (pump, other, unlisted) = (
        image("a.example/pump", "c"),
        image("a.example/other", "c"),
        image("x", "d"),
    );
    assert_eq!(
        run("check", &[&pump, &image("x", "a")], 0)
            .stdout()
            .lines()
            .count(),
        2
    );
    let answers = run("check", &[&pump, &other, &unlisted, "x:1", "--json"], 1).lines();
    // As of a list in a file.
    let said = |image: &str, more: &[(&str, &str)]| {
        let mut said = json!({"image": image, "mode": "enforce"});
        for (member, word) in more {
            said[member] = json!(word);
        }
        said
    };
    let denied = |image: &str, digest: &str, code: &str, reason: &str| {
        let more = [
            ("verdict", "deny"),
            ("digest", digest),
            ("code", code),
            ("reason", reason),
        ];
        said(image, &more)
    };
    let (c, d) = (sha256("c"), sha256("d"));
    let may_run = format!("{pump} may run");
    let permitted = [
        ("verdict", "permit"),
        ("digest", c.as_str()),
        ("reason", &may_run),
    ];
    let tag = ("reason", "the image is not pinned by a digest");
    let expected = [
        said(&pump, &permitted),
        denied(
            &other,
            &c,
            "other-repository",
            &format!("{c} is listed for another repository"),
        ),
        denied(
            &unlisted,
            &d,
            "not-listed",
            &format!("{d} is not on the list"),
        ),
        said("x:1", &[("verdict", "deny"), ("code", "no-digest"), tag]),
    ];
    assert_eq!(answers, expected);
    assert!(run("check", &[&unlisted], 1).stdout().contains(": "));
    // As where a file is missing.
    let missing = run("check", &[&pump, "--tenant", "nobody"], 2).silent();
    assert!(
        missing.complaint().contains("nobody"),
        "{}",
        missing.complaint()
    );
    run("check", &[&pump, "--audit"], 2);
    run("check", &[&pump, "--log", "log"], 2);
    run("remove", &[&hex("a")], 0);
    run("export", &[], 1);
    assert_eq!(
        run("export", &["--unconditional"], 0).stdout(),
        format!("{}\n", hex("b"))
    );

    let many: String = (0..2500).map(|number| format!("{number:064x}\n")).collect();
    folder.write("many", &many);
    run("import", &["many"], 0);
    assert_eq!(
        run("export", &["--unconditional"], 0).stdout(),
        format!("{many}{}\n", hex("b"))
    );
    let stats = run("stats", &["--json"], 0).lines().remove(0);
    assert_eq!(stats["count"], 2502);
    assert!(
        stats["revision"].is_u64() && stats.get("images").is_none(),
        "{stats}"
    );
    run("clear", &[], 0);
    assert_eq!(run("list", &[], 0).stdout(), "");
    run("list", &["--tenant", "nobody"], 1).silent();
    run("list", &["--list", "many"], 2);
    drop(server);
}

/// What a proxy may make of it, or a program that is no such server.
#[test]
fn what_is_no_answer_about_the_images_is_no_refusal() {
    let folder = Folder::new();
    let image = format!("x@{}", sha256("a"));
    let about = |image: &str, verdict: &str| json!({"image": image, "verdict": verdict});
    let of = |verdicts: Value| json!({ "verdicts": verdicts }).to_string();
    let permitted = about(&image, "permitted");
    let problem = |status| json!({"type": "about:blank", "title": "no", "status": status});
    for (status, body, code) in [
        ("200 OK", of(json!([permitted])), 0),
        ("200 OK", of(json!([])), 6),
        ("200 OK", of(json!([permitted, permitted])), 6),
        ("200 OK", of(json!([null])), 6),
        ("200 OK", of(json!([about("y", "permitted")])), 6),
        ("200 OK", of(json!([about("y", "denied")])), 6),
        ("200 OK", of(json!([about(&image, "denied")])), 6),
        ("200 OK", of(json!([about(&image, "perhaps")])), 6),
        ("200 OK", "[]".to_owned(), 6),
        ("200 OK", "{}".to_owned(), 6),
        // There is no such list, as where a file is missing.
        ("404 Not Found", problem(404).to_string(), 2),
        ("503 Service Unavailable", problem(503).to_string(), 4),
    ] {
        let told = body.clone();
        let server = StandIn::start(&folder, move |_| (status.to_owned(), told.clone()));
        let arguments = [&["allow", "check", image.as_str()], &server.place()[..]].concat();
        let ran = folder.run(&arguments, b"");
        assert_eq!(
            ran.1.status.code(),
            Some(code),
            "{status} {body}: {}",
            ran.complaint()
        );
        if code != 0 {
            ran.silent();
        }
    }
}

#[test]
fn pages_that_do_not_go_on_are_no_list() {
    let folder = Folder::new();
    let page = |digits: &[&str]| {
        let images = digits.iter().map(|digit| json!({"digest": sha256(digit)}));
        json!({"revision": 1, "count": 9, "images": images.collect::<Vec<_>>()}).to_string()
    };
    let export = |pages: [String; 2], code: i32| {
        let server = StandIn::start(&folder, move |target| {
            let at = usize::from(target.contains("after="));
            let is_behind = target.ends_with(&format!("after=sha256%3A{}", hex("c")));
            let page = if is_behind {
                r#"{"images": []}"#
            } else {
                &pages[at]
            };
            ("200 OK".to_owned(), page.to_owned())
        });
        let ran = folder.run(&[&["allow", "export"], &server.place()[..]].concat(), b"");
        ran.exit(code)
    };
    let first = page(&["a", "b"]);
    let said = export([first.clone(), page(&["c"])], 0).stdout();
    assert_eq!(said, format!("{}\n{}\n{}\n", hex("a"), hex("b"), hex("c")));
    assert_eq!(export([page(&[]), page(&[])], 0).stdout(), "");
    for second in [
        // As of a proxy that does not read queries.
        first.clone(),
        page(&["b", "c"]),
        page(&["d", "c"]),
        page(&["c", "c"]),
        r#"{"images": [{}]}"#.to_owned(),
        r#"{"images": null}"#.to_owned(),
    ] {
        export([first.clone(), second], 6).silent();
    }
}

/// The server's own database refuses the 1,500th image, and so the part that has it is not taken.
#[test]
fn an_import_that_is_interrupted_says_how_far_it_came() {
    let folder = Folder::new();
    let server = Server::start(&folder, &[]);
    let import = |code| {
        let arguments = ["allow", "import", "many", "--data", "data", "--json"];
        folder.run(&arguments, b"").exit(code)
    };
    let count = || {
        let ran = folder.run(&["allow", "stats", "--data", "data", "--json"], b"");
        ran.exit(0).lines()[0]["count"].clone()
    };
    folder.write("many", "");
    assert_eq!(import(0).lines()[0]["added"], 0);
    let many: String = (0..2500).map(|number| format!("{number:064x}\n")).collect();
    folder.write("many", &many);

    let database = rusqlite::Connection::open(folder.path("data/gangplank.db")).unwrap();
    let stop = format!(
        "CREATE TRIGGER stop BEFORE INSERT ON allowed_image WHEN new.digest = x'{:064x}' \
         BEGIN SELECT RAISE(ABORT, 'stopped'); END",
        1499
    );
    database.execute_batch(&stop).unwrap();
    let complaint = import(4).silent().complaint();
    let expected = "the server acknowledged 1000 of 2500 digests, which stay on the list; \
                    importing the same file again completes it: ";
    assert!(complaint.contains(expected), "{complaint}");
    assert_eq!(count(), 1000);

    database.execute_batch("DROP TRIGGER stop").unwrap();
    assert_eq!(import(0).lines()[0]["added"], 1500);
    assert_eq!(count(), 2500);

    // Nobody answers: whether the part was taken cannot be told, so only what was acknowledged is said.
    assert_eq!(server.stop(), Some(0));
    let complaint = import(3).silent().complaint();
    assert!(complaint.contains("acknowledged 0 of 2500 "), "{complaint}");
    // One part is taken or not, which needs no counting.
    folder.write("many", hex("a"));
    let complaint = import(3).silent().complaint();
    assert!(!complaint.contains("acknowledged"), "{complaint}");
}

/// A text has no room for what is said.
#[test]
fn a_list_that_is_not_there_is_made_for_what_is_said() {
    let folder = Folder::new();
    for (option, member, value) in [
        ("--expires", "expires", json!(5)),
        ("--not-before", "notBefore", json!(5)),
        ("--repository", "repository", json!("a.example/pump")),
        ("--owner", "owner", json!("ops")),
        ("--reason", "reason", json!("release 7")),
        ("--tenant", "tenant", json!("plant-7")),
    ] {
        let said = value.as_str().unwrap_or("5");
        on_file(&folder, "add", &[&hex("a"), option, said], 0);
        let image = on_file(&folder, "list", &["--json"], 0).lines().remove(0);
        assert_eq!(image, json!({"digest": sha256("a"), member: value}));
        std::fs::remove_file(folder.path("list")).unwrap();
    }
    // What is there already stays what it is.
    folder.write("list", "");
    on_file(&folder, "add", &[&hex("a"), "--owner", "ops"], 2).silent();
    assert_eq!(folder.read("list"), b"");
}

#[test]
fn what_is_about_a_whole_file_is_about_no_tenant() {
    let folder = Folder::new();
    folder.write("new", hex("a"));
    let arguments = ["allow", "import", "new", "--list", "list", "--tenant", "a"];
    folder.run(&arguments, b"").exit(2).silent();
    assert!(!folder.path("list").exists());
    folder.write("list", hex("a"));
    for verb in ["stats", "export", "clear"] {
        let complaint = on_file(&folder, verb, &["--tenant", "a"], 2)
            .silent()
            .complaint();
        assert!(complaint.contains("--tenant"), "{verb}: {complaint}");
    }
    on_file(&folder, "remove", &[&hex("a"), "--tenant", "a"], 2).silent();
    assert_eq!(folder.read("list"), hex("a").as_bytes());
}

#[test]
fn without_a_list_or_a_server_it_cannot_be_told() {
    let folder = Folder::new();
    for verb in ["list", "stats", "clear", "export"] {
        folder.run(&["allow", verb], b"").exit(2).silent();
    }
    let digest = hex("a");
    for arguments in [
        ["allow", "add", &digest],
        ["allow", "remove", &digest],
        ["allow", "check", "x"],
    ] {
        folder.run(&arguments, b"").exit(2).silent();
    }
    for verb in [
        "add",
        "remove",
        "clear",
        "list",
        "check",
        "import",
        "export",
        "stats",
        "exec",
        "log",
        "containerd-check",
    ] {
        folder.run(&["allow", verb, "--help"], b"").exit(0);
    }
}
