use clap::Args;
use gangplank_client::driver::StateDirectory;

use crate::device::{StateArgument, require_folder};
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    state: StateArgument,
}

/// Works on a damaged state too, and without the device's key.
pub(crate) fn run(arguments: &Reset) -> Result<Exit, Failure> {
    let folder = &arguments.state.state;
    require_folder(folder)?;
    let failed = |error: &dyn std::error::Error| Failure::of(Exit::CannotTell, error);
    let directory = StateDirectory::open_existing(folder).map_err(|error| failed(&error))?;
    let lock = directory.try_lock().map_err(|error| failed(&error))?;
    let Some(lock) = lock else {
        return Err(Failure::new(
            Exit::CannotTell,
            "another process is using the device's state",
        ));
    };
    directory.reset(&lock).map_err(|error| failed(&error))?;
    output::progress(
        "the device has forgotten its orchestrator; its key and certificate are untouched",
    );
    Ok(Exit::Done)
}
