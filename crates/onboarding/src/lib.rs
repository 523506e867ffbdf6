//! The onboarding API's messages, one file per endpoint, one module per Margo generation, shared by
//! the client and the server.
//!
//! This crate does **not** sign or verify (`gangplank-envelope` does), send or route requests, read
//! a clock, or decide anything. Bytes become checked values and the reverse; nothing that an
//! unauthenticated party sends can make it panic or grow without bound.
//!
//! ```
//! use gangplank_onboarding::{JoinString, ShortText, v2024};
//!
//! let join = JoinString::parse(
//!     "gangplank://WFM.example:443/margo/?ca=sha256:\
//!      9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
//! )?;
//! assert_eq!(join.root_url.as_str(), "https://wfm.example/margo");
//!
//! let request = v2024::onboarding::OnboardingRequest {
//!     vendor: Some(ShortText::parse("Northwind")?),
//!     ..Default::default()
//! };
//! let payload = request.encode(); // goes into an envelope, never on the wire alone
//! let read = v2024::onboarding::OnboardingRequest::decode(&payload)?;
//! assert_eq!(read, request);
//! assert_eq!(
//!     join.root_url.join(v2024::onboarding::PATH),
//!     "https://wfm.example/margo/onboarding/"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The nouns: [`DeviceId`]; [`RootUrl`], [`JoinString`] and [`RootTarget`], which say where the
//! orchestrator is; [`HttpsUrl`], any other address in an answer; [`Problem`] and [`ProblemName`],
//! how a refusal reads; and the messages of [`v2024`].

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod v2024;

mod device_id;
mod join;
mod json;
mod message;
mod problem;
mod problem_name;
mod root_url;
mod text;
mod url;

pub use device_id::DeviceId;
pub use join::{JoinError, JoinString, RootTarget};
pub use message::{MAX_MESSAGE, MessageError};
pub use problem::{MAX_PROBLEM, Problem, ProblemError};
pub use problem_name::ProblemName;
pub use root_url::RootUrl;
pub use text::{LongText, ShortText, Text, TextError};
pub use url::{HttpsUrl, UrlError};

/// Why a text is no [`DeviceId`]: the rule is that of a client id.
pub use gangplank_token::IdentifierError;
