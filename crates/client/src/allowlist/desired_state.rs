//! What a desired state is about to run, and whether a list permits all of it.

mod document;

use std::fs;
use std::path::{Path, PathBuf};

use super::Gate;

/// An image that a file of a desired state names, or something that runs images nobody can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The file, below the folder of the desired state.
    pub file: PathBuf,
    /// The line, from 1; 0 if it is about the whole file.
    pub line: usize,
    /// What it says.
    pub what: Mentioned,
}

/// What a [`Mention`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mentioned {
    /// A reference to an image, as written.
    Image(String),
    /// What runs here is not said here.
    Unnamed(Unnamed),
}

/// Why it is not said which image runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unnamed {
    /// `image` is no text: a chart's parts of a name, or a list.
    #[error("image is not the text of one reference")]
    NotText,
    /// A service that is built on the device.
    #[error("the image is built on the device")]
    Built,
    /// A component whose package is elsewhere (Margo 2024, `components`).
    #[error("the package is elsewhere, and names its images itself")]
    Package,
    /// The file is no YAML, or too large, or a link.
    #[error("the file cannot be read as YAML")]
    Unreadable,
}

impl Unnamed {
    /// A word for programs, which stays as it is.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotText => "image-not-text",
            Self::Built => "image-built",
            Self::Package => "package-elsewhere",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What every YAML and JSON file below `folder` names, in the order of the files' names; `.git` is left
/// out.
///
/// An image is the value of `image`, wherever it stands: Docker Compose and Kubernetes have it so.
/// Everything that may run something and names no image is a mention as well, so that whoever asks can
/// refuse it.
///
/// # Errors
/// [`DesiredStateError`]: the folder itself cannot be read.
pub fn mentions(folder: &Path) -> Result<Vec<Mention>, DesiredStateError> {
    let mut found = Vec::new();
    walk(folder, Path::new(""), 0, &mut found)?;
    Ok(found)
}

/// What a gate says of all that a desired state is about to run. It may run if nothing is refused.
///
/// # Errors
/// [`DesiredStateError`], as [`mentions`].
pub fn judge(folder: &Path, gate: &Gate<'_>) -> Result<Vec<Judged>, DesiredStateError> {
    let judge = |mention: Mention| Judged {
        refused: refusal(&mention.what, gate),
        mention,
    };
    Ok(mentions(folder)?.into_iter().map(judge).collect())
}

/// A [`Mention`], and whether it may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What it is about.
    pub mention: Mention,
    /// Why it may not; [`None`] if it may.
    pub refused: Option<Refusal>,
}

/// Why something in a desired state may not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// A word for programs, which stays as it is: that of [`Unnamed::code`] or
    /// [`Refused::code`](super::Refused::code).
    pub code: &'static str,
    /// The same for people.
    pub reason: String,
}

fn refusal(what: &Mentioned, gate: &Gate<'_>) -> Option<Refusal> {
    match what {
        Mentioned::Unnamed(why) => Some(Refusal {
            code: why.code(),
            reason: why.to_string(),
        }),
        Mentioned::Image(text) => gate.image(text).err().map(|refused| Refusal {
            code: refused.code(),
            reason: refused.to_string(),
        }),
    }
}

/// Why a desired state cannot be looked through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DesiredStateError {
    /// A folder or file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// More folders in each other than are looked into.
    #[error("{} is more than {MAX_DEPTH} folders deep", path.display())]
    TooDeep {
        /// The folder that is not looked into.
        path: PathBuf,
    },
}

fn walk(
    root: &Path,
    below: &Path,
    depth: usize,
    found: &mut Vec<Mention>,
) -> Result<(), DesiredStateError> {
    let folder = root.join(below);
    if depth > MAX_DEPTH {
        return Err(DesiredStateError::TooDeep { path: folder });
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| DesiredStateError::Read { path, source }
    };
    let entries = fs::read_dir(&folder).map_err(failed(&folder))?;
    let mut entries = entries
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed(&folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let file = below.join(entry.file_name());
        let kind = entry.file_type().map_err(failed(&entry.path()))?;
        if kind.is_dir() && entry.file_name() != ".git" {
            walk(root, &file, depth + 1, found)?;
        } else if is_document(&file) {
            read(&entry.path(), file, kind.is_file(), found)?;
        }
    }
    Ok(())
}

fn is_document(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    let extension = extension.map(str::to_ascii_lowercase);
    matches!(extension.as_deref(), Some("yaml" | "yml" | "json"))
}

fn read(
    path: &Path,
    file: PathBuf,
    is_file: bool,
    found: &mut Vec<Mention>,
) -> Result<(), DesiredStateError> {
    let failed = |source| DesiredStateError::Read {
        path: path.to_owned(),
        source,
    };
    // A link may lead anywhere, and elsewhere tomorrow.
    let small = is_file && fs::metadata(path).map_err(failed)?.len() <= MAX_BYTES;
    let text = match small {
        true => String::from_utf8(fs::read(path).map_err(failed)?).ok(),
        false => None,
    };
    let mentioned = text.and_then(|text| document::mentioned(&text));
    let unreadable = || vec![(0, Mentioned::Unnamed(Unnamed::Unreadable))];
    for (line, what) in mentioned.unwrap_or_else(unreadable) {
        let file = file.clone();
        found.push(Mention { file, line, what });
    }
    Ok(())
}

/// Folders in each other.
const MAX_DEPTH: usize = 32;

/// Of one file.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
