//! One verb, one file.

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
    }
}
