//! Which images may run on this device: the gates before a launch, and the log of what they decided.
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

mod decision_log;
#[cfg(unix)]
mod exec;
mod gate;
mod time;

pub use decision_log::{Decision, DecisionLog, LogError, Verdict, VerifyError};
#[cfg(unix)]
pub use exec::{NotStarted, exec};
pub use gate::{Gate, Refused};
pub use time::{clock, trusted_time};

pub use gangplank_allowlist::*;
pub use gangplank_hash_chain as hash_chain;
