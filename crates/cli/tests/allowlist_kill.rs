//! Clients put images on a tenant's allowlist and take them off, two in each request, by the admin API
//! and by the Secure Manager's endpoint; others read it; and the server is killed with SIGKILL meanwhile
//! and started again over what it left. No edit that was acknowledged is lost, one without an answer is
//! made whole or not at all, none twice, and nobody ever sees one of two.
//!
//! `GANGPLANK_ALLOWLIST_KILLS` says how often (default 10), `GANGPLANK_ALLOWLIST_SEED` repeats the moments
//! of a run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(unix)]

#[path = "allowlist_kill/editor.rs"]
mod editor;
#[path = "allowlist_kill/reader.rs"]
mod reader;
mod support;

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gangplank_server::key::CryptoRng;
use gangplank_testkit::{TestRng, temp_dir};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use editor::Editor;
use reader::List;
use support::{Api, DEADLINE, Lost, SIGKILL, SLOW_DISK, Serving, number, serve, strace_may};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_edits_survive_sigkill_and_are_never_seen_in_half() {
    let kills = number("GANGPLANK_ALLOWLIST_KILLS").unwrap_or(10);
    let seed = number("GANGPLANK_ALLOWLIST_SEED").unwrap_or_else(|| std::process::id().into());
    println!("allowlist: GANGPLANK_ALLOWLIST_SEED={seed}");
    let mut rng = TestRng::new(seed);
    let folder = temp_dir();
    let data = folder.path().join("data");
    let slow = strace_may("allowlist with a slow disk", SLOW_DISK);
    let mut server = start(&data, Disk::AsItIs).await;
    let mut editors: Vec<_> = (0..EDITORS).map(|name| Editor::new(name, seed)).collect();
    let mut total = Tally::default();
    while total.kills < kills && total.faults.is_empty() {
        let moment = [Moment::Any, Moment::Answer][(total.kills % 2) as usize];
        let (back, mut tally) = until_killed(server, editors, moment, &mut rng).await;
        editors = back;
        let disk = match slow && moment == Moment::Any {
            true => Disk::Slow,
            false => Disk::AsItIs,
        };
        server = start(&data, disk).await;
        tally.kills = 1;
        println!("killed ({moment:?}) after {} edits", tally.acknowledged);
        total.add(tally);
        total.inspect(&mut editors, &server.api).await;
    }
    println!("allowlist: {total}");
    assert!(total.faults.is_empty(), "{:#?}", total.faults);
    assert!(
        total.acknowledged >= kills * EDITS,
        "the clients hardly edit"
    );
    assert!(total.in_doubt >= kills, "the kills hit hardly anything");
    assert!(total.read >= kills * EDITS / 10, "hardly anybody reads");
}

/// What was counted. Faults are collected, so that the summary is printed with all of them.
#[derive(Default)]
struct Tally {
    kills: u64,
    acknowledged: u64,
    /// Edits under way when the server was killed.
    in_doubt: u64,
    /// Those of them that had been made.
    in_doubt_made: u64,
    /// How often the list was read.
    read: u64,
    faults: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.acknowledged += other.acknowledged;
        self.in_doubt += other.in_doubt;
        self.in_doubt_made += other.in_doubt_made;
        self.read += other.read;
        self.faults.extend(other.faults);
    }

    /// Holds the list against all that was acknowledged, and settles what was in doubt.
    async fn inspect(&mut self, editors: &mut [Editor], api: &Api) {
        let list = List::read(api, WHOLE).await.unwrap();
        let list = list.expect("nobody edits it");
        self.faults.extend(list.faults());
        let mut images = 0;
        for editor in editors {
            self.in_doubt_made += editor.settle(&list, &mut self.faults);
            images += editor.listed();
        }
        if list.digests.len() != images {
            let found = list.digests.len();
            self.faults
                .push(format!("{found} images and not {images} are listed"));
        }
        // Each edit changes something, and each change makes one revision.
        let made = self.acknowledged + self.in_doubt_made;
        if list.revision != made {
            let found = list.revision;
            self.faults.push(format!(
                "{made} edits were made, and the revision is {found}"
            ));
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            kills,
            acknowledged,
            in_doubt,
            in_doubt_made,
            read,
            faults,
        } = self;
        let faults = faults.len();
        write!(
            f,
            "{kills} kills, {acknowledged} acknowledged edits, {in_doubt} under way of which \
             {in_doubt_made} had been made, {read} times read, {faults} faults"
        )
    }
}

/// When the server is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// Whatever it is doing.
    Any,
    /// With an answer, and on a disk that takes its time (where strace is there to slow it down): an
    /// answer that did not wait for its commit is found out.
    Answer,
}

#[derive(Clone, Copy)]
enum Disk {
    AsItIs,
    Slow,
}

async fn start(data: &Path, disk: Disk) -> Serving {
    let wrapper = match disk {
        Disk::AsItIs => Vec::new(),
        Disk::Slow => [&["strace"], SLOW_DISK].concat(),
    };
    Serving::start(serve(&wrapper, data, &["--secure-manager=127.0.0.1:0"])).await
}

/// What the tasks and the killer tell each other.
struct Load {
    answers: watch::Sender<u64>,
    /// The newest that an answer named.
    revision: AtomicU64,
    killed: AtomicBool,
}

impl Load {
    /// Called before the answer is so much as looked at.
    fn answered(&self) {
        self.answers.send_modify(|count| *count += 1);
    }

    /// Nobody but the killer may cut an answer off.
    fn lost(&self, lost: &Lost) {
        let killed = self.killed.load(Ordering::SeqCst);
        assert!(killed, "the server lives, and an answer is lost: {lost:?}");
    }
}

/// Edits and reads, and kills the server after some answers. Gives the editors back.
async fn until_killed(
    server: Serving,
    editors: Vec<Editor>,
    moment: Moment,
    rng: &mut dyn CryptoRng,
) -> (Vec<Editor>, Tally) {
    let load = Arc::new(Load {
        answers: watch::Sender::new(0),
        revision: AtomicU64::new(0),
        killed: AtomicBool::new(false),
    });
    let (mut editing, mut reading) = (JoinSet::new(), JoinSet::new());
    for editor in editors {
        editing.spawn(editor.work(server.api.clone(), Arc::clone(&load)));
    }
    for page in [WHOLE, HALF] {
        reading.spawn(reader::watch(server.api.clone(), page, Arc::clone(&load)));
    }
    kill(server, &load, moment, rng).await;
    let (mut back, mut total) = (Vec::new(), Tally::default());
    let edited = timeout(DEADLINE, editing.join_all()).await;
    for (editor, tally) in edited.expect("editors in time") {
        back.push(editor);
        total.add(tally);
    }
    let read = timeout(DEADLINE, reading.join_all()).await;
    for tally in read.expect("readers in time") {
        total.add(tally);
    }
    back.sort_by_key(|editor| editor.name);
    (back, total)
}

async fn kill(mut server: Serving, load: &Load, moment: Moment, rng: &mut dyn CryptoRng) {
    let enough = EDITS + rng.next_u64() % EDITS;
    let mut answers = load.answers.subscribe();
    let reached = answers.wait_for(|count| *count >= enough);
    drop(timeout(DEADLINE, reached).await.expect("answers in time"));
    if moment == Moment::Any {
        // The one wait for time instead of an event: the moment is to be arbitrary.
        tokio::time::sleep(Duration::from_micros(rng.next_u64() % 20_000)).await;
    }
    load.killed.store(true, Ordering::SeqCst);
    server.kill();
    let signal = server.ended().await.signal();
    assert_eq!(signal, Some(SIGKILL), "it ended by itself");
}

/// As many connections as edit at the same time, half of them by each way.
const EDITORS: usize = 8;
/// Answers before a kill, at least; at most twice as many.
const EDITS: u64 = 60;
/// Images of a page: more than there are.
const WHOLE: usize = 1000;
/// Fewer than there are, so that a list takes two pages or three.
const HALF: usize = 40;
