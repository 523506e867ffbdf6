use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use gangplank_client::allowlist::replace_file;

use super::signed::{self, SignArguments};
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
#[command(disable_version_flag = true)] // --version is the list's
pub(crate) struct Sign {
    /// The list: text in canonical form (lower-case digits, in ascending order, each once) or an indexed file
    #[arg(long, value_name = "FILE")]
    list: PathBuf,
    /// Larger than that of each list before
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..1 << 53))]
    version: u64,
    #[command(flatten)]
    sign: SignArguments,
    /// Where the envelope goes; without it, to standard output
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Sign) -> Result<Exit, Failure> {
    let list = signed::read_list(&arguments.list)?;
    let manifest = arguments
        .sign
        .describe(&list, arguments.version)
        .map_err(|failure| failure.while_doing(arguments.list.display()))?;
    let key = arguments.sign.open_key()?;
    let envelope = arguments.sign.sign(key.as_ref(), &manifest)?;
    match &arguments.out {
        None => output::write(&envelope)?,
        Some(path) => replace_file(path, signed::PUBLIC, |file| {
            file.write_all(&envelope)
                .map_err(|error| Failure::of(Exit::CannotTell, &error))
        })?,
    }
    Ok(Exit::Done)
}
