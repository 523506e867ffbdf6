//! Test suites made by others, which stay outside the repository.

use std::env;
use std::path::PathBuf;

use crate::workspace_root;

/// The folder of an external suite, such as `suite("wycheproof")`.
///
/// They lie under the environment variable `GANGPLANK_SUITES`, or `../shared/suites` beside the
/// workspace. An absent one prints a line and yields `None`, so that the test passes without it.
#[must_use]
pub fn suite(name: &str) -> Option<PathBuf> {
    let suites = env::var_os("GANGPLANK_SUITES")
        .map_or_else(|| workspace_root().join("../shared/suites"), PathBuf::from);
    let folder = suites.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("suite {name} not run: folder absent");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_suite_is_none() {
        assert_eq!(suite("no-such-suite"), None);
    }
}
