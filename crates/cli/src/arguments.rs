use clap::{Parser, Subcommand};

#[cfg(unix)]
use crate::commands::AllowCommand;
use crate::commands::{
    CertCommand, Demo, DesiredState, DeviceCommand, EnvelopeCommand, GitCredential, KeyCommand,
    MessageCommand, Onboard, ReportCommand, Reset, Serve, Status, TenantCommand, TrustCommand,
};

/// Brings edge devices aboard workload orchestrators
///
/// Exit codes: 0 done or yes, 1 no, 2 usage or cannot tell, 3 transport, 4 refused by the server,
/// 5 pending, 6 bad answer, 8 needs an operator, 125 not run, 126 refused to run. Data goes to standard output, all else to standard
/// error. Secrets come by file, standard input or environment, never by argument.
#[derive(Debug, Parser)]
#[command(
    name = "gangplank",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole way aboard, and attacks that must be refused, on this machine
    Demo(Demo),
    /// Serve devices and operators: a whole orchestrator's side in one process
    Serve(Serve),
    /// Register devices and decide about them
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Say whose devices there are
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Bring this device aboard an orchestrator
    Onboard(Onboard),
    /// Say what this device remembers, without network; exit code 1 if it is not aboard
    Status(Status),
    /// Forget the orchestrator and its secrets; key and certificate stay
    Reset(Reset),
    /// Tell the orchestrator how this device fares
    #[command(subcommand)]
    Report(ReportCommand),
    /// Fetch this device's desired state with git
    DesiredState(DesiredState),
    /// Answer git's questions for this device's password; git runs it (gitcredentials(7))
    GitCredential(GitCredential),
    /// Make a private key
    #[command(subcommand)]
    Key(KeyCommand),
    /// Make a device certificate
    #[command(subcommand)]
    Cert(CertCommand),
    /// Sign, verify and look into envelopes
    #[command(subcommand)]
    Envelope(EnvelopeCommand),
    /// Sign and verify HTTP messages (RFC 9421), and look at what is signed
    #[command(subcommand)]
    Message(MessageCommand),
    /// Say who is trusted, and why
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Say which images may run, and let no others run
    #[cfg(unix)]
    #[command(subcommand)]
    Allow(AllowCommand),
}
