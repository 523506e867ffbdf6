//! What must not work. Each attack fails the demo if it is accepted.

use axum::http;
use gangplank_client::message_signature;
use rustls_pki_types::UnixTime;
use serde_json::{Value, json};

use super::forgery;
use super::inspecting_box::InspectingBox;
use super::mallory::{Mallory, broken};
use super::scene::Scene;
use super::steps::{self, DEPLOYMENT, Server, come_aboard};
use super::tale::{Done, Outcome};
use crate::envelope::{Nonce, PayloadType};
use crate::key::SoftwareKey;
use crate::onboarding::v2024::{onboarding::OnboardingRequest, status};
use crate::onboarding::{DeviceId, ShortText};
use crate::{Exit, Failure, files};

/// The payload is another one; then its digest, too.
pub(super) async fn tamper(scene: &Scene, server: &Server) -> Outcome<()> {
    let mallory = Mallory::new(server)?;
    let wire = mallory.introduction(scene.first(), &mallory.own(scene.first())?)?;
    let mut envelope: Value = serde_json::from_slice(&wire).map_err(|error| broken(&error))?;
    let payload = OnboardingRequest {
        vendor: ShortText::parse("Mallory Inc.").ok(),
        ..OnboardingRequest::default()
    }
    .encode();
    forgery::put_payload(&mut envelope, &payload);
    let first = mallory
        .refused("/onboarding/", envelope.to_string().into_bytes(), None)
        .await?;
    forgery::put_digest_of(&mut envelope, &payload);
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
    let mallory = Mallory::new(server)?;
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
    steps::device_key(thief).await?;
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
    let mallory = Mallory::new(server)?;
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
    let mallory = Mallory::new(server)?;
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
    steps::device_key(third).await?;
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

/// A box that sees a signed report sends others with its signature, then it itself, then it again.
pub(super) async fn message(scene: &Scene, server: &Server, device: &str) -> Outcome<()> {
    let mallory = Mallory::new(server)?;
    let victim = scene.first();
    let token = mallory.token(victim).await?;
    let device = DeviceId::parse(device).map_err(|error| broken(&error))?;
    let deployment = status::DeploymentId::parse(DEPLOYMENT).map_err(|error| broken(&error))?;
    let url = server.root_url.join(&status::path(&device, &deployment));
    let body = |state| status::DeploymentStatus::new(deployment.clone(), state).encode();
    let honest = signed(&mallory.own(victim)?, &url, body(status::State::Installing))?;
    let elsewhere = DEPLOYMENT.replace('a', "b");
    let mut moved = honest.clone();
    *moved.uri_mut() = url
        .replace(DEPLOYMENT, &elsewhere)
        .parse()
        .map_err(|error: http::uri::InvalidUri| broken(&error))?;
    let mut changed = honest.clone();
    *changed.body_mut() = body(status::State::Failed);
    // Anybody can make the digest fit. Only the signature cannot be made to.
    let mut fitted = signed(&mallory.own(scene.second())?, &url, changed.body().clone())?;
    for name in ["signature", "signature-input"] {
        if let (Ok(name), Some(value)) =
            (name.parse::<http::HeaderName>(), honest.headers().get(name))
        {
            fitted.headers_mut().insert(name, value.clone());
        }
    }
    let mut wire = Vec::new();
    for (request, expected) in [
        (moved, 401),
        (changed, 400),
        (fitted, 401),
        (honest.clone(), 201),
        (honest, 401),
    ] {
        let (status, exchange) = mallory.send(request, &token).await?;
        if status != expected {
            return Err(Failure::new(
                Exit::No,
                format_args!("it was answered with {status}, not {expected}: {exchange}"),
            ));
        }
        wire.push(exchange);
    }
    Ok(Done { value: (), wire })
}

fn signed(key: &SoftwareKey, url: &str, body: Vec<u8>) -> Result<http::Request<Vec<u8>>, Failure> {
    let request = http::Request::post(url).header("content-type", "application/json");
    let mut request = request.body(body).map_err(|error| broken(&error))?;
    let nonce = Nonce::random(&mut crate::random::system());
    message_signature::sign(&mut request, key, UnixTime::now(), &nonce)
        .map_err(|error| broken(&error))?;
    Ok(request)
}
