use std::ffi::OsString;

use clap::{Args, ValueEnum};
use gangplank_client::allowlist::{self, Gate, Launch, OptionPolicy, PermittedLaunch, Refused};
use serde_json::{Value, to_string};

use super::gate::{Answer, GateArguments, Opened, Permitted};
use super::place::Place;
use crate::runtime::block_on;
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// What is said of options such as --privileged or --volume
    #[arg(long, value_enum, default_value = "strict")]
    policy: Policy,
    /// With --json the decision is told on standard error: standard output is the command's
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    gate: GateArguments,
    /// docker, podman or nerdctl with run or create, and an image that is pinned by its digest
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Policy {
    /// They are not judged
    Compat,
    /// Only those that give the container nothing of this machine
    Strict,
}

pub(super) fn run(arguments: &Exec) -> Result<Exit, Failure> {
    let command: Vec<&str> = arguments
        .command
        .iter()
        .filter_map(|text| text.to_str())
        .collect();
    if command.len() != arguments.command.len() {
        return Err(Failure::new(
            Exit::RunRefused,
            "an argument is no UTF-8 text",
        ));
    }
    match judge_and_start(arguments, &command) {
        Err(failure) if failure.exit() != Exit::RunRefused => Err(failure.with(Exit::NotRun)),
        ended => ended,
    }
}

/// Returns only if nothing was started.
fn judge_and_start(arguments: &Exec, command: &[&str]) -> Result<Exit, Failure> {
    let (gate, place) = (&arguments.gate, &arguments.place);
    let options = match arguments.policy {
        Policy::Strict => OptionPolicy::Strict,
        Policy::Compat => {
            output::progress("options are not judged (--policy compat)");
            OptionPolicy::Compat
        }
    };
    let list = match &place.list {
        Some(path) => gate.open(path)?,
        None if gate.is_about_a_file() => return Err(GateArguments::no_file()),
        None => Opened::Server(ask_server(place, command, options)?),
    };
    let listing = list.listing()?;
    let log = gate.decision_log();
    gate.warn_of_audit();
    let mut asked = Gate::new("exec", gate.allowlist(&*listing, place.tenant.as_ref()))
        .list_serial(list.serial());
    if let Some(log) = &log {
        asked = asked.logging(log);
    }
    let judged = asked.launch(command, options);
    tell(arguments, judged.as_ref());
    match judged {
        Ok(launch) => Err(Failure::of(Exit::NotRun, &allowlist::exec(launch))),
        Err(refused @ Refused::NotLogged(_)) => Err(Failure::new(Exit::NotRun, refused)),
        Err(refused) => Err(Failure::new(Exit::RunRefused, refused)),
    }
}

/// What the server's list says of the image of a command line, by the server's clock.
fn ask_server(
    place: &Place,
    command: &[&str],
    options: OptionPolicy,
) -> Result<Permitted, Failure> {
    // What starts no pinned image is refused without being asked about.
    let Ok(launch) = Launch::parse(command, options) else {
        return Ok(Permitted(None));
    };
    let image = launch.image().to_string();
    let server = place.server()?;
    let verdicts = block_on(async { server.check(std::slice::from_ref(&image)).await })?;
    let verdict = verdicts.first().unwrap_or(&Value::Null);
    if verdict["verdict"] == "permitted" && verdict["image"] == *image {
        return Ok(Permitted(Some(*launch.image().digest())));
    }
    let reason = verdict["reason"].as_str().unwrap_or_default();
    output::progress(output::visible(&format!("the server: {image}: {reason}")));
    Ok(Permitted(None))
}

/// On standard error: standard output is the command's.
fn tell(arguments: &Exec, judged: Result<&PermittedLaunch<'_>, &Refused<'_>>) {
    let permit = judged.map(PermittedLaunch::permit);
    let image = permit.map(|permit| permit.image().to_string());
    let image = image.unwrap_or_default();
    let answer = Answer::of(&image, arguments.gate.mode(), permit);
    match (arguments.place.json, permit) {
        (true, _) => drop(to_string(&answer).map(|json| eprintln!("{json}"))),
        (false, Ok(permit)) if permit.would_be_denied().is_some() => {
            output::progress(answer.line());
        }
        (false, _) => (),
    }
}
