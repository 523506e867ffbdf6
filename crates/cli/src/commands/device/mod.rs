//! The operator's verbs.

mod add;
mod change;
mod list;
mod show;

use clap::Subcommand;
use serde_json::Value;

use crate::runtime::block_on;
use crate::{Exit, Failure, output};

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Register a device: its GUID and its certificate
    ///
    /// The same again is no error. Registering a device that waits for approval approves it.
    Add(add::Add),
    /// List devices
    List(list::List),
    /// Show one device, with what it reported
    Show(show::Show),
    /// Let a device that waits for approval come aboard
    Approve(change::Change),
    /// Refuse a device for good, and end its credentials
    Reject(change::Change),
    /// Stop a device until it is enabled again
    Disable(change::Change),
    /// Lift what `disable` did
    Enable(change::Change),
    /// Forget a device; it stays out until it is registered again or readmitted
    Remove(change::Change),
    /// Let a removed device come back by itself
    Readmit(change::Readmit),
}

pub(crate) fn run(command: DeviceCommand) -> Result<Exit, Failure> {
    block_on(async move {
        match command {
            DeviceCommand::Add(arguments) => add::run(&arguments).await,
            DeviceCommand::List(arguments) => list::run(&arguments).await,
            DeviceCommand::Show(arguments) => show::run(&arguments).await,
            DeviceCommand::Approve(arguments) => change::run(&arguments, "approve").await,
            DeviceCommand::Reject(arguments) => change::run(&arguments, "reject").await,
            DeviceCommand::Disable(arguments) => change::run(&arguments, "disable").await,
            DeviceCommand::Enable(arguments) => change::run(&arguments, "enable").await,
            DeviceCommand::Remove(arguments) => change::remove(&arguments).await,
            DeviceCommand::Readmit(arguments) => change::readmit(&arguments).await,
        }
    })
}

/// One device on one line: device id, certificate id, state.
fn summary(device: &Value) -> String {
    let text = |member: &str| output::visible(device[member].as_str().unwrap_or("?"));
    let disabled = if device["disabled"] == Value::Bool(true) {
        ", disabled"
    } else {
        ""
    };
    format!(
        "{}  {}  {}{disabled}",
        text("deviceId"),
        text("certificateId"),
        text("state")
    )
}

/// The device as it is now.
fn print(device: &Value, json: bool) -> Result<(), Failure> {
    if json {
        output::json(device)
    } else {
        output::line(summary(device))
    }
}
