use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use gangplank_client::allowlist::Locked;
use gangplank_client::allowlist::signed::{
    Checking, ContentError, Kept, ListName, VerifiedManifest,
};

use super::signed::{self, TrustArguments};
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The envelope with the list's manifest
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The list
    #[arg(long, value_name = "FILE")]
    list: PathBuf,
    /// The name that the list must have
    #[arg(long, value_name = "NAME", value_parser = ListName::parse)]
    name: Option<ListName>,
    #[command(flatten)]
    trust: TrustArguments,
    /// Remember the list here, and refuse every older one from now on
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Verify) -> Result<Exit, Failure> {
    let envelope = files::read(&arguments.manifest)?;
    let verified = arguments
        .trust
        .verify(&envelope, arguments.name.as_ref())
        .map_err(|failure| failure.while_doing(arguments.manifest.display()))?;
    let kept = match &arguments.state {
        Some(state) => remember(arguments, &verified, state)?,
        None => {
            let kept = signed::follow(&verified, None)?;
            arguments.trust.counts(&kept)?;
            check_bytes(&arguments.list, verified.checking())?;
            kept
        }
    };
    match arguments.json {
        true => output::json(&signed::told(&kept))?,
        false => output::line(format_args!(
            "{} version {} of {} is as {} signed it",
            arguments.list.display(),
            kept.version(),
            kept.list(),
            kept.signer()
        ))?,
    }
    Ok(Exit::Done)
}

/// Looks at the list while nobody else writes it, and remembers what is on the disk by then.
fn remember(
    arguments: &Verify,
    verified: &VerifiedManifest,
    state: &Path,
) -> Result<Kept, Failure> {
    signed::are_apart(state, &arguments.list)?;
    let state = Locked::wait(state)?;
    let kept = signed::follow(verified, signed::newest(state.path())?.as_ref())?;
    arguments.trust.counts(&kept)?;
    let list = Locked::wait(&arguments.list)?;
    check_bytes(list.path(), verified.checking())?;
    signed::settle_list(&list)?;
    // Also where it is remembered already: who did may have been interrupted before it was on the disk.
    signed::settle(state.path(), &kept)?;
    Ok(kept)
}

/// Reads a file of any size part by part.
pub(super) fn check_bytes(path: &Path, mut checking: Checking) -> Result<(), Failure> {
    let at = |failure: Failure| failure.while_doing(path.display());
    let unreadable = |error| at(Failure::of(Exit::CannotTell, &error));
    let refused = |error: ContentError| at(Failure::of(Exit::No, &error));
    let mut file = File::open(path).map_err(unreadable)?;
    let mut part = vec![0; PART];
    loop {
        match file.read(&mut part).map_err(unreadable)? {
            0 => return checking.finish().map_err(refused),
            length => checking
                .feed(part.get(..length).unwrap_or_default())
                .map_err(refused)?,
        }
    }
}

/// Bytes that are read at a time.
const PART: usize = 1 << 18;
