use std::error::Error;
use std::fmt::{self, Write as _};
use std::process::ExitCode;

/// How the program ends; the numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// Done, or yes.
    Done,
    /// No: verification refused, not there, malformed content.
    No,
    /// Wrong usage, or it cannot be told: an unreadable file, a full disk.
    CannotTell,
    /// No connection, or TLS that does not verify.
    Transport,
    /// The server refused.
    Refused,
    /// An operator must approve the device first.
    Pending,
    /// The server's answer cannot be believed or read.
    BadAnswer,
    /// An operator must look: the identity belongs to another key or certificate.
    NeedsOperator,
    /// A command that was to be run was not: it could not be judged, or not be started.
    NotRun,
    /// A command that was to be run was refused.
    RunRefused,
}

impl Exit {
    /// The number that the shell sees. 7 is kept for a new certificate that was not promoted.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::CannotTell => 2,
            Self::Transport => 3,
            Self::Refused => 4,
            Self::Pending => 5,
            Self::BadAnswer => 6,
            Self::NeedsOperator => 8,
            Self::NotRun => 125,
            Self::RunRefused => 126,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a verb did not do what it was asked: an exit code and one sentence.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    sentence: String,
}

impl Failure {
    /// A failure with a sentence of its own.
    pub fn new(exit: Exit, sentence: impl fmt::Display) -> Self {
        Self {
            exit,
            sentence: sentence.to_string(),
        }
    }

    /// A failure that `error` explains, with all of its sources.
    pub fn of(exit: Exit, error: &dyn Error) -> Self {
        Self::new(exit, causes(error))
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The same with another exit code.
    #[must_use]
    pub fn with(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Puts what was being done before the sentence.
    #[must_use]
    pub fn while_doing(mut self, what: impl fmt::Display) -> Self {
        self.sentence = format!("{what}: {}", self.sentence);
        self
    }

    /// Says it on standard error, on one line, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        crate::output::progress(self);
        self.exit.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file, a server or an argument may have put anything into it.
        for character in self.sentence.chars() {
            f.write_char(if character.is_control() {
                ' '
            } else {
                character
            })?;
        }
        Ok(())
    }
}

/// An error and its sources as one clause; a source that only repeats is left out.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let clause = source.to_string();
        if !text.contains(&clause) {
            text = format!("{text}: {clause}");
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_contract() {
        let exits = [
            (Exit::Done, 0),
            (Exit::No, 1),
            (Exit::CannotTell, 2),
            (Exit::Transport, 3),
            (Exit::Refused, 4),
            (Exit::Pending, 5),
            (Exit::BadAnswer, 6),
            (Exit::NeedsOperator, 8),
            (Exit::NotRun, 125),
            (Exit::RunRefused, 126),
        ];
        for (exit, code) in exits {
            assert_eq!(exit.code(), code);
        }
    }

    #[test]
    fn a_failure_is_one_line() {
        let failure = Failure::new(Exit::No, "a\nb\x1b[2J").while_doing("x");
        assert_eq!(failure.to_string(), "x: a b [2J");
    }
}
