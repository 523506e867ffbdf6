//! Two processes that append to one log of decisions are killed with SIGKILL at random moments: no decision
//! that they told is lost, and the log always holds together.
//!
//! `GANGPLANK_ALLOWLIST_KILLS` says how often (default 20).
#![cfg(all(feature = "allowlist", unix))]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gangplank_client::allowlist::hash_chain::{Head, Record};
use gangplank_client::allowlist::{Decision, DecisionLog, Verdict};
use gangplank_testkit::temp_dir;

#[test]
fn no_decision_that_was_told_is_lost() {
    let folder = temp_dir();
    let path = folder.path().join("log");
    let kills = env::var("GANGPLANK_ALLOWLIST_KILLS").map_or(20, |text| text.parse().unwrap());
    let (mut told, mut latest) = (0, Head::START);
    for round in 0..kills {
        let writers = [writer(&path), writer(&path)];
        // Half a kill's distance apart, from none to many appends in.
        std::thread::sleep(Duration::from_micros(u64::from(round) * 7919 % 40_000));
        let heads: Vec<Head> = writers.into_iter().flat_map(kill).collect();
        let written = written(&path);
        for head in heads {
            told += 1;
            // Every one of them is in the log, and not the last one alone.
            assert!(written.contains(&head), "{head} is lost");
            if head.sequence() > latest.sequence() {
                latest = head;
            }
        }
        let log = DecisionLog::new(&path);
        if path.exists() {
            log.verify(Some(latest)).unwrap();
        }
    }
    let lines = DecisionLog::new(&path).verify(Some(latest)).unwrap().lines;
    println!("decision log: {kills} kills, {told} decisions told, {lines} in the log");
    assert!(told >= kills, "the kills came too early");
    // One of each that was killed may be there that nobody was told of.
    assert!((told..=told + 2 * kills).contains(&u32::try_from(lines).unwrap()));
}

/// What the other processes do.
#[test]
fn writes_until_it_is_killed() {
    let Some(path) = env::var_os(PATH) else {
        return;
    };
    let log = DecisionLog::new(PathBuf::from(path));
    loop {
        let decision = Decision::new("test", "an image", Verdict::Deny);
        println!("\ntold {}", log.append(1, decision).unwrap());
    }
}

fn writer(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "writes_until_it_is_killed", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What it told, up to the last whole line.
fn kill(mut writer: Child) -> Vec<Head> {
    let mut output = BufReader::new(writer.stdout.take().unwrap());
    let mut told = Vec::new();
    let mut line = String::new();
    // It begins after it was loaded.
    while told.is_empty() && output.read_line(&mut line).unwrap() > 0 {
        told.extend(head(&line));
        line.clear();
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    while output.read_line(&mut line).unwrap() > 0 {
        told.extend(head(&line));
        line.clear();
    }
    told
}

/// The heads after each line that the log has; on a fast disk they are tens of thousands.
fn written(path: &Path) -> HashSet<Head> {
    let log = fs::read(path).unwrap_or_default();
    let lines = log.split_inclusive(|byte| *byte == b'\n');
    let whole = lines.filter_map(|line| line.strip_suffix(b"\n"));
    whole
        .map(|line| Record::parse(line).unwrap().head())
        .collect()
}

fn head(line: &str) -> Option<Head> {
    let text = line.strip_prefix("told ")?.strip_suffix('\n')?;
    text.parse().ok()
}

const PATH: &str = "GANGPLANK_TEST_DECISION_LOG";
