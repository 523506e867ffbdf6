//! One bare repository per device, made at the first access.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use gangplank_onboarding::{DeviceId, v2024::git_credential::CommitId};
use tokio::{sync::Semaphore, task, time};

use super::program::{self, GitMissing};

/// The folder of the devices' repositories: `{deviceId}.git` for each.
///
/// Needs a file system that tells upper from lower case, since device ids do.
#[derive(Clone, Debug)]
pub struct Repositories {
    folder: PathBuf,
    program: PathBuf,
    processes: Arc<Semaphore>,
}

/// A repository could not be made, read or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// There is no `git`.
    #[error(transparent)]
    GitMissing(#[from] GitMissing),
    /// The file system refused.
    #[error("the folder of the git repositories cannot be used")]
    Io(#[from] io::Error),
    /// `git` started and failed; what it said.
    #[error("git {operation} failed: {message}")]
    Git {
        /// The git command.
        operation: &'static str,
        /// The end of its standard error, control characters escaped.
        message: String,
    },
}

impl Repositories {
    /// Nothing is created or started yet. `folder` should be absolute.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, git_program: impl Into<PathBuf>) -> Self {
        let processes = Arc::new(Semaphore::new(MAX_PROCESSES));
        Self {
            folder: folder.into(),
            program: git_program.into(),
            processes,
        }
    }

    /// The `git` program these repositories are made with.
    #[must_use]
    pub fn git_program(&self) -> &Path {
        &self.program
    }

    /// Where the device's repository is, or would be.
    #[must_use]
    pub fn path(&self, device: &DeviceId) -> PathBuf {
        self.folder.join(format!("{}.git", device.as_str()))
    }

    /// The directory of the device's repository, made when there is none. Of any number of racers, in this process
    /// or another, each gets the same repository. The caller has checked that the device exists.
    ///
    /// # Errors
    /// [`RepositoryError`].
    pub async fn ensure(&self, device: &DeviceId) -> Result<PathBuf, RepositoryError> {
        let path = self.path(device);
        if path.join("HEAD").exists() {
            return Ok(path);
        }
        let folder = self.folder.clone();
        let staging = blocking(move || {
            private_folder(&folder)?;
            tempfile::Builder::new()
                .prefix(STAGING_PREFIX)
                .tempdir_in(&folder)
        })
        .await?;
        let fresh = staging.path().join("repository");
        let mut command = program::command(&self.program, &fresh, &[]);
        command
            .args([
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                "--template=",
            ])
            .arg(&fresh);
        self.run("init", command).await?;
        let (folder, target) = (self.folder.clone(), path.clone());
        blocking(move || publish(&fresh, &target, &folder)).await?;
        Ok(path)
    }

    /// The commit that `HEAD` shows, which is what the device should see; `None` while the repository is empty or
    /// not yet made.
    ///
    /// # Errors
    /// [`RepositoryError`].
    pub async fn head_commit(
        &self,
        device: &DeviceId,
    ) -> Result<Option<CommitId>, RepositoryError> {
        let path = self.path(device);
        if !path.join("HEAD").exists() {
            return Ok(None);
        }
        let mut command = program::command(&self.program, &path, &[]);
        command.arg("--git-dir").arg(&path).args([
            "rev-parse",
            "--verify",
            "--quiet",
            "HEAD^{commit}",
        ]);
        let output = self.output(command).await?;
        let text = String::from_utf8_lossy(&output.stdout);
        match (output.status.code(), CommitId::parse(text.trim_end())) {
            (Some(0), Ok(commit)) => Ok(Some(commit)),
            (Some(1), _) if text.is_empty() => Ok(None),
            _ => Err(RepositoryError::Git {
                operation: "rev-parse",
                message: last_words(&output.stderr),
            }),
        }
    }

    /// Moves the device's repository out of reach, into the folder `.removed`, and says where; `None` when there was
    /// none. An operator may look at it there and delete it. A later [`ensure`](Self::ensure) starts empty. The move
    /// is durable when it is answered.
    ///
    /// # Errors
    /// [`RepositoryError::Io`].
    pub async fn remove(&self, device: &DeviceId) -> Result<Option<PathBuf>, RepositoryError> {
        let (path, folder) = (self.path(device), self.folder.clone());
        let removed = folder.join(REMOVED);
        let prefix = format!("{}.", device.as_str());
        let moved = blocking(move || {
            if !path.try_exists()? {
                return Ok(None);
            }
            private_folder(&removed)?;
            let grave = tempfile::Builder::new()
                .prefix(&prefix)
                .tempdir_in(&removed)?;
            // Renamed over the empty folder just made, whose name is therefore its own.
            match fs::rename(&path, grave.path()) {
                Ok(()) => {
                    let grave = grave.keep();
                    // The new name before the loss of the old one.
                    sync_folder(&removed)?;
                    sync_folder(&folder)?;
                    Ok(Some(grave))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        });
        Ok(moved.await?)
    }

    async fn run(
        &self,
        operation: &'static str,
        command: tokio::process::Command,
    ) -> Result<(), RepositoryError> {
        let output = self.output(command).await?;
        if output.status.success() {
            return Ok(());
        }
        Err(RepositoryError::Git {
            operation,
            message: last_words(&output.stderr),
        })
    }

    async fn output(
        &self,
        mut command: tokio::process::Command,
    ) -> Result<std::process::Output, RepositoryError> {
        // Ten thousand devices that wake at once must not become ten thousand processes. Never closed.
        let _slot = self.processes.acquire().await;
        let output = time::timeout(TIME, command.output()).await;
        output
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| match program::missing(&self.program, &error) {
                Some(missing) => missing.into(),
                None => error.into(),
            })
    }
}

/// Puts a fresh repository at its place in one step; a racer that was faster wins.
fn publish(fresh: &Path, target: &Path, folder: &Path) -> io::Result<()> {
    restrict(fresh)?;
    for file in ["HEAD", "config"] {
        fs::File::open(fresh.join(file))?.sync_all()?;
    }
    match fs::rename(fresh, target) {
        Ok(()) => sync_folder(folder),
        Err(_) if target.join("HEAD").exists() => Ok(()),
        Err(error) => Err(error),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    restrict(folder)
}

#[cfg(unix)]
fn restrict(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_folder: &Path) -> io::Result<()> {
    Ok(())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// The end of what git said, in one line fit for a log.
pub(super) fn last_words(stderr: &[u8]) -> String {
    let start = stderr.len().saturating_sub(MAX_MESSAGE);
    let tail = stderr.get(start..).unwrap_or_default();
    String::from_utf8_lossy(tail)
        .trim()
        .escape_debug()
        .to_string()
}

/// `git` processes at one time, for making and reading repositories.
const MAX_PROCESSES: usize = 8;
/// Both commands are a matter of milliseconds; a disk that hangs must not hold every slot.
const TIME: Duration = Duration::from_secs(30);
const MAX_MESSAGE: usize = 1024;
// A device id starts with a letter or digit, so neither can be a repository's name.
const STAGING_PREFIX: &str = ".new-";
const REMOVED: &str = ".removed";

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str) -> DeviceId {
        DeviceId::parse(id).unwrap()
    }

    #[tokio::test]
    async fn made_once_private_and_empty() {
        let data = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(data.path().join("git"), "git");
        assert!(
            repositories
                .head_commit(&device("d-1"))
                .await
                .unwrap()
                .is_none()
        );
        let racers = (0..8).map(|_| {
            let repositories = repositories.clone();
            tokio::spawn(async move { repositories.ensure(&device("d-1")).await.unwrap() })
        });
        for racer in racers.collect::<Vec<_>>() {
            assert_eq!(racer.await.unwrap(), repositories.path(&device("d-1")));
        }
        assert!(
            repositories
                .head_commit(&device("d-1"))
                .await
                .unwrap()
                .is_none()
        );
        let path = repositories.path(&device("d-1"));
        assert_eq!(
            fs::read_to_string(path.join("HEAD")).unwrap(),
            "ref: refs/heads/main\n"
        );
        assert!(!path.join("hooks").exists());
        let left: Vec<_> = fs::read_dir(data.path().join("git")).unwrap().collect();
        assert_eq!(left.len(), 1, "no staging folder stays: {left:?}");
        #[cfg(unix)]
        for folder in [path, data.path().join("git")] {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(folder).unwrap().permissions().mode() & 0o777,
                0o700
            );
        }
    }

    #[tokio::test]
    async fn removed_is_moved_away() {
        let data = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(data.path(), "git");
        assert!(repositories.remove(&device("d-1")).await.unwrap().is_none());
        for _ in 0..2 {
            let path = repositories.ensure(&device("d-1")).await.unwrap();
            let moved = repositories.remove(&device("d-1")).await.unwrap().unwrap();
            assert!(!path.exists());
            assert!(moved.starts_with(data.path().join(".removed")) && moved.join("HEAD").exists());
        }
    }

    #[tokio::test]
    async fn without_git_one_clear_sentence() {
        let data = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(data.path(), "/nonexistent/git");
        let error = repositories.ensure(&device("d-1")).await.unwrap_err();
        assert!(matches!(error, RepositoryError::GitMissing(_)));
        assert_eq!(
            error.to_string(),
            "git is needed to keep the devices' desired state, and /nonexistent/git cannot be started: install git"
        );
        assert!(program::check(Path::new("/nonexistent/git")).await.is_err());
        program::check(Path::new("git")).await.unwrap();
    }

    #[tokio::test]
    async fn a_repository_it_cannot_read_is_an_error_not_an_empty_one() {
        let data = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(data.path(), "git");
        let path = repositories.ensure(&device("d-1")).await.unwrap();
        fs::write(path.join("HEAD"), "nonsense").unwrap();
        let error = repositories.head_commit(&device("d-1")).await.unwrap_err();
        assert!(
            matches!(
                error,
                RepositoryError::Git {
                    operation: "rev-parse",
                    ..
                }
            ),
            "{error}"
        );
    }
}
