use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::PermittedLaunch;

/// Replaces this process by what was permitted: exactly the arguments that were checked, and the
/// environment as it is. Returns only if that fails.
pub fn exec(launch: PermittedLaunch<'_>) -> NotStarted {
    let Some((program, arguments)) = launch.arguments().split_first() else {
        return NotStarted(io::ErrorKind::InvalidInput.into());
    };
    NotStarted(Command::new(program).args(arguments).exec())
}

/// A permitted launch could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot be started")]
pub struct NotStarted(#[source] io::Error);
