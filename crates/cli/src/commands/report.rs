use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use gangplank_client::driver::{Device, Patience};

use super::onboard::read_capabilities;
use crate::device::{FormArgument, PatienceArguments, StateArgument, failure, observer};
use crate::onboarding::v2024::status::{DeploymentId, DeploymentStatus, State};
use crate::runtime::block_on;
use crate::{Exit, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Report how a deployment fares
    Deployment(Deployment),
    /// Report what the device is made of
    Capabilities(Capabilities),
}

#[derive(Debug, Args)]
pub(crate) struct Deployment {
    /// The deployment's id
    #[arg(value_name = "DEPLOYMENT-ID", value_parser = DeploymentId::parse)]
    id: DeploymentId,
    /// pending, installing, installed or failed
    #[arg(value_name = "STATUS", value_parser = status)]
    status: State,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Capabilities {
    /// A DeviceCapabilities document, JSON; its id is filled in
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    state: StateArgument,
    /// How the report is signed; else as the device was configured
    #[arg(long, value_enum, value_name = "FORM")]
    form: Option<FormArgument>,
    #[command(flatten)]
    patience: PatienceArguments,
    /// One JSON object per exchange, secrets left out
    #[arg(long)]
    json: bool,
}

impl Common {
    fn device(&self) -> Result<Device, Failure> {
        let mut device = self.state.reopen()?;
        if let Some(form) = self.form {
            device = device.with_report_form(form.into());
        }
        Ok(device
            .with_patience(self.patience.or(PATIENCE))
            .with_observer(observer(self.json)))
    }
}

pub(crate) fn run(command: &ReportCommand) -> Result<Exit, Failure> {
    block_on(async {
        match command {
            ReportCommand::Deployment(arguments) => {
                let status = DeploymentStatus::new(arguments.id.clone(), arguments.status);
                arguments.common.device()?.report_status(&status).await
            }
            ReportCommand::Capabilities(arguments) => {
                let capabilities = read_capabilities(&arguments.file)?;
                arguments
                    .common
                    .device()?
                    .report_capabilities(&capabilities)
                    .await
            }
        }
        .map_err(|error| failure(&error))
    })?;
    Ok(Exit::Done)
}

fn status(text: &str) -> Result<State, &'static str> {
    State::parse(text).ok_or("pending, installing, installed or failed")
}

const PATIENCE: Patience = Patience::AtMost(Duration::from_secs(60));
