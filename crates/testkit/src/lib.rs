//! What gangplank's tests share: test vectors, external suites, a seeded random number generator,
//! certificate authorities, and the outside programs whose word counts more than our own.
//!
//! It checks nothing about gangplank itself, depends on no crate of the workspace, and is never
//! published. Everything here panics when a test could not be carried out as written, and returns
//! `None`, after one printed line, when something outside the repository is absent.
//!
//! ```
//! use gangplank_testkit::{Leaf, Purpose, TestCa};
//!
//! let ca = TestCa::new("Acme Device CA");
//! let device = ca.issue(&Leaf::new("pump").serial_number("SN-1").purpose(Purpose::Client));
//! assert!(!device.certificate.is_empty() && !device.private_key.is_empty());
//! ```

// Code that serves tests reports by panicking, as a test does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authority;
mod rng;
mod suites;
mod tools;
mod vectors;

pub use authority::{
    Issued, KeyKind, Leaf, NOW, Purpose, TestCa, VALID_FROM, VALID_UNTIL, self_signed,
};
pub use rng::TestRng;
pub use suites::suite;
pub use tools::{openssl, openssl_accepts, python, temp_dir};
pub use vectors::{Case, cases, count_at_least, deny_unknown_keys, workspace_root};
