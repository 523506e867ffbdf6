//! What SIGKILL cannot show, since the page cache survives it: every 2xx that says a device is
//! aboard is written only after the write-ahead log that has it was synced to the disk. Read from
//! the system calls themselves, by `strace`; without it the test prints one line and passes.
//!
//! That the pragma behind it holds is a unit test of the store (`the_pragmas_hold`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use gangplank_testkit::temp_dir;

use support::{Device, Serving, serve, strace_may};

#[tokio::test]
async fn a_commit_is_synced_before_its_answer_is_written() {
    let folder = temp_dir();
    if !strace_may("fsync test", &["-o", "/dev/null"]) {
        return;
    }
    let trace = folder.path().join("trace");
    let answers = onboard_under_strace(&folder.path().join("data"), &trace).await;
    let trace = Trace::read(&std::fs::read_to_string(&trace).unwrap());
    println!("fsync test: {trace:?}");
    assert!(trace.faults.is_empty(), "{:#?}", trace.faults);
    assert_eq!(trace.answers, answers);
    assert!(trace.synced >= answers);
}

/// The reader of traces knows a right one from wrong ones.
#[test]
fn an_answer_before_the_sync_is_noticed() {
    let write = "7 pwrite64(9</d/gangplank.db-wal>, \"\"..., 24, 0) = 24\n";
    let synced = "7 fdatasync(9</d/gangplank.db-wal>) = 0\n";
    let begun = "7 fdatasync(9</d/gangplank.db-wal> <unfinished ...>\n";
    let done = "7 <... fdatasync resumed>) = 0\n";
    let failed = "7 <... fdatasync resumed>) = -1 EIO (Input/output error)\n";
    let other = "7 fdatasync(8</d/gangplank.db>) = 0\n";
    let answer =
        "8 sendto(12<socket:[1]>, \"HTTP/1.1 201 Created\\r\\n\"..., 99, 0, NULL, 0) = 99\n";
    let right = [write, begun, done, answer, write, write, synced, answer].concat();
    let trace = Trace::read(&right);
    assert_eq!((trace.answers, trace.synced, trace.faults.len()), (2, 2, 0));
    for wrong in [
        vec![write, answer],
        vec![write, begun, answer, done],
        vec![write, begun, failed, answer],
        vec![write, synced, write, answer],
        vec![write, other, answer],
        vec![answer],
    ] {
        assert_eq!(Trace::read(&wrong.concat()).faults.len(), 1, "{wrong:?}");
    }
}

/// Devices onboard one after another; returns how many answers said that one is aboard. The
/// balancer's listener is used: without TLS the answers can be read in the trace.
async fn onboard_under_strace(data: &Path, trace: &Path) -> usize {
    let wrapper = [
        "strace",
        "-f",
        "-y",
        "-e",
        CALLS,
        "-o",
        trace.to_str().unwrap(),
    ];
    let plain = [
        "--listen-plain",
        "127.0.0.1:0",
        "--trusted-proxy",
        "127.0.0.1/32",
    ];
    let mut server = Serving::start(serve(&wrapper, data, &plain)).await;
    let listener = server.api.plain.clone().unwrap();
    let mut answers = 0;
    for number in 0..DEVICES {
        let mut device = Device::new(&format!("SN-{number}"), number);
        assert_eq!(server.api.register(&device).await.unwrap().status, 201);
        for expected in [201, 200] {
            let request = device.request();
            let answer = server
                .api
                .onboard_at(&listener, &request.bytes)
                .await
                .unwrap();
            assert_eq!(answer.status, expected, "{}", answer.text());
            device.open(&server.api.root, &request, &answer);
            answers += 1;
        }
    }
    server.terminate();
    server.ended().await;
    answers
}

/// What a trace says about the order of writing, syncing and answering.
#[derive(Debug, Default)]
struct Trace {
    answers: usize,
    synced: usize,
    faults: Vec<String>,
}

impl Trace {
    /// strace stops each call at its entry and at its exit, so the file's order is the order of
    /// causes: a thread goes on only after its line was written.
    fn read(text: &str) -> Self {
        let mut trace = Self::default();
        let mut log = Log::Untouched;
        // The call that each thread is in, when another thread's line came between.
        let mut unfinished: BTreeMap<&str, &str> = BTreeMap::new();
        for line in text.lines() {
            let Some((thread, call)) = line.split_once(' ') else {
                continue;
            };
            let call = call.trim_start();
            let (entered, left) = match call.strip_suffix(" <unfinished ...>") {
                Some(entered) => {
                    unfinished.insert(thread, entered);
                    (Some(entered), None)
                }
                None if call.starts_with("<... ") => (None, unfinished.remove(thread)),
                None => (Some(call), Some(call)),
            };
            if entered.is_some_and(|call| call.starts_with("pwrite64(") && is_log(call)) {
                log = Log::Written;
            }
            let sync = |call: &&str| call.starts_with("fdatasync(") || call.starts_with("fsync(");
            if left.filter(sync).is_some_and(is_log)
                && call.ends_with(" = 0")
                && log == Log::Written
            {
                trace.synced += 1;
                log = Log::Synced;
            }
            if entered.is_some_and(says_aboard) {
                trace.answers += 1;
                if log != Log::Synced {
                    trace.faults.push(format!("{log:?} before {line}"));
                }
                log = Log::Untouched;
            }
        }
        trace
    }
}

/// The write-ahead log since the answer before.
#[derive(Debug, PartialEq)]
enum Log {
    Untouched,
    Written,
    Synced,
}

/// Whether the call's first argument is the log: with `-y` strace names each descriptor's file.
fn is_log(call: &str) -> bool {
    let first = call.split([',', ')']).next().unwrap_or_default();
    first.ends_with("/gangplank.db-wal>")
}

fn says_aboard(call: &str) -> bool {
    ["HTTP/1.1 200 ", "HTTP/1.1 201 "]
        .iter()
        .any(|start| call.contains(start))
}

const CALLS: &str = "trace=fsync,fdatasync,write,writev,sendto,sendmsg,pwrite64,pwritev";

const DEVICES: u64 = 5;
