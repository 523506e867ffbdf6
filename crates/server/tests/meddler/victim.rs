//! A device behind the box: the client's state machines over a real socket, with a clock that jumps
//! over every wait.

use std::time::Duration;

use gangplank_client::key::{CryptoRng, Signature, SigningKey};
use gangplank_client::{
    Aboard, DeviceState, Now, Onboarding, Operation, Purpose, Request, Response, RootTrust,
    Session, Settings, Step, Stopped, Trouble,
};
use gangplank_server::key::{Backend, CertificateId, SoftwareKey, UnixTime};
use gangplank_testkit::{Issued, TestRng};
use gangplank_trust::roots::fingerprint;
use http::{HeaderMap, Method};

use crate::proxy_support::{Asked, connect, exchange};
use crate::world::World;

pub struct Victim {
    pub id: CertificateId,
    pub issued: Issued,
    pub settings: Settings,
    pub key: SoftwareKey,
    /// Whether the box has a TLS certificate under the orchestrator's root.
    pub authenticated: bool,
    /// Whether it has a clock.
    pub wall: bool,
    /// The state file: what it holds, and all that it ever held.
    pub state: Option<DeviceState>,
    pub written: Vec<String>,
    pub troubles: Vec<String>,
    pub waits: Vec<Duration>,
    pub sent: Vec<(Purpose, Option<u16>)>,
    monotonic: Duration,
    rng: TestRng,
}

impl Victim {
    pub fn new(world: &World, id: &str, issued: Issued) -> Self {
        let certificate_id = CertificateId::parse(id).unwrap();
        let settings = Settings::new(
            world.site.running.public_url().clone(),
            certificate_id.clone(),
            vec![issued.certificate.clone()],
            RootTrust::Pinned(fingerprint(&world.site.root, Backend::PURE_RUST)),
            UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000)),
        );
        Self {
            id: certificate_id,
            key: SoftwareKey::from_pkcs8_der(&issued.private_key).unwrap(),
            issued,
            settings,
            authenticated: false,
            wall: true,
            state: None,
            written: Vec::new(),
            troubles: Vec::new(),
            waits: Vec::new(),
            sent: Vec::new(),
            monotonic: Duration::ZERO,
            rng: TestRng::new(1),
        }
    }

    pub fn onboarding(&self) -> Onboarding {
        Onboarding::new(self.settings.clone(), self.state.clone()).unwrap()
    }

    pub fn session(&self) -> Session {
        Session::new(self.settings.clone(), self.state.clone().unwrap()).unwrap()
    }

    pub fn aboard(&self) -> Option<&Aboard> {
        self.state.as_ref()?.aboard.as_ref()
    }

    pub fn last_trouble(&self) -> &str {
        self.troubles.last().map_or("", String::as_str)
    }

    /// Runs until it is done or stopped; `None` if it wants to send more than `sends` requests.
    pub async fn drive<M: Machine>(
        &mut self,
        world: &World,
        machine: &mut M,
        sends: usize,
    ) -> Option<Result<M::Output, Stopped>> {
        let end = self.sent.len() + sends;
        loop {
            self.save(machine.unsaved());
            let step = machine.next(self.now(), &mut self.rng);
            match step {
                Ok(Step::Sign(message)) => machine.signed(&self.key.sign(&message).unwrap()),
                Ok(Step::Send(_)) if self.sent.len() == end => return None,
                Ok(Step::Send(request)) => {
                    let answer = self.send(world, &request).await;
                    let status = answer.as_ref().map(|answer| answer.status);
                    self.sent.push((request.purpose, status));
                    match answer {
                        Some(response) => machine.receive(&response, self.now()),
                        None => machine.lost(self.now()),
                    }
                    self.save(machine.unsaved());
                    // What came of it is known before the next request.
                    self.troubles.extend(machine.trouble());
                }
                Ok(Step::Wait(until)) => {
                    self.waits.push(until - self.monotonic);
                    self.monotonic = until;
                }
                Ok(Step::Done(output)) => {
                    self.save(machine.unsaved());
                    return Some(Ok(output));
                }
                Err(stopped) => return Some(Err(stopped)),
            }
        }
    }

    fn save(&mut self, state: Option<DeviceState>) {
        if let Some(state) = state {
            self.written.push(serde_json::to_string(&state).unwrap());
            self.state = Some(state);
        }
    }

    /// Waits pass on the monotonic clock alone, so that `created` stays right.
    pub fn now(&self) -> Now {
        Now {
            monotonic: self.monotonic,
            wall: self.wall.then(UnixTime::now),
        }
    }

    async fn send(&self, world: &World, request: &Request) -> Option<Response> {
        let url = world.site.url();
        let path = request
            .url
            .strip_prefix(&url)
            .expect("the device goes to its orchestrator only");
        let mut headers = HeaderMap::new();
        headers.insert("host", "localhost".parse().unwrap());
        for (name, value) in &request.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        let address = ([127, 0, 0, 1], world.proxy.port).into();
        let root = &world.proxy.ca.certificate;
        let stream = connect(address, "localhost", root, rustls::ALL_VERSIONS)
            .await
            .unwrap();
        let method = Method::from_bytes(request.method.as_str().as_bytes()).unwrap();
        let target = format!("/margo{path}");
        let asked = Asked {
            method,
            target,
            headers,
            body: request.body.clone(),
        };
        let answer = exchange(stream, asked).await?;
        let mut response =
            Response::new(answer.status.as_u16(), answer.body).authenticated(self.authenticated);
        for (name, value) in &answer.headers {
            response = response.header(name.as_str(), value.to_str().unwrap());
        }
        Some(response)
    }
}

/// What [`Onboarding`] and [`Operation`] have in common.
pub trait Machine {
    type Output;
    fn next(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<Step<Self::Output>, Stopped>;
    fn signed(&mut self, signature: &Signature);
    fn receive(&mut self, response: &Response, now: Now);
    fn lost(&mut self, now: Now);
    fn trouble(&mut self) -> Option<String>;
    fn unsaved(&mut self) -> Option<DeviceState>;
}

macro_rules! machine {
    ([$($generic:tt)*] $type:ty, $output:ty) => {
        impl<$($generic)*> Machine for $type {
            type Output = $output;
            fn next(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<Step<$output>, Stopped> {
                <$type>::next(self, now, rng)
            }
            fn signed(&mut self, signature: &Signature) {
                <$type>::signed(self, signature);
            }
            fn receive(&mut self, response: &Response, now: Now) {
                <$type>::receive(self, response, now);
            }
            fn lost(&mut self, now: Now) {
                <$type>::lost(self, now);
            }
            fn trouble(&mut self) -> Option<String> {
                <$type>::trouble(self).map(Trouble::to_string)
            }
            fn unsaved(&mut self) -> Option<DeviceState> {
                <$type>::unsaved(self)
            }
        }
    };
}

machine!([] Onboarding, Aboard);
machine!([T] Operation<'_, T>, T);
