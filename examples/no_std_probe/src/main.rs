//! Links something of each protocol crate without `std` and without libc.
//!
//! It is a proof by linking: nothing here is meant to run. A crate that is not used links unnoticed,
//! so each one is used, and what it does is kept by `black_box`.

#![no_std]
#![no_main]

extern crate alloc;

mod bare;

use alloc::vec::Vec;
use core::hint::black_box;
use core::time::Duration;

use bare::Counter;
use gangplank_allowlist::{Allowlist, ImageDigest, Launch, OptionPolicy, text};
use gangplank_client::{Now, Onboarding, ReportForm, Response, RootTrust, Settings, Step};
use gangplank_envelope::{
    Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Limits, PayloadType,
};
use gangplank_freshness::{
    Freshness, MemoryReplayGuard, Nonce, NonceIssuer, OnceKey, ReplayGuard, Window,
};
use gangplank_hash_chain::{Head, Verifier};
use gangplank_key::{
    Algorithm, Backend, CertificateDer, CertificateId, PublicKey, SigningKey, SoftwareKey,
    TrustedKey, UnixTime,
};
use gangplank_message::margo::{self, Incoming, Profile};
use gangplank_message::{Request, Target};
use gangplank_onboarding::{JoinString, RootUrl, v2024};
use gangplank_token::{ClientId, ClientSecret, StorageKey, TokenCache, TokenRequest};
use gangplank_trust::{
    DistinguishedName, Known, Proof, Revocation, Source, Template, Tenant, TenantDocument,
    TenantHint, TenantId, TenantIndex, decide,
};

/// Where a process starts when there is no libc to start it.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    black_box(key_and_envelope());
    black_box(freshness());
    black_box(hash_chain());
    black_box(message());
    black_box(trust());
    black_box(token());
    black_box(allowlist());
    black_box(onboarding());
    black_box(client());
    loop {}
}

fn key_and_envelope() -> Option<usize> {
    let id = CertificateId::parse(black_box("SN-0001")).ok()?;
    let mut length = 0;
    for algorithm in ALGORITHMS {
        let key = SoftwareKey::generate(*algorithm, &mut Counter::default()).ok()?;
        let binding = Binding::new(PayloadType::ONBOARDING_REQUEST)
            .nonce(Nonce::random(&mut Counter::default()));
        let wire = Envelope::prepare(black_box(b"{}".to_vec()), Form::Bound(binding), &id)
            .ok()?
            .sign_with(&key)
            .ok()?;
        let mut scratch = Vec::new();
        let envelope = Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch).ok()?;
        let issuer = NonceIssuer::new([1; 32], Duration::from_secs(300));
        let expect = Expect {
            form: ExpectedForm::Any,
            audience: ExpectedAudience::NotCompared,
            freshness: Freshness::ServerNonce(&issuer, now()),
        };
        let public = PublicKey::from_spki(key.public_key().spki(), Backend::PURE_RUST).ok()?;
        let trusted = TrustedKey::vouch(id.clone(), public);
        length += envelope.verify(&trusted, &expect).ok()?.payload().len();
    }
    Some(length)
}

fn freshness() -> Option<bool> {
    let once = OnceKey {
        key: black_box([7; 32]),
        since: now(),
        until: now(),
    };
    let mut guard = MemoryReplayGuard::new(16, now());
    Some(guard.once(&[once], now()).is_ok())
}

fn hash_chain() -> Option<u64> {
    let line = Head::START.append(black_box(1), black_box("")).ok()?;
    let verifier = Verifier::new().expecting(line.head());
    Some(verifier.verify(line.text()).ok()?.lines)
}

fn message() -> Option<usize> {
    let body = black_box(b"{}");
    let target = || Target::parse(black_box("https://wfm.example/status")).ok();
    let mut length = 0;
    for algorithm in ALGORITHMS {
        let key = SoftwareKey::generate(*algorithm, &mut Counter::default()).ok()?;
        let nonce = Nonce::random(&mut Counter::default());
        let public = key.public_key();
        let outgoing = margo::prepare("POST", target()?, Some(body), now(), &nonce, public).ok()?;
        let headers = outgoing.sign_with(&key).ok()?;
        let fields = [
            (
                "content-digest",
                headers.content_digest.as_ref()?.as_bytes(),
            ),
            ("signature-input", headers.signature_input.as_bytes()),
            ("signature", headers.signature.as_bytes()),
        ];
        let request = Request::new("POST", target()?, &fields);
        let incoming = Incoming::new(&request, body);
        let (profile, limits) = (Profile::MARGO_1_0, gangplank_message::Limits::DEFAULT);
        let window = Window {
            now: now(),
            max_age: Duration::from_secs(300),
            max_lead: Duration::from_secs(60),
        };
        let verified = margo::verify(&incoming, "press-7", public, &profile, &window, &limits);
        length += verified.ok()?.body().len();
    }
    Some(length)
}

fn trust() -> Option<bool> {
    let tenant = Tenant::new(TenantId::parse(black_box("plant-7")).ok()?);
    let certificate = CertificateDer::from(black_box(&[0x30, 0][..]));
    let chain = core::slice::from_ref(&certificate);
    let known = Known::default();
    let pinned = decide(&Proof::Registered, &tenant, known, Source::Unknown, now());
    black_box(&pinned.outcome);
    let signer = gangplank_trust::orchestrator::verify_orchestrator(
        chain,
        &certificate,
        Backend::PURE_RUST,
        now(),
    );
    black_box(signer.is_ok());
    let subject = DistinguishedName::parse(black_box("CN=press 7")).ok()?;
    black_box(subject.prepared());
    let document = TenantDocument::decode(black_box(b"{}"), &mut Default::default).ok()?;
    let mut index = TenantIndex::default();
    index.insert(document.tenant(TenantId::parse("plant-8").ok()?, 1));
    black_box(index.candidates(chain, TenantHint::Name("plant-8")).is_ok());
    black_box(document.encode().len());
    let template = Template::parse(black_box("{{subject-cn}}")).ok()?;
    black_box(template.fill(&subject).is_ok());
    let (revocation, backend) = (Revocation::NotChecked, Backend::PURE_RUST);
    Some(gangplank_trust::verify(chain, &tenant, revocation, backend, now()).is_ok())
}

fn allowlist() -> Option<usize> {
    let (_, read) = text::lines(black_box(b"07")).next()?;
    let list = [read.unwrap_or(ImageDigest::from_bytes([7; 32]))];
    let arguments = ["docker", "run", black_box("pump@sha256:")];
    let launch = Launch::parse(&arguments, OptionPolicy::Strict).ok()?;
    let permitted = launch.permit(&Allowlist::new(&list)).ok()?;
    Some(permitted.arguments().len())
}

fn token() -> Option<usize> {
    let secret = ClientSecret::generate(&mut Counter::default());
    black_box(StorageKey::new([1; 32]).stored(&secret));
    let request = TokenRequest {
        client_id: ClientId::parse(black_box("press-7")).ok()?,
        client_secret: secret,
    };
    let cache = TokenCache::default();
    black_box(cache.get(Duration::ZERO).is_some());
    Some(request.basic_header().len())
}

fn onboarding() -> Option<usize> {
    let join = JoinString::parse(black_box("gangplank://wfm.example?ca=sha256:")).ok()?;
    let request = v2024::onboarding::OnboardingRequest::decode(black_box(b"{}")).ok()?;
    let response = v2024::onboarding::OnboardingResponse::decode(black_box(b"{}")).ok()?;
    black_box(response.encode().len());
    Some(join.root_url.as_str().len() + request.encode().len())
}

fn client() -> Option<bool> {
    let mut settings = Settings::new(
        RootUrl::parse(black_box("https://wfm.example")).ok()?,
        CertificateId::parse(black_box("SN-0001")).ok()?,
        Vec::from([CertificateDer::from(black_box(&[0x30, 0][..]))]),
        RootTrust::Pinned([0; 32]),
        now(),
    );
    settings.report_form = black_box(ReportForm::MessageSignature);
    let key = SoftwareKey::generate(Algorithm::EcdsaP256Sha256, &mut Counter::default()).ok()?;
    let mut onboarding = Onboarding::new(settings, None).ok()?;
    loop {
        let clock = Now {
            monotonic: black_box(Duration::ZERO),
            wall: black_box(None),
        };
        match onboarding.next(clock, &mut Counter::default()).ok()? {
            Step::Sign(message) => onboarding.signed(&key.sign(&message).ok()?),
            Step::Send(request) => {
                black_box(request);
                onboarding.receive(&Response::new(black_box(200), Vec::new()), clock);
            }
            Step::Wait(until) => {
                black_box(until);
                onboarding.lost(clock);
            }
            Step::Done(aboard) => return Some(black_box(aboard.device_id.as_str().len()) > 0),
        }
    }
}

fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(black_box(1_767_225_600)))
}

/// One key of each family that is built.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::EcdsaP256Sha256,
    #[cfg(feature = "families")]
    Algorithm::EcdsaP384Sha384,
    #[cfg(feature = "families")]
    Algorithm::Ed25519,
];
