//! What must not work. Each attack fails the demo if it is accepted.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::UnixTime;
use serde_json::{Value, json};

use super::inspecting_box::InspectingBox;
use super::scene::{Party, Scene};
use super::steps::{self, DEPLOYMENT, Server, come_aboard};
use super::tale::{Done, Outcome};
use crate::envelope::{Audience, Binding, Envelope, Form, MEDIA_TYPE, Nonce, PayloadType};
use crate::key::{Backend, CertificateDer, CertificateId, SigningKey as _, SoftwareKey};
use crate::onboarding::v2024::{onboarding::OnboardingRequest, status};
use crate::onboarding::{DeviceId, ShortText};
use crate::{Exit, Failure, files, output, pinned};

/// The payload is another one; then its digest, too.
pub(super) async fn tamper(scene: &Scene, server: &Server) -> Outcome<()> {
    let mallory = Mallory::new(scene, server)?;
    let wire = mallory.introduction(scene.first(), &mallory.own(scene.first())?)?;
    let mut envelope: Value = serde_json::from_slice(&wire).map_err(|error| broken(&error))?;
    let payload = OnboardingRequest {
        vendor: ShortText::parse("Mallory Inc.").ok(),
        ..OnboardingRequest::default()
    }
    .encode();
    envelope["payload"] = json!(STANDARD.encode(&payload));
    let first = mallory
        .refused("/onboarding/", envelope.to_string().into_bytes(), None)
        .await?;
    envelope["digest"] = json!(format!(
        "sha256:{}",
        output::hex(&Backend::AWS_LC_RS.sha256(&[&payload]))
    ));
    let second = mallory
        .refused("/onboarding/", envelope.to_string().into_bytes(), None)
        .await?;
    Ok(Done {
        value: (),
        wire: vec![first, second],
    })
}

/// The same bytes, twice.
pub(super) async fn replay(scene: &Scene, server: &Server) -> Outcome<()> {
    let mallory = Mallory::new(scene, server)?;
    let wire = mallory.introduction(scene.first(), &mallory.own(scene.first())?)?;
    let (status, first) = mallory.post("/onboarding/", wire.clone(), None).await?;
    if status != 200 {
        return Err(Failure::new(
            Exit::No,
            format_args!("the request itself was answered with {status}"),
        ));
    }
    let second = mallory.refused("/onboarding/", wire, None).await?;
    Ok(Done {
        value: (),
        wire: vec![first, second],
    })
}

/// A registered device says it is another one: with its own certificate, and with the other's.
pub(super) async fn other_certificate(scene: &Scene, server: &Server) -> Outcome<()> {
    let (victim, thief) = (scene.first(), scene.second());
    steps::device_key(scene, thief).await?;
    steps::register(scene, server, thief).await?;
    let arguments = [
        "onboard",
        &server.join,
        "--id",
        victim.id,
        "--key",
        "device.key",
        "--cert",
        "device.pem",
    ];
    let words = arguments
        .into_iter()
        .chain(["--state", "stolen", "--no-wait", "--json"]);
    let ran = super::program::Program::new(&thief.folder, words)?
        .expect(Exit::Refused)
        .await?;
    let mut wire = ran.wire();
    let mallory = Mallory::new(scene, server)?;
    let key = files::private_key(&thief.file("device.key"))?;
    let stolen = mallory.seal(
        victim,
        &key,
        PayloadType::ONBOARDING_REQUEST,
        OnboardingRequest::default().encode(),
        vec![files::certificate(&victim.file("device.pem"))?],
    )?;
    wire.push(mallory.refused("/onboarding/", stolen, None).await?);
    Ok(Done { value: (), wire })
}

/// The thief comes aboard as itself, and uses its own token on the other's route.
pub(super) async fn other_token(
    scene: &Scene,
    server: &Server,
    victim_device: &str,
) -> Outcome<()> {
    let (victim, thief) = (scene.first(), scene.second());
    come_aboard(thief, server)?.expect(Exit::Done).await?;
    let mallory = Mallory::new(scene, server)?;
    let token = mallory.token(thief).await?;
    let parse = |error: &dyn std::error::Error| broken(error);
    let device = DeviceId::parse(victim_device).map_err(|error| parse(&error))?;
    let deployment = status::DeploymentId::parse(DEPLOYMENT).map_err(|error| parse(&error))?;
    let payload = status::DeploymentStatus::new(deployment.clone(), status::State::Failed).encode();
    let path = status::path(&device, &deployment);
    let mut wire = Vec::new();
    for signer in [victim, thief] {
        let sealed = mallory.seal(
            signer,
            &mallory.own(signer)?,
            PayloadType::DEPLOYMENT_STATUS,
            payload.clone(),
            Vec::new(),
        )?;
        wire.push(mallory.refused(&path, sealed, Some(&token)).await?);
    }
    Ok(Done { value: (), wire })
}

/// The box sends the device to another Git server.
pub(super) async fn rewrite(scene: &Scene, server: &Server) -> Outcome<()> {
    let third = scene.third();
    steps::device_key(scene, third).await?;
    steps::register(scene, server, third).await?;
    let inspecting = InspectingBox::start(scene, server, true).await?;
    let ran = inspecting
        .device(third, server)?
        .expect(Exit::BadAnswer)
        .await?;
    inspecting.must_have_rewritten()?;
    let status = ["status", "--state", "state", "--json"];
    let remembered = super::program::Program::new(&third.folder, status)?
        .expect(Exit::No)
        .await?
        .last();
    let mut wire = ran.wire();
    wire.push(json!({"note": format!("the device remembers: {remembered}")}));
    Ok(Done { value: (), wire })
}

pub(super) async fn honest_box(scene: &Scene, server: &Server) -> Outcome<()> {
    let inspecting = InspectingBox::start(scene, server, false).await?;
    let ran = inspecting
        .device(scene.third(), server)?
        .expect(Exit::Done)
        .await?;
    Ok(Done {
        value: (),
        wire: ran.wire(),
    })
}

/// Somebody with the public crates, and whatever keys the attack supposes.
struct Mallory<'s> {
    server: &'s Server,
    http: reqwest::Client,
}

impl<'s> Mallory<'s> {
    fn new(_: &Scene, server: &'s Server) -> Result<Self, Failure> {
        let http = pinned::client(&server.root, server.root_url.as_str())?;
        Ok(Self { server, http })
    }

    fn own(&self, party: &Party) -> Result<SoftwareKey, Failure> {
        files::private_key(&party.file("device.key"))
    }

    /// An honest first request.
    fn introduction(&self, party: &Party, key: &SoftwareKey) -> Result<Vec<u8>, Failure> {
        let certificate = files::certificate(&party.file("device.pem"))?;
        self.seal(
            party,
            key,
            PayloadType::ONBOARDING_REQUEST,
            OnboardingRequest::default().encode(),
            vec![certificate],
        )
    }

    /// Unlike `sign_with`, this does not care whose the certificate is.
    fn seal(
        &self,
        party: &Party,
        key: &SoftwareKey,
        payload_type: PayloadType,
        payload: Vec<u8>,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Result<Vec<u8>, Failure> {
        let id = CertificateId::parse(party.id).map_err(|error| broken(&error))?;
        let audience =
            Audience::parse(self.server.root_url.as_str()).map_err(|error| broken(&error))?;
        let binding = Binding::new(payload_type)
            .created(UnixTime::now())
            .nonce(Nonce::random(&mut crate::random::system()))
            .audience(audience)
            .certificates(certificates);
        let unsigned = Envelope::prepare(payload, Form::Bound(binding), &id)
            .map_err(|error| broken(&error))?;
        let signature = key
            .sign(unsigned.message())
            .map_err(|error| broken(&error))?;
        unsigned
            .complete(&signature)
            .map_err(|error| broken(&error))
    }

    /// A bearer token, with the secret of a device that is aboard.
    async fn token(&self, party: &Party) -> Result<String, Failure> {
        let directory = gangplank_client::driver::StateDirectory::open(party.file("state"))
            .map_err(|error| broken(&error))?;
        let state = directory.load().map_err(|error| broken(&error))?;
        let aboard = state
            .and_then(|state| state.aboard)
            .ok_or_else(crate::device::not_aboard)?;
        let lost = |error: reqwest::Error| Failure::of(Exit::Transport, &error);
        let answer = self
            .http
            .post(aboard.token_endpoint_url.as_str())
            .basic_auth(
                aboard.client_id.as_str(),
                Some(aboard.client_secret.expose()),
            )
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .map_err(lost)?
            .bytes()
            .await
            .map_err(lost)?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| broken(&error))?;
        answer["access_token"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::new(Exit::No, "it got no token"))
    }

    /// Sends, and insists on a 401 or 403.
    async fn refused(
        &self,
        path: &str,
        wire: Vec<u8>,
        token: Option<&str>,
    ) -> Result<Value, Failure> {
        match self.post(path, wire, token).await? {
            (401 | 403, exchange) => Ok(exchange),
            (status, _) => Err(Failure::new(
                Exit::No,
                format_args!("it was answered with {status}: NOT REFUSED"),
            )),
        }
    }

    async fn post(
        &self,
        path: &str,
        wire: Vec<u8>,
        token: Option<&str>,
    ) -> Result<(u16, Value), Failure> {
        let url = self.server.root_url.join(path);
        let shown = opened(&wire);
        let mut request = self
            .http
            .post(&url)
            .header("content-type", MEDIA_TYPE)
            .body(wire);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let lost = |error: reqwest::Error| Failure::of(Exit::Transport, &error);
        let answer = request.send().await.map_err(lost)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(lost)?;
        let response = match serde_json::from_slice::<Value>(&body) {
            // An envelope of the orchestrator's has credentials in it.
            Ok(value) if value["payload"].is_null() => value,
            _ => json!(format!("(an envelope of {} bytes)", body.len())),
        };
        Ok((
            status,
            json!({"method": "POST", "url": url, "request": shown, "status": status, "response": response}),
        ))
    }
}

/// An envelope with its payload readable.
fn opened(wire: &[u8]) -> Value {
    let mut envelope: Value = serde_json::from_slice(wire).unwrap_or_default();
    let payload = envelope["payload"]
        .as_str()
        .and_then(|text| STANDARD.decode(text).ok());
    if let Some(payload) =
        payload.and_then(|payload| serde_json::from_slice::<Value>(&payload).ok())
    {
        envelope["payload"] = payload;
    }
    envelope
}

fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::of(Exit::CannotTell, error)
}
