//! The verifier that containerd asks about images: this program under another name.
//!
//! containerd runs every file of its plugin's `bin_dir` (`io.containerd.image-verifier.v1.bindir`)
//! without arguments of ours, so a link of this name is what selects it. Exit code 0 lets the image pass,
//! any other does not; the reason goes to standard output, of which containerd reads 32 KiB.

mod request;
mod settings;

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::path::Path;
use std::process::ExitCode;

use gangplank_client::allowlist::Gate;

use crate::commands::{OpenedList, allow_answer};
use crate::{Failure, output};
use request::Request;

pub(crate) use settings::{Settings, settings_path};

/// Whether this program was run by the verifier's name.
pub(crate) fn is_meant(program: Option<&OsStr>) -> bool {
    program.and_then(|program| Path::new(program).file_name()) == Some(OsStr::new(NAME))
}

/// Answers containerd; the arguments without the program's own name.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (exit, reason) = match judge(arguments) {
        Ok(reason) => (ExitCode::SUCCESS, reason),
        Err(reason) => (ExitCode::FAILURE, reason),
    };
    let reason: String = output::visible(&reason).chars().take(MAX_REASON).collect();
    match output::line(reason) {
        Ok(()) => exit,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Why the image may run, or why not.
fn judge(arguments: impl Iterator<Item = OsString>) -> Result<String, String> {
    let request = Request::parse(arguments)?;
    if request.reads_stdin() {
        let mut stdin = Vec::new();
        let read = io::stdin()
            .lock()
            .take(MAX_STDIN + 1)
            .read_to_end(&mut stdin);
        read.map_err(|error| format!("standard input: {error}"))?;
        if stdin.len() as u64 > MAX_STDIN {
            return Err(format!("standard input is longer than {MAX_STDIN} bytes"));
        }
        request.compare(&stdin)?;
    }
    let settings = Settings::read(&settings_path())?;
    let told = |failure: Failure| failure.to_string();
    let list = OpenedList::open(&settings.list, settings.state.as_deref()).map_err(told)?;
    let listing = list.listing().map_err(told)?;
    let log = settings.decision_log();
    let asked = settings.allowlist(&*listing);
    let mut gate = Gate::new("image-verifier", asked).list_serial(list.serial());
    if let Some(log) = &log {
        gate = gate.logging(log);
    }
    let judged = gate.image(request.image());
    let line = allow_answer(request.image(), settings.mode, judged.as_ref());
    match judged {
        Ok(_) => Ok(line),
        Err(_) => Err(line),
    }
}

/// What the link in `bin_dir` is called.
pub(crate) const NAME: &str = "gangplank-image-verifier";

/// In characters of at most four bytes: less than containerd reads.
const MAX_REASON: usize = 4096;

/// Annotations come with what runs; containers have not megabytes of them.
const MAX_STDIN: u64 = 4 << 20;
