//! Margo 1.0's use of HTTP message signatures: every request of a client to its fleet manager is
//! signed by the client's key.
//!
//! Sources: margo/specification @35b9aa41, `margo-management-interface/`; where it leaves something
//! open, `docs/message.md` says which reading is taken. Responses are not signed in Margo 1.0.

mod profile;
mod sign;
mod verify;

pub use profile::{AuthorityRule, ComponentNames, Ed25519Rule, Profile, RsaPaddings};
pub use sign::{Headers, Outgoing, PrepareError, key_id, prepare};
pub use verify::{Incoming, Verified, VerifyError, verify};

/// The label of a Margo signature.
pub const LABEL: &str = "sig1";

#[cfg(test)]
mod tests;
