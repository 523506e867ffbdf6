//! What must not work. Each attack fails the demo if it is accepted.

use serde_json::{Value, json};

use super::forgery;
use super::inspecting_box::InspectingBox;
use super::mallory::{Mallory, broken};
use super::scene::Scene;
use super::steps::{self, DEPLOYMENT, Server, come_aboard};
use super::tale::{Done, Outcome};
use crate::envelope::PayloadType;
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
