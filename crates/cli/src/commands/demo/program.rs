//! Running the public program, as a person would.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::{Exit, Failure};

/// One run of the program, in a party's own folder.
pub(super) struct Program {
    command: Command,
}

/// How a run ended.
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    /// The JSON objects that it printed.
    pub(super) lines: Vec<Value>,
    /// The last line of its standard error.
    pub(super) complaint: String,
}

impl Program {
    pub(super) fn new(
        folder: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self, Failure> {
        let program =
            std::env::current_exe().map_err(|error| Failure::of(Exit::CannotTell, &error))?;
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // What the person at this machine has set is not part of the tale.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("GANGPLANK_") || name.to_ascii_lowercase().ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        Ok(Self { command })
    }

    /// Sets a variable of its environment.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs to the end.
    pub(super) async fn run(mut self) -> Result<Ran, Failure> {
        let output = tokio::time::timeout(LONGEST, self.command.output())
            .await
            .map_err(|_| Failure::new(Exit::CannotTell, "the program did not end"))?
            .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr)
            .lines()
            .last()
            .unwrap_or_default()
            .to_owned();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        Ok(Ran {
            code: output.status.code(),
            lines,
            complaint,
        })
    }

    /// Runs to the end, which must be this exit code.
    pub(super) async fn expect(self, exit: Exit) -> Result<Ran, Failure> {
        let ran = self.run().await?;
        if ran.code == Some(i32::from(exit.code())) {
            return Ok(ran);
        }
        let code = ran
            .code
            .map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        let sentence = format_args!(
            "ended with {code} and not with {}: {}",
            exit.code(),
            ran.complaint
        );
        Err(Failure::new(Exit::No, sentence))
    }

    /// Starts it and waits for the JSON object that says it is ready.
    pub(super) async fn start(mut self, log: &Path) -> Result<(Child, Value), Failure> {
        let failed = |error: std::io::Error| Failure::of(Exit::CannotTell, &error);
        let log_file = std::fs::File::create(log).map_err(failed)?;
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(log_file)
            .spawn()
            .map_err(failed)?;
        let ready = tokio::time::timeout(LONGEST, first_line(child.stdout.take())).await;
        match ready {
            Ok(Some(ready)) => Ok((child, ready)),
            _ => Err(Failure::new(
                Exit::CannotTell,
                format_args!("it did not start; see {}", log.display()),
            )),
        }
    }
}

impl Ran {
    /// The last JSON object.
    pub(super) fn last(&self) -> Value {
        self.lines.last().cloned().unwrap_or_default()
    }

    /// The exchanges among the objects, and how it ended if it did not succeed.
    pub(super) fn wire(self) -> Vec<Value> {
        let mut wire: Vec<Value> = self
            .lines
            .into_iter()
            .filter(|line| line["url"].is_string())
            .collect();
        if let Some(code) = self.code.filter(|code| *code != 0) {
            wire.push(json!({"note": format!("exit code {code}: {}", self.complaint)}));
        }
        wire
    }
}

async fn first_line(stdout: Option<ChildStdout>) -> Option<Value> {
    let line = BufReader::new(stdout?).lines().next_line().await.ok()??;
    serde_json::from_str(&line).ok()
}

/// Each of them takes a fraction of a second on an idle machine.
const LONGEST: Duration = Duration::from_secs(120);
