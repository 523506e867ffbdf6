//! Trust by hand: a server's trust anchors, and what becomes of a certificate with no server asked.

mod anchors;
mod explain;
mod known_device;
mod revocation;
mod verify;

use clap::Subcommand;

use self::anchors::Switch;
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
    /// Let a tenant trust the certificates that this one issues
    Add(anchors::Add),
    /// List a tenant's anchors
    List(anchors::List),
    /// Let an anchor count again
    Enable(anchors::One),
    /// Let an anchor no longer count: devices that came by it do not onboard again
    Disable(anchors::One),
    /// Let devices of an anchor join that nobody registered, or no longer
    AutoProvisioning(anchors::AutoProvisioning),
    /// Forget an anchor
    Remove(anchors::One),
    /// Say which certificates are revoked; show what is known without --crl and --off
    ///
    /// Once a tenant has revocation lists, every certificate below an anchor needs a current one.
    Revocation(revocation::Revocation),
}

pub(crate) fn run(command: TrustCommand) -> Result<Exit, Failure> {
    match command {
        TrustCommand::Explain(arguments) => explain::run(&arguments),
        TrustCommand::Verify(arguments) => verify::run(&arguments),
        TrustCommand::Add(arguments) => anchors::add(&arguments),
        TrustCommand::List(arguments) => anchors::list(&arguments),
        TrustCommand::Enable(arguments) => anchors::switch(&arguments, Switch::On),
        TrustCommand::Disable(arguments) => anchors::switch(&arguments, Switch::Off),
        TrustCommand::AutoProvisioning(arguments) => anchors::auto_provisioning(&arguments),
        TrustCommand::Remove(arguments) => anchors::remove(&arguments),
        TrustCommand::Revocation(arguments) => revocation::run(&arguments),
    }
}
