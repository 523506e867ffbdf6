//! The orchestrator's side of onboarding: admission, a [`Store`](store::Store), and axum routers to
//! mount in a service of your own, or to serve with [`serve`].
//!
//! This crate does not orchestrate: it says which device is aboard, keeps what devices report, and
//! hands each device the Git repository with its desired state. It issues no device certificates.
//!
//! ```no_run
//! use std::sync::Arc;
//! use gangplank_server::authority::Authority;
//! use gangplank_server::git::Repositories;
//! use gangplank_server::onboarding::RootUrl;
//! use gangplank_server::store::sqlite::SqliteStore;
//! use gangplank_server::{Server, router};
//! use rustls_pki_types::UnixTime;
//!
//! let data = std::path::Path::new("data");
//! let authority = Arc::new(Authority::open(data, "wfm.example", UnixTime::now())?);
//! let store = Arc::new(SqliteStore::open(&data.join("gangplank.db"))?);
//! let server = Server::builder(store, authority, Repositories::new(data.join("git"), "git"))
//!     .public_url(RootUrl::parse("https://wfm.example")?)
//!     .build()?;
//! let app: axum::Router = router(server);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The rooms: `admission` (who sent this, may they), `api` (one file per endpoint), [`store`]
//! (the state, in whole transactions), `access` (who may do what), [`authority`] (the root, TLS and
//! signing certificates), [`git`] (desired state), [`listen`] (sockets) and [`serve`] (all of it).

mod access;
mod admission;
mod api;
mod random;
mod rate;
mod reached;
mod server;
mod tenants;

pub mod authority;
pub mod git;
pub mod listen;
#[cfg(feature = "message")]
pub mod message_signature;
#[cfg(feature = "notify")]
pub mod notify;
pub mod registry;
pub mod secure_manager;
#[cfg(feature = "sqlite")]
pub mod serve;
pub mod store;

pub use api::{admin_router, router};
pub use rate::{RateLimit, limit_rate};
pub use server::{
    BuildError, Clock, HeaderForm, Lifetimes, MessageForm, PlainForm, Server, ServerBuilder,
};

pub use gangplank_allowlist as allowlist;
pub use gangplank_envelope as envelope;
pub use gangplank_key as key;
#[cfg(feature = "message")]
pub use gangplank_message as message;
pub use gangplank_onboarding as onboarding;
pub use gangplank_token as token;
pub use gangplank_trust as trust;
