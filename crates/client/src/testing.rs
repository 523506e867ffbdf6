//! A scripted orchestrator with real envelopes, and virtual time.

use std::time::Duration;

use gangplank_envelope::{
    Audience, Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits,
    Nonce, NonceIssuer, PayloadType, Window,
};
use gangplank_key::{
    Backend, CertificateDer, CertificateId, SigningKey, SoftwareKey, TrustedKey, UnixTime,
};
use gangplank_onboarding::{
    DeviceId, HttpsUrl, RootUrl, ShortText,
    v2024::{
        capabilities::{Cpu, DeviceCapabilities, Quantity, Resources},
        certificate::RootCertificate,
        git_credential::GitCredential,
        onboarding::{OnboardingRequest, OnboardingResponse},
    },
};
use gangplank_testkit::{Issued, Leaf, NOW, TestCa, TestRng, self_signed};
use gangplank_token::{
    AccessToken, ClientFault, ClientId, ClientSecret, GitToken, TokenError, TokenResponse,
    parse_bearer, parse_token_request,
};
use gangplank_trust::{
    orchestrator::{SIGNING_EKU_EXTENSION, signer_id},
    roots::fingerprint,
};

use crate::{
    Connection, Now, Purpose, Request, Response, RootTrust, Settings, Step, Stopped, Trouble,
    machine::Machine,
};

pub(crate) const ROOT_URL: &str = "https://wfm.example/margo";
pub(crate) const DEVICE: &str = "SN-0001";

/// Signs under a certificate of its own.
pub(crate) struct Signer {
    pub(crate) key: SoftwareKey,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Signer {
    fn of(issued: &Issued) -> Self {
        Self {
            key: SoftwareKey::from_pkcs8_der(&issued.private_key).unwrap(),
            certificate: issued.certificate.clone(),
        }
    }
}

pub(crate) fn signing_leaf() -> Leaf {
    Leaf::new("orchestrator signing").extension(
        &[2, 5, 29, 37],
        false,
        SIGNING_EKU_EXTENSION.to_vec(),
    )
}

/// The orchestrator.
pub(crate) struct Server {
    pub(crate) root: TestCa,
    pub(crate) signer: Signer,
    pub(crate) device: Issued,
    pub(crate) rng: TestRng,
    pub(crate) wall: UnixTime,
    pub(crate) root_url: String,
    pub(crate) answer_audience: String,
    pub(crate) origin: String,
    pub(crate) gives_secret: bool,
    pub(crate) secret: Option<ClientSecret>,
    pub(crate) token: Option<AccessToken>,
    pub(crate) seen: Vec<[u8; 32]>,
    pub(crate) created: Vec<Option<u64>>,
    issuer: NonceIssuer,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::at(ROOT_URL)
    }

    pub(crate) fn at(root_url: &str) -> Self {
        let root = TestCa::new("Orchestrator");
        Self {
            signer: Signer::of(&root.issue(&signing_leaf())),
            root,
            device: self_signed(&Leaf::new(DEVICE)),
            rng: TestRng::new(99),
            wall: NOW,
            root_url: root_url.into(),
            answer_audience: format!("{root_url}/certificate/{DEVICE}"),
            origin: root_url.into(),
            gives_secret: true,
            secret: None,
            token: None,
            seen: Vec::new(),
            created: Vec::new(),
            issuer: NonceIssuer::new([7; 32], Duration::from_secs(300)),
        }
    }

    pub(crate) fn sign_as(&mut self, issued: &Issued) {
        self.signer = Signer::of(issued);
    }

    pub(crate) fn pin(&self) -> RootTrust {
        RootTrust::Pinned(fingerprint(&self.root.certificate, Backend::PURE_RUST))
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::new(
            RootUrl::parse(&self.root_url).unwrap(),
            CertificateId::parse(DEVICE).unwrap(),
            vec![self.device.certificate.clone()],
            self.pin(),
            UnixTime::since_unix_epoch(Duration::from_secs(NOW.as_secs() - 1000)),
        );
        settings.capabilities = Some(capabilities());
        settings
    }

    pub(crate) fn device_key(&self) -> SoftwareKey {
        SoftwareKey::from_pkcs8_der(&self.device.private_key).unwrap()
    }

    /// What an honest server answers.
    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        let answer = match request.purpose {
            Purpose::RootCertificate => {
                let certificate = self.root.certificate.clone();
                Response::new(200, RootCertificate { certificate }.encode())
            }
            Purpose::Onboarding => self.onboard(request),
            Purpose::Token => self.grant(request),
            Purpose::Capabilities => self.stored(request, PayloadType::DEVICE_CAPABILITIES),
            Purpose::DeploymentStatus => self.stored(request, PayloadType::DEPLOYMENT_STATUS),
            Purpose::GitCredential => self.git_credential(request),
        };
        answer.authenticated(true)
    }

    fn onboard(&mut self, request: &Request) -> Response {
        let Some((payload, nonce)) = self.open(request, PayloadType::ONBOARDING_REQUEST) else {
            return self.unauthenticated();
        };
        OnboardingRequest::decode(&payload).unwrap();
        let secret = ClientSecret::generate(&mut self.rng);
        let url = |path: &str| HttpsUrl::parse(&format!("{}{path}", self.origin)).unwrap();
        let answer = OnboardingResponse {
            client_id: ClientId::parse("client-1").unwrap(),
            client_secret: self.gives_secret.then(|| secret.clone()),
            token_endpoint_url: url("/oauth2/token"),
            device_id: DeviceId::parse("d-1").unwrap(),
            git_repository_url: url("/git/d-1.git"),
            git_access_token: GitToken::generate(&mut self.rng),
            git_access_token_expires_at: UnixTime::since_unix_epoch(Duration::from_secs(
                self.wall.as_secs() + 3600,
            )),
            git_credential_url: url("/device/d-1/git-credential"),
        };
        self.secret = Some(secret);
        self.sealed(
            201,
            PayloadType::ONBOARDING_RESPONSE,
            answer.encode().to_vec(),
            nonce,
        )
    }

    fn grant(&mut self, request: &Request) -> Response {
        let read = parse_token_request(
            header(request, "authorization"),
            header(request, "content-type"),
            &request.body,
        )
        .unwrap();
        let expected = self.secret.as_ref().map(ClientSecret::expose);
        if expected != Some(read.client_secret.expose()) {
            let error = TokenError::InvalidClient(ClientFault::Unknown);
            return Response::new(error.status(), error.encode());
        }
        let access_token = AccessToken::generate(&mut self.rng);
        self.token = Some(access_token.clone());
        let granted = TokenResponse {
            access_token,
            expires_in: Some(Duration::from_secs(3600)),
        };
        Response::new(200, granted.encode().to_vec())
    }

    fn stored(&mut self, request: &Request, payload_type: PayloadType) -> Response {
        match self
            .bearer(request)
            .then(|| self.open(request, payload_type))
            .flatten()
        {
            Some(_) => Response::new(201, Vec::new()),
            None => self.unauthenticated(),
        }
    }

    fn git_credential(&mut self, request: &Request) -> Response {
        if !self.bearer(request) {
            return self.unauthenticated();
        }
        let nonce = request.url.split_once("?nonce=").unwrap().1;
        let nonce = Nonce::parse(nonce).unwrap();
        let answer = GitCredential {
            url: HttpsUrl::parse(&format!("{}/git/d-1.git", self.origin)).unwrap(),
            username: ShortText::parse("d-1").unwrap(),
            password: GitToken::generate(&mut self.rng),
            expires_at: UnixTime::since_unix_epoch(Duration::from_secs(self.wall.as_secs() + 900)),
            commit: None,
        };
        self.sealed(
            200,
            PayloadType::GIT_CREDENTIAL,
            answer.encode().to_vec(),
            nonce,
        )
    }

    fn bearer(&self, request: &Request) -> bool {
        let presented = header(request, "authorization").and_then(|value| parse_bearer(value).ok());
        let expected = self.token.as_ref().map(AccessToken::expose);
        presented.as_ref().map(AccessToken::expose) == expected && expected.is_some()
    }

    /// The payload and nonce of a request, if it is authentic, fresh, and new.
    fn open(&mut self, request: &Request, payload_type: PayloadType) -> Option<(Vec<u8>, Nonce)> {
        let mut scratch = Vec::new();
        let envelope = Envelope::decode(&request.body, &Limits::DEFAULT, &mut scratch).unwrap();
        let key = TrustedKey::vouch(
            CertificateId::parse(DEVICE).unwrap(),
            self.device_key().public_key().clone(),
        );
        let window = Window {
            now: self.wall,
            max_age: Duration::from_secs(300),
            max_lead: Duration::from_secs(60),
        };
        let expect = Expect {
            form: ExpectedForm::Bound(payload_type),
            audience: ExpectedAudience::Exactly(Audience::parse(&self.root_url).unwrap()),
            freshness: Freshness::CreatedOrServerNonce(window, &self.issuer),
        };
        let verified = envelope.verify(&key, &expect).ok()?;
        self.created
            .push(verified.created().map(|time| time.as_secs()));
        for once in verified.once_keys() {
            assert!(
                !self.seen.contains(&once.key),
                "the device sent the same bytes again"
            );
            self.seen.push(once.key);
        }
        Some((
            verified.payload().to_vec(),
            verified.nonce().unwrap().clone(),
        ))
    }

    pub(crate) fn unauthenticated(&mut self) -> Response {
        let nonce = self.issuer.issue(self.wall, &mut self.rng);
        Response::new(401, Vec::new()).header("Replay-Nonce", &nonce.to_string())
    }

    fn sealed(
        &self,
        status: u16,
        payload_type: PayloadType,
        payload: Vec<u8>,
        nonce: Nonce,
    ) -> Response {
        let binding = Binding::new(payload_type)
            .nonce(nonce)
            .created(self.wall)
            .audience(Audience::parse(&self.answer_audience).unwrap())
            .certificates(vec![self.signer.certificate.clone()]);
        let id = signer_id(&self.signer.certificate, Backend::PURE_RUST).unwrap();
        let wire = Envelope::prepare(payload, Form::Bound(binding), &id).unwrap();
        Response::new(status, wire.sign_with(&self.signer.key).unwrap())
    }
}

pub(crate) fn capabilities() -> DeviceCapabilities {
    let quantity = |text| Quantity::Text(ShortText::parse(text).unwrap());
    let resources = Resources {
        cpus: vec![Cpu {
            cpu_architecture: ShortText::parse("arm64").unwrap(),
            cores: quantity("4"),
            frequency: quantity("1.8 GHz"),
        }],
        memory: quantity("8 GB"),
        storage: quantity("64 GB"),
    };
    DeviceCapabilities::new(DeviceId::parse("unset").unwrap(), resources)
}

pub(crate) fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request
        .headers
        .iter()
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.as_str())
}

/// A machine's world: virtual time, randomness, and a record of what happened.
pub(crate) struct World {
    pub(crate) monotonic: Duration,
    /// What the device's clock shows when `monotonic` is zero; `None` without a clock.
    pub(crate) wall: Option<u64>,
    pub(crate) rng: TestRng,
    pub(crate) purposes: Vec<Purpose>,
    pub(crate) bodies: Vec<Vec<u8>>,
    pub(crate) waits: Vec<(Duration, String)>,
    pub(crate) saved: Vec<crate::DeviceState>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            monotonic: Duration::ZERO,
            wall: Some(NOW.as_secs()),
            rng: TestRng::new(1),
            purposes: Vec::new(),
            bodies: Vec::new(),
            waits: Vec::new(),
            saved: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        let wall = self
            .wall
            .map(|start| UnixTime::since_unix_epoch(Duration::from_secs(start) + self.monotonic));
        Now {
            monotonic: self.monotonic,
            wall,
        }
    }

    /// Runs until done or stopped, at most 400 steps. `network` answers, or loses, each request; it
    /// is told how many came before.
    pub(crate) fn run<M: Machine>(
        &mut self,
        machine: &mut M,
        key: &SoftwareKey,
        mut network: impl FnMut(usize, &Request) -> Option<Response>,
    ) -> Result<M::Output, Stopped> {
        for _ in 0..400 {
            self.saved.extend(machine.unsaved());
            match machine.next(self.now(), &mut self.rng)? {
                Step::Sign(message) => machine.signed(&key.sign(&message).unwrap()),
                Step::Send(request) => {
                    let has_root = machine.root().is_some();
                    assert!(has_root || request.connection == Connection::Bootstrap);
                    let answer = network(self.purposes.len(), &request);
                    self.purposes.push(request.purpose);
                    self.bodies.push(request.body);
                    self.monotonic += Duration::from_millis(50);
                    match answer {
                        Some(response) => machine.receive(&response, self.now()),
                        None => machine.lost(self.now()),
                    }
                }
                Step::Wait(until) => {
                    let trouble = machine
                        .trouble()
                        .map(Trouble::to_string)
                        .unwrap_or_default();
                    assert!(until > self.monotonic, "a wait that has passed");
                    self.waits.push((until - self.monotonic, trouble));
                    self.monotonic = until;
                }
                Step::Done(output) => {
                    self.saved.extend(machine.unsaved());
                    return Ok(output);
                }
            }
        }
        panic!("not done after 400 steps: {:?}", self.waits.last());
    }
}
