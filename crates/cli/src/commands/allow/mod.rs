//! Which images may run. One verb family, one file.

mod check;
mod containerd;
#[cfg(unix)]
mod exec;
mod gate;
mod log;

use clap::Subcommand;
use gangplank_client::allowlist::{Mode, Permit, Refused};

use crate::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum AllowCommand {
    /// Ask a list about images; exit code 1 if one of them may not run
    Check(check::Check),
    /// Start a container, if the list permits its image
    ///
    /// What runs is the command behind the two dashes, argument by argument as it was checked. Exit code
    /// 126 if it is refused, 125 if it could not be judged or started; every other is the command's.
    #[cfg(unix)]
    Exec(exec::Exec),
    /// Look at the log of what gates decided
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Say where containerd lets images pass without asking; exit code 1 if it does
    ContainerdCheck(containerd::ContainerdCheck),
}

/// One line about an image, as `allow check` prints it.
pub(crate) fn answer(image: &str, mode: Mode, judged: Result<&Permit<'_>, &Refused<'_>>) -> String {
    gate::Answer::of(image, mode, judged).line()
}

pub(crate) fn run(command: AllowCommand) -> Result<Exit, Failure> {
    match command {
        AllowCommand::Check(arguments) => check::run(&arguments),
        #[cfg(unix)]
        AllowCommand::Exec(arguments) => exec::run(&arguments),
        AllowCommand::Log(command) => log::run(&command),
        AllowCommand::ContainerdCheck(arguments) => containerd::run(&arguments),
    }
}
