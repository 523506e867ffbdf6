use std::path::PathBuf;

use clap::{Args, Subcommand};
use gangplank_client::allowlist::hash_chain::{Head, Summary};
use gangplank_client::allowlist::{DecisionLog, VerifyError};
use serde_json::json;

use crate::{Exit, Failure, output};

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Say whether a log holds together, or the first line where it does not; without network
    ///
    /// Lines that were cut off at the end show only against a head that was kept elsewhere.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The log
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A head that was kept elsewhere, such as the one that this verb printed: the log has to have it
    #[arg(long, value_name = "NUMBER:HASH")]
    head: Option<Head>,
    /// One JSON object: verified, then lines, head, unfinished and setBack, or line, code and sentence
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &LogCommand) -> Result<Exit, Failure> {
    let LogCommand::Verify(arguments) = command;
    let found = DecisionLog::new(&arguments.file).verify(arguments.head);
    match (found, arguments.json) {
        (Ok(summary), false) => tell(&summary)?,
        (Ok(summary), true) => output::json(&json!({
            "verified": true, "lines": summary.lines, "head": summary.head.to_string(),
            "unfinished": summary.unfinished, "setBack": summary.set_back,
        }))?,
        (Err(VerifyError::Broken(broken)), true) => {
            output::json(&json!({
                "verified": false, "line": broken.line, "code": broken.fault.code(),
                "sentence": broken.to_string(),
            }))?;
            return Ok(Exit::No);
        }
        (Err(error), _) => {
            let exit = match error.fault() {
                Some(_) => Exit::No,
                None => Exit::CannotTell,
            };
            return Err(Failure::of(exit, &error).while_doing(arguments.file.display()));
        }
    }
    Ok(Exit::Done)
}

fn tell(summary: &Summary) -> Result<(), Failure> {
    output::line(format_args!(
        "{} lines, head {}",
        summary.lines, summary.head
    ))?;
    if let Some(line) = summary.set_back {
        output::progress(format_args!("the clock was set back at line {line}"));
    }
    if summary.unfinished > 0 {
        let bytes = summary.unfinished;
        output::progress(format_args!(
            "the last {bytes} bytes are a line that was never finished"
        ));
    }
    Ok(())
}
