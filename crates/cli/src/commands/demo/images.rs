//! Which images may run on the device.

use serde_json::Value;

use super::operator;
use super::program::{Program, Ran};
use super::scene::Scene;
use super::steps::Server;
use super::tale::{Done, Outcome};
use crate::json;
use crate::{Exit, Failure};

/// The device's list gets the image, and its desired state is held to the list.
pub(super) async fn listed(scene: &Scene) -> Outcome<()> {
    let digest = DIGITRON
        .rsplit_once('@')
        .map_or(DIGITRON, |(_, digest)| digest);
    let add = ["allow", "add", "--list", LIST, digest];
    let added = Program::new(&scene.first().folder, add)?
        .expect(Exit::Done)
        .await?;
    let ran = desired_state(scene, Exit::Done).await?;
    expect(&ran, &[(DIGITRON, None)])?;
    let mut wire = added.wire();
    wire.extend(ran.wire());
    Ok(Done { value: (), wire })
}

/// Whoever may push may not thereby run what he likes.
pub(super) async fn unlisted(scene: &Scene, server: &Server, device: &str) -> Outcome<()> {
    let images = [DIGITRON, OTHER, TAG];
    operator::push(scene, server, device, &images).await?;
    let ran = desired_state(scene, Exit::No).await?;
    let verdicts = [
        (DIGITRON, None),
        (OTHER, Some("not-listed")),
        (TAG, Some("no-digest")),
    ];
    expect(&ran, &verdicts)?;
    Ok(Done {
        value: (),
        wire: ran.wire(),
    })
}

async fn desired_state(scene: &Scene, exit: Exit) -> Result<Ran, Failure> {
    let arguments = [
        "desired-state",
        "desired",
        "--state",
        "state",
        "--allowlist",
        LIST,
        "--json",
    ];
    Program::new(&scene.first().folder, arguments)?
        .expect(exit)
        .await
}

fn expect(ran: &Ran, verdicts: &[(&str, Option<&str>)]) -> Result<(), Failure> {
    let images = ran.lines.iter();
    let images = images.filter(|line| json::text(line, "step") == Some("image"));
    let verdict = |line: &Value| {
        let image = json::text(line, "image").unwrap_or_default().to_owned();
        (image, json::text(line, "code").map(str::to_owned))
    };
    let found: Vec<_> = images.map(verdict).collect();
    let expected = verdicts.iter();
    let expected = expected.map(|(image, code)| ((*image).to_owned(), code.map(str::to_owned)));
    match found.iter().cloned().eq(expected) {
        true => Ok(()),
        false => Err(Failure::new(
            Exit::No,
            format_args!("the images are judged otherwise: {found:?}"),
        )),
    }
}

pub(super) const DIGITRON: &str = "registry.example/digitron:7@sha256:fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752";
const OTHER: &str = "registry.example/digitron:7@sha256:1834bdb494c6150a9861cf32432df7c5d93fe2bc99e008da83a57a318dc207d7";
const TAG: &str = "registry.example/digitron:7";
const LIST: &str = "containerwhitelist.txt";
