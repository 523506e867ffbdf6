//! Questions to a person.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::key::Zeroizing;
use crate::{Exit, Failure, output};

/// Asks for a secret at the terminal, which does not show what is typed.
pub(crate) fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    output::progress(question);
    let answer = unseen().map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    if answer.is_empty() {
        return Err(Failure::new(Exit::CannotTell, "no PIN was typed"));
    }
    Ok(answer)
}

fn unseen() -> io::Result<Zeroizing<String>> {
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &quiet)?;
    let _restored = Restored(before);
    // Not through the standard library's buffer, which would keep a copy.
    let mut terminal = File::from(stdin.as_fd().try_clone_to_owned()?);
    let mut typed = Zeroizing::new([0; LONGEST]);
    // A terminal gives a line at a time.
    let length = terminal.read(typed.as_mut())?;
    let line = typed.get(..length).unwrap_or_default();
    let text = std::str::from_utf8(line).map_err(io::Error::other)?;
    Ok(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

/// Shows again what is typed, whatever happened.
struct Restored(Termios);

impl Drop for Restored {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}

const LONGEST: usize = 256;
