//! The folder of which containerd runs every file.

use std::fs;
use std::io;
use std::path::Path;

use super::Finding;
use crate::image_verifier::NAME;

/// What of the folder lets images pass, or none.
pub(super) fn findings(folder: &Path, max_verifiers: Option<usize>) -> Vec<Finding> {
    let place = folder.display();
    let mut names = match names(folder) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let sentence = format!("{place} is not there, so that every image passes");
            return vec![Finding::open("no-bin-dir", sentence)];
        }
        Err(error) => return vec![Finding::shut("bin-dir", format!("{place}: {error}"))],
    };
    if names.is_empty() {
        let sentence = format!("{place} is empty, so that every image passes");
        return vec![Finding::open("empty-bin-dir", sentence)];
    }
    // As containerd does, byte by byte.
    names.sort_unstable();
    let mut found = Vec::new();
    let ours = names.iter().position(|name| name == NAME);
    match ours {
        None => {
            let sentence = format!("{place} has no {NAME}: others decide alone");
            found.push(Finding::open("no-verifier", sentence));
        }
        Some(at) if max_verifiers.is_some_and(|most| at >= most) => {
            let sentence = format!(
                "{NAME} is number {} of {place}, and containerd asks no more than max_verifiers",
                at + 1
            );
            found.push(Finding::open("skipped", sentence));
        }
        Some(_) => found.extend(of_link(&folder.join(NAME))),
    }
    found.extend(writable(folder));
    let asked = names.iter().take(max_verifiers.unwrap_or(usize::MAX));
    for name in asked.filter(|name| !is_program(&folder.join(name))) {
        let sentence = format!("{place} has {name:?}, which cannot be run: every pull fails");
        found.push(Finding::shut("no-program", sentence));
    }
    found
}

fn names(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name())).collect()
}

/// Whether the file of our name is this program.
fn of_link(link: &Path) -> Option<Finding> {
    let target = link.canonicalize().ok()?;
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    if program.is_ok_and(|program| program == target) {
        return writable(&target);
    }
    let (link, target) = (link.display(), target.display());
    let sentence = format!("{link} leads to {target}, which is not this program");
    Some(Finding::open("other-program", sentence))
}

#[cfg(unix)]
fn writable(path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let sentence = format!("{} can be changed by others than its owner", path.display());
    (mode & 0o022 != 0).then(|| Finding::open("writable", sentence))
}

#[cfg(not(unix))]
fn writable(_: &Path) -> Option<Finding> {
    None
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|of| of.is_file() && of.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
