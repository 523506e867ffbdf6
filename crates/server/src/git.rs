//! The repositories that hold each device's desired state, and the smart HTTP in front of them.
//!
//! This room does not authenticate: the caller decides who is asking and with which [`Access`], then hands the
//! request over. What it does guarantee: one repository per device and no other reachable, only the smart protocol
//! of the two services, bounded bodies, and a `git` that inherits nothing from the environment of this process.
//!
//! The order of a request:
//!
//! 1. [`Route::parse`] reads the path and query: which device's repository, which service. Everything else is a 404.
//! 2. The caller checks [`parse_basic`]'s user and password, and that they belong to [`Route::device`].
//! 3. [`Repositories::ensure`] gives the repository's directory, making it at the first access.
//! 4. [`HttpBackend::serve`] starts `git http-backend` and streams both ways.

mod backend;
mod basic;
mod cgi;
mod process;
mod program;
mod relay;
mod repositories;
mod request;
mod route;

pub use backend::{BackendError, Caller, HttpBackend, Limits};
pub use basic::parse_basic;
pub use program::{GitMissing, check};
pub use repositories::{Repositories, RepositoryError};
pub use route::{Access, PREFIX, Route, Service};
