//! Which images may run on this device: the lists on disk, the gates before a launch, and the log of
//! what they decided.
//!
//! A [`Gate`] asks a list about an image or a whole command line, writes down what it decided, and only
//! then hands out the permit. Where it is to be written down and cannot be, nothing is permitted.
//!
//! ```
//! use gangplank_client::allowlist::{Allowlist, DecisionLog, Gate, ImageDigest, OptionPolicy};
//!
//! # let folder = gangplank_testkit::temp_dir();
//! # let file = folder.path().join("decisions.log");
//! let list = [ImageDigest::from_hex(&[b'a'; 64])?];
//! let log = DecisionLog::new(&file);
//! let gate = Gate::new("launcher", Allowlist::new(&list)).logging(&log);
//!
//! let image = format!("docker.io/acme/pump@sha256:{}", "a".repeat(64));
//! let arguments = ["docker", "run", "--rm", &image];
//! let launch = gate.launch(&arguments, OptionPolicy::Strict).map_err(|refused| refused.to_string())?;
//! assert_eq!(launch.arguments(), arguments);
//!
//! let refused = gate.image("docker.io/acme/pump:latest").unwrap_err();
//! assert_eq!(refused.code(), "no-digest");
//! assert_eq!(log.verify(None)?.lines, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`ListFile`] is one of two kinds, told apart by its content: [`TextFile`], the list of the LF Edge
//! Secure Manager, or [`IndexedFile`], for lists of any size. Both are changed under a lock, by one
//! process at a time; a change is on disk when it is acknowledged; and who reads sees a list before a
//! change or after it, never half of it. What cannot be read permits nothing.
//!
//! ```
//! use gangplank_client::allowlist::{Allowlist, Change, Entry, ImageDigest, ListFile, PinnedImage};
//!
//! # let folder = gangplank_testkit::temp_dir();
//! # let path = folder.path().join("containerwhitelist.txt");
//! let list = ListFile::open(path)?;
//! let digest = "fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752";
//! let add = Change { digest: ImageDigest::from_hex(digest.as_bytes())?, entry: Some(Entry::default()) };
//! list.change(&[add])?;
//!
//! let now = list.current()?;
//! let image = format!("hello-world@sha256:{digest}");
//! let permit = Allowlist::new(&now).permit(PinnedImage::parse(&image)?)?;
//! # drop(permit);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decision_log;
pub mod desired_state;
#[cfg(unix)]
mod error;
#[cfg(unix)]
mod exec;
mod gate;
#[cfg(unix)]
mod import;
#[cfg(unix)]
mod indexed_file;
#[cfg(unix)]
mod list_file;
#[cfg(unix)]
mod map;
#[cfg(unix)]
mod merged;
#[cfg(unix)]
mod replace;
#[cfg(unix)]
mod text_file;
mod time;

pub use decision_log::{Decision, DecisionLog, LogError, Verdict, VerifyError};
#[cfg(unix)]
pub use exec::{NotStarted, exec};
pub use gate::{Gate, Refused};
pub use time::{clock, trusted_time};
#[cfg(unix)]
pub use {
    error::ListError,
    import::import_text,
    indexed_file::{IndexedFile, IndexedSnapshot},
    list_file::{ListFile, Snapshot},
    replace::{Locked, replace_file},
    text_file::{TextFile, TextList},
};

pub use gangplank_allowlist::*;
pub use gangplank_hash_chain as hash_chain;
