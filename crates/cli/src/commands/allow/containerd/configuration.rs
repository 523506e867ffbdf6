//! What containerd's configuration says of verifiers (containerd-config.toml(5), versions 2 and 3).

use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Finding, Kind};
use crate::{Exit, Failure};

/// containerd's configuration, or its defaults.
pub(super) struct Configuration {
    root: Table,
    is_there: bool,
}

impl Configuration {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let at = |failure: Failure| failure.while_doing(path.display());
        match std::fs::read_to_string(path) {
            Ok(text) => match text.parse() {
                Ok(root) => Ok(Self {
                    root,
                    is_there: true,
                }),
                Err(error) => {
                    let error: toml::de::Error = error;
                    Err(at(Failure::new(Exit::No, error.message())))
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self {
                root: Table::new(),
                is_there: false,
            }),
            Err(error) => Err(at(Failure::of(Exit::CannotTell, &error))),
        }
    }

    /// Where containerd looks for verifiers.
    pub(super) fn bin_dir(&self) -> PathBuf {
        let named = self.verifier("bin_dir").and_then(Value::as_str);
        PathBuf::from(named.unwrap_or(BIN_DIR))
    }

    /// How many of them it asks; `None` for all.
    pub(super) fn max_verifiers(&self) -> Option<usize> {
        let named = self.verifier("max_verifiers").and_then(Value::as_integer);
        usize::try_from(named.unwrap_or(MAX_VERIFIERS)).ok()
    }

    /// The ways past all verifiers.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        if !self.is_there {
            let sentence = "containerd has no such configuration, and so its defaults";
            found.push(Finding::new(Kind::Unseen, "no-configuration", sentence));
        }
        if self
            .root
            .get("imports")
            .and_then(Value::as_array)
            .is_some_and(|files| !files.is_empty())
        {
            let sentence = "the configuration imports others, which are not looked at";
            found.push(Finding::new(Kind::Unseen, "imports", sentence));
        }
        let disabled = self.root.get("disabled_plugins").and_then(Value::as_array);
        if disabled
            .is_some_and(|plugins| plugins.iter().any(|plugin| plugin.as_str() == Some(PLUGIN)))
        {
            found.push(Finding::open(
                "disabled",
                format!("the plugin {PLUGIN} is disabled"),
            ));
        }
        if self.images("use_local_image_pull").and_then(Value::as_bool) == Some(true) {
            let sentence =
                "use_local_image_pull lets Kubernetes pull images without asking verifiers";
            found.push(Finding::open("local-pull", sentence));
        }
        for option in ["mirrors", "configs", "auths"] {
            let registry = self
                .images("registry")
                .and_then(|registry| registry.get(option));
            if registry
                .and_then(Value::as_table)
                .is_some_and(|of| !of.is_empty())
            {
                let sentence = format!(
                    "registry.{option} may make containerd pull images without asking verifiers, as if use_local_image_pull were set"
                );
                found.push(Finding::open("local-pull", sentence));
            }
        }
        if self.verifier("verify_on_run").and_then(Value::as_bool) != Some(true) {
            let sentence = "verify_on_run is not set: an image that is on this machine already runs without being judged again";
            found.push(Finding::open("not-on-run", sentence));
        }
        found
    }

    fn verifier(&self, option: &str) -> Option<&Value> {
        self.root.get("plugins")?.get(PLUGIN)?.get(option)
    }

    fn images(&self, option: &str) -> Option<&Value> {
        self.root.get("plugins")?.get(IMAGES)?.get(option)
    }
}

const PLUGIN: &str = "io.containerd.image-verifier.v1.bindir";
const IMAGES: &str = "io.containerd.cri.v1.images";

/// containerd's defaults.
const BIN_DIR: &str = "/opt/containerd/image-verifier/bin";
const MAX_VERIFIERS: i64 = 10;
