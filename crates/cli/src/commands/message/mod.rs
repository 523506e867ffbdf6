//! HTTP message signatures by hand, for whoever finds out why two implementations do not agree
//! (`docs/command-line.md`).

mod against;
mod base;
mod body;
mod claims;
mod content;
mod gaps;
mod hints;
mod labels;
mod public_key;
mod reason;
mod report;
mod sign;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod verify;

use clap::{Subcommand, ValueEnum};

use crate::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum MessageCommand {
    /// Print the exact signature base of a message, or say where another party's differs
    Base(base::Base),
    /// Sign a message; it goes to standard output with the fields added
    Sign(sign::Sign),
    /// Say what a signature covers, what it does not, and whether it verifies
    ///
    /// Content-Digest is always compared with the body. How old the signature is counts only with
    /// --max-age or --profile.
    Verify(verify::Verify),
}

pub(crate) fn run(command: MessageCommand) -> Result<Exit, Failure> {
    match command {
        MessageCommand::Base(arguments) => base::run(&arguments),
        MessageCommand::Sign(arguments) => sign::run(&arguments),
        MessageCommand::Verify(arguments) => verify::run(&arguments),
    }
}

/// Whose rules hold beside those of RFC 9421.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProfileName {
    /// Margo 1.0: label sig1, Content-Digest with every body
    Margo,
}
