//! One call that makes a directory show the desired state, step by step.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use gangplank_onboarding::v2024::git_credential::CommitId;

use super::{
    environment,
    error::GitError,
    process::Output,
    run::{Checkout, ExpectedCommit, Git, words},
};

/// One call of [`Git::clone_or_fetch`].
pub(super) struct Work<'a> {
    git: &'a Git,
    checkout: &'a Checkout,
    directory: PathBuf,
    ca_file: PathBuf,
    /// A home without files, and a folder without certificates.
    empty: tempfile::TempDir,
}

impl<'a> Work<'a> {
    pub(super) fn new(git: &'a Git, checkout: &'a Checkout) -> io::Result<Self> {
        Ok(Self {
            git,
            checkout,
            directory: std::path::absolute(&checkout.directory)?,
            ca_file: std::path::absolute(&checkout.ca_file)?,
            empty: tempfile::tempdir()?,
        })
    }

    /// Makes sure that the directory is a checkout of this repository and no other.
    pub(super) async fn prepare(&self) -> Result<(), GitError> {
        let found = match fs::symlink_metadata(self.directory.join(".git")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.create().await,
            found => found?,
        };
        if found.is_dir() {
            self.check_private()?;
            let arguments = words(&["--local", "--get", REMOTE_URL]);
            let url = self.run("config", &self.directory, &arguments).await?;
            if url.text() == Some(&self.checkout.url) {
                return self.forget_attributes();
            }
        }
        Err(self.not_ours())
    }

    /// Settings in `.git/config` can beat those of this call, so nobody else may have written them. This comes before
    /// the first git command, which would read them.
    fn check_private(&self) -> Result<(), GitError> {
        let git = self.directory.join(".git");
        [&self.directory, &git, &git.join("config")]
            .into_iter()
            .try_for_each(|path| self.must_be_ours(path))
    }

    fn must_be_ours(&self, path: &Path) -> Result<(), GitError> {
        if only_ours(path, self.empty.path())? {
            return Ok(());
        }
        Err(GitError::NotPrivate {
            path: path.to_owned(),
        })
    }

    /// They would change the files on their way out of the repository, and no setting turns them off.
    fn forget_attributes(&self) -> Result<(), GitError> {
        match fs::remove_file(self.directory.join(".git/info/attributes")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Makes the checkout's `.git`, complete, and then puts it into place: one that is there always names its
    /// repository.
    async fn create(&self) -> Result<(), GitError> {
        fs::create_dir_all(&self.directory)?;
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if !name
                .as_encoded_bytes()
                .starts_with(STAGING_PREFIX.as_bytes())
            {
                return Err(self.not_ours());
            }
            // Left by a call that was killed.
            fs::remove_dir_all(entry.path())?;
        }
        // A umask of 002 lets the group in, and the next call would refuse what this one made. What cannot be changed
        // is another's, and refused right here.
        keep_others_out(&self.directory, 0o755).ok();
        self.must_be_ours(&self.directory)?;
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
        let url = words(&[REMOTE_URL, &self.checkout.url]);
        self.succeed("config", staging.path(), &url).await?;
        keep_others_out(&staging.path().join(".git"), 0o700)?;
        fs::rename(staging.path().join(".git"), self.directory.join(".git"))?;
        Ok(())
    }

    fn not_ours(&self) -> GitError {
        GitError::NotOurs {
            directory: self.directory.clone(),
        }
    }

    /// Fetches what `HEAD` shows there; `None` when that is nothing.
    pub(super) async fn fetch(&self) -> Result<Option<CommitId>, GitError> {
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
    pub(super) async fn choose(
        &self,
        found: Option<CommitId>,
    ) -> Result<Option<CommitId>, GitError> {
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
    pub(super) async fn show(&self, commit: Option<&CommitId>) -> Result<(), GitError> {
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

/// Whether `path` belongs to the user that this process acts for, who has just made `own`, and nobody
/// else may write to it. A path that is not there does no harm.
#[cfg(unix)]
fn only_ours(path: &Path, own: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        found => found?,
    };
    Ok(found.uid() == fs::metadata(own)?.uid() && found.mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn only_ours(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Takes away the permissions that are not in `mode`.
#[cfg(unix)]
fn keep_others_out(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let held = fs::metadata(path)?.permissions().mode();
    if held & 0o777 & !mode == 0 {
        return Ok(());
    }
    fs::set_permissions(
        path,
        fs::Permissions::from_mode(held & !0o777 | held & mode),
    )
}

#[cfg(not(unix))]
fn keep_others_out(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

const STAGING_PREFIX: &str = ".gangplank-new-";
const REMOTE_URL: &str = "remote.origin.url";
const FETCHED: &str = "refs/gangplank/fetched";
const FETCHED_COMMIT: &str = "refs/gangplank/fetched^{commit}";
const NOTHING_THERE: &str = "fatal: couldn't find remote ref HEAD";

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

    use super::*;
    use crate::git::HelperCommand;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[tokio::test]
    async fn a_checkout_that_others_may_change_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("desired");
        fs::create_dir(&directory).unwrap();
        allow(&directory, 0o775);
        let checkout = Checkout {
            url: "https://wfm.example/git/d-1.git".to_owned(),
            directory: directory.clone(),
            ca_file: folder.path().join("root.pem"),
            helper: HelperCommand {
                program: "helper".into(),
                arguments: Vec::new(),
            },
            expected: ExpectedCommit::NotCompared,
        };
        let git = Git::new("git");
        let work = Work::new(&git, &checkout).unwrap();
        // What it makes itself is private, whatever the folder was.
        work.prepare().await.unwrap();
        let attributes = directory.join(".git/info/attributes");
        fs::create_dir_all(directory.join(".git/info")).unwrap();
        fs::write(&attributes, "* text eol=crlf").unwrap();
        work.prepare().await.unwrap();
        assert!(!attributes.exists());

        for name in ["", ".git", ".git/config"] {
            let path = directory.join(name);
            let held = fs::metadata(&path).unwrap().permissions();
            for others in [0o020, 0o002] {
                allow(&path, held.mode() | others);
                let refused = work.prepare().await;
                assert!(
                    matches!(refused, Err(GitError::NotPrivate { .. })),
                    "{name}: {refused:?}"
                );
            }
            fs::set_permissions(&path, held).unwrap();
        }
        work.prepare().await.unwrap();
    }
}
