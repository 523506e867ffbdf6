//! The repository's own test vectors: one JSON case per file below `vectors/`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// One case: the file it came from and what is in it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where the file is.
    pub path: PathBuf,
    /// Its JSON.
    pub value: Value,
}

impl Case {
    /// The file's path below the workspace root, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        let below = self.path.strip_prefix(workspace_root());
        below.unwrap_or(&self.path).display().to_string()
    }

    /// Fails when the case has a member other than `allowed` at its top level.
    ///
    /// # Panics
    /// Names the file and the member.
    pub fn deny_unknown_keys(&self, allowed: &[&str]) {
        deny_unknown_keys(&self.name(), &self.value, allowed);
    }
}

/// Every `.json` file below `vectors/<folder>`, sorted by path.
///
/// # Panics
/// When the folder or a file cannot be read, or a file is not JSON.
#[must_use]
pub fn cases(folder: &str) -> Vec<Case> {
    let mut paths = Vec::new();
    collect(&workspace_root().join("vectors").join(folder), &mut paths);
    paths.sort();
    paths.into_iter().map(read).collect()
}

/// Like [`cases`], and fails when there are fewer than `committed`: a consumer that silently finds
/// no vectors proves nothing.
///
/// # Panics
/// As [`cases`], and when cases are missing.
#[must_use]
pub fn count_at_least(folder: &str, committed: usize) -> Vec<Case> {
    let found = cases(folder);
    assert!(
        found.len() >= committed,
        "vectors/{folder}: {} cases found, {committed} are committed",
        found.len()
    );
    found
}

/// Fails when the object `value` has a member that is not in `allowed`: a misspelt member would
/// otherwise switch off a check.
///
/// # Panics
/// When it has, or when `value` is not an object; `name` says where.
pub fn deny_unknown_keys(name: &str, value: &Value, allowed: &[&str]) {
    let members = value
        .as_object()
        .unwrap_or_else(|| panic!("{name}: not a JSON object"));
    for key in members.keys() {
        assert!(
            allowed.contains(&key.as_str()),
            "{name}: unknown member {key:?}"
        );
    }
}

/// The folder that holds the workspace's `Cargo.toml`.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("crates/testkit lies two below the root")
        .to_owned()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable folder entry").path();
        if path.is_dir() {
            collect(&path, into);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            into.push(path);
        }
    }
}

fn read(path: PathBuf) -> Case {
    let text = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let value = serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Case { path, value }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn root_is_the_workspace() {
        let manifest = fs::read_to_string(workspace_root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn files_are_found_in_sub_folders_and_sorted() {
        let folder = crate::temp_dir();
        fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.json", "a.json", "b/x.json", "README.md"] {
            fs::write(folder.path().join(name), "{}").unwrap();
        }
        let mut paths = Vec::new();
        collect(folder.path(), &mut paths);
        assert_eq!(paths.len(), 3);
    }

    #[test]
    fn known_keys_pass() {
        deny_unknown_keys("case", &json!({"expect": 1}), &["expect", "inputs"]);
    }

    #[test]
    #[should_panic(expected = "unknown member \"expects\"")]
    fn unknown_key_fails() {
        deny_unknown_keys("case", &json!({"expects": 1}), &["expect"]);
    }

    #[test]
    #[should_panic(expected = "no-such-folder")]
    fn absent_folder_fails() {
        let _ = count_at_least("no-such-folder", 0);
    }
}
