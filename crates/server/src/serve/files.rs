//! What a start tells the operator's tools: where the server is, and how devices join.

use std::io::Write;
use std::path::Path;

use gangplank_onboarding::JoinString;
use tempfile::NamedTempFile;

use super::ServeError;

/// Writes `admin.url` and `join`, whole or not at all. Neither is secret.
pub(super) fn publish(data: &Path, join: &JoinString, admin_url: &str) -> Result<(), ServeError> {
    write(data, "admin.url", admin_url)?;
    write(data, "join", &join.to_string())
}

fn write(data: &Path, name: &str, line: &str) -> Result<(), ServeError> {
    let path = data.join(name);
    let written = NamedTempFile::new_in(data).and_then(|mut file| {
        writeln!(file, "{line}")?;
        file.persist(&path).map_err(|error| error.error)
    });
    match written {
        Ok(_) => Ok(()),
        Err(source) => Err(ServeError::Publish { path, source }),
    }
}
