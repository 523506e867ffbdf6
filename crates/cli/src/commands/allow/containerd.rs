mod bin_dir;
mod configuration;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::gate::Opened;
use crate::image_verifier::{Settings, settings_path};
use crate::{Exit, Failure, output};
use configuration::Configuration;
use gangplank_client::allowlist::Mode;

#[derive(Debug, Args)]
pub(crate) struct ContainerdCheck {
    /// The folder with the verifiers; else the one that the configuration names
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
    /// containerd's configuration; one that is not there leaves its defaults
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/containerd/config.toml"
    )]
    config: PathBuf,
    /// The verifier's settings; else where this program looks for them
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// One JSON object for each finding: kind, code, sentence
    #[arg(long)]
    json: bool,
}

/// Something that whoever relies on the verifier should know.
#[derive(Debug, Serialize)]
struct Finding {
    kind: Kind,
    code: &'static str,
    sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Images pass that nobody judged, or that are denied.
    Open,
    /// Images that should pass do not.
    Shut,
    /// What this verb cannot see.
    Unseen,
}

pub(super) fn run(arguments: &ContainerdCheck) -> Result<Exit, Failure> {
    let configuration = Configuration::read(&arguments.config)?;
    let mut findings = configuration.findings();
    let named = configuration.bin_dir();
    let bin_dir = arguments.bin_dir.as_deref().unwrap_or(&named);
    if bin_dir != named {
        let (ours, theirs) = (bin_dir.display(), named.display());
        let sentence = format!("containerd looks for verifiers in {theirs}, not in {ours}");
        findings.push(Finding::open("other-bin-dir", sentence));
    }
    findings.extend(bin_dir::findings(bin_dir, configuration.max_verifiers()));
    let settings = arguments.settings.clone().unwrap_or_else(settings_path);
    findings.extend(of_settings(&settings));
    for finding in &findings {
        match arguments.json {
            true => output::json(finding)?,
            false => {
                let kind = match finding.kind {
                    Kind::Open => "open",
                    Kind::Shut => "shut",
                    Kind::Unseen => "unseen",
                };
                let line = format!("{kind}: {} ({})", finding.sentence, finding.code);
                output::line(output::visible(&line))?;
            }
        }
    }
    match findings.iter().any(|finding| finding.kind == Kind::Open) {
        true => Ok(Exit::No),
        false => Ok(Exit::Done),
    }
}

/// With neither settings nor list, the verifier lets nothing pass.
fn of_settings(path: &std::path::Path) -> Option<Finding> {
    let settings = match Settings::read(path) {
        Ok(settings) => settings,
        Err(sentence) => return Some(Finding::shut("settings", sentence)),
    };
    if settings.mode == Mode::Audit {
        let sentence = format!("{} says audit: nothing is denied", path.display());
        return Some(Finding::open("audit", sentence));
    }
    let list = Opened::open(&settings.list, settings.state.as_deref());
    Some(Finding::shut("list", list.err()?.to_string()))
}

impl Finding {
    fn open(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(Kind::Open, code, sentence)
    }

    fn shut(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(Kind::Shut, code, sentence)
    }

    fn new(kind: Kind, code: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            sentence: sentence.into(),
        }
    }
}
