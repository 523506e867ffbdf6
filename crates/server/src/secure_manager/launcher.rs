//! Who starts a container that may run.

use std::process::Stdio;

use async_trait::async_trait;
use gangplank_allowlist::PermittedLaunch;
use tokio::process::Command;

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
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let image = launch.permit().image().to_string();
        // A container may run for years: whoever asked is answered once it was started.
        tokio::spawn(async move {
            match child.wait().await {
                Ok(status) if status.success() => {}
                Ok(status) => tracing::warn!(image, %status, "a launch ended"),
                Err(error) => tracing::warn!(image, %error, "a launch cannot be waited for"),
            }
        });
        Ok(())
    }
}
