use std::io;
use std::path::PathBuf;

/// Why the orchestrator's identity could not be opened, made or renewed.
///
/// Every variant that an operator can mend names the file and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `create`, ...
        action: &'static str,
        /// The file or directory it was tried on.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others than the owner may open a file or directory that holds secrets. It is not tightened
    /// silently, because the secret may already have been read.
    #[error(
        "{} is open to other users (mode {mode:04o}); run `chmod {wanted:o} {}`, and replace the secret if others may have read it",
        path.display(), path.display()
    )]
    OpenToOthers {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits now.
        mode: u32,
        /// The permission bits it must not exceed.
        wanted: u32,
    },
    /// A file is there, but does not hold what its name says.
    #[error("{} {problem}; {remedy}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
        /// What the operator can do.
        remedy: &'static str,
    },
    /// A key is gone although the identity that depends on it is there.
    #[error(
        "{} is missing although {} is there; restore it from a backup, or move the whole directory away to start a new identity that every device must learn anew",
        path.display(), sibling.display()
    )]
    Lost {
        /// The file that is missing.
        path: PathBuf,
        /// The file that proves it was there once.
        sibling: PathBuf,
    },
    /// The root certificate's validity has ended, or has not begun by this machine's clock.
    #[error("the root certificate {} is not valid at {now} (Unix seconds); check this machine's clock", path.display())]
    RootNotValid {
        /// The root certificate's file.
        path: PathBuf,
        /// The time that was compared.
        now: u64,
    },
    /// The host of the public URL cannot stand in a certificate.
    #[error("`{0}` is neither an IP address nor a DNS name that a certificate can carry")]
    Host(String),
    /// The time is outside what a certificate can express.
    #[error("{0} (Unix seconds) is not a time a certificate can express")]
    Time(u64),
    /// The cryptographic library refused to make a key or a certificate.
    #[error("cannot make a key or a certificate: {0}")]
    Make(String),
}
