//! The desired state, fetched with the ordinary `git` program.
//!
//! Two halves that meet in git's credential-helper protocol: [`Git`] starts `git` so that nothing but the arguments
//! decides where it connects and whom it trusts, and [`answer`] is what `git` then asks for the password. The
//! password is in neither arguments, configuration, URL nor reflog.
//!
//! This module does not decide when to fetch, nor what to do with the files.

mod environment;
mod error;
mod helper;
mod process;
mod run;
mod work;

pub use error::GitError;
pub use helper::{
    Action, Credential, CredentialSource, HelperError, MAX_REQUEST, RepositoryUrl,
    RepositoryUrlError, answer,
};
pub use run::{Checkout, ExpectedCommit, Git, HelperCommand, Synced};
