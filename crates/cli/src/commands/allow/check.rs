use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use gangplank_client::allowlist::{Gate, Refused};

use super::gate::{Answer, GateArguments};
use super::place::Place;
use crate::runtime::block_on;
use crate::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Image references, each with its `@sha256:…`
    #[arg(value_name = "REFERENCE", required = true)]
    references: Vec<OsString>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    gate: GateArguments,
}

pub(super) fn run(arguments: &Check) -> Result<Exit, Failure> {
    // What is no UTF-8 is no reference either way.
    let text = |reference: &OsString| reference.to_string_lossy().into_owned();
    let references: Vec<String> = arguments.references.iter().map(text).collect();
    match &arguments.place.list {
        Some(path) => by_file(arguments, path, &references),
        None if arguments.gate.is_said() => {
            let sentence = "--log, --audit and --state are for a list in a file (--list)";
            Err(Failure::new(Exit::CannotTell, sentence))
        }
        None => by_server(&arguments.place, &references),
    }
}

fn by_file(arguments: &Check, path: &Path, references: &[String]) -> Result<Exit, Failure> {
    let (gate, place) = (&arguments.gate, &arguments.place);
    let list = gate.open(path)?;
    let listing = list.listing()?;
    let log = gate.decision_log();
    gate.warn_of_audit();
    let allowlist = gate.allowlist(&*listing, place.tenant.as_ref());
    let mut asked = Gate::new("check", allowlist).list_serial(list.serial());
    if let Some(log) = &log {
        asked = asked.logging(log);
    }
    let mut exit = Exit::Done;
    for reference in references {
        let judged = asked.image(reference);
        exit = match (&judged, exit) {
            (Err(Refused::NotLogged(_)), _) | (_, Exit::CannotTell) => Exit::CannotTell,
            (Err(_), _) => Exit::No,
            (Ok(_), exit) => exit,
        };
        let answer = Answer::of(reference, gate.mode(), judged.as_ref());
        answer.tell(place.json)?;
    }
    Ok(exit)
}

/// The server judges by its own clock.
fn by_server(place: &Place, references: &[String]) -> Result<Exit, Failure> {
    let list = place.server()?;
    let verdicts = block_on(async { list.check(references).await })?;
    let mut exit = Exit::Done;
    for verdict in &verdicts {
        if verdict.denied().is_some() {
            exit = Exit::No;
        }
        Answer::of_server(verdict).tell(place.json)?;
    }
    Ok(exit)
}
