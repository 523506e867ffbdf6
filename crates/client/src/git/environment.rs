//! What `git` inherits, and the settings that nothing may override.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use tokio::process::Command;

/// How git gets the password: a command that speaks the credential-helper protocol, such as
/// `gangplank git-credential --state DIR`. git appends `get`, `store` or `erase`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperCommand {
    /// An absolute path.
    pub program: PathBuf,
    /// No secrets: they show in the process list.
    pub arguments: Vec<OsString>,
}

impl HelperCommand {
    /// As git wants it: `!` and a line for the shell, each word quoted.
    fn setting(&self) -> OsString {
        let mut line = OsString::from("!");
        line.push(quoted(self.program.as_os_str()));
        for argument in &self.arguments {
            line.push(" ");
            line.push(quoted(argument));
        }
        line
    }
}

/// Of what this process inherited, what `git` inherits: `GIT_*` beats settings (`GIT_SSL_CAINFO`,
/// `GIT_SSL_NO_VERIFY`, `GIT_ALLOW_PROTOCOL`) or moves it elsewhere (`GIT_DIR`), so all of it goes, as does what
/// would bring other trust, prompts or files. The proxies' variables stay.
pub(super) fn inherited(
    all: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let goes = |name: &OsStr| {
        let name = name.to_string_lossy().to_ascii_uppercase();
        GOING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || GOING.contains(&name.as_str())
    };
    all.into_iter().filter(|(name, _)| !goes(name)).collect()
}

/// Settings for a command that connects: one server, one trust, one helper.
pub(super) fn connection(
    ca_file: &Path,
    no_certificates: &Path,
    helper: &HelperCommand,
) -> Vec<(&'static str, OsString)> {
    vec![
        // The empty one drops every helper named before.
        ("credential.helper", OsString::new()),
        ("credential.helper", helper.setting()),
        ("credential.useHttpPath", "true".into()),
        ("http.followRedirects", "false".into()),
        ("http.sslVerify", "true".into()),
        // A server that sends nothing for a minute is gone.
        ("http.lowSpeedLimit", "1".into()),
        ("http.lowSpeedTime", "60".into()),
        ("http.sslCAInfo", ca_file.into()),
        // curl would add the system's certificates to the file: an empty directory is none.
        ("http.sslCAPath", no_certificates.into()),
    ]
}

/// Gives `command` this environment and these settings, and nothing else.
///
/// Settings come by environment: a value may hold any character, and neither names nor values show in the process
/// list. They beat the checkout's own configuration, except where that has settings for one URL (`http.<url>.*`):
/// so a checkout that another user may write to is refused before git reads it.
pub(super) fn apply(
    command: &mut Command,
    environment: &[(OsString, OsString)],
    home: &Path,
    settings: &[(&'static str, OsString)],
) {
    command
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)));
    // curl would read .netrc there, and git its configuration.
    command
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home)
        .envs(FIXED_ENVIRONMENT);
    let fixed = FIXED_SETTINGS
        .iter()
        .map(|(name, value)| (*name, OsStr::new(*value)));
    let all = fixed.chain(
        settings
            .iter()
            .map(|(name, value)| (*name, value.as_os_str())),
    );
    let mut count = 0_usize;
    for (name, value) in all {
        command
            .env(format!("GIT_CONFIG_KEY_{count}"), name)
            .env(format!("GIT_CONFIG_VALUE_{count}"), value);
        count += 1;
    }
    command.env("GIT_CONFIG_COUNT", count.to_string());
}

/// One word of a POSIX shell's line (POSIX.1-2024, Shell Command Language §2.2.2), bytes that are not text included.
fn quoted(word: &OsStr) -> OsString {
    let mut quoted = OsString::from("'");
    for (index, part) in word
        .as_encoded_bytes()
        .split(|&byte| byte == b'\'')
        .enumerate()
    {
        if index > 0 {
            quoted.push(r"'\''");
        }
        push(&mut quoted, part);
    }
    quoted.push("'");
    quoted
}

#[cfg(unix)]
fn push(line: &mut OsString, bytes: &[u8]) {
    use std::os::unix::ffi::OsStrExt;
    line.push(OsStr::from_bytes(bytes));
}

#[cfg(not(unix))]
fn push(line: &mut OsString, bytes: &[u8]) {
    line.push(&*String::from_utf8_lossy(bytes));
}

const GOING_PREFIXES: [&str; 5] = ["GIT_", "XDG_", "LC_", "CURL_", "NETRC"];
const GOING: [&str; 7] = [
    "HOME",
    "LANG",
    "LANGUAGE",
    "SSH_ASKPASS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GCM_INTERACTIVE",
];

const FIXED_ENVIRONMENT: [(&str, &str); 7] = [
    // What git says is read, so in one language.
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", ""),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
];

const FIXED_SETTINGS: [(&str, &str); 10] = [
    ("protocol.allow", "never"),
    ("protocol.https.allow", "always"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    // The files are the bytes that were committed.
    ("core.autocrlf", "false"),
    ("core.attributesFile", "/dev/null"),
    // Housekeeping ends before the command that caused it.
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_survives_the_shell() {
        for word in [
            "a b",
            "it's",
            "''",
            "$(id)`id`",
            "a\"b\\",
            "-n;ls|x&\n*",
            "",
        ] {
            let mut line = OsString::from("printf %s ");
            line.push(quoted(OsStr::new(word)));
            let output = std::process::Command::new("sh")
                .arg("-c")
                .arg(line)
                .output()
                .unwrap();
            assert_eq!(output.stdout, word.as_bytes());
        }
    }

    #[test]
    fn only_proxies_and_the_like_are_inherited() {
        let all = [
            "PATH",
            "HTTPS_PROXY",
            "https_proxy",
            "NO_PROXY",
            "GIT_DIR",
            "GIT_SSL_NO_VERIFY",
            "git_trace",
            "HOME",
            "SSH_ASKPASS",
            "SSL_CERT_DIR",
            "LANG",
            "LC_MESSAGES",
            "GITHUB_TOKEN_NAME",
        ];
        let kept = inherited(all.map(|name| (name.into(), "x".into())));
        let kept: Vec<_> = kept
            .iter()
            .map(|(name, _)| name.to_str().unwrap())
            .collect();
        assert_eq!(
            kept,
            [
                "PATH",
                "HTTPS_PROXY",
                "https_proxy",
                "NO_PROXY",
                "GITHUB_TOKEN_NAME"
            ]
        );
    }
}
