//! The envelope by hand (`docs/envelope.md`): other implementations test themselves against it.

mod inspect;
mod sign;
mod verify;

use clap::Subcommand;

use crate::envelope::{Audience, Limits};
use crate::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum EnvelopeCommand {
    /// Seal the payload on standard input; the envelope goes to standard output, on one line
    Sign(sign::Sign),
    /// Verify the envelope on standard input; exactly the payload goes to standard output
    ///
    /// What is not asked for is not compared, but integrity always is, and the plain form needs
    /// --allow-plain. When anything is wrong, nothing goes to standard output and the exit code is 1.
    Verify(verify::Verify),
    /// Show what the envelope on standard input claims; nothing is verified
    Inspect(inspect::Inspect),
}

pub(crate) fn run(command: EnvelopeCommand) -> Result<Exit, Failure> {
    match command {
        EnvelopeCommand::Sign(arguments) => sign::run(arguments),
        EnvelopeCommand::Verify(arguments) => verify::run(&arguments),
        EnvelopeCommand::Inspect(arguments) => inspect::run(&arguments),
    }
}

/// How large a payload may be.
#[derive(Clone, Copy, Debug, clap::Args)]
struct MaxPayload {
    /// The largest payload, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = Limits::DEFAULT.payload)]
    max_payload: usize,
}

impl MaxPayload {
    fn limits(self) -> Limits {
        Limits {
            payload: self.max_payload,
            ..Limits::DEFAULT
        }
    }
}

/// An audience is signed and compared as text, so a hint beats a silent correction.
fn audience(text: &str) -> Result<Audience, String> {
    Audience::parse(text).map_err(|error| format!("{error}; an audience is written in its canonical form, such as https://wfm.example/margo"))
}
