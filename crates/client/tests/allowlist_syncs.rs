//! What no kill shows, since the page cache survives it: what is synced before a change counts, and what
//! is said when a sync fails. Read from the system calls themselves, and made to fail, by `strace`;
//! without it the tests print one line and pass.
#![cfg(all(feature = "allowlist", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gangplank_client::allowlist::indexed::Layout;
use gangplank_client::allowlist::{
    Change, Decision, DecisionLog, Entry, ImageDigest, IndexedFile, ListError, ListFile,
    Listing as _, TextFile, Verdict,
};
use gangplank_testkit::temp_dir;

/// A process that was interrupted between renaming and syncing, and a machine that loses its power now:
/// whoever answers that all is done must have made it so.
#[test]
fn what_others_left_unsynced_is_synced_before_a_change_counts() {
    let folder = temp_dir();
    prepare(folder.path());
    let Some(trace) = under_strace(folder.path(), "syncs", &[]) else {
        return;
    };
    let synced = |step: &str| {
        let begin = trace.split(&format!("\"STEP {step}\\n")).nth(1).unwrap();
        let calls = begin.split("\"STEP ").next().unwrap().lines();
        let paths = calls.filter_map(|line| {
            let (_, call) = line.split_once(" f")?;
            let (_, path) = call.split_once("sync(")?.1.split_once('<')?;
            let (path, result) = path.split_once('>')?;
            assert!(result.ends_with(" = 0"), "{line}");
            let path = Path::new(path).strip_prefix(folder.path()).unwrap();
            Some(path.to_str().unwrap().to_owned())
        });
        paths.collect::<Vec<_>>()
    };
    assert_eq!(synced("unchanged text"), ["list.txt", ""]);
    assert_eq!(synced("first slot"), ["", "list"]);
    assert_eq!(synced("second slot"), ["list"]);
    assert_eq!(synced("nothing"), ["list", ""]);
    assert_eq!(synced("first decision"), ["log", ""]);
    assert_eq!(synced("second decision"), ["log"]);
}

#[test]
fn a_failed_sync_says_what_the_list_may_be() {
    for (step, fault) in [
        ("folder", "inject=fsync:error=EIO:when=2"),
        ("slot", "inject=fdatasync:error=EIO:when=1"),
        ("slot-for-ever", "inject=fdatasync:error=EIO"),
    ] {
        let folder = temp_dir();
        prepare(folder.path());
        under_strace(folder.path(), step, &["-e", fault]);
    }
}

fn prepare(folder: &Path) {
    fs::write(folder.join("list.txt"), format!("{}\n", "01".repeat(32))).unwrap();
    let mut digests = vec![digest(1)];
    IndexedFile::create(folder.join("list"), &mut digests, &Layout::default()).unwrap();
    append(&DecisionLog::new(folder.join("log")));
}

/// What strace wrote; `None` where it may not trace.
fn under_strace(folder: &Path, steps: &str, faults: &[&str]) -> Option<String> {
    let mut tried = Command::new("strace");
    tried.args(["-o", "/dev/null", "true"]);
    if !tried.output().is_ok_and(|tried| tried.status.success()) {
        println!("sync test not run: no strace that may trace");
        return None;
    }
    let trace = folder.join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-e", "trace=write,fsync,fdatasync"]);
    command.args(faults).arg("-o").arg(&trace);
    command.arg(env::current_exe().unwrap());
    command.args(["--exact", "traced", "--ignored", "--nocapture"]);
    command.env("GANGPLANK_ALLOWLIST_SYNCS", steps);
    command.env("GANGPLANK_ALLOWLIST_FOLDER", folder);
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{steps}: {ran:?}");
    Some(fs::read_to_string(trace).unwrap())
}

#[test]
#[ignore = "started by the other tests"]
fn traced() {
    let Some(folder) = env::var_os("GANGPLANK_ALLOWLIST_FOLDER").map(PathBuf::from) else {
        return;
    };
    match env::var("GANGPLANK_ALLOWLIST_SYNCS").unwrap().as_str() {
        "syncs" => syncs(&folder),
        "folder" => {
            let text = TextFile::new(folder.join("list.txt"));
            let changed = text.change(&[add(2)]);
            assert!(matches!(changed, Err(ListError::InDoubt { .. })));
            assert_eq!(text.current().unwrap().digests(), [digest(1), digest(2)]);
        }
        "slot" => {
            let list = ListFile::open(folder.join("list")).unwrap();
            let changed = list.change(&[add(2)]);
            assert!(matches!(changed, Err(ListError::Io { .. })));
            let now = list.current().unwrap();
            assert_eq!(now.find(&digest(2)).unwrap(), None);
        }
        "slot-for-ever" => {
            let list = ListFile::open(folder.join("list")).unwrap();
            let changed = list.change(&[add(2)]);
            assert!(matches!(changed, Err(ListError::InDoubt { .. })));
        }
        other => panic!("no such steps: {other}"),
    }
}

fn syncs(folder: &Path) {
    println!("STEP unchanged text");
    let text = TextFile::new(folder.join("list.txt"));
    text.change(&[add(1)]).unwrap();
    let list = IndexedFile::open(folder.join("list")).unwrap();
    println!("STEP first slot");
    list.change(&[add(2)]).unwrap();
    println!("STEP second slot");
    list.change(&[add(3)]).unwrap();
    println!("STEP nothing");
    list.change(&[]).unwrap();
    let log = DecisionLog::new(folder.join("log"));
    println!("STEP first decision");
    append(&log);
    println!("STEP second decision");
    append(&log.clone());
    println!("STEP end");
}

fn append(log: &DecisionLog) {
    log.append(1, Decision::new("check", "a:b", Verdict::Deny))
        .unwrap();
}

fn digest(number: u8) -> ImageDigest {
    ImageDigest::from_bytes([number; 32])
}

fn add(number: u8) -> Change<'static> {
    Change {
        digest: digest(number),
        entry: Some(Entry::default()),
    }
}
