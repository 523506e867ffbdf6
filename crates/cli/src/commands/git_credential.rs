use std::time::Duration;

use clap::Args;
use gangplank_client::driver::{ClientError, Device, Patience};
use gangplank_client::git::{
    Action, Credential, CredentialSource, HelperError, MAX_REQUEST, RepositoryUrl, answer,
};
use tokio::runtime::Runtime;

use crate::device::{StateArgument, failure, not_aboard};
use crate::key::Zeroizing;
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct GitCredential {
    #[command(flatten)]
    state: StateArgument,
    /// get, store or erase; git appends it
    #[arg(value_name = "ACTION")]
    action: String,
}

pub(crate) fn run(arguments: &GitCredential) -> Result<Exit, Failure> {
    let action = Action::parse(&arguments.action);
    let request = Zeroizing::new(files::stdin(MAX_REQUEST)?);
    if matches!(action, Action::Store | Action::Other) {
        return Ok(Exit::Done);
    }
    let device = arguments.state.reopen()?.with_patience(PATIENCE);
    let state = device.status().map_err(|error| failure(&error))?;
    let aboard = state
        .and_then(|state| state.aboard)
        .ok_or_else(not_aboard)?;
    let repository = RepositoryUrl::parse(aboard.git_repository_url.as_str())
        .map_err(|error| Failure::of(Exit::BadAnswer, &error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    let reply = answer(
        action,
        &request,
        &repository,
        &mut Source { device, runtime },
    )
    .map_err(|error| match &error {
        HelperError::Source(cause) => failure(cause),
        _ => Failure::of(Exit::CannotTell, &error),
    })?;
    output::write(&reply)?;
    Ok(Exit::Done)
}

/// The device's Git token: the one at hand, or a new one from the orchestrator.
struct Source {
    device: Device,
    runtime: Runtime,
}

impl CredentialSource for Source {
    type Error = ClientError;

    fn get(&mut self) -> Result<Credential, ClientError> {
        let access = self.runtime.block_on(self.device.git_access())?;
        let trusted = self.device.trusted_time().is_some();
        Ok(Credential {
            username: access.username,
            password: access.token,
            expires_at: trusted.then_some(access.expires_at),
        })
    }

    fn erase(&mut self, password: Option<&str>) -> Result<(), ClientError> {
        self.runtime
            .block_on(self.device.forget_git_access(password))
    }
}

/// git waits meanwhile, and so does whoever started it.
const PATIENCE: Patience = Patience::AtMost(Duration::from_secs(30));
