//! Both parties in memory with virtual time: the client's state machine and the server's router,
//! and between them a network that loses, repeats, reorders and corrupts messages.
//!
//! `GANGPLANK_PAIR_SEEDS` runs more journeys than the default; a failure names its seed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{Answer, ROOT, TestDevice, World, unix};
use gangplank_client::key::{CryptoRng, SigningKey};
use gangplank_client::{
    Aboard, DeviceState, Method, Now, Onboarding, Purpose, ReportForm, Request, Response,
    RootTrust, Session, Settings, Step,
};
use gangplank_server::HeaderForm;
use gangplank_server::envelope::payload_signature::Spelling;
use gangplank_server::onboarding::RootUrl;
use gangplank_server::onboarding::v2024::capabilities::DeviceCapabilities;
use gangplank_server::onboarding::v2024::status::{DeploymentId, DeploymentStatus, State};
use gangplank_testkit::TestRng;
use http::StatusCode;

#[tokio::test]
async fn a_quiet_network_takes_three_exchanges_and_no_time() {
    let mut journey = Journey::new(1, Clock::Right, Weather::Quiet).await;
    let aboard = journey.run().await;
    assert_eq!(journey.exchanges, 3, "root certificate, onboarding, token");
    assert_eq!(journey.world.now(), common::START);
    journey.check(&aboard).await;
}

#[tokio::test]
async fn a_device_without_a_clock_needs_one_more() {
    for clock in [Clock::None, Clock::Behind, Clock::Ahead] {
        let mut journey = Journey::new(1, clock, Weather::Quiet).await;
        let aboard = journey.run().await;
        assert_eq!(
            journey.exchanges, 4,
            "{clock:?}: a 401 with a nonce comes first"
        );
        journey.check(&aboard).await;
    }
}

#[tokio::test]
async fn whatever_the_network_does_there_is_one_device() {
    let seeds = std::env::var("GANGPLANK_PAIR_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let seeds: u64 = seeds.unwrap_or(96);
    let mut faults = [0usize; FAULTS.len()];
    for seed in 0..seeds {
        let clock = [Clock::Right, Clock::None, Clock::Behind, Clock::Ahead][seed as usize % 4];
        let mut journey = Journey::new(seed, clock, Weather::Storm).await;
        let aboard = journey.run().await;
        journey.check(&aboard).await;
        for (total, count) in faults.iter_mut().zip(journey.faults) {
            *total += count;
        }
    }
    println!(
        "pair: {seeds} journeys, faults {:?}",
        FAULTS.iter().zip(faults).collect::<Vec<_>>()
    );
    assert!(
        faults.iter().all(|count| *count > 0),
        "a fault never happened"
    );
}

/// Capabilities on the way, then a status that loses its answer and one that comes back to an
/// earlier state, for which the server wants another token.
#[tokio::test]
async fn a_device_that_signs_by_the_header_makes_its_journey() {
    let form = HeaderForm::Accept(Spelling::Wrapped);
    let world = World::with(|builder| builder.header_form(form)).await;
    let mut journey = Journey::in_world(world, 1, Clock::Right, Weather::Quiet).await;
    journey.form = ReportForm::PayloadSignature;
    let aboard = journey.run().await;
    assert_eq!(journey.exchanges, 4, "the three and the capabilities");
    journey.check(&aboard).await;
    let mut session = Session::new(journey.settings(), journey.saved.clone().unwrap()).unwrap();
    for (state, lose, exchanges) in [
        (State::Installing, false, 2),
        (State::Installed, true, 2),
        (State::Installing, false, 3),
    ] {
        let before = journey.exchanges;
        journey.report(&mut session, state, lose).await;
        assert_eq!(journey.exchanges - before, exchanges, "{state:?}");
    }
    let path = format!("/admin/devices/{}", aboard.device_id);
    let shown = journey.world.operator(http::Method::GET, &path, "").await;
    let shown = shown.json();
    assert_eq!(shown["capabilities"]["properties"]["vendor"], "Northwind");
    assert_eq!(
        shown["deployments"][0]["status"]["status"]["state"],
        "installing"
    );
    let reports = journey.sent.iter().filter(|request| {
        let signed = |(name, _): &(&str, _)| *name == "x-payload-signature";
        request.headers.iter().any(signed)
    });
    assert_eq!(
        reports.count(),
        6,
        "four, one whose answer was lost, one refused for its token"
    );
}

/// Two reports, the first of which loses its answer: it is sent again, newly signed.
#[cfg(feature = "message")]
#[tokio::test]
async fn a_device_that_signs_messages_makes_its_journey() {
    use gangplank_server::{MessageForm, message::margo::Profile};
    let form = MessageForm::Accept(Profile::MARGO_1_0);
    let world = World::with(|builder| builder.message_form(form)).await;
    let mut journey = Journey::in_world(world, 1, Clock::Right, Weather::Quiet).await;
    journey.form = ReportForm::MessageSignature;
    let aboard = journey.run().await;
    assert_eq!(journey.exchanges, 4, "the three and the capabilities");
    journey.check(&aboard).await;
    let mut session = Session::new(journey.settings(), journey.saved.clone().unwrap()).unwrap();
    for (state, lose, exchanges) in [
        (State::Installing, true, 3),
        (State::Installed, false, 1),
        (State::Installing, false, 1),
    ] {
        let before = journey.exchanges;
        journey.report(&mut session, state, lose).await;
        assert_eq!(journey.exchanges - before, exchanges, "{state:?}");
    }
    let path = format!("/admin/devices/{}", aboard.device_id);
    let shown = journey.world.operator(http::Method::GET, &path, "").await;
    let shown = shown.json();
    assert_eq!(shown["capabilities"]["properties"]["vendor"], "Northwind");
    assert_eq!(
        shown["deployments"][0]["status"]["status"]["state"],
        "installing"
    );
    let signed = |request: &&Request| {
        let named = |(name, _): &(&str, _)| *name == "signature-input";
        request.headers.iter().any(named)
    };
    assert_eq!(journey.sent.iter().filter(signed).count(), 5);
}

/// How a device's clock stands to the server's.
#[derive(Clone, Copy, Debug)]
enum Clock {
    Right,
    None,
    Behind,
    Ahead,
}

#[derive(Clone, Copy, PartialEq)]
enum Weather {
    Quiet,
    Storm,
}

/// What the network, or the device's power, can do to one exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    LoseRequest,
    LoseAnswer,
    Repeat,
    RepeatOlder,
    OlderAnswer,
    CorruptRequest,
    CorruptAnswer,
    PowerCut,
}

const FAULTS: [Fault; 8] = [
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::Repeat,
    Fault::RepeatOlder,
    Fault::OlderAnswer,
    Fault::CorruptRequest,
    Fault::CorruptAnswer,
    Fault::PowerCut,
];

struct Journey {
    world: World,
    device: TestDevice,
    rng: TestRng,
    clock: Clock,
    weather: Weather,
    form: ReportForm,
    started: u64,
    saved: Option<DeviceState>,
    sent: Vec<Request>,
    accepted: BTreeSet<Vec<u8>>,
    answered: Vec<(Purpose, u16, Vec<u8>)>,
    exchanges: usize,
    faults: [usize; FAULTS.len()],
}

impl Journey {
    async fn new(seed: u64, clock: Clock, weather: Weather) -> Self {
        Self::in_world(World::new().await, seed, clock, weather).await
    }

    async fn in_world(world: World, seed: u64, clock: Clock, weather: Weather) -> Self {
        let device = TestDevice::new(seed);
        assert_eq!(world.register(&device).await.status, StatusCode::CREATED);
        Self {
            started: world.now(),
            world,
            device,
            rng: TestRng::new(seed),
            clock,
            weather,
            form: ReportForm::Envelope,
            saved: None,
            sent: Vec::new(),
            accepted: BTreeSet::new(),
            answered: Vec::new(),
            exchanges: 0,
            faults: [0; FAULTS.len()],
        }
    }

    /// Drives the device until it is aboard, over as many restarts as it takes.
    async fn run(&mut self) -> Aboard {
        let mut machine = self.boot();
        for _ in 0..LONGEST {
            if let Some(state) = machine.unsaved() {
                self.saved = Some(state);
            }
            let now = self.now();
            match machine.next(now, &mut self.rng) {
                Ok(Step::Sign(message)) => {
                    machine.signed(&self.device.key.sign(&message).unwrap());
                }
                Ok(Step::Wait(until)) => self.pass(until.saturating_sub(now.monotonic)),
                Ok(Step::Done(aboard)) => return aboard,
                Ok(Step::Send(request)) => {
                    self.exchanges += 1;
                    match self.exchange(request).await {
                        Outcome::Answer(response) => machine.receive(&response, self.now()),
                        Outcome::Lost => machine.lost(self.now()),
                        Outcome::PowerCut => machine = self.boot(),
                    }
                }
                // The vendor's own loop begins again; it asks for new credentials if it must.
                Err(stopped) => {
                    assert!(self.weather == Weather::Storm, "{stopped:?}");
                    self.pass(Duration::from_secs(60));
                    machine = self.again();
                }
            }
        }
        panic!("not aboard after {LONGEST} steps");
    }

    fn settings(&self) -> Settings {
        use sha2::{Digest, Sha256};
        let mut settings = Settings::new(
            RootUrl::parse(ROOT).unwrap(),
            self.device.id.clone(),
            vec![self.device.issued.certificate.clone()],
            RootTrust::Pinned(Sha256::digest(&self.world.root).into()),
            unix(common::START - 1000),
        );
        settings.report_form = self.form;
        if self.form != ReportForm::Envelope {
            settings.capabilities = Some(DeviceCapabilities::decode(CAPABILITIES).unwrap());
        }
        settings
    }

    /// Reports a status; the first answer may be lost.
    async fn report(&mut self, session: &mut Session, state: State, mut lose: bool) {
        let id = DeploymentId::parse("a3e2f5dc-912e-494f-8395-52cf3769bc06").unwrap();
        let status = DeploymentStatus::new(id, state);
        let mut operation = session.report_status(&status);
        for _ in 0..LONGEST {
            let now = self.now();
            match operation.next(now, &mut self.rng).unwrap() {
                Step::Sign(message) => {
                    operation.signed(&self.device.key.sign(&message).unwrap());
                }
                Step::Wait(until) => self.pass(until.saturating_sub(now.monotonic)),
                Step::Done(()) => return,
                Step::Send(request) => {
                    self.exchanges += 1;
                    let reports = request.purpose == Purpose::DeploymentStatus;
                    match self.exchange(request).await {
                        Outcome::Answer(_) if reports && std::mem::take(&mut lose) => {
                            operation.lost(self.now());
                        }
                        Outcome::Answer(response) => operation.receive(&response, self.now()),
                        _ => unreachable!("the weather is quiet"),
                    }
                }
            }
        }
        panic!("not reported after {LONGEST} steps");
    }

    fn boot(&mut self) -> Onboarding {
        Onboarding::new(self.settings(), self.saved.clone()).unwrap()
    }

    fn again(&mut self) -> Onboarding {
        match self.saved.clone() {
            Some(state) => Onboarding::again(self.settings(), state).unwrap(),
            None => self.boot(),
        }
    }

    fn now(&self) -> Now {
        let now = self.world.now();
        Now {
            monotonic: Duration::from_secs(now - self.started),
            wall: match self.clock {
                Clock::Right => Some(unix(now)),
                Clock::None => None,
                Clock::Behind => Some(unix(now - 900)),
                Clock::Ahead => Some(unix(now + 7200)),
            },
        }
    }

    fn pass(&self, duration: Duration) {
        self.world.pass(duration.as_secs() + 1);
    }

    async fn exchange(&mut self, request: Request) -> Outcome {
        let fault = self.fault();
        if fault == Some(Fault::LoseRequest) {
            return Outcome::Lost;
        }
        let mut body = request.body.clone();
        if fault == Some(Fault::CorruptRequest) {
            self.corrupt(&mut body);
        }
        let mut answer = self.deliver(&request, &body).await;
        match fault {
            Some(Fault::Repeat) => answer = self.deliver(&request, &body).await,
            Some(Fault::RepeatOlder) if !self.sent.is_empty() => {
                let older = self.pick(self.sent.len());
                let older = self.sent.swap_remove(older);
                self.deliver(&older, &older.body).await;
            }
            Some(Fault::CorruptAnswer) => self.corrupt(&mut answer.body),
            _ => {}
        }
        let purpose = request.purpose;
        self.answered
            .push((purpose, answer.status.as_u16(), answer.body.clone()));
        self.sent.push(request);
        match fault {
            Some(Fault::LoseAnswer) => Outcome::Lost,
            Some(Fault::PowerCut) => Outcome::PowerCut,
            Some(Fault::OlderAnswer) => {
                let older = self.answered.iter().find(|(of, ..)| *of == purpose);
                let (_, status, body) = older.unwrap();
                Outcome::Answer(Response::new(*status, body.clone()))
            }
            _ => Outcome::Answer(response(&answer)),
        }
    }

    /// A fault in every other exchange, until it has had enough.
    fn fault(&mut self) -> Option<Fault> {
        let enough = self.faults.iter().sum::<usize>() >= MOST_FAULTS;
        if self.weather == Weather::Quiet || enough || self.pick(2) == 0 {
            return None;
        }
        let at = self.pick(FAULTS.len());
        self.faults[at] += 1;
        Some(FAULTS[at])
    }

    fn pick(&mut self, below: usize) -> usize {
        let mut byte = [0];
        let rng: &mut dyn CryptoRng = &mut self.rng;
        rng.fill_bytes(&mut byte);
        usize::from(byte[0]) % below
    }

    fn corrupt(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            let mut random = [0; 8];
            let rng: &mut dyn CryptoRng = &mut self.rng;
            rng.fill_bytes(&mut random);
            let at = usize::from_be_bytes(random) % bytes.len();
            bytes[at] ^= 1 << (random[7] % 8);
        }
    }

    /// Hands a request to the server, which must not accept the same bytes twice.
    async fn deliver(&mut self, request: &Request, body: &[u8]) -> Answer {
        let method = match request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
        };
        let path = request.url.strip_prefix("https://wfm.example").unwrap();
        let headers: Vec<(&str, &str)> = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = self.world.public(method, path, &headers, body).await;
        if request.purpose == Purpose::Onboarding && answer.status.is_success() {
            assert!(
                self.accepted.insert(body.to_vec()),
                "bytes already seen were accepted"
            );
        }
        answer
    }

    /// One device, the one it thinks it is; its secret works; nothing it sent is accepted again.
    async fn check(&mut self, aboard: &Aboard) {
        let list = self
            .world
            .operator(http::Method::GET, "/admin/devices", "")
            .await
            .json();
        let devices = list["devices"].as_array().unwrap();
        assert_eq!(devices.len(), 1);
        assert_eq!(devices[0]["state"], "aboard");
        assert_eq!(devices[0]["deviceId"], aboard.device_id.as_str());
        for bytes in &self.accepted {
            let answer = self
                .world
                .public(http::Method::POST, "/onboarding/", &[], bytes)
                .await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "bytes already seen"
            );
        }
        let mut session = Onboarding::new(self.settings(), self.saved.clone()).unwrap();
        let done = session.next(self.now(), &mut self.rng);
        assert!(
            matches!(done, Ok(Step::Done(_))),
            "it knows who it is without a network"
        );
    }
}

enum Outcome {
    Answer(Response),
    Lost,
    PowerCut,
}

/// Behind a box that ends TLS, so no refusal counts as the orchestrator's word.
fn response(answer: &Answer) -> Response {
    let mut response = Response::new(answer.status.as_u16(), answer.body.clone());
    for (name, value) in &answer.headers {
        response = response.header(name.as_str(), value.to_str().unwrap());
    }
    response
}

const CAPABILITIES: &[u8] = br#"{
    "apiVersion": "device.margo/v1", "kind": "DeviceCapabilities",
    "properties": {
        "id": "d", "vendor": "Northwind", "modelNumber": "m", "serialNumber": "s",
        "roles": ["standalone device"],
        "resources": {
            "cpus": [{"cpuArchitecture": "arm64", "cores": 4, "frequency": 2}],
            "memory": 8, "storage": 64
        },
        "peripherals": [], "interfaces": []
    }
}"#;
const LONGEST: usize = 5000;
const MOST_FAULTS: usize = 12;
