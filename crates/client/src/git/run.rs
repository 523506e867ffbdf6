//! Fetching a desired state into a directory.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use gangplank_onboarding::v2024::git_credential::CommitId;
use rustls_pki_types::UnixTime;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time,
};

use super::{RepositoryUrl, environment, error::GitError};

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
        let work = Work {
            git: self,
            checkout,
            directory: std::path::absolute(&checkout.directory)?,
            ca_file: std::path::absolute(&checkout.ca_file)?,
            empty: tempfile::tempdir()?,
        };
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

    fn clock_is_behind(&self) -> bool {
        self.time_floor.is_some_and(|floor| UnixTime::now() < floor)
    }

    /// Runs one command on the checkout in `directory`, whether it succeeds or not.
    async fn run(
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
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
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

/// One call of [`Git::clone_or_fetch`].
struct Work<'a> {
    git: &'a Git,
    checkout: &'a Checkout,
    directory: PathBuf,
    ca_file: PathBuf,
    /// A home without files, and a folder without certificates.
    empty: tempfile::TempDir,
}

impl Work<'_> {
    /// Makes sure that the directory is a checkout of this repository and no other.
    async fn prepare(&self) -> Result<(), GitError> {
        let not_ours = || GitError::NotOurs {
            directory: self.directory.clone(),
        };
        let inner = self.directory.join(".git");
        match fs::symlink_metadata(&inner) {
            Ok(found) if found.is_dir() => {
                let arguments = words(&["--local", "--get", REMOTE_URL]);
                let url = self.run("config", &self.directory, &arguments).await?;
                let same = url.text().is_some_and(|url| url == self.checkout.url);
                return if same { Ok(()) } else { Err(not_ours()) };
            }
            Ok(_) => return Err(not_ours()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        fs::create_dir_all(&self.directory)?;
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if !entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(STAGING_PREFIX.as_bytes())
            {
                return Err(not_ours());
            }
            // Left by a call that was killed.
            fs::remove_dir_all(entry.path())?;
        }
        // Complete, then put into place: a `.git` that is there always names its repository.
        let staging = tempfile::Builder::new()
            .prefix(STAGING_PREFIX)
            .tempdir_in(&self.directory)?;
        let mut arguments = vec!["--quiet", "--initial-branch=main", "--template="];
        if matches!(&self.checkout.expected, ExpectedCommit::Exactly(commit) if commit.as_str().len() == 64)
        {
            arguments.push("--object-format=sha256");
        }
        self.succeed("init", staging.path(), &words(&arguments))
            .await?;
        self.succeed(
            "config",
            staging.path(),
            &words(&[REMOTE_URL, &self.checkout.url]),
        )
        .await?;
        fs::rename(staging.path().join(".git"), &inner)?;
        Ok(())
    }

    /// Fetches what `HEAD` shows there; `None` when that is nothing.
    async fn fetch(&self) -> Result<Option<CommitId>, GitError> {
        let fetched = match self.fetch_once().await {
            Err(GitError::Unauthorized) => self.fetch_once().await?,
            other => other?,
        };
        if !fetched {
            self.succeed("update-ref", &self.directory, &words(&["-d", FETCHED]))
                .await?;
            return Ok(None);
        }
        let arguments = ["--verify", "--quiet", FETCHED_COMMIT];
        let commit = self
            .succeed("rev-parse", &self.directory, &words(&arguments))
            .await?
            .commit();
        commit.map(Some).ok_or(GitError::WrongCommit {
            expected: None,
            found: None,
        })
    }

    /// Whether there was anything to fetch.
    async fn fetch_once(&self) -> Result<bool, GitError> {
        let refspec = format!("+HEAD:{FETCHED}");
        let arguments = words(&[
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            &self.checkout.url,
            &refspec,
        ]);
        let settings =
            environment::connection(&self.ca_file, self.empty.path(), &self.checkout.helper);
        let output = self
            .git
            .run(
                "fetch",
                &self.directory,
                self.empty.path(),
                &settings,
                &arguments,
            )
            .await?;
        if output.status.success() {
            return Ok(true);
        }
        // An empty repository advertises no HEAD, or one that is not born.
        let nothing = output
            .stderr
            .split(|&byte| byte == b'\n')
            .any(|line| line == NOTHING_THERE.as_bytes());
        if nothing {
            return Ok(false);
        }
        Err(match GitError::from_stderr("fetch", &output.stderr) {
            GitError::Certificate { .. } if self.git.clock_is_behind() => GitError::Clock,
            other => other,
        })
    }

    /// Holds what was found against what should be there.
    async fn choose(&self, found: Option<CommitId>) -> Result<Option<CommitId>, GitError> {
        match &self.checkout.expected {
            ExpectedCommit::NotCompared => Ok(found),
            ExpectedCommit::NoneYet if found.is_none() => Ok(None),
            ExpectedCommit::NoneYet => Err(GitError::WrongCommit {
                expected: None,
                found,
            }),
            ExpectedCommit::Exactly(expected) => {
                let object = format!("{}^{{commit}}", expected.as_str());
                let present = self
                    .run("cat-file", &self.directory, &words(&["-e", &object]))
                    .await?;
                if found.is_some() && present.status.success() {
                    return Ok(Some(expected.clone()));
                }
                Err(GitError::WrongCommit {
                    expected: Some(expected.clone()),
                    found,
                })
            }
        }
    }

    /// Makes the files those of the commit, and no others.
    async fn show(&self, commit: Option<&CommitId>) -> Result<(), GitError> {
        match commit {
            Some(commit) => {
                let arguments = [
                    "--quiet",
                    "--force",
                    "--detach",
                    "--no-recurse-submodules",
                    commit.as_str(),
                    "--",
                ];
                self.succeed("checkout", &self.directory, &words(&arguments))
                    .await?;
            }
            None => {
                self.succeed(
                    "symbolic-ref",
                    &self.directory,
                    &words(&["HEAD", "refs/heads/main"]),
                )
                .await?;
                self.succeed("read-tree", &self.directory, &words(&["--empty"]))
                    .await?;
            }
        }
        // Twice -f: also a repository that something left among the files.
        self.succeed("clean", &self.directory, &words(&["--quiet", "-ffdx"]))
            .await?;
        match commit {
            Some(commit) => self.git.verify_commit(&self.directory, commit).await,
            None => Ok(()),
        }
    }

    async fn succeed(
        &self,
        operation: &'static str,
        directory: &Path,
        arguments: &[&OsStr],
    ) -> Result<Output, GitError> {
        let output = self.run(operation, directory, arguments).await?;
        if output.status.success() {
            Ok(output)
        } else {
            Err(GitError::from_stderr(operation, &output.stderr))
        }
    }

    async fn run(
        &self,
        operation: &'static str,
        directory: &Path,
        arguments: &[&OsStr],
    ) -> Result<Output, GitError> {
        self.git
            .run(operation, directory, self.empty.path(), &[], arguments)
            .await
    }
}

/// How a command ended, and the last it said.
struct Output {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Output {
    fn text(&self) -> Option<&str> {
        str::from_utf8(&self.stdout).ok().map(str::trim_end)
    }

    fn commit(&self) -> Option<CommitId> {
        CommitId::parse(self.text()?).ok()
    }
}

async fn collect(mut command: Command) -> io::Result<Output> {
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr, status) = tokio::try_join!(tail(stdout), tail(stderr), child.wait())?;
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

/// Reads to the end, however much that is, and keeps the last of it.
async fn tail(reader: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut reader) = reader else {
        return Ok(kept);
    };
    while reader.read_buf(&mut kept).await? > 0 {
        if kept.len() > 2 * MAX_OUTPUT {
            kept.drain(..kept.len() - MAX_OUTPUT);
        }
    }
    Ok(kept)
}

fn words<'a>(words: &[&'a str]) -> Vec<&'a OsStr> {
    words.iter().map(|word| OsStr::new(*word)).collect()
}

const TIME_LIMIT: Duration = Duration::from_secs(600);
const MAX_OUTPUT: usize = 16 * 1024;
const STAGING_PREFIX: &str = ".gangplank-new-";
const REMOTE_URL: &str = "remote.origin.url";
const FETCHED: &str = "refs/gangplank/fetched";
const FETCHED_COMMIT: &str = "refs/gangplank/fetched^{commit}";
const HEAD_COMMIT: [&str; 3] = ["--verify", "--quiet", "HEAD^{commit}"];
const NOTHING_THERE: &str = "fatal: couldn't find remote ref HEAD";
