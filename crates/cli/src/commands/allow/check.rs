use std::ffi::OsString;

use clap::Args;
use gangplank_client::allowlist::{Gate, Refused};

use super::gate::{Answer, GateArguments};
use crate::local_list::LocalList;
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Image references, each with its `@sha256:…`
    #[arg(value_name = "REFERENCE", required = true)]
    references: Vec<OsString>,
    #[command(flatten)]
    gate: GateArguments,
}

pub(super) fn run(arguments: &Check) -> Result<Exit, Failure> {
    let gate = &arguments.gate;
    let list = LocalList::open(&gate.list)?;
    let listing = list.listing()?;
    let log = gate.decision_log();
    gate.warn_of_audit();
    let mut asked = Gate::new("check", gate.allowlist(&*listing)).list_serial(list.serial());
    if let Some(log) = &log {
        asked = asked.logging(log);
    }
    let mut exit = Exit::Done;
    for reference in &arguments.references {
        // What is no UTF-8 is no reference either way.
        let reference = reference.to_string_lossy();
        let judged = asked.image(&reference);
        exit = match (&judged, exit) {
            (Err(Refused::NotLogged(_)), _) | (_, Exit::CannotTell) => Exit::CannotTell,
            (Err(_), _) => Exit::No,
            (Ok(_), exit) => exit,
        };
        let answer = Answer::of(&reference, gate.mode(), judged.as_ref());
        match gate.json {
            true => output::json(&answer)?,
            false => output::line(answer.line())?,
        }
    }
    Ok(exit)
}
