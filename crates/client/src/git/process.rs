//! Running one command, however much it says.

use std::{
    io,
    process::{ExitStatus, Stdio},
};

use gangplank_onboarding::v2024::git_credential::CommitId;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

/// How a command ended, and the last it said.
pub(super) struct Output {
    pub(super) status: ExitStatus,
    stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Output {
    pub(super) fn text(&self) -> Option<&str> {
        str::from_utf8(&self.stdout).ok().map(str::trim_end)
    }

    pub(super) fn commit(&self) -> Option<CommitId> {
        CommitId::parse(self.text()?).ok()
    }
}

/// Runs a command to its end. It is killed when the future is dropped.
pub(super) async fn collect(mut command: Command) -> io::Result<Output> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
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

const MAX_OUTPUT: usize = 16 * 1024;
