//! What went wrong with git, in words fit for a person and without secrets.

use std::{io, path::PathBuf};

use gangplank_onboarding::v2024::git_credential::CommitId;

/// The desired state was not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is no `git` to run.
    #[error("git is needed to fetch the desired state, and {} cannot be started: install git", program.display())]
    Missing {
        /// The program that was looked for.
        program: PathBuf,
    },
    /// The directory holds something else than a checkout of this repository; nothing in it was touched.
    #[error("{} is neither empty nor a checkout of this repository", directory.display())]
    NotOurs {
        /// The directory.
        directory: PathBuf,
    },
    /// Somebody else owns the checkout or may write to it, and so could tell git whom to trust; nothing in it was
    /// touched.
    #[error(
        "{} can be changed by others than this user: make it this user's alone (chown, chmod go-w), or remove the \
         checkout", path.display()
    )]
    NotPrivate {
        /// The folder or file.
        path: PathBuf,
    },
    /// The URL is not one that a device fetches from.
    #[error("the repository's URL is not a plain https URL")]
    Url,
    /// The server refused the password, and a newly asked one too.
    #[error("the server refused the git credential")]
    Unauthorized,
    /// By git's clock the server's certificate is not valid now.
    #[error(
        "by this device's clock the server's certificate is not yet valid or no longer: set the clock, then try again"
    )]
    Clock,
    /// git does not trust the server's certificate, and does not say that time is the reason: not every TLS library
    /// lets it.
    #[error(
        "git does not trust the server's certificate ({message}): if its root and name are right, \
         this device's clock is wrong"
    )]
    Certificate {
        /// The last of what git said, as in [`GitError::Failed`].
        message: String,
    },
    /// What was fetched does not hold or show the commit it should; the checkout was not changed to it.
    #[error("the repository should show {} and shows {}", commit(expected.as_ref()), commit(found.as_ref()))]
    WrongCommit {
        /// From the orchestrator's signed answer; `None`: the repository should be empty.
        expected: Option<CommitId>,
        /// What was found instead.
        found: Option<CommitId>,
    },
    /// git failed otherwise.
    #[error("git {operation} failed: {message}")]
    Failed {
        /// The git command.
        operation: &'static str,
        /// The last of what git said: at most 3 lines, control characters, tokens and user information taken out.
        message: String,
    },
    /// git did not end in time.
    #[error("git {operation} took too long")]
    TimedOut {
        /// The git command.
        operation: &'static str,
    },
    /// The directory, or a process, could not be used.
    #[error("the checkout cannot be worked on")]
    Io(#[from] io::Error),
}

impl GitError {
    /// What a failed command means, from its standard error in the C locale.
    pub(super) fn from_stderr(operation: &'static str, stderr: &[u8]) -> Self {
        let start = stderr.len().saturating_sub(MAX_STDERR);
        let text = String::from_utf8_lossy(stderr.get(start..).unwrap_or_default());
        // The `remote:` lines are the server's words, and nothing is decided by them.
        let own = || text.lines().filter(|line| !line.starts_with("remote:"));
        if own().any(|line| line.contains("Authentication failed for")) {
            return Self::Unauthorized;
        }
        if own().any(|line| CLOCK.iter().any(|phrase| line.contains(phrase))) {
            return Self::Clock;
        }
        let lines: Vec<String> = own()
            .filter(|line| !line.trim().is_empty())
            .map(clean)
            .collect();
        let last = lines
            .get(lines.len().saturating_sub(MAX_LINES)..)
            .unwrap_or_default();
        let message = last.join("; ");
        if own().any(|line| CERTIFICATE.iter().any(|phrase| line.contains(phrase))) {
            return Self::Certificate { message };
        }
        Self::Failed { operation, message }
    }
}

fn commit(commit: Option<&CommitId>) -> String {
    commit.map_or_else(
        || "no commit".to_owned(),
        |commit| format!("commit {}", commit.as_str()),
    )
}

/// One line without control characters and without anything that could be a secret: a proxy's URL may hold a
/// password, and a token is never to reach a log whatever git does.
fn clean(line: &str) -> String {
    let visible: String = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_LINE)
        .collect();
    let words = visible.split(' ').map(|word| {
        if word.contains(TOKEN_PREFIX) {
            return "[token]".to_owned();
        }
        let Some((scheme, rest)) = word.split_once("://") else {
            return word.to_owned();
        };
        let authority = rest
            .find('/')
            .map_or(rest, |end| rest.get(..end).unwrap_or(rest));
        match authority.rfind('@') {
            Some(at) => format!("{scheme}://[user]{}", rest.get(at..).unwrap_or_default()),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ").trim().to_owned()
}

// What curl passes on of OpenSSL's and GnuTLS's words.
const CERTIFICATE: [&str; 3] = [
    "server certificate verification failed",
    "SSL certificate problem",
    "certificate subject name",
];
const CLOCK: [&str; 5] = [
    "certificate is not yet valid",
    "certificate has expired",
    "uses not yet valid certificate",
    "uses expired certificate",
    "certificate expired",
];
const TOKEN_PREFIX: &str = "gpgt_";
const MAX_STDERR: usize = 8 * 1024;
const MAX_LINES: usize = 3;
const MAX_LINE: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(stderr: &str) -> String {
        GitError::from_stderr("fetch", stderr.as_bytes()).to_string()
    }

    #[test]
    fn a_wrong_clock_is_one_sentence() {
        // curl 8 with GnuTLS, then with OpenSSL.
        for stderr in [
            "fatal: unable to access 'https://h/r.git/': server certificate verification failed. CAfile: /c CRLfile: none\nThe certificate chain uses not yet valid certificate.",
            "fatal: unable to access 'https://h/r.git/': SSL certificate problem: certificate is not yet valid",
            "fatal: unable to access 'https://h/r.git/': SSL certificate problem: certificate has expired",
        ] {
            assert!(
                matches!(
                    GitError::from_stderr("fetch", stderr.as_bytes()),
                    GitError::Clock
                ),
                "{stderr}"
            );
        }
    }

    #[test]
    fn a_certificate_refused_without_a_reason_names_the_clock() {
        // git 2.47.3 with libcurl-gnutls 7.88.1, for an expired certificate.
        let stderr = "fatal: unable to access 'https://h/r.git/': server certificate verification failed. CAfile: /c CRLfile: none";
        let text = message(stderr);
        assert!(
            text.starts_with("git does not trust the server's certificate (fatal: unable"),
            "{text}"
        );
        assert!(
            text.ends_with("if its root and name are right, this device's clock is wrong"),
            "{text}"
        );
    }

    #[test]
    fn the_server_does_not_decide_what_failed() {
        let stderr = "remote: certificate has expired\nremote: Authentication failed for you\nfatal: the end\n";
        assert_eq!(message(stderr), "git fetch failed: fatal: the end");
    }

    #[test]
    fn no_secret_and_no_control_character_is_repeated() {
        let text = message("fatal: proxy http://user:pa@ss@proxy:3128/ said gpgt_abc\x1b[2J\n");
        assert_eq!(
            text,
            "git fetch failed: fatal: proxy http://[user]@proxy:3128/ said [token] [2J"
        );
    }

    #[test]
    fn the_message_is_bounded() {
        let many = "error: a\n".repeat(10_000) + &"é".repeat(10_000);
        assert!(message(&many).len() < 1000);
    }
}
