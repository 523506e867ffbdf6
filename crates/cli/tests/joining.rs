//! Devices that nobody registered come aboard by an anchor, each over many connections at once, and
//! the server is killed with SIGKILL at random moments meanwhile: each becomes one device, the one
//! that every answer named, and nothing is left of what was cut off.
//!
//! `GANGPLANK_JOINING_DEVICES` (64) devices, each `GANGPLANK_JOINING_RACERS` times; `…_KILLS` (6) says
//! how often the server is killed, and `…_SEED` repeats the moments of a run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(unix)]

#[path = "joining/course.rs"]
mod course;
#[path = "joining/left_behind.rs"]
mod left_behind;
mod support;

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gangplank_server::key::CryptoRng;
use gangplank_server::token::{ClientSecret, TokenRequest};
use gangplank_testkit::{Leaf, TestCa, TestRng, temp_dir};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use course::{Acknowledged, Course, Racer, Ran};
use left_behind::{LeftBehind, SecretsUsed};
use support::{
    Api, DEADLINE, Device, SIGKILL, SLOW_DISK, Serving, base64, number, serve, strace_may,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_first_connections_through_kills_make_each_device_once() {
    let race = Race::from_environment();
    println!("joining: {race:?}");
    let folder = temp_dir();
    let data = folder.path().join("data");
    let slow = strace_may("joining with a slow disk", SLOW_DISK);
    let server = start(&data, Disk::AsItIs).await;
    let ca = TestCa::new("Joining");
    trust(&server.api, &ca, race.devices).await;
    let course = Arc::new(Course::new(server.api.clone()));
    let (racers, mut members) = race.line_up(&ca);
    let running = tokio::spawn(run(racers, Arc::clone(&course)));
    let server = race.kill_and_start(server, &data, &course, slow).await;
    let ran = timeout(DEADLINE, running).await.expect("in time").unwrap();

    let mut faults = Vec::new();
    let mut lost = 0;
    for ran in ran {
        lost += ran.lost;
        faults.extend(ran.fault);
        let member = &mut members[ran.device];
        member.lost += ran.lost;
        member.acknowledged.extend(ran.acknowledged);
    }
    let database = data.join("gangplank.db");
    let raced = LeftBehind::read(&database);
    faults.extend(raced.faults(&members, SecretsUsed::None));
    for member in &mut members {
        faults.extend(member.faults(race.racers));
        faults.extend(member.secrets(&server.api).await);
    }
    faults.extend(listed(&server.api, &members).await);
    drop(server);
    let left = LeftBehind::read(&database);
    faults.extend(left.faults(&members, SecretsUsed::TheNewest));
    let (devices, racers, kills) = (race.devices, race.racers, race.kills);
    println!(
        "joining: {devices} devices, {racers} racers each, {kills} kills, {lost} answers lost, {} faults",
        faults.len()
    );
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(lost >= kills, "the kills hit hardly anything");
}

#[derive(Clone, Copy, Debug)]
struct Race {
    devices: usize,
    racers: usize,
    kills: usize,
    seed: u64,
}

impl Race {
    fn from_environment() -> Self {
        let count = |name: &str, usual| number(name).map_or(usual, |found| found as usize);
        Self {
            devices: count("GANGPLANK_JOINING_DEVICES", 64),
            racers: count("GANGPLANK_JOINING_RACERS", 20),
            kills: count("GANGPLANK_JOINING_KILLS", 6),
            seed: number("GANGPLANK_JOINING_SEED").unwrap_or_else(|| std::process::id().into()),
        }
    }

    /// All racers, those of one device beside each other, and what will be known of the devices.
    fn line_up(&self, ca: &TestCa) -> (Vec<Racer>, Vec<Member>) {
        let mut racers = Vec::new();
        let mut members = Vec::new();
        for number in 0..self.devices {
            let name = format!("SN-{number}");
            let issued = ca.issue(&Leaf::new("pump").serial_number(&name));
            let device = |place: usize| {
                let nobody_elses = (number * (self.racers + 1) + place) as u64;
                Device::with(&name, &issued, (self.seed << 32) + nobody_elses)
            };
            racers.extend((0..self.racers).map(|place| Racer {
                number,
                device: device(place),
            }));
            members.push(Member {
                device: device(self.racers),
                acknowledged: Vec::new(),
                lost: 0,
            });
        }
        (racers, members)
    }

    /// Kills the server when a number of answers have come, and a moment later, and starts it again.
    /// It lives at the end.
    async fn kill_and_start(
        &self,
        mut server: Serving,
        data: &Path,
        course: &Course,
        slow: bool,
    ) -> Serving {
        let mut rng = TestRng::new(self.seed);
        let rng: &mut dyn CryptoRng = &mut rng;
        let answers = (self.devices * self.racers) as u64;
        // The last tenth is left, so that each kill finds some at work.
        let mut moments: Vec<u64> = (0..self.kills)
            .map(|_| rng.next_u64() % (answers * 9 / 10))
            .collect();
        moments.sort_unstable();
        for (number, moment) in moments.into_iter().enumerate() {
            course.answered(moment).await;
            // The one wait for time instead of an event: the moment is to be arbitrary.
            let delay = Duration::from_micros(rng.next_u64() % 20_000);
            tokio::time::sleep(delay).await;
            course.close();
            server.kill();
            let signal = server.ended().await.signal();
            assert_eq!(signal, Some(SIGKILL), "it ended by itself");
            println!("killed {delay:?} after {moment} answers");
            let disk = match slow && number % 2 == 0 {
                true => Disk::Slow,
                false => Disk::AsItIs,
            };
            server = start(data, disk).await;
            course.open(server.api.clone());
        }
        server
    }
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
    // Without TLS: what is raced for lies behind it.
    let plain = [
        "--listen-plain",
        "127.0.0.1:0",
        "--trusted-proxy",
        "127.0.0.1/32",
    ];
    let mut command = serve(&wrapper, data, &plain);
    // That an event waits, it warns of.
    command.env("GANGPLANK_LOG", "error");
    Serving::start(command).await
}

/// The tenant `plant`, which has room for these devices and not for one more. Its events stay in the
/// outbox: nobody listens where they should go.
async fn trust(api: &Api, ca: &TestCa, devices: usize) {
    let cert = base64(&ca.certificate);
    let tenant = json!({
        "registration-limits": {"max-devices": devices},
        "trusted-ca": [{
            "id": "ca",
            "cert": cert,
            "auto-provisioning-enabled": true,
            "provisioning-policy": {"max-devices": devices},
        }],
    });
    let target = json!({"url": "https://127.0.0.1:1/", "ca": cert});
    for (method, path, body) in [
        (Method::POST, "/admin/tenants/plant", tenant),
        (Method::PUT, "/admin/tenants/plant/notification", target),
    ] {
        let answer = api.operator(method, path, &body.to_string()).await.unwrap();
        assert!(matches!(answer.status, 201 | 204), "{}", answer.text());
    }
}

async fn run(racers: Vec<Racer>, course: Arc<Course>) -> Vec<Ran> {
    let mut tasks = JoinSet::new();
    for racer in racers {
        tasks.spawn(racer.run(Arc::clone(&course)));
    }
    tasks.join_all().await
}

/// A device, and what its racers were told.
pub(crate) struct Member {
    pub(crate) device: Device,
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// How many answers were cut off.
    lost: usize,
}

impl Member {
    /// By which names the answers called it: once each, if all is well.
    pub(crate) fn names(&self) -> BTreeSet<(&str, &str)> {
        let names = self.acknowledged.iter();
        names
            .map(|one| (one.device_id.as_str(), one.client_id.as_str()))
            .collect()
    }

    fn faults(&self, racers: usize) -> Vec<String> {
        let mut faults = Vec::new();
        let id = &self.device.id;
        if self.names().len() != 1 {
            faults.push(format!("{id} has the names {:?}", self.names()));
        }
        if self.acknowledged.len() != racers {
            faults.push(format!("{id}: {} answers", self.acknowledged.len()));
        }
        let firsts = self.acknowledged.iter().filter(|one| one.status == 201);
        match firsts.count() {
            1 => {}
            // The answer that said so was cut off.
            0 if self.lost > 0 => {}
            firsts => faults.push(format!("{id} was created {firsts} times")),
        }
        faults
    }

    /// A new secret works, and none of those that were told before.
    async fn secrets(&mut self, api: &Api) -> Vec<String> {
        let request = self.device.request();
        let answer = api.onboard(&request.bytes).await.unwrap();
        if answer.status != 200 {
            return vec![format!("{} again: {}", self.device.id, answer.text())];
        }
        let response = self.device.open(&api.root, &request, &answer);
        let last = Acknowledged::new(answer.status, response);
        let mut faults = Vec::new();
        if !last.works(api).await {
            faults.push(format!("the newest secret of {}", self.device.id));
        }
        let mut older = 0;
        for one in &self.acknowledged {
            older += usize::from(one.works(api).await);
        }
        if older > 0 {
            faults.push(format!("{older} old secrets of {}", self.device.id));
        }
        self.acknowledged.push(last);
        faults
    }
}

impl Acknowledged {
    async fn works(&self, api: &Api) -> bool {
        let asked = TokenRequest {
            client_id: self.client_id.clone(),
            client_secret: ClientSecret::clone(&self.secret),
        };
        let url = format!("{}/oauth2/token", api.plain.as_ref().unwrap());
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let form = asked.form();
        let answer = api
            .send(Method::POST, &url, &headers, form.as_bytes())
            .await
            .unwrap();
        answer.status == 200
    }
}

/// What the server says it has, held against what it had said before.
async fn listed(api: &Api, members: &[Member]) -> Vec<String> {
    let mut faults = Vec::new();
    let devices = api.list().await;
    if devices.len() != members.len() {
        faults.push(format!("{} devices are listed", devices.len()));
    }
    for member in members {
        let id = member.device.id.as_str();
        let found = devices.iter().filter(|one| one["certificateId"] == id);
        let found: Vec<_> = found
            .map(|one| {
                ["deviceId", "clientId", "state", "tenant", "anchorId"]
                    .map(|name| one[name].as_str().unwrap_or_default())
            })
            .collect();
        let names = member.names().into_iter();
        let wanted: Vec<_> = names
            .map(|(device, client)| [device, client, "aboard", "plant", "ca"])
            .collect();
        if found != wanted {
            faults.push(format!("{id} should be {wanted:?} and is {found:?}"));
        }
    }
    faults
}
