//! Trust by hand: what becomes of a certificate, with no server asked.

mod explain;
mod known_device;
mod verify;

use clap::Subcommand;

use crate::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Say what would become of a device with this certificate, and why; nothing is changed
    ///
    /// The exit code is 0 if the device is known or would join, 5 if it would wait for an operator,
    /// and 1 if it would be refused.
    Explain(explain::Explain),
    /// Say whether a certificate path leads to a trust anchor (RFC 5280 §6), or why not
    Verify(verify::Verify),
}

pub(crate) fn run(command: TrustCommand) -> Result<Exit, Failure> {
    match command {
        TrustCommand::Explain(arguments) => explain::run(&arguments),
        TrustCommand::Verify(arguments) => verify::run(&arguments),
    }
}
