//! A running `git` that ends, with all it started, when nobody waits for it any more.

use std::{
    io,
    process::{ExitStatus, Stdio},
};

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// A child in a process group of its own.
///
/// `git http-backend` starts `git upload-pack`, and that `git pack-objects`; a killed parent would leave them at work.
pub(super) struct Process {
    child: Child,
}

pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl Process {
    pub(super) fn start(mut command: Command) -> io::Result<(Self, Pipes)> {
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let pipes = child
            .stdin
            .take()
            .zip(child.stdout.take())
            .zip(child.stderr.take());
        let ((stdin, stdout), stderr) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((
            Self { child },
            Pipes {
                stdin,
                stdout,
                stderr,
            },
        ))
    }

    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}

#[cfg(unix)]
impl Drop for Process {
    fn drop(&mut self) {
        // The id is gone once the child was waited for, so it cannot be that of another group by now.
        let id = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // No such group: it has just ended by itself.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}
