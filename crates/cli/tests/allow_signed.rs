//! Signed lists by hand: signed, verified, published and fetched, and what must be refused on the way.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Folder, Ran};
use gangplank_testkit::{Leaf, TestCa};

const EXPIRES: &str = "2100-01-01T00:00:00Z";

fn digest(number: u32) -> String {
    format!("{number:064x}")
}

fn text(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers
        .into_iter()
        .map(|number| digest(number) + "\n")
        .collect()
}

/// Two signers, and a folder to publish in.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.device("signer", "SN-0001", "p256");
    folder.device("other", "SN-0002", "ed25519");
    std::fs::create_dir(folder.path("published")).unwrap();
    folder
}

fn run(folder: &Folder, verb: &[&str], more: &[&str]) -> Ran {
    folder.run(&[&["allow"], verb, more].concat(), b"")
}

fn sign(folder: &Folder, version: &str, more: &[&str]) -> Ran {
    let signer = [
        "--key",
        "signer.key",
        "--id",
        "SN-0001",
        "--name",
        "plant-7",
        "-o",
        "manifest",
    ];
    let list = ["--list", "list", "--version", version];
    let expires: &[&str] = if more.contains(&"--expires") {
        &[]
    } else {
        &["--expires", EXPIRES]
    };
    run(
        folder,
        &["sign"],
        &[&signer, &list[..], expires, more].concat(),
    )
}

fn verify(folder: &Folder, more: &[&str]) -> Ran {
    let arguments = [
        "--manifest",
        "manifest",
        "--list",
        "list",
        "--cert",
        "signer.pem",
    ];
    run(folder, &["verify"], &[&arguments, more].concat())
}

fn publish(folder: &Folder, more: &[&str]) -> Ran {
    let signer = [
        "--key",
        "signer.key",
        "--id",
        "SN-0001",
        "--name",
        "plant-7",
    ];
    let list = ["--dir", "published", "--list", "list", "--expires", EXPIRES];
    run(folder, &["publish"], &[&signer, &list[..], more].concat())
}

fn fetch(folder: &Folder, more: &[&str]) -> Ran {
    let from: &[&str] = if more.contains(&"--url") {
        &[]
    } else {
        &["--from", "published"]
    };
    run(folder, &["fetch"], &[from, &KEPT, more].concat())
}

/// What is fetched, and where to.
const KEPT: [&str; 8] = [
    "--name",
    "plant-7",
    "--cert",
    "signer.pem",
    "--state",
    "state",
    "--out",
    "fetched",
];

#[test]
fn what_was_signed_verifies_and_nothing_else() {
    let folder = folder();
    folder.write("list", text(1..4));
    sign(&folder, "1", &[]).exit(0);
    let said = verify(&folder, &[]).exit(0).stdout();
    assert_eq!(said, "list version 1 of plant-7 is as SN-0001 signed it\n");
    verify(&folder, &["--id", "SN-0001", "--name", "plant-7"]).exit(0);
    for wrong in [
        &["--cert", "other.pem"][..],
        &["--id", "SN-0002"],
        &["--name", "plant-8"],
        &["--audience", "https://wfm.example"],
        &["--at", EXPIRES],
        &["--list", "signer.pem"],
    ] {
        let arguments: Vec<&str> = [
            "--manifest",
            "manifest",
            "--list",
            "list",
            "--cert",
            "signer.pem",
        ]
        .chunks(2)
        .filter(|option| option[0] != wrong[0])
        .flatten()
        .copied()
        .chain(wrong.iter().copied())
        .collect();
        run(&folder, &["verify"], &arguments).exit(1).silent();
    }
    for list in [
        text(1..5),
        text(1..3),
        text(2..5),
        text(1..4)[1..].to_owned(),
    ] {
        folder.write("list", list);
        verify(&folder, &[]).exit(1).silent();
    }
    std::fs::remove_file(folder.path("list")).unwrap();
    verify(&folder, &[]).exit(2).silent();
}

#[test]
fn only_what_can_be_verified_is_signed() {
    let folder = folder();
    for list in [
        format!("{}{}", text([2]), text([1])),
        text([1, 1]),
        "x\n".into(),
        text([1]).to_uppercase() + " ",
    ] {
        folder.write("list", list);
        sign(&folder, "1", &[]).exit(1).silent();
    }
    folder.write("list", text([1]));
    sign(&folder, "0", &[]).exit(2);
    sign(&folder, "1", &["--expires", "5", "--not-before", "5"])
        .exit(1)
        .silent();
    sign(&folder, "1", &["--not-before", "2099-01-01T00:00:00Z"]).exit(0);
    verify(&folder, &[]).exit(1).silent();
    verify(&folder, &["--at", "2099-01-01T00:00:00Z"]).exit(0);
}

#[test]
fn an_older_list_is_refused_once_a_newer_one_was_there() {
    let folder = folder();
    folder.write("list", text(1..4));
    sign(&folder, "7", &[]).exit(0);
    verify(&folder, &["--state", "state"]).exit(0);
    let state = folder.read("state");
    verify(&folder, &["--state", "state"]).exit(0);
    sign(&folder, "6", &[]).exit(0);
    let complaint = verify(&folder, &["--state", "state"])
        .exit(1)
        .silent()
        .complaint();
    assert!(
        complaint.contains("version 6 is older than version 7"),
        "{complaint}"
    );
    sign(&folder, "7", &["--expires", "2099-01-01T00:00:00Z"]).exit(0);
    verify(&folder, &["--state", "state"]).exit(1).silent();
    assert_eq!(folder.read("state"), state);
    sign(&folder, "8", &[]).exit(0);
    // What does not verify is not remembered.
    folder.write("list", text(1..5));
    verify(&folder, &["--state", "state"]).exit(1).silent();
    assert_eq!(folder.read("state"), state);
    folder.write("list", text(1..4));
    verify(&folder, &["--state", "state"]).exit(0);
    assert_ne!(folder.read("state"), state);
    // Damaged, it is not taken for nothing.
    folder.write("state", &state[1..]);
    verify(&folder, &["--state", "state"]).exit(1).silent();
}

#[test]
fn a_published_list_is_fetched_whole_then_by_its_delta() {
    let folder = folder();
    // As people edit it; published in canonical form.
    folder.write(
        "list",
        format!("# ours\r\n{}{}", text((1..40).rev()), text([3])),
    );
    assert_eq!(
        publish(&folder, &[]).exit(0).stdout(),
        "plant-7 version 1\n"
    );
    assert_eq!(
        fetch(&folder, &[]).exit(0).stdout(),
        "plant-7 version 1 (whole)\n"
    );
    assert_eq!(folder.read("fetched"), text(1..40).as_bytes());
    assert_eq!(
        fetch(&folder, &[]).exit(0).stdout(),
        "plant-7 version 1 (unchanged)\n"
    );
    folder.write("list", text(2..42));
    assert_eq!(
        publish(&folder, &[]).exit(0).stdout(),
        "plant-7 version 2 (with the delta from version 1)\n"
    );
    let told = fetch(&folder, &["--json"]).exit(0).lines();
    assert_eq!(
        (&told[0]["version"], &told[0]["by"]),
        (&2.into(), &"delta".into())
    );
    assert_eq!(folder.read("fetched"), text(2..42).as_bytes());
    // A delta that is missing, or was never signed, is no reason to do without the list.
    folder.write("list", text(3..43));
    publish(&folder, &["--version", "9"]).exit(0);
    folder.write("published/plant-7-2-9.delta", b"+".repeat(132));
    let ran = fetch(&folder, &[]).exit(0);
    assert!(
        ran.complaint().contains("the delta was not signed"),
        "{}",
        ran.complaint()
    );
    assert_eq!(ran.stdout(), "plant-7 version 9 (whole)\n");
    assert_eq!(folder.read("fetched"), text(3..43).as_bytes());
    publish(&folder, &["--version", "9"]).exit(1).silent();
    publish(&folder, &["--version", "8"]).exit(1).silent();
    assert_eq!(
        names(&folder, "published"),
        [
            "plant-7-2-9.delta",
            "plant-7-2.list",
            "plant-7-9.list",
            "plant-7.manifest.json",
            "plant-7.manifest.json.lock"
        ]
    );
}

/// What is in a folder, by name.
fn names(folder: &Folder, of: &str) -> Vec<String> {
    let names = std::fs::read_dir(folder.path(of)).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

/// Indexed lists, which never have deltas, and what a run that was interrupted left behind.
#[test]
fn of_what_was_published_the_list_before_stays() {
    let folder = folder();
    let version = |last: u32| {
        folder.write("text", text(1..last));
        let _ = std::fs::remove_file(folder.path("list"));
        let import = ["text", "--list", "list", "--format", "indexed"];
        run(&folder, &["import"], &import).exit(0);
        publish(&folder, &[]).exit(0);
    };
    (40..43).for_each(version);
    let there = |more: &[&str]| {
        let ours = ["plant-7.manifest.json", "plant-7.manifest.json.lock"];
        let mut there = [&ours[..], more].concat();
        there.sort_unstable();
        assert_eq!(names(&folder, "published"), there);
    };
    there(&["plant-7-2.list", "plant-7-3.list"]);
    let left = [
        "plant-7-1.list",
        "plant-7-2.list",
        "plant-7-1-2.delta",
        "plant-7-2-3.delta",
    ];
    let stay = [
        // Of other lists, whose names begin or end as this one's does.
        "plant-1.list",
        "plant-7-1-1.list",
        "plant-7-1-1-2.delta",
        "plant-7-a-1.list",
        // Of nobody.
        "plant-7-01.list",
        "plant-7-+1.list",
        "plant-7-1.list.old",
        "plant-7-1.delta",
        "plant-7-1-2.list",
        "plant-7-.list",
        // Not published yet.
        "plant-7-5.list",
        "plant-7-3-5.delta",
    ];
    for name in left.iter().chain(&stay) {
        folder.write(&format!("published/{name}"), "");
    }
    version(43);
    there(&[&stay[..], &["plant-7-3.list", "plant-7-4.list"]].concat());
}

#[test]
fn whatever_fails_the_list_that_is_there_stays() {
    let folder = folder();
    folder.write("list", text(1..40));
    publish(&folder, &[]).exit(0);
    let old = folder.read("published/plant-7.manifest.json");
    fetch(&folder, &[]).exit(0);
    folder.write("list", text(1..41));
    publish(&folder, &[]).exit(0);
    let new = folder.read("published/plant-7.manifest.json");
    let there = [folder.read("state"), folder.read("fetched")];
    let refused = |code: i32, more: &[&str]| {
        let complaint = fetch(&folder, more).exit(code).complaint();
        assert!(
            complaint.contains("the list of version 1 stays"),
            "{complaint}"
        );
        assert_eq!([folder.read("state"), folder.read("fetched")], there);
    };
    refused(1, &["--id", "SN-0002"]);
    refused(1, &["--at", EXPIRES]);
    folder.write("published/plant-7.manifest.json", &new[1..]);
    refused(1, &[]);
    std::fs::remove_file(folder.path("published/plant-7.manifest.json")).unwrap();
    refused(2, &[]);
    folder.write("published/plant-7.manifest.json", &new);
    std::fs::remove_file(folder.path("published/plant-7-1-2.delta")).unwrap();
    let list = folder.read("published/plant-7-2.list");
    let longer = [list.as_slice(), b"\n"].concat();
    let mut changed = list.clone();
    changed[60] ^= 1;
    for wrong in [&list[1..], &longer, &changed] {
        folder.write("published/plant-7-2.list", wrong);
        refused(1, &[]);
    }
    folder.write("published/plant-7-2.list", &list);
    fetch(&folder, &[]).exit(0);
    folder.write("published/plant-7.manifest.json", &old);
    fetch(&folder, &[]).exit(1);
    assert_eq!(folder.read("fetched"), list);
    // What is not there does not stay.
    folder.write("fetched", &list[1..]);
    fetch(&folder, &[]).exit(1).silent();
}

/// As a crash of `fetch` leaves it, before the list is replaced and after.
#[test]
fn a_crash_leaves_a_list_that_counts() {
    let folder = folder();
    let image = |number| format!("acme/pump@sha256:{}", digest(number));
    let check = |number, code| {
        let arguments = ["--list", "fetched", "--state", "state", &image(number)];
        run(&folder, &["check"], &arguments).exit(code);
    };
    let version = |last| {
        folder.write("list", text(1..last));
        publish(&folder, &[]).exit(0);
        let manifest = folder.read("published/plant-7.manifest.json");
        fetch(&folder, &[]).exit(0);
        assert!(!folder.path("state.next").exists());
        (manifest, folder.read("state"), folder.read("fetched"))
    };
    let (old, old_state, old_list) = version(40);
    let (new, new_state, new_list) = version(41);
    folder.write("state", &old_state);
    folder.write("state.next", &new_state);
    check(40, 0);
    folder.write("fetched", &old_list);
    check(39, 0);
    check(40, 1);
    // Which of both came last is known all the same.
    folder.write("published/plant-7.manifest.json", &old);
    fetch(&folder, &[]).exit(1);
    folder.write("published/plant-7.manifest.json", &new);
    fetch(&folder, &[]).exit(0);
    assert_eq!(folder.read("fetched"), new_list);
    assert_eq!(folder.read("state"), new_state);
    // By hand, too.
    folder.write("state", &old_state);
    folder.write("state.next", &new_state);
    folder.write("list", &old_list);
    folder.write("manifest", &old);
    verify(&folder, &["--state", "state"]).exit(1).silent();
    assert_eq!(folder.read("state"), old_state);
    folder.write("list", &new_list);
    folder.write("manifest", &new);
    verify(&folder, &["--state", "state"]).exit(0);
    assert_eq!(folder.read("state"), new_state);
    assert!(!folder.path("state.next").exists());
    // What is announced goes forward only.
    folder.write("state.next", &old_state);
    folder.write("fetched", &old_list);
    check(39, 1);
}

#[test]
fn links_stay_links_and_have_the_lock_of_their_file() {
    let folder = folder();
    std::fs::create_dir(folder.path("device")).unwrap();
    for (file, link) in [("device/images", "fetched"), ("device/kept", "state")] {
        std::os::unix::fs::symlink(file, folder.path(link)).unwrap();
    }
    for (last, way) in [(40, "whole"), (40, "unchanged"), (41, "delta")] {
        folder.write("list", text(1..last));
        if way != "unchanged" {
            publish(&folder, &[]).exit(0);
        }
        let said = fetch(&folder, &[]).exit(0).stdout();
        assert!(said.ends_with(&format!(" ({way})\n")), "{said}");
        for link in ["fetched", "state"] {
            assert!(folder.path(link).is_symlink(), "{link} after {way}");
        }
        assert_eq!(folder.read("device/images"), text(1..last).as_bytes());
    }
    assert_eq!(
        names(&folder, "device"),
        ["images", "images.lock", "kept", "kept.lock"]
    );
    assert!(!folder.path("fetched.lock").exists());
    assert!(!folder.path("state.lock").exists());
    // What a crash left beside the file counts by the link, too.
    let new = [folder.read("device/kept"), folder.read("device/images")];
    let image = format!("acme/pump@sha256:{}", digest(50));
    let check = |code| {
        let arguments = ["--list", "fetched", "--state", "state", &image];
        run(&folder, &["check"], &arguments).exit(code);
    };
    folder.write("list", text(1..51));
    publish(&folder, &[]).exit(0);
    fetch(&folder, &[]).exit(0);
    check(0);
    std::fs::rename(folder.path("device/kept"), folder.path("device/kept.next")).unwrap();
    folder.write("device/kept", &new[0]);
    check(0);
    folder.write("device/images", &new[1]);
    check(1);
    verify_link(&folder);
}

#[test]
fn a_list_and_what_is_remembered_of_it_are_two_files() {
    let folder = folder();
    folder.write("list", text(1..40));
    publish(&folder, &[]).exit(0);
    sign(&folder, "1", &[]).exit(0);
    folder.write("one", "");
    std::fs::create_dir(folder.path("device")).unwrap();
    std::os::unix::fs::symlink("device", folder.path("link")).unwrap();
    let published = ["--from", "published", "--name", "plant-7"];
    let verified = ["--manifest", "manifest"];
    for (state, list) in [
        ("./one", "one"),
        // Not there yet, and below a link.
        ("link/new", "device/new"),
        // Which are written and removed beside what is remembered, or beside the list.
        ("link/new", "device/new.next"),
        ("link/new", "device/new.lock"),
        ("device/new.lock", "link/new"),
    ] {
        let trusted = ["--cert", "signer.pem", "--state", state];
        for (verb, of, to) in [
            ("fetch", &published[..], "--out"),
            ("verify", &verified, "--list"),
        ] {
            let arguments = [of, &trusted, &[to, list]].concat();
            let complaint = run(&folder, &[verb], &arguments)
                .exit(2)
                .silent()
                .complaint();
            assert!(complaint.contains("cannot be the list"), "{complaint}");
        }
    }
    assert_eq!(names(&folder, "device"), [""; 0]);
}

/// `verify` remembers by the link as `fetch` does.
fn verify_link(folder: &Folder) {
    let manifest = "published/plant-7.manifest.json";
    let arguments = ["--manifest", manifest, "--list", "list"];
    let more = ["--cert", "signer.pem", "--state", "state"];
    run(folder, &["verify"], &[arguments, more].concat()).exit(0);
    assert!(folder.path("state").is_symlink());
}

/// The list comes through a pipe, so that it is known when it is on its way.
#[cfg(target_os = "linux")]
#[test]
fn while_a_list_comes_by_a_link_nobody_else_writes_its_file() {
    let folder = folder();
    std::os::unix::fs::symlink("images", folder.path("fetched")).unwrap();
    folder.write("images", text(60..62));
    folder.write("list", text(1..40));
    publish(&folder, &[]).exit(0);
    let pipe = folder.path("published/plant-7-1.list");
    std::fs::remove_file(&pipe).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let start = |arguments: &[&str]| {
        let mut command = common::gangplank(&folder.path(""));
        command.arg("allow").args(arguments).spawn().unwrap()
    };
    let fetching = [&["fetch", "--from", "published"], &KEPT[..]].concat();
    let mut fetch = start(&fetching);
    // A pipe that nobody reads cannot be opened like this.
    let mut pipe = loop {
        let mut options = std::fs::OpenOptions::new();
        match options.write(true).custom_flags(NONBLOCK).open(&pipe) {
            Ok(pipe) => break pipe,
            Err(_) => assert_eq!(fetch.try_wait().unwrap(), None, "it does not fetch"),
        }
        std::thread::yield_now();
    };
    let mut add = start(&["add", "--list", "images", &digest(50)]);
    common::until_it_waits(&mut add);
    pipe.write_all(text(1..40).as_bytes()).unwrap();
    drop(pipe);
    assert!(fetch.wait().unwrap().success());
    assert!(add.wait().unwrap().success());
    assert_eq!(folder.read("images"), text((1..40).chain([50])).as_bytes());
    // And the other way round: who writes the file keeps the list that comes by the link away.
    let lock = std::fs::File::open(folder.path("images.lock")).unwrap();
    lock.lock().unwrap();
    let mut fetch = start(&fetching);
    common::until_it_waits(&mut fetch);
    fetch.kill().unwrap();
    fetch.wait().unwrap();
}

/// Who brought the list may have been interrupted before it was on the disk, and so may who remembered it.
/// Read from the system calls.
#[cfg(target_os = "linux")]
#[test]
fn a_list_that_is_there_already_is_synced_before_it_is_remembered() {
    let folder = folder();
    folder.write("list", text(1..40));
    publish(&folder, &[]).exit(0);
    fetch(&folder, &[]).exit(0);
    let state = folder.read("state");
    let fetch = [&["allow", "fetch", "--from", "published"], &KEPT[..]].concat();
    let manifest = "published/plant-7.manifest.json";
    let verify = [
        "allow",
        "verify",
        "--manifest",
        manifest,
        "--list",
        "fetched",
    ];
    let trusted = ["--cert", "signer.pem", "--state", "state"];
    for (arguments, said) in [
        (fetch, "(unchanged)"),
        ([&verify[..], &trusted].concat(), "as SN-0001 signed it"),
    ] {
        let Some((ran, synced)) = synced(&folder, &arguments) else {
            println!("sync test not run: no strace that may trace");
            return;
        };
        assert!(ran.contains(said), "{ran}");
        // The list, its folder, what is remembered (under another name at first), its folder.
        assert_eq!(synced.len(), 4, "{synced:?}");
        assert_eq!([&synced[0], &synced[1], &synced[3]], ["fetched", "", ""]);
        assert!(synced[2].starts_with(".list-"), "{synced:?}");
        assert_eq!(folder.read("state"), state);
    }
}

/// What a run said and which files of the folder it synced; `None` if nobody can tell.
#[cfg(target_os = "linux")]
fn synced(folder: &Folder, arguments: &[&str]) -> Option<(String, Vec<String>)> {
    let _ = std::fs::remove_file(folder.path("trace"));
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-e", "trace=fsync", "-o", "trace"]);
    command.arg(env!("CARGO_BIN_EXE_gangplank")).args(arguments);
    let ran = command.current_dir(folder.path("")).output().ok()?;
    let trace = std::fs::read_to_string(folder.path("trace")).ok()?;
    let itself = folder.path("").canonicalize().unwrap();
    let synced = trace.lines().filter_map(|line| {
        let (path, result) = line.split_once("fsync(")?.1.split_once('>')?;
        assert!(result.ends_with(" = 0"), "{line}");
        let path = Path::new(path.split_once('<')?.1);
        Some(
            path.strip_prefix(&itself)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned(),
        )
    });
    Some((String::from_utf8(ran.stdout).unwrap(), synced.collect()))
}

/// Nobody changes a list between the look at it and the note that it was seen.
#[cfg(target_os = "linux")]
#[test]
fn a_list_is_not_remembered_while_somebody_writes_it() {
    let folder = folder();
    folder.write("list", text(1..40));
    sign(&folder, "1", &[]).exit(0);
    let lock = std::fs::File::create(folder.path("list.lock")).unwrap();
    lock.lock().unwrap();
    let mut command = common::gangplank(&folder.path(""));
    command.args([
        "allow",
        "verify",
        "--manifest",
        "manifest",
        "--list",
        "list",
    ]);
    command.args(["--cert", "signer.pem", "--state", "state"]);
    let mut verify = command.spawn().unwrap();
    common::until_it_waits(&mut verify);
    folder.write("list", text(1..41));
    drop(lock);
    assert_eq!(verify.wait().unwrap().code(), Some(1));
    assert!(!folder.path("state").exists());
}

/// `O_NONBLOCK` of Linux.
#[cfg(target_os = "linux")]
const NONBLOCK: i32 = 0o4000;

#[test]
fn gates_take_a_list_as_it_is_remembered_and_for_its_time() {
    let folder = folder();
    let image = |number| format!("acme/pump@sha256:{}", digest(number));
    let check = |number, code| {
        let arguments = ["--list", "fetched", "--state", "state", &image(number)];
        run(&folder, &["check"], &arguments).exit(code)
    };
    folder.write("list", text(1..40));
    publish(&folder, &[]).exit(0);
    fetch(&folder, &[]).exit(0);
    check(7, 0);
    check(40, 1);
    // Put on the list by hand.
    folder.write("fetched", text(1..41));
    check(40, 1).silent();
    check(7, 1).silent();
    fetch(&folder, &[]).exit(0);
    check(7, 0);
    std::fs::rename(folder.path("state"), folder.path("gone")).unwrap();
    check(7, 2).silent();
    // A minute ago it still counted.
    folder.write("list", text(1..40));
    sign(&folder, "2", &["--expires", "1767225600"]).exit(0);
    verify(&folder, &["--at", "1767225599", "--state", "state"]).exit(0);
    let said = check(7, 1).stdout();
    assert!(said.contains("was listed until 1767225600"), "{said}");
    let docker = [
        "--list",
        "fetched",
        "--state",
        "state",
        "--",
        "docker",
        "run",
        &image(7),
    ];
    run(&folder, &["exec"], &docker).exit(126);
    // Of any server's list nothing is remembered.
    run(&folder, &["check"], &["--state", "state", &image(7)]).exit(2);
}

#[test]
fn an_indexed_list_is_signed_as_it_is() {
    let folder = folder();
    folder.write("text", text(1..400));
    let import = ["text", "--list", "list", "--format", "indexed"];
    run(&folder, &["import"], &import).exit(0);
    publish(&folder, &[]).exit(0);
    fetch(&folder, &[]).exit(0);
    assert_eq!(folder.read("fetched"), folder.read("list"));
    // Which the operator should know, who sees how much devices fetch.
    let said = publish(&folder, &[]).exit(0).stdout();
    assert_eq!(said, "plant-7 version 2 (without a delta: it is indexed)\n");
    let told = publish(&folder, &["--json"]).exit(0).lines().remove(0);
    let expected = serde_json::json!({
        "list": "plant-7", "version": 3, "format": "indexed", "size": folder.read("list").len(),
        "count": 399, "deltaFrom": null,
    });
    assert_eq!(told, expected);
    let image = format!("acme/pump@sha256:{}", digest(399));
    let check = ["--list", "fetched", "--state", "state", &image];
    run(&folder, &["check"], &check).exit(0);
    let mut damaged = folder.read("list");
    damaged[6000] ^= 1;
    folder.write("list", damaged);
    publish(&folder, &[]).exit(1).silent();
}

/// Python's web server over TLS, in the folder `published`: something that knows nothing of gangplank.
struct Web(Child, u16);

impl Web {
    fn start(folder: &Folder) -> Option<Self> {
        let authority = TestCa::new("root");
        let leaf = authority.issue(&Leaf::new("web").dns_name("localhost"));
        folder.write("root.der", &authority.certificate);
        folder.write("leaf.der", &leaf.certificate);
        folder.write("leaf-key.der", &leaf.private_key);
        for (kind, from, to) in [
            ("x509", "leaf.der", "leaf.pem"),
            ("pkey", "leaf-key.der", "leaf.key"),
        ] {
            folder.openssl(&[kind, "-inform", "DER", "-in", from, "-out", to])?;
        }
        let mut child = Command::new("python3")
            .args(["-u", "-c", SERVER])
            .current_dir(folder.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .inspect_err(|_| println!("fetching over https not run: python3 absent"))
            .ok()?;
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Some(Self(child, port))
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn any_web_server_will_do_and_only_that_under_the_root() {
    let folder = folder();
    folder.write("list", text(1..4000));
    publish(&folder, &[]).exit(0);
    let Some(web) = Web::start(&folder) else {
        return;
    };
    let url = format!("https://localhost:{}/", web.1);
    let over = |root: &str| fetch(&folder, &["--url", &url, "--root", root]);
    assert_eq!(
        over("root.der").exit(0).stdout(),
        "plant-7 version 1 (whole)\n"
    );
    assert_eq!(folder.read("fetched"), text(1..4000).as_bytes());
    folder.write("list", text(1..4001));
    publish(&folder, &[]).exit(0);
    over("signer.pem").exit(3);
    assert_eq!(
        over("root.der").exit(0).stdout(),
        "plant-7 version 2 (delta)\n"
    );
    assert_eq!(folder.read("fetched"), text(1..4001).as_bytes());
    std::fs::remove_file(folder.path("published/plant-7.manifest.json")).unwrap();
    over("root.der").exit(4);
    let plain = url.replace("https", "http");
    fetch(&folder, &["--url", &plain, "--root", "root.der"]).exit(3);
    assert!(Path::new(&folder.path("fetched")).exists());
}

const SERVER: &str = r#"
import functools, http.server, ssl
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="published")
server = http.server.ThreadingHTTPServer(("localhost", 0), handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("leaf.pem", "leaf.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;
