use std::ffi::OsString;

use clap::{Args, ValueEnum};
use gangplank_client::allowlist::{
    self, Decision, Gate, Launch, LaunchFault, Mode, OptionPolicy, PermittedLaunch, Refused,
    Verdict, clock,
};
use serde_json::to_string;

use super::gate::{Answer, GateArguments, Opened, ServerPermits};
use super::place::Place;
use super::server_verdict::{ServerDenied, ServerVerdict};
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
    let launch = Launch::parse(command, options);
    let list = match (&place.list, &launch) {
        (Some(path), _) => gate.open(path)?,
        (None, _) if gate.is_about_a_file() => return Err(GateArguments::no_file()),
        // What starts no pinned image is refused without being asked about.
        (None, Err(_)) => Opened::Server(ServerPermits(None)),
        (None, Ok(launch)) => {
            let said = ask_server(place, launch)?;
            if let Some(denied) = said.denied() {
                return refuse(arguments, &said, denied);
            }
            Opened::Server(ServerPermits(said.digest()))
        }
    };
    let listing = list.listing()?;
    let log = gate.decision_log();
    gate.warn_of_audit();
    let mut asked = Gate::new(NAME, gate.allowlist(&*listing, place.tenant.as_ref()))
        .list_serial(list.serial());
    if let Some(log) = &log {
        asked = asked.logging(log);
    }
    let judged = asked.launch(command, options);
    let image = image_of(command, &launch);
    let permit = judged.as_ref().map(PermittedLaunch::permit);
    let answer = Answer::of(image, gate.mode(), permit);
    tell(place, &answer);
    let refused = match judged {
        Ok(launch) => {
            if gate.mode() == Mode::Audit && !place.json {
                output::progress(answer.line());
            }
            return Err(Failure::of(Exit::NotRun, &allowlist::exec(launch)));
        }
        Err(refused) => refused,
    };
    let exit = match refused {
        Refused::NotLogged(_) => Exit::NotRun,
        _ => Exit::RunRefused,
    };
    Err(match gate.mode() {
        Mode::Audit => Failure::new(exit, answer.line()),
        Mode::Enforce => Failure::new(exit, refused),
    })
}

/// What the server's list says of the image of a command line, by the server's clock.
fn ask_server(place: &Place, launch: &Launch<'_>) -> Result<ServerVerdict, Failure> {
    let images = [launch.image().to_string()];
    let server = place.server()?;
    let verdicts = block_on(async { server.check(&images).await })?;
    let nothing = || Failure::new(Exit::BadAnswer, "the server's answer has no verdict");
    verdicts.into_iter().next().ok_or_else(nothing)
}

/// Refuses for the reason that the server gave, which is written down before it is told.
fn refuse(arguments: &Exec, said: &ServerVerdict, denied: &ServerDenied) -> Result<Exit, Failure> {
    if let Some(log) = arguments.gate.decision_log() {
        let decision = Decision::new(NAME, said.image(), Verdict::Deny)
            .digest(said.digest().as_ref())
            .code(Some(&denied.code));
        if let Err(error) = log.append(clock(), decision) {
            let refused = Refused::NotLogged(error);
            let answer = Answer::of(said.image(), Mode::Enforce, Err(&refused));
            tell(&arguments.place, &answer);
            return Err(Failure::new(Exit::NotRun, refused));
        }
    }
    tell(&arguments.place, &Answer::of_server(said));
    let sentence = format_args!("the server: {}: {}", said.image(), denied.reason);
    Err(Failure::new(Exit::RunRefused, sentence))
}

/// The argument that is the image or was to be one; empty where there is none.
fn image_of<'a>(command: &[&'a str], launch: &Result<Launch<'_>, LaunchFault<'_>>) -> &'a str {
    let at = match launch {
        Ok(launch) => Some(launch.image_at()),
        Err(LaunchFault::NotPinned { at, .. }) => Some(*at),
        Err(_) => None,
    };
    at.and_then(|at| command.get(at).copied())
        .unwrap_or_default()
}

/// On standard error: standard output is the command's.
fn tell(place: &Place, answer: &Answer<'_>) {
    if place.json {
        drop(to_string(answer).map(|json| eprintln!("{json}")));
    }
}

/// Of this gate, in the log.
const NAME: &str = "exec";
