//! Who starts a container that may run.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gangplank_allowlist::PermittedLaunch;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Starts what is permitted, and nothing else: it takes the value that only a check can make.
#[async_trait]
pub trait Launcher: Send + Sync {
    /// Starts the command line, as it is in the launch. Returns once it runs.
    ///
    /// # Errors
    /// [`LaunchFailed`]: it does not run.
    async fn launch(&self, launch: PermittedLaunch<'_>) -> Result<(), LaunchFailed>;
}

/// Why a permitted container does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchFailed {
    /// The program could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Starts the program that the command line names, on this machine, with the rights of the server.
///
/// Where it ends with an error, the log has the beginning of what it said on its standard error, at most
/// 4 KiB. All of that is read for as long as the server lives; a program that goes on afterwards finds it
/// closed.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommandLauncher;

#[async_trait]
impl Launcher for CommandLauncher {
    async fn launch(&self, launch: PermittedLaunch<'_>) -> Result<(), LaunchFailed> {
        let Some((program, arguments)) = launch.arguments().split_first() else {
            return Ok(());
        };
        let failed = |source| LaunchFailed::Start {
            program: (*program).to_owned(),
            source,
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let image = launch.permit().image().to_string();
        // A container may run for years: whoever asked is answered once it was started.
        tokio::spawn(async move {
            match end(&mut child).await {
                Ok((status, _)) if status.success() => {}
                Ok((status, said)) => tracing::warn!(image, %status, said, "a launch ended"),
                Err(error) => tracing::warn!(image, %error, "a launch cannot be waited for"),
            }
        });
        Ok(())
    }
}

/// How a program ended, and the beginning of what it said on its standard error.
async fn end(child: &mut Child) -> io::Result<(ExitStatus, String)> {
    let head = Arc::default();
    let reading = child.stderr.take();
    let reading = reading.map(|stderr| tokio::spawn(read_all(stderr, Arc::clone(&head))));
    let status = child.wait().await?;
    // A process that it left behind may keep its standard error open, and is read from all the same.
    if let Some(reading) = reading {
        let _ = timeout(LAST_WORDS, reading).await;
    }
    let head = head.lock().unwrap_or_else(PoisonError::into_inner);
    let said = String::from_utf8_lossy(&head)
        .trim()
        .escape_debug()
        .to_string();
    Ok((status, said))
}

/// Reads to the end, so that nobody waits who writes, and keeps the beginning.
async fn read_all(mut from: impl AsyncRead + Unpin, head: Arc<Mutex<Vec<u8>>>) {
    let mut part = [0; 1024];
    while let Ok(read @ 1..) = from.read(&mut part).await {
        let mut head = head.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_SAID.saturating_sub(head.len());
        head.extend(part.iter().take(read.min(room)));
    }
}

/// Bytes of a program's standard error in the log.
const MAX_SAID: usize = 4096;
/// What an ended program said is in the pipe already.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    #[tokio::test]
    async fn why_a_launch_failed_is_said() {
        let mut child = shell("printf 'no such daemon:\\033[1m x\\n' >&2; exit 125");
        let (status, said) = end(&mut child).await.unwrap();
        assert_eq!(status.code(), Some(125));
        assert_eq!(said, "no such daemon:\\u{1b}[1m x");
    }

    #[tokio::test]
    async fn who_says_much_ends_all_the_same() {
        let mut child = shell("head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 3");
        let (status, said) = end(&mut child).await.unwrap();
        assert_eq!((status.code(), said), (Some(3), "x".repeat(MAX_SAID)));
    }

    #[tokio::test]
    async fn whom_it_leaves_behind_is_not_waited_for() {
        // Until its standard input is closed, with the child.
        let mut child = shell("exec 3<&0; echo x >&2; cat <&3 & exit 1");
        let input = child.stdin.take();
        let (status, said) = end(&mut child).await.unwrap();
        assert_eq!((status.code(), said.as_str()), (Some(1), "x"));
        drop(input);
    }
}
