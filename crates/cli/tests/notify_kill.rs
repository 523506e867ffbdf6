//! The server is killed with SIGKILL while it tells a receiver of devices that came aboard: before the
//! receiver answers, when it has taken or refused one, or at any moment between. Each event is delivered at least
//! once, in the order of its tenant, and in the end none is left.
//!
//! `GANGPLANK_NOTIFY_KILLS` says how often (default 10), `GANGPLANK_NOTIFY_SEED` repeats the moments of
//! a run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(unix)]

#[path = "joining/course.rs"]
mod course;
#[path = "notify_kill/receiver.rs"]
mod receiver;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gangplank_server::key::CryptoRng;
use gangplank_testkit::{Leaf, TestCa, TestRng, temp_dir};
use reqwest::Method;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use course::{Course, Racer, Ran};
use receiver::{Moment, Receiver, Taken};
use support::{Api, DEADLINE, Device, SIGKILL, Serving, base64, number, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_delivered_whenever_the_server_is_killed() {
    let kills = number("GANGPLANK_NOTIFY_KILLS").unwrap_or(10);
    let seed = number("GANGPLANK_NOTIFY_SEED").unwrap_or_else(|| std::process::id().into());
    println!("notify: GANGPLANK_NOTIFY_SEED={seed}");
    let mut rng = TestRng::new(seed);
    let folder = temp_dir();
    let data = folder.path().join("data");
    let mut receiver = Receiver::start().await;
    let server = start(&data).await;
    // Each kill takes so many events at most that the next one finds some.
    let devices = (kills * EVENTS / TENANTS + 1) * TENANTS;
    let racers = line_up(&server.api, &receiver, devices, seed).await;
    let course = Arc::new(Course::new(server.api.clone()));
    let mut running = JoinSet::new();
    for racer in racers {
        running.spawn(racer.run(Arc::clone(&course)));
    }
    let server = kill_and_start(server, &data, &course, &mut receiver, kills, &mut rng).await;
    let ran = timeout(DEADLINE, running.join_all())
        .await
        .expect("in time");
    let database = data.join("gangplank.db");
    timeout(DEADLINE, emptied(&database))
        .await
        .expect("an empty outbox in time");
    drop(server);

    let taken = receiver.taken();
    let delivered: BTreeSet<u64> = taken.iter().map(|one| one.sequence).collect();
    let again = taken.len() - delivered.len();
    let faults = faults(&ran, &taken);
    println!(
        "notify: {kills} kills, {devices} events, {} deliveries, {again} of them again, {} faults",
        taken.len(),
        faults.len()
    );
    assert!(faults.is_empty(), "{faults:#?}");
    // Of each tenant one event is under way at a time.
    assert!(again as u64 <= kills * TENANTS);
}

async fn start(data: &Path) -> Serving {
    let plain = [
        "--listen-plain",
        "127.0.0.1:0",
        "--trusted-proxy",
        "127.0.0.1/32",
    ];
    let mut command = serve(&[], data, &plain);
    // That an event waits, it warns of, and here many do.
    command.env("GANGPLANK_LOG", "error");
    Serving::start(command).await
}

/// Tenants whose events go to the receiver, and devices of each that nobody registered.
async fn line_up(api: &Api, receiver: &Receiver, devices: u64, seed: u64) -> Vec<Racer> {
    let mut authorities = Vec::new();
    for number in 0..TENANTS {
        let ca = TestCa::new(&format!("Authority {number}"));
        let anchor = json!({"cert": base64(&ca.certificate), "auto-provisioning-enabled": true});
        let tenant = json!({"trusted-ca": [anchor]});
        let path = format!("/admin/tenants/plant-{number}");
        let target = json!({"url": receiver.url, "ca": base64(&receiver.ca.certificate)});
        for (method, path, body) in [
            (Method::POST, path.clone(), tenant),
            (Method::PUT, format!("{path}/notification"), target),
        ] {
            let answer = api.operator(method, &path, &body.to_string()).await;
            let answer = answer.unwrap();
            assert!(matches!(answer.status, 201 | 204), "{}", answer.text());
        }
        authorities.push(ca);
    }
    let racer = |number: u64| {
        let name = format!("SN-{number}");
        let ca = &authorities[(number % TENANTS) as usize];
        let issued = ca.issue(&Leaf::new("pump").serial_number(&name));
        Racer {
            number: number as usize,
            device: Device::with(&name, &issued, (seed << 32) + number),
        }
    };
    (0..devices).map(racer).collect()
}

/// Kills the server with an event under way, and starts it again. It lives at the end.
async fn kill_and_start(
    mut server: Serving,
    data: &Path,
    course: &Course,
    receiver: &mut Receiver,
    kills: u64,
    rng: &mut dyn CryptoRng,
) -> Serving {
    for kill in 0..kills {
        // While the refused event waits, all others are delivered: nothing is left for another kill.
        let moment = match kill + 1 == kills {
            true => Moment::Refused,
            false => MOMENTS[(kill % MOMENTS.len() as u64) as usize],
        };
        let event = 1 + rng.next_u64() % EVENTS;
        let reached = receiver.tell_of(event, moment);
        let reached = timeout(DEADLINE, reached).await;
        reached.expect("an event in time").unwrap();
        course.close();
        server.kill();
        let signal = server.ended().await.signal();
        assert_eq!(signal, Some(SIGKILL), "it ended by itself");
        println!("killed with event {event} since the start, {moment:?}");
        server = start(data).await;
        course.open(server.api.clone());
    }
    server
}

/// Returns when no event is left.
async fn emptied(database: &Path) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(database, flags).unwrap();
    let count = || -> i64 {
        let question = "SELECT count(*) FROM outbox";
        database.query_row(question, [], |row| row.get(0)).unwrap()
    };
    while count() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Each device was told of under one number, and each tenant's numbers for the first time in order.
fn faults(ran: &[Ran], taken: &[Taken]) -> Vec<String> {
    let mut faults: Vec<String> = ran.iter().filter_map(|one| one.fault.clone()).collect();
    let mut numbers: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    for one in taken {
        let of_device = numbers.entry(&one.device_id).or_default();
        let first = of_device.insert(one.sequence);
        let newest = newest.entry(&one.tenant_id).or_default();
        if first && one.sequence < *newest {
            faults.push(format!("{one:?} came after {newest}"));
        }
        *newest = one.sequence.max(*newest);
    }
    for one in ran {
        let Some(acknowledged) = &one.acknowledged else {
            continue;
        };
        let id = acknowledged.device_id.as_str();
        match numbers.remove(id).map_or(0, |numbers| numbers.len()) {
            1 => {}
            events => faults.push(format!("SN-{} ({id}): {events} events", one.device)),
        }
    }
    faults.extend(numbers.keys().map(|id| format!("{id} is no device's id")));
    faults
}

const TENANTS: u64 = 3;
/// How many events come before a kill, at most.
const EVENTS: u64 = 8;
const MOMENTS: [Moment; 3] = [Moment::Unanswered, Moment::Answered, Moment::Any];
