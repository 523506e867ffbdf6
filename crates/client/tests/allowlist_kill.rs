//! A process that changes a list is killed with SIGKILL at random moments: no change that it reported is
//! lost, and nobody who reads meanwhile ever sees half of one. For both kinds of file.
//!
//! `GANGPLANK_ALLOWLIST_KILLS` says how often (default 20), `GANGPLANK_ALLOWLIST_SEED` repeats the
//! moments and changes of a run.
#![cfg(all(feature = "allowlist", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gangplank_client::allowlist::indexed::Layout;
use gangplank_client::allowlist::{
    Change, Entry, ImageDigest, IndexedFile, ListFile, Listing as _,
};
use gangplank_testkit::{TestRng, temp_dir};

#[test]
fn a_text_file_loses_nothing_by_kills() {
    let folder = temp_dir();
    let path = folder.path().join("list.txt");
    std::fs::write(&path, "").unwrap();
    race("text", &path);
}

#[test]
fn an_indexed_file_loses_nothing_by_kills() {
    let folder = temp_dir();
    let path = folder.path().join("list");
    // So short a log that replacing the file is hit as often as writing into it.
    let layout = Layout {
        serial: 1,
        log_slots: 24,
    };
    IndexedFile::create(&path, &mut Vec::new(), &layout).unwrap();
    race("indexed", &path);
}

fn race(kind: &str, path: &Path) {
    let kills = number("GANGPLANK_ALLOWLIST_KILLS").unwrap_or(20);
    let seed = number("GANGPLANK_ALLOWLIST_SEED").unwrap_or_else(|| std::process::id().into());
    println!("{kind}: GANGPLANK_ALLOWLIST_SEED={seed}");
    let over = AtomicBool::new(false);
    let looks = AtomicUsize::new(0);
    let (acknowledged, cut_off) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let list = ListFile::open(path).unwrap();
            while !over.load(Ordering::Relaxed) {
                let listed = pairs(&list);
                listed.expect("a list, whoever is killed");
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        // A fault of this thread ends the other one, too.
        let killed = std::panic::catch_unwind(|| kill_again_and_again(path, kills, seed));
        over.store(true, Ordering::Relaxed);
        killed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let looks = looks.into_inner();
    println!(
        "{kind}: {kills} kills, {acknowledged} changes reported, {cut_off} cut off, {looks} looks"
    );
    assert!(acknowledged as u64 >= kills, "the kills came too early");
    assert!(looks as u64 >= kills, "nobody looked");
}

/// How many changes were reported, and of how many nobody heard.
fn kill_again_and_again(path: &Path, kills: u64, seed: u64) -> (usize, usize) {
    let mut rng = TestRng::new(seed);
    let mut listed = BTreeSet::new();
    let (mut acknowledged, mut cut_off) = (0, 0);
    for round in 0..kills {
        let writer_seed = seed.wrapping_mul(1000).wrapping_add(round);
        let delay = Duration::from_micros(random(&mut rng) % 30_000);
        let reported = run_and_kill(path, writer_seed, delay);
        let mut changes = TestRng::new(writer_seed);
        for _ in 0..reported {
            apply(&mut listed, &next_change(&mut changes));
        }
        acknowledged += reported;
        let found = pairs(&ListFile::open(path).unwrap()).expect("a list after a kill");
        let mut with_one_more = listed.clone();
        apply(&mut with_one_more, &next_change(&mut changes));
        if found != listed {
            assert_eq!(
                found, with_one_more,
                "GANGPLANK_ALLOWLIST_SEED={seed}, kill {round}"
            );
            listed = with_one_more;
            cut_off += 1;
        }
    }
    (acknowledged, cut_off)
}

/// Starts a writer and kills it a while after its first change. How many it reported.
fn run_and_kill(path: &Path, seed: u64, delay: Duration) -> usize {
    let mut writer = start(path, seed);
    let mut reports = BufReader::new(writer.stdout.take().unwrap());
    let mut line = String::new();
    // The harness says some lines of its own.
    while line != REPORT {
        line.clear();
        assert!(
            reports.read_line(&mut line).unwrap() > 0,
            "the writer ended by itself"
        );
    }
    // The one wait for time instead of an event: the moment is to be arbitrary.
    std::thread::sleep(delay);
    writer.kill().unwrap();
    let left = reports.lines().map(Result::unwrap);
    let reported = 1 + left.filter(|line| line == REPORT.trim_end()).count();
    assert_eq!(
        writer.wait().unwrap().signal(),
        Some(9),
        "killed, not failed"
    );
    reported
}

fn start(path: &Path, seed: u64) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "writer", "--ignored", "--nocapture"]);
    command.env("GANGPLANK_ALLOWLIST_WRITES", path);
    command.env("GANGPLANK_ALLOWLIST_WRITER_SEED", seed.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// The process that is killed: changes the list until then, and reports each change that is made.
#[test]
#[ignore = "started by the other tests"]
fn writer() {
    let Some(path) = env::var_os("GANGPLANK_ALLOWLIST_WRITES") else {
        return;
    };
    let mut rng = TestRng::new(number("GANGPLANK_ALLOWLIST_WRITER_SEED").unwrap());
    let list = ListFile::open(path).unwrap();
    let mut out = std::io::stdout().lock();
    loop {
        list.change(&changes(&next_change(&mut rng))).unwrap();
        out.write_all(REPORT.as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

/// Up to four pairs of digests that are listed or not from now on. Both digests of a pair are changed at
/// once, so that half a change shows.
fn next_change(rng: &mut TestRng) -> Vec<(u8, bool)> {
    let count = random(rng) % 4 + 1;
    (0..count)
        .map(|_| ((random(rng) % 24) as u8, random(rng).is_multiple_of(2)))
        .collect()
}

fn apply(listed: &mut BTreeSet<u8>, change: &[(u8, bool)]) {
    for (pair, list) in change {
        if *list {
            listed.insert(*pair);
        } else {
            listed.remove(pair);
        }
    }
}

fn changes(change: &[(u8, bool)]) -> Vec<Change<'static>> {
    let both = change
        .iter()
        .flat_map(|(pair, list)| [(pair, 0, list), (pair, 1, list)]);
    let changes = both.map(|(pair, half, list)| Change {
        digest: digest(*pair, half),
        entry: list.then(Entry::default),
    });
    changes.collect()
}

fn digest(pair: u8, half: u8) -> ImageDigest {
    let mut bytes = [0; 32];
    (bytes[0], bytes[1]) = (half.wrapping_mul(200), pair);
    ImageDigest::from_bytes(bytes)
}

/// Which pairs are listed.
fn pairs(list: &ListFile) -> Result<BTreeSet<u8>, String> {
    let list = list.current().map_err(|error| error.to_string())?;
    let has = |pair, half| {
        let found = list.find(&digest(pair, half));
        found
            .map_err(|damaged| damaged.to_string())
            .map(|entry| entry.is_some())
    };
    let mut listed = BTreeSet::new();
    for pair in 0..24 {
        match (has(pair, 0)?, has(pair, 1)?) {
            (true, true) => drop(listed.insert(pair)),
            (false, false) => {}
            _ => return Err(format!("half of pair {pair}")),
        }
    }
    Ok(listed)
}

fn random(rng: &mut TestRng) -> u64 {
    let rng: &mut dyn gangplank_client::key::CryptoRng = rng;
    rng.next_u64()
}

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name}={value} is no number")),
    )
}

const REPORT: &str = "changed\n";
