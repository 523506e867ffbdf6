use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gangplank_client::allowlist::{self, Gate, OptionPolicy, PermittedLaunch, Refused};
use gangplank_client::trust::TenantId;
use serde_json::to_string;

use super::gate::{Answer, GateArguments};
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// What is said of options such as --privileged or --volume
    #[arg(long, value_enum, default_value = "strict")]
    policy: Policy,
    /// The list: the Secure Manager's text file, or an indexed file
    #[arg(long, value_name = "FILE", required = true)]
    list: PathBuf,
    /// The tenant whose device this is; without it, entries for one tenant do not count
    #[arg(long, value_name = "ID", value_parser = TenantId::parse)]
    tenant: Option<TenantId>,
    #[command(flatten)]
    gate: GateArguments,
    /// One JSON object on standard error: standard output is the command's
    #[arg(long)]
    json: bool,
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
    let gate = &arguments.gate;
    let list = gate.open(&arguments.list)?;
    let listing = list.listing()?;
    let log = gate.decision_log();
    gate.warn_of_audit();
    let options = match arguments.policy {
        Policy::Strict => OptionPolicy::Strict,
        Policy::Compat => {
            output::progress("options are not judged (--policy compat)");
            OptionPolicy::Compat
        }
    };
    let mut asked = Gate::new("exec", gate.allowlist(&*listing, arguments.tenant.as_ref()))
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

/// On standard error: standard output is the command's.
fn tell(arguments: &Exec, judged: Result<&PermittedLaunch<'_>, &Refused<'_>>) {
    let permit = judged.map(PermittedLaunch::permit);
    let image = permit.map(|permit| permit.image().to_string());
    let image = image.unwrap_or_default();
    let answer = Answer::of(&image, arguments.gate.mode(), permit);
    match (arguments.json, permit) {
        (true, _) => drop(to_string(&answer).map(|json| eprintln!("{json}"))),
        (false, Ok(permit)) if permit.would_be_denied().is_some() => {
            output::progress(answer.line());
        }
        (false, _) => (),
    }
}
