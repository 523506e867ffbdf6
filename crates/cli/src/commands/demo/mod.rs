//! The whole way aboard, and attacks on it: with the public program and the public crates alone.

mod attacks;
mod forgery;
mod images;
mod inspecting_box;
mod mallory;
mod manufacturer;
mod operator;
mod program;
mod scene;
mod steps;
mod tale;
mod titles;

use std::path::PathBuf;

use clap::Args;

use crate::runtime::block_on;
use crate::{Exit, Failure};
use scene::Scene;
use steps::Server;
use tale::Tale;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// One JSON object per step: step, title, ok, millis, wire
    #[arg(long)]
    json: bool,
    /// Work in this folder, which must be missing or empty, and leave everything there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Ends with 0 only if everything worked and every attack was refused.
pub(crate) fn run(arguments: Demo) -> Result<Exit, Failure> {
    block_on(async move {
        let stopped =
            super::serve::stop_signal().map_err(|error| Failure::of(Exit::CannotTell, &error))?;
        let scene = Scene::set(arguments.keep)?;
        let mut tale = Tale::new(arguments.json);
        // Whatever ends it, dropping the scene ends the server and removes the folder.
        tokio::select! {
            told = tell(&scene, &mut tale) => told?,
            () = stopped => return Err(Failure::new(Exit::CannotTell, "interrupted")),
        }
        tale.end(scene.kept())?;
        Ok(Exit::Done)
    })
}

async fn tell(scene: &Scene, tale: &mut Tale) -> Result<(), Failure> {
    let server = tale.step(titles::SERVE, steps::serve(scene)).await?;
    let (device, authority) = come_aboard(scene, tale, &server).await?;
    attack(scene, tale, &server, &device).await?;
    let stolen = authority.revokes(scene, &server);
    tale.step(titles::REVOKED, stolen).await?;
    tale.step(titles::STOP, steps::stop(server)).await
}

/// Yields the device id of the first device, and the authority of another.
async fn come_aboard(
    scene: &Scene,
    tale: &mut Tale,
    server: &Server,
) -> Result<(String, manufacturer::Authority), Failure> {
    let first = scene.first();
    tale.step(titles::DEVICE_KEY, steps::device_key(first))
        .await?;
    tale.step(titles::STRANGER, steps::stranger(scene, server))
        .await?;
    tale.step(titles::REGISTER, steps::register(scene, server, first))
        .await?;
    let device = tale
        .step(titles::ONBOARD, steps::onboard(scene, server))
        .await?;
    tale.step(titles::AGAIN, steps::again(scene, server, &device))
        .await?;
    tale.step(titles::CAPABILITIES, steps::capabilities(scene))
        .await?;
    let commit = tale
        .step(
            titles::PUSH,
            operator::push(scene, server, &device, &[images::DIGITRON]),
        )
        .await?;
    tale.step(titles::DESIRED_STATE, steps::desired_state(scene, &commit))
        .await?;
    tale.step(titles::ALLOWLIST, images::listed(scene)).await?;
    tale.step(
        titles::DEPLOYMENT_STATUS,
        steps::deployment_status(scene, ENVELOPE),
    )
    .await?;
    tale.step(
        titles::MESSAGE_SIGNATURE,
        steps::deployment_status(scene, MESSAGE),
    )
    .await?;
    let vouched = manufacturer::vouches(scene, server);
    let authority = tale.step(titles::AUTO_PROVISIONING, vouched).await?;
    let renewed = authority.renews(scene, server);
    tale.step(titles::RENEWAL, renewed).await?;
    Ok((device, authority))
}

async fn attack(
    scene: &Scene,
    tale: &mut Tale,
    server: &Server,
    device: &str,
) -> Result<(), Failure> {
    tale.step(titles::TAMPER, attacks::tamper(scene, server))
        .await?;
    tale.step(titles::REPLAY, attacks::replay(scene, server))
        .await?;
    let posing = attacks::other_certificate(scene, server);
    tale.step(titles::OTHER_CERTIFICATE, posing).await?;
    let borrowing = attacks::other_token(scene, server, device);
    tale.step(titles::OTHER_TOKEN, borrowing).await?;
    tale.step(titles::REWRITE, attacks::rewrite(scene, server))
        .await?;
    tale.step(titles::HONEST_BOX, attacks::honest_box(scene, server))
        .await?;
    let message = attacks::message(scene, server, device);
    tale.step(titles::MESSAGE, message).await?;
    let unlisted = images::unlisted(scene, server, device);
    tale.step(titles::UNLISTED, unlisted).await?;
    let uninvited = manufacturer::does_not_vouch(scene, server);
    tale.step(titles::UNINVITED, uninvited).await
}

/// How a report is signed.
const ENVELOPE: &str = "envelope";
const MESSAGE: &str = "message";
