//! The whole way aboard, and attacks on it: with the public program and the public crates alone.

mod attacks;
mod inspecting_box;
mod operator;
mod program;
mod scene;
mod steps;
mod tale;

use std::path::PathBuf;

use clap::Args;

use crate::runtime::block_on;
use crate::{Exit, Failure};
use scene::Scene;
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
    let server = tale
        .step(
            "serve",
            "the orchestrator starts in a folder and a process of its own",
            steps::serve(scene),
        )
        .await?;
    tale.step(
        "device-key",
        "a device gets a key, and a certificate that it signs itself",
        steps::device_key(scene, scene.first()),
    )
    .await?;
    tale.step(
        "stranger",
        "nobody has registered it yet, so it is refused",
        steps::stranger(scene, &server),
    )
    .await?;
    tale.step(
        "register",
        "the operator uploads its certificate under its GUID",
        steps::register(scene, &server, scene.first()),
    )
    .await?;
    let device = tale
        .step(
            "onboard",
            "the device pins the root, proves its key and comes aboard",
            steps::onboard(scene, &server),
        )
        .await?;
    tale.step(
        "again",
        "it forgets everything and asks again: it is the same device",
        steps::again(scene, &server, &device),
    )
    .await?;
    tale.step(
        "capabilities",
        "it reports what it is made of, with bearer token and envelope",
        steps::capabilities(scene),
    )
    .await?;
    let commit = tale
        .step(
            "push",
            "the operator pushes a desired state with git",
            operator::push(scene, &server, &device),
        )
        .await?;
    tale.step(
        "desired-state",
        "the device clones exactly that commit with git",
        steps::desired_state(scene, &commit),
    )
    .await?;
    tale.step(
        "deployment-status",
        "it reports that the deployment is installed",
        steps::deployment_status(scene, &server),
    )
    .await?;

    tale.step(
        "attack-tamper",
        "ATTACK: a signed request is changed on its way",
        attacks::tamper(scene, &server),
    )
    .await?;
    tale.step(
        "attack-replay",
        "ATTACK: a request that was accepted is sent again",
        attacks::replay(scene, &server),
    )
    .await?;
    tale.step(
        "attack-other-certificate",
        "ATTACK: another device poses as this one",
        attacks::other_certificate(scene, &server),
    )
    .await?;
    tale.step(
        "attack-other-token",
        "ATTACK: another device's token goes with this one's envelope",
        attacks::other_token(scene, &server, &device),
    )
    .await?;
    tale.step(
        "attack-rewrite",
        "ATTACK: a box that ends TLS rewrites the orchestrator's answer",
        attacks::rewrite(scene, &server),
    )
    .await?;
    tale.step(
        "honest-box",
        "the same box, changing nothing, is no obstacle",
        attacks::honest_box(scene, &server),
    )
    .await?;
    tale.step(
        "stop",
        "the orchestrator is asked to stop, and does",
        steps::stop(server),
    )
    .await
}
