use std::path::{Path, PathBuf};
use std::{env, fs};

use gangplank_client::allowlist::{Allowlist, DecisionLog, Listing, Mode, trusted_time};
use serde::{Deserialize, Deserializer, de};

/// What the verifier is told by a file, since containerd passes on no arguments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The list.
    #[serde(deserialize_with = "absolute")]
    pub(crate) list: PathBuf,
    /// What is remembered of the list, if somebody signed it.
    #[serde(default, deserialize_with = "perhaps_absolute")]
    pub(crate) state: Option<PathBuf>,
    /// Where every decision is written down.
    #[serde(default, deserialize_with = "perhaps_absolute")]
    log: Option<PathBuf>,
    /// The tenant whose device this is.
    #[serde(default)]
    tenant: Option<String>,
    /// `enforce`, or by name `audit`.
    #[serde(default, deserialize_with = "mode")]
    pub(crate) mode: Mode,
}

impl Settings {
    /// Reads the file; the error is a clause.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read(path).map_err(|error| at(&error))?;
        match text.trim_ascii_start().first() {
            // serde would take an array for the members in order.
            Some(b'{') => serde_json::from_slice(&text).map_err(|error| at(&error)),
            _ => Err(at(&"no JSON object")),
        }
    }

    /// Asks `listing`, now.
    pub(crate) fn allowlist<'l>(&'l self, listing: &'l dyn Listing) -> Allowlist<'l> {
        let mut list = Allowlist::new(listing).mode(self.mode);
        if let Some(now) = trusted_time() {
            list = list.at(now);
        }
        match &self.tenant {
            Some(tenant) => list.in_tenant(tenant),
            None => list,
        }
    }

    pub(crate) fn decision_log(&self) -> Option<DecisionLog> {
        self.log.as_ref().map(DecisionLog::new)
    }
}

/// Where the settings are: `gangplank-image-verifier.json` in the folder of the program that the link
/// leads to, if there is one, else `/etc/gangplank/image-verifier.json`.
///
/// No environment variable says so: the verifier inherits containerd's environment, which is set far from
/// here. Whoever can write beside the program could as well replace the program.
pub(crate) fn settings_path() -> PathBuf {
    let program = env::current_exe().and_then(|path| path.canonicalize());
    let beside = program.map(|program| program.with_file_name(BESIDE));
    match beside {
        // One that is there and cannot be read is an error, and not a reason to read another.
        Ok(beside) if !matches!(beside.try_exists(), Ok(false)) => beside,
        _ => PathBuf::from(DEFAULT),
    }
}

/// containerd's folder is no place to begin a path at.
fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    match path.is_absolute() {
        true => Ok(path),
        false => Err(de::Error::custom("a path has to begin with a slash")),
    }
}

fn perhaps_absolute<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PathBuf>, D::Error> {
    absolute(deserializer).map(Some)
}

fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Mode, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(de::Error::custom)
}

const BESIDE: &str = "gangplank-image-verifier.json";
const DEFAULT: &str = "/etc/gangplank/image-verifier.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_a_closed_object_of_absolute_paths() {
        let read = serde_json::from_str::<Settings>;
        let all = r#"{"list":"/l","log":"/o","tenant":"t","mode":"audit"}"#;
        assert_eq!(read(all).unwrap().mode, Mode::Audit);
        assert_eq!(read(r#"{"list":"/l"}"#).unwrap().mode, Mode::Enforce);
        for wrong in [
            "{}",
            r#"{"list":"l"}"#,
            r#"{"list":"/l","log":"o"}"#,
            r#"{"list":"/l","log":null}"#,
            r#"{"list":"/l","mode":"off"}"#,
            r#"{"list":"/l","mode":true}"#,
            r#"{"list":"/l","audit":true}"#,
            r#"{"list":"/l","list":"/m"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
