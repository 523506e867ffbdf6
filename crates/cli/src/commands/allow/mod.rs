//! Which images may run. One verb family, one file.

mod check;
mod containerd;
mod edit;
mod exec;
mod fetch;
mod gate;
mod list;
mod log;
mod place;
mod publish;
mod server_verdict;
mod sign;
mod signed;
mod source;
mod transfer;
mod verify;

use clap::Subcommand;
use gangplank_client::allowlist::{Mode, Permit, Refused};

use crate::{Exit, Failure};

pub(crate) use gate::{Opened as OpenedList, ask};

#[derive(Debug, Subcommand)]
pub(crate) enum AllowCommand {
    /// Put images on a list, by their digests
    ///
    /// A digest that is there already is said anew. A list in a file that is not there is made: as text, or
    /// as an indexed one where conditions or notes are said.
    Add(edit::Add),
    /// Take images off a list
    Remove(edit::Remove),
    /// Take everything off a list
    Clear(edit::Clear),
    /// Show a list
    List(list::List),
    /// Put all digests of a text on a list, or none if a line is no digest
    ///
    /// A digest that is there already is said anew, without conditions. A list in a file gets all of them or
    /// none. The server gets them in parts of 1000, each all or none: if one fails, those before it stay, and
    /// it is said how many digests the server acknowledged. Importing the same text again completes it.
    Import(transfer::Import),
    /// Write a list as text, 64 hex digits a line
    Export(transfer::Export),
    /// Say how many images a list has, and which state of it this is
    Stats(list::Stats),
    /// Ask a list about images; exit code 1 if one of them may not run
    Check(check::Check),
    /// Start a container, if the list permits its image
    ///
    /// What runs is the command behind the two dashes, argument by argument as it was checked. Exit code
    /// 126 if it is refused, 125 if it could not be judged or started; every other is the command's.
    Exec(exec::Exec),
    /// Sign a list: the envelope says which bytes it has, which version it is, and until when it counts
    Sign(sign::Sign),
    /// Say whether a list is as somebody signed it, no older than the one before, and counts now
    Verify(verify::Verify),
    /// Sign a list into a folder, from which devices fetch it over any static web server
    ///
    /// The folder gets NAME-VERSION.list, NAME-FROM-VERSION.delta and at last NAME.manifest.json.
    Publish(publish::Publish),
    /// Fetch a published list, and put it in its place when it is verified
    ///
    /// Takes the delta where it fits. Whatever fails, the list that is there stays, and counts as long as
    /// it was signed for.
    Fetch(fetch::Fetch),
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
        AllowCommand::Add(arguments) => edit::add(&arguments),
        AllowCommand::Remove(arguments) => edit::remove(&arguments),
        AllowCommand::Clear(arguments) => edit::clear(&arguments),
        AllowCommand::List(arguments) => list::list(&arguments),
        AllowCommand::Import(arguments) => transfer::import(&arguments),
        AllowCommand::Export(arguments) => transfer::export(&arguments),
        AllowCommand::Stats(arguments) => list::stats(&arguments),
        AllowCommand::Check(arguments) => check::run(&arguments),
        AllowCommand::Exec(arguments) => exec::run(&arguments),
        AllowCommand::Sign(arguments) => sign::run(&arguments),
        AllowCommand::Verify(arguments) => verify::run(&arguments),
        AllowCommand::Publish(arguments) => publish::run(&arguments),
        AllowCommand::Fetch(arguments) => fetch::run(&arguments),
        AllowCommand::Log(command) => log::run(&command),
        AllowCommand::ContainerdCheck(arguments) => containerd::run(&arguments),
    }
}
