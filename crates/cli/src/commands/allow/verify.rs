use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use gangplank_client::allowlist::Locked;
use gangplank_client::allowlist::signed::{Checking, ContentError, ListName};

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
    let locked = arguments.state.as_deref().map(Locked::wait).transpose()?;
    let state = locked.as_ref().map(Locked::path);
    let before = state.map(signed::load).transpose()?.flatten();
    let kept = signed::follow(&verified, before.as_ref())?;
    arguments.trust.counts(&kept)?;
    check(&arguments.list, verified.checking())?;
    if let Some(state) = state.filter(|_| before.as_ref() != Some(&kept)) {
        signed::save(state, &kept)?;
    }
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

/// Reads a file of any size part by part.
pub(super) fn check(path: &Path, mut checking: Checking) -> Result<(), Failure> {
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
