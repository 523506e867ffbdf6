use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use gangplank_client::driver::Patience;
use gangplank_client::git::{Checkout, ExpectedCommit, Git, GitError, HelperCommand};
use serde_json::json;

use crate::device::{PatienceArguments, StateArgument, failure, observer};
use crate::exit::causes;
use crate::runtime::block_on;
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct DesiredState {
    /// Where the files go: a folder that is missing, empty, or was filled by this verb before
    #[arg(value_name = "FOLDER")]
    into: PathBuf,
    #[command(flatten)]
    state: StateArgument,
    /// The git program
    #[arg(long, value_name = "FILE", default_value = "git")]
    git: PathBuf,
    #[command(flatten)]
    patience: PatienceArguments,
    /// One JSON object per exchange, secrets left out, and one at the end
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &DesiredState) -> Result<Exit, Failure> {
    let state = std::path::absolute(&arguments.state.state)
        .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    let program = std::env::current_exe().map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    let mut device = arguments
        .state
        .reopen()?
        .with_patience(arguments.patience.or(PATIENCE))
        .with_observer(observer(arguments.json));
    let synced = block_on(async {
        let credential = device
            .git_credential()
            .await
            .map_err(|error| failure(&error))?;
        let checkout = Checkout {
            url: credential.url.as_str().to_owned(),
            directory: arguments.into.clone(),
            ca_file: device.root_file(),
            helper: HelperCommand {
                program,
                arguments: vec!["git-credential".into(), "--state".into(), state.into()],
            },
            expected: credential
                .commit
                .map_or(ExpectedCommit::NoneYet, ExpectedCommit::Exactly),
        };
        let git = Git::new(&arguments.git).with_time_floor(device.time_floor());
        git.clone_or_fetch(&checkout)
            .await
            .map_err(|error| git_failure(&error))
    })?;
    let commit = synced.commit.as_ref().map(|commit| commit.as_str());
    if arguments.json {
        output::json(
            &json!({"step": "desired-state", "commit": commit, "folder": arguments.into.display().to_string()}),
        )?;
    } else {
        output::line(commit.unwrap_or("no commit yet"))?;
    }
    Ok(Exit::Done)
}

fn git_failure(error: &GitError) -> Failure {
    let exit = match error {
        GitError::Unauthorized => Exit::Refused,
        GitError::Url | GitError::WrongCommit { .. } => Exit::BadAnswer,
        GitError::Clock
        | GitError::Certificate { .. }
        | GitError::Failed { .. }
        | GitError::TimedOut { .. } => Exit::Transport,
        _ => Exit::CannotTell,
    };
    Failure::new(exit, causes(error))
}

const PATIENCE: Patience = Patience::AtMost(Duration::from_secs(60));
