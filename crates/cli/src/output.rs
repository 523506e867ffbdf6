//! Data goes to standard output, everything else to standard error.

use std::fmt::Display;
use std::io::{self, Write as _};

use serde::Serialize;

use crate::{Exit, Failure};

/// Writes exactly these bytes to standard output.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing("standard output"))
}

/// Writes one line to standard output.
pub(crate) fn line(text: impl Display) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Writes one JSON value as one line to standard output, at once: somebody may be waiting for it.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text =
        serde_json::to_string(value).map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    line(text)
}

/// Tells a person how it goes, on standard error.
pub(crate) fn progress(text: impl Display) {
    // Nobody reads it, then: no reason to stop.
    let _ = writeln!(io::stderr(), "gangplank: {text}");
}

/// Text from elsewhere, without what a terminal would obey.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// As [`visible`], of a text with several lines.
pub(crate) fn visible_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n")
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
