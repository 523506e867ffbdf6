//! Fetching a desired state into a directory.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use gangplank_onboarding::v2024::git_credential::CommitId;
use rustls_pki_types::UnixTime;
use tokio::{process::Command, time};

use super::{
    RepositoryUrl, environment,
    error::GitError,
    process::{Output, collect},
    work::Work,
};

pub use super::environment::HelperCommand;

/// The ordinary `git` program and what it may inherit.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
    time_limit: Duration,
    time_floor: Option<UnixTime>,
}

/// What is fetched from where, to where.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// `https://HOST[:PORT]/PATH`, without user or password.
    pub url: String,
    /// The files of the desired state. Missing, empty, or made by an earlier call with the same URL; nothing but the
    /// commit's files stays in it.
    pub directory: PathBuf,
    /// The only certificates that the server's may lead to, PEM.
    pub ca_file: PathBuf,
    /// Where git gets the password.
    pub helper: HelperCommand,
    /// What the orchestrator's signed answer says is there.
    pub expected: ExpectedCommit,
}

/// The commit that the repository should show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedCommit {
    /// This one. It is checked out even if the branch has moved on since: a later answer will name the later one.
    Exactly(CommitId),
    /// None: the repository is empty.
    NoneYet,
    /// Whatever `HEAD` shows. Nothing but TLS then says that it is the orchestrator's.
    NotCompared,
}

/// What the directory shows now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Synced {
    /// `None` while the repository is empty.
    pub commit: Option<CommitId>,
}

impl Git {
    /// This program, inheriting from this process what cannot weaken it.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            environment: Vec::new(),
            time_limit: TIME_LIMIT,
            time_floor: None,
        }
        .with_environment(std::env::vars_os())
    }

    /// Inherits from these variables instead. All `GIT_*` among them are left out, as are those that would bring
    /// other trust, prompts or configuration; proxies stay.
    #[must_use]
    pub fn with_environment(
        self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        Self {
            environment: environment::inherited(variables),
            ..self
        }
    }

    /// How long each command may take; 10 minutes if not set.
    #[must_use]
    pub fn with_time_limit(self, time_limit: Duration) -> Self {
        Self { time_limit, ..self }
    }

    /// The latest time that is known to have passed: of the build, or of the last authenticated answer. A refused
    /// certificate is then put down to a clock that shows less, whatever the reason git gives.
    #[must_use]
    pub fn with_time_floor(self, time_floor: UnixTime) -> Self {
        Self {
            time_floor: Some(time_floor),
            ..self
        }
    }

    /// Makes the directory show the desired state: clones it at first, later fetches.
    ///
    /// A password the server refuses is asked for once more, anew: git then tells the helper to forget it, and fails
    /// that command without asking again. An interrupted call is made good by the next one.
    ///
    /// # Errors
    /// [`GitError`]; with [`GitError::WrongCommit`] the files are still those of before.
    pub async fn clone_or_fetch(&self, checkout: &Checkout) -> Result<Synced, GitError> {
        RepositoryUrl::parse(&checkout.url).map_err(|_| GitError::Url)?;
        let work = Work::new(self, checkout)?;
        work.prepare().await?;
        let found = work.fetch().await?;
        let commit = work.choose(found).await?;
        work.show(commit.as_ref()).await?;
        Ok(Synced { commit })
    }

    /// Whether the checkout in `directory` is at this commit.
    ///
    /// # Errors
    /// [`GitError::WrongCommit`] if not, others when it cannot be told.
    pub async fn verify_commit(
        &self,
        directory: &Path,
        expected: &CommitId,
    ) -> Result<(), GitError> {
        let directory = std::path::absolute(directory)?;
        let empty = tempfile::tempdir()?;
        let output = self
            .run(
                "rev-parse",
                &directory,
                empty.path(),
                &[],
                &words(&HEAD_COMMIT),
            )
            .await?;
        let found = output.commit();
        if found.as_ref() == Some(expected) {
            return Ok(());
        }
        Err(GitError::WrongCommit {
            expected: Some(expected.clone()),
            found,
        })
    }

    pub(super) fn clock_is_behind(&self) -> bool {
        self.time_floor.is_some_and(|floor| UnixTime::now() < floor)
    }

    /// Runs one command on the checkout in `directory`, whether it succeeds or not.
    pub(super) async fn run(
        &self,
        operation: &'static str,
        directory: &Path,
        home: &Path,
        settings: &[(&'static str, OsString)],
        arguments: &[&OsStr],
    ) -> Result<Output, GitError> {
        let mut command = Command::new(&self.program);
        environment::apply(&mut command, &self.environment, home, settings);
        command
            .current_dir(directory)
            .arg("--git-dir")
            .arg(directory.join(".git"))
            .arg("--work-tree")
            .arg(directory)
            .arg(operation)
            .args(arguments);
        let ended = time::timeout(self.time_limit, collect(command)).await;
        ended
            .map_err(|_| GitError::TimedOut { operation })?
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied if directory.is_dir() => {
                    GitError::Missing {
                        program: self.program.clone(),
                    }
                }
                _ => error.into(),
            })
    }
}

pub(super) fn words<'a>(words: &[&'a str]) -> Vec<&'a OsStr> {
    words.iter().map(|word| OsStr::new(*word)).collect()
}

const TIME_LIMIT: Duration = Duration::from_secs(600);
const HEAD_COMMIT: [&str; 3] = ["--verify", "--quiet", "HEAD^{commit}"];
