//! One verb, one file.

#[cfg(unix)]
mod allow;
mod cert;
mod demo;
mod desired_state;
mod device;
mod envelope;
mod git_credential;
mod key;
mod message;
mod onboard;
mod report;
mod reset;
mod serve;
mod status;
mod tenant;
mod trust;

use crate::arguments::{Cli, Command};
use crate::{Exit, Failure};

#[cfg(unix)]
pub(crate) use allow::{AllowCommand, OpenedList, answer as allow_answer};
pub(crate) use cert::CertCommand;
pub(crate) use demo::Demo;
pub(crate) use desired_state::DesiredState;
pub(crate) use device::DeviceCommand;
pub(crate) use envelope::EnvelopeCommand;
pub(crate) use git_credential::GitCredential;
pub(crate) use key::KeyCommand;
pub(crate) use message::MessageCommand;
pub(crate) use onboard::Onboard;
pub(crate) use report::ReportCommand;
pub(crate) use reset::Reset;
pub(crate) use serve::Serve;
pub(crate) use status::Status;
pub(crate) use tenant::TenantCommand;
pub(crate) use trust::TrustCommand;

/// Whether arguments are those of a verb that runs another command, whose exit codes are not this program's.
pub(crate) fn is_exec(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> bool {
    let mut next_is = |verb: &str| arguments.next().is_some_and(|argument| argument == verb);
    next_is("allow") && next_is("exec")
}

pub(crate) fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Device(command) => device::run(command),
        Command::Tenant(command) => tenant::run(command),
        Command::Onboard(arguments) => onboard::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Reset(arguments) => reset::run(&arguments),
        Command::Report(command) => report::run(&command),
        Command::DesiredState(arguments) => desired_state::run(&arguments),
        Command::GitCredential(arguments) => git_credential::run(&arguments),
        Command::Key(command) => key::run(command),
        Command::Cert(command) => cert::run(command),
        Command::Envelope(command) => envelope::run(command),
        Command::Message(command) => message::run(command),
        Command::Trust(command) => trust::run(command),
        #[cfg(unix)]
        Command::Allow(command) => allow::run(command),
    }
}
