//! Starting the ordinary `git` program so that nothing around it changes what it does.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

/// There is no `git` to run.
#[derive(Debug, thiserror::Error)]
#[error("git is needed to keep the devices' desired state, and {} cannot be started: install git", program.display())]
#[non_exhaustive]
pub struct GitMissing {
    /// The program that was looked for.
    pub program: PathBuf,
}

/// Whether this `git` can be started and has `http-backend`, which some distributions package apart. For a server's
/// start, so that an operator learns of it before a device does.
///
/// # Errors
/// [`GitMissing`].
pub async fn check(program: &Path) -> Result<(), GitMissing> {
    let missing = || GitMissing {
        program: program.to_owned(),
    };
    let output = command(program, Path::new("/"), &[])
        .arg("--exec-path")
        .output()
        .await
        .map_err(|_| missing())?;
    let folder = String::from_utf8(output.stdout).map_err(|_| missing())?;
    let backend = Path::new(folder.trim_end()).join("git-http-backend");
    if backend.exists() {
        Ok(())
    } else {
        Err(GitMissing { program: backend })
    }
}

/// `git` for one repository: an environment of exactly what is listed here and in `settings`, killed when dropped.
///
/// Everything inherited goes, all of `GIT_*` with it; settings come by environment, since `-c` would show in the
/// process list and a repository's own configuration must not win over them.
pub(super) fn command(program: &Path, repository: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    for (name, value) in FIXED_ENVIRONMENT {
        command.env(name, value);
    }
    let fixed = FIXED_SETTINGS
        .iter()
        .chain(settings)
        .map(|(name, value)| (*name, OsStr::new(*value)));
    let settings = fixed.chain([("safe.directory", repository.as_os_str())]);
    let mut count = 0_usize;
    for (name, value) in settings {
        command
            .env(format!("GIT_CONFIG_KEY_{count}"), name)
            .env(format!("GIT_CONFIG_VALUE_{count}"), value);
        count += 1;
    }
    command.env("GIT_CONFIG_COUNT", count.to_string());
    command
}

/// The failure to start `git`, when it is that there is none.
pub(super) fn missing(program: &Path, error: &io::Error) -> Option<GitMissing> {
    let absent = matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
    );
    absent.then(|| GitMissing {
        program: program.to_owned(),
    })
}

const FIXED_ENVIRONMENT: [(&str, &str); 8] = [
    ("HOME", "/nonexistent"),
    ("XDG_CONFIG_HOME", "/nonexistent"),
    ("LC_ALL", "C"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

const FIXED_SETTINGS: [(&str, &str); 5] = [
    ("core.hooksPath", "/dev/null"),
    // What an operator pushed is on the disk before git says so: its default leaves loose objects to the page cache.
    ("core.fsync", "all"),
    // A repository's housekeeping ends before the request that caused it, so that it is counted and killed with it.
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
    ("uploadpack.allowAnySHA1InWant", "false"),
];
