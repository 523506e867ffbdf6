//! The server is killed with SIGKILL under load at random moments, and started again over what it
//! left. What it had acknowledged must be there, once, and no bytes it had accepted may be accepted
//! again. `docs/durability.md` says what that proves and what it does not.
//!
//! `GANGPLANK_KILLS` says how often (default 5), `GANGPLANK_KILL_SEED` repeats the delays of a run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(unix)]

#[path = "kill/member.rs"]
mod member;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gangplank_server::key::CryptoRng;
use gangplank_testkit::{TestRng, temp_dir};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use member::Member;
use support::{
    Api, DEADLINE, Device, Lost, SIGKILL, SLOW_DISK, Serving, number, serve, strace_may,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_sigkill() {
    let kills = number("GANGPLANK_KILLS").unwrap_or(5);
    let seed = number("GANGPLANK_KILL_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("kill test: GANGPLANK_KILL_SEED={seed}");
    let mut rng = TestRng::new(seed);
    let folder = temp_dir();
    let data = folder.path().join("data");
    let slow = strace_may("kill test with a slow disk", SLOW_DISK);
    let slow_wrapper = [&["strace"], SLOW_DISK].concat();
    let mut server = Serving::start(serve(&[], &data, &[])).await;
    let mut fleet = Fleet::registered(&server.api, seed).await;
    let mut total = Tally::default();
    while total.kills < kills && total.faults().is_empty() {
        let delay = delay(&mut rng);
        let moment = [Moment::Any, Moment::Answer][(total.kills % 2) as usize];
        let mut tally = fleet.work_until_killed(server, delay, moment).await;
        let wrapper = if slow && moment == Moment::Any {
            slow_wrapper.as_slice()
        } else {
            &[]
        };
        server = Serving::start(serve(wrapper, &data, &[])).await;
        tally.add(fleet.inspect(&server.api).await);
        tally.kills = 1;
        println!("killed after {delay:?} ({moment:?}): {}", tally.round());
        total.add(tally);
    }
    total.add(fleet.replay_everything(&server.api).await);
    println!(
        "all kills: {}, {} devices",
        total.round(),
        fleet.members().count()
    );
    println!("{total}");
    assert!(total.faults().is_empty(), "{:#?}", total.faults());
    assert!(total.acknowledged >= kills, "hardly any load");
    assert!(total.refused >= total.acknowledged);
}

/// What was counted. Faults are collected, so that the summary is printed with all of them.
#[derive(Default)]
struct Tally {
    kills: u64,
    acknowledged: u64,
    refused: u64,
    /// Requests under way when the server was killed.
    in_doubt: u64,
    /// Those of them that had been accepted.
    in_doubt_accepted: u64,
    lost: Vec<String>,
    doubled: Vec<String>,
    accepted_again: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.in_doubt += other.in_doubt;
        self.in_doubt_accepted += other.in_doubt_accepted;
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.accepted_again.extend(other.accepted_again);
    }

    fn round(&self) -> String {
        format!(
            "{} acknowledged, {} under way of which {} had been accepted",
            self.acknowledged, self.in_doubt, self.in_doubt_accepted
        )
    }

    fn faults(&self) -> Vec<&String> {
        let faults = self.lost.iter().chain(&self.doubled);
        faults.chain(&self.accepted_again).collect()
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "kill test: {} kills, {} acknowledged onboardings, {} lost, {} doubled, {} replays refused",
            self.kills,
            self.acknowledged,
            self.lost.len(),
            self.doubled.len(),
            self.refused
        )?;
        match self.accepted_again.len() {
            0 => Ok(()),
            accepted => write!(f, ", {accepted} REPLAYS ACCEPTED"),
        }
    }
}

/// All devices, each in the hands of one worker: it has one request under way at most.
struct Fleet {
    workers: Vec<Worker>,
}

impl Fleet {
    async fn registered(api: &Api, seed: u64) -> Self {
        let mut workers: Vec<_> = (0..WORKERS).map(|name| Worker::new(name, seed)).collect();
        for worker in (0..WORKERS).cycle().take(DEVICES) {
            workers[worker].enlist(api).await.unwrap();
        }
        Self { workers }
    }

    fn members(&self) -> impl Iterator<Item = &Member> {
        self.workers.iter().flat_map(|worker| &worker.members)
    }

    /// Onboards and registers devices, and kills the server `delay` after the first onboarding,
    /// when all are at it.
    async fn work_until_killed(
        &mut self,
        mut server: Serving,
        delay: Duration,
        moment: Moment,
    ) -> Tally {
        let load = Arc::new(Load::default());
        let mut tasks = JoinSet::new();
        let first = Arc::clone(&load);
        let first = first.answered.notified();
        for mut worker in self.workers.drain(..) {
            let (api, load) = (server.api.clone(), Arc::clone(&load));
            tasks.spawn(async move {
                let tally = worker.work(&api, &load).await;
                (worker, tally)
            });
        }
        timeout(DEADLINE, first).await.expect("an answer in time");
        // The one wait for time instead of an event: the moment is to be arbitrary.
        tokio::time::sleep(delay).await;
        if moment == Moment::Answer {
            let next = timeout(DEADLINE, load.answered.notified()).await;
            next.expect("an answer in time");
        }
        load.killed.store(true, Ordering::SeqCst);
        server.kill();
        let signal = server.ended().await.signal();
        assert_eq!(signal, Some(SIGKILL), "it ended by itself");
        self.returned(tasks).await
    }

    /// Takes the workers back.
    async fn returned(&mut self, mut tasks: JoinSet<(Worker, Tally)>) -> Tally {
        let mut total = Tally::default();
        while let Some(done) = timeout(DEADLINE, tasks.join_next()).await.expect("in time") {
            let (worker, tally) = done.unwrap();
            self.workers.push(worker);
            total.add(tally);
        }
        self.workers.sort_by_key(|worker| worker.name);
        total
    }

    /// Compares what the server has with what it had acknowledged.
    async fn inspect(&mut self, api: &Api) -> Tally {
        let mut total = Tally::default();
        let listed = Arc::new(self.listed(api, &mut total).await);
        let mut tasks = JoinSet::new();
        for mut worker in self.workers.drain(..) {
            let (api, listed) = (api.clone(), Arc::clone(&listed));
            tasks.spawn(async move {
                let mut tally = Tally::default();
                for member in &mut worker.members {
                    let listed = listed.get(member.device.id.as_str());
                    tally.add(member.inspect(&api, listed).await);
                }
                (worker, tally)
            });
        }
        total.add(self.returned(tasks).await);
        // By now every registration has been answered.
        let listed = self.listed(api, &mut total).await.len();
        assert!(listed == self.members().count() || !total.faults().is_empty());
        total
    }

    /// The server's devices by certificate id: each once, none that nobody registered.
    async fn listed(&self, api: &Api, tally: &mut Tally) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        let mut device_ids = BTreeSet::new();
        let known: BTreeSet<_> = self.members().map(|m| m.device.id.as_str()).collect();
        for device in api.list().await {
            let text = |name: &str| device[name].as_str().unwrap().to_owned();
            let (id, device_id) = (text("certificateId"), text("deviceId"));
            let twice = !device_ids.insert(device_id.clone());
            let stranger = !known.contains(id.as_str());
            if found.insert(id.clone(), device).is_some() || twice || stranger {
                tally.doubled.push(format!("{id} is also {device_id}"));
            }
        }
        found
    }

    async fn replay_everything(&self, api: &Api) -> Tally {
        let mut total = Tally::default();
        for member in self.members() {
            total.add(member.replay_everything(api).await);
        }
        total
    }
}

/// When, after the delay, the server is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// At once, whatever it is doing.
    Any,
    /// With the next answer, and on a disk that takes its time (where strace is there to slow it
    /// down): an answer that did not wait for its commit is found out.
    Answer,
}

/// What the tasks and the killer tell each other.
#[derive(Default)]
struct Load {
    answered: Notify,
    killed: AtomicBool,
}

struct Worker {
    name: usize,
    seed: u64,
    members: Vec<Member>,
    turn: usize,
}

impl Worker {
    fn new(name: usize, seed: u64) -> Self {
        Self {
            name,
            seed,
            members: Vec::new(),
            turn: 0,
        }
    }

    /// Registers a new device. One whose answer is lost counts, too.
    async fn enlist(&mut self, api: &Api) -> Result<(), Lost> {
        let number = self.members.len();
        let seed = self.seed ^ ((self.name as u64) << 48) ^ ((number as u64) << 24);
        let device = Device::new(&format!("SN-{}-{number}", self.name), seed);
        let mut member = Member::new(device);
        let registered = member.register(api).await;
        self.members.push(member);
        registered
    }

    /// In turn: the next device onboards (again), a new one is registered, and onboards.
    async fn work(&mut self, api: &Api, load: &Load) -> Tally {
        let mut tally = Tally::default();
        let answered = || load.answered.notify_waiters();
        for step in 0_usize.. {
            self.turn += 1;
            let last = self.members.len() - 1;
            let done = match step % 3 {
                0 => {
                    self.members[self.turn % (last + 1)]
                        .onboard(api, answered, &mut tally)
                        .await
                }
                1 => self.enlist(api).await,
                _ => self.members[last].onboard(api, answered, &mut tally).await,
            };
            match done {
                Ok(()) => {}
                Err(lost) => {
                    let killed = load.killed.load(Ordering::SeqCst);
                    assert!(killed, "the server lives, and an answer is lost: {lost:?}");
                    return tally;
                }
            }
        }
        tally
    }
}

/// 50 to 400 ms.
fn delay(rng: &mut dyn CryptoRng) -> Duration {
    Duration::from_micros(50_000 + rng.next_u64() % 350_000)
}

/// As many connections as work at the same time.
const WORKERS: usize = 16;

/// Registered before the first kill; more follow under load.
const DEVICES: usize = 40;
