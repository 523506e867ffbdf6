use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use gangplank_client::allowlist::desired_state::{self, Judged, Mentioned};
use gangplank_client::allowlist::{DecisionLog, Gate, Mode};
use gangplank_client::driver::Patience;
use gangplank_client::git::{Checkout, ExpectedCommit, Git, GitError, HelperCommand};
use gangplank_client::trust::TenantId;
use serde_json::json;

use super::allow::{OpenedList, ask};
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
    /// Hold every image that the files name to this allowlist, and exit with 1 unless all may run; what
    /// runs something without naming an image is refused
    #[arg(long, value_name = "FILE")]
    allowlist: Option<PathBuf>,
    /// Write every decision about an image down before it is told, and permit nothing that cannot be
    #[arg(long, value_name = "FILE", requires = "allowlist")]
    allowlist_log: Option<PathBuf>,
    /// Take the allowlist only as `allow fetch` or `allow verify` remembered it here, and for as long as it
    /// was signed for
    #[arg(long, value_name = "FILE", requires = "allowlist")]
    allowlist_state: Option<PathBuf>,
    /// The tenant whose device this is: without it, what the list has for one tenant alone may not run
    #[arg(long, value_name = "ID", value_parser = TenantId::parse, requires = "allowlist")]
    allowlist_tenant: Option<TenantId>,
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
    match &arguments.allowlist {
        None => Ok(Exit::Done),
        Some(list) => judge(arguments, list),
    }
}

/// Says of every image whether it may run.
fn judge(arguments: &DesiredState, list: &Path) -> Result<Exit, Failure> {
    let list = OpenedList::open(list, arguments.allowlist_state.as_deref())?;
    let listing = list.listing()?;
    let asked = ask(
        &*listing,
        Mode::Enforce,
        arguments.allowlist_tenant.as_ref(),
    );
    let log = arguments.allowlist_log.as_ref().map(DecisionLog::new);
    let mut gate = Gate::new("desired-state", asked).list_serial(list.serial());
    if let Some(log) = &log {
        gate = gate.logging(log);
    }
    let judged = desired_state::judge(&arguments.into, &gate)
        .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    for one in &judged {
        tell(one, arguments.json)?;
    }
    match judged.iter().any(|one| one.refused.is_some()) {
        true => Ok(Exit::No),
        false => Ok(Exit::Done),
    }
}

fn tell(judged: &Judged, json: bool) -> Result<(), Failure> {
    let Judged { mention, refused } = judged;
    let file = mention.file.display().to_string();
    let image = match &mention.what {
        Mentioned::Image(image) => Some(image),
        _ => None,
    };
    if json {
        return output::json(&json!({
            "step": "image", "file": file, "line": mention.line, "image": image,
            "verdict": if refused.is_some() { "deny" } else { "permit" },
            "code": refused.as_ref().map(|refused| refused.code),
            "reason": refused.as_ref().map(|refused| &refused.reason),
        }));
    }
    let reason = refused
        .as_ref()
        .map_or("may run", |refused| &refused.reason);
    let image = image.map_or("", String::as_str);
    let line = format!("{file}:{}: {image} {reason}", mention.line);
    output::line(output::visible(&line))
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
