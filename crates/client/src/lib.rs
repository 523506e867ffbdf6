//! The device's side of onboarding as a state machine, with a driver for HTTP and disk.
//!
//! Without features this crate opens no socket and no file, reads no clock and draws no randomness
//! of its own, and needs no `std`: it decides what to sign, what to send, how long to wait, and what
//! of an answer to believe. It does not run workloads, and does not issue or renew certificates.
//! Feature `http` (default) adds the driver: TLS, state on disk, the system's clock, `git`.
//! Feature `pkcs11` adds keys in PKCS#11 tokens, feature `allowlist` lists of images on disk and
//! the gates that images pass before they run.
//!
//! ```
//! use gangplank_client::{Now, Onboarding, Response, RootTrust, Settings, Step};
//! use gangplank_client::key::{CryptoRng, SigningKey};
//!
//! /// The same lines blocking, async and on bare metal.
//! fn come_aboard(
//!     mut onboarding: Onboarding,
//!     key: &dyn SigningKey,
//!     rng: &mut dyn CryptoRng,
//!     now: impl Fn() -> Now,
//!     send: impl Fn(gangplank_client::Request) -> Option<Response>,
//!     sleep_until: impl Fn(core::time::Duration),
//!     save: impl Fn(gangplank_client::DeviceState),
//! ) -> Result<gangplank_client::Aboard, Box<dyn std::error::Error>> {
//!     loop {
//!         if let Some(state) = onboarding.unsaved() {
//!             save(state);
//!         }
//!         match onboarding.next(now(), rng)? {
//!             Step::Sign(message) => onboarding.signed(&key.sign(&message)?),
//!             Step::Send(request) => match send(request) {
//!                 Some(response) => onboarding.receive(&response, now()),
//!                 None => onboarding.lost(now()),
//!             },
//!             Step::Wait(until) => sleep_until(until),
//!             Step::Done(aboard) => return Ok(aboard),
//!         }
//!     }
//! }
//! ```
//!
//! The nouns: [`Settings`] (who the device is and whom it believes), [`Onboarding`] (the way
//! aboard), [`Aboard`] and [`DeviceState`] (what a device remembers), [`Session`] and its
//! [`Operation`]s (what it does when aboard), [`Step`], [`Request`] and [`Response`] (what the
//! machines and their caller exchange), [`Trouble`] and [`Stopped`] (why it waits, why it ends).

#![cfg_attr(
    not(any(test, feature = "allowlist", feature = "http", feature = "pkcs11")),
    no_std
)]

extern crate alloc;

mod aboard;
mod backoff;
mod call;
mod clock;
mod coming_aboard;
mod context;
mod error;
mod exchanges;
mod http_date;
#[cfg(any(feature = "http", feature = "pkcs11"))]
mod key_uri;
#[cfg(any(test, feature = "http"))]
mod machine;
mod plan;
mod session;
mod settings;
mod step;
#[cfg(test)]
mod testing;

#[cfg(feature = "allowlist")]
pub mod allowlist;
#[cfg(feature = "http")]
pub mod driver;
#[cfg(feature = "http")]
pub mod git;
#[cfg(all(feature = "http", feature = "message"))]
pub mod message_signature;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;

pub use aboard::{Aboard, DeviceState, GitAccess, Reported};
pub use backoff::Backoff;
pub use clock::Now;
pub use coming_aboard::Onboarding;
pub use error::{BadAnswer, Refusal, RequestError, StartError, Stopped, Trouble};
#[cfg(any(feature = "http", feature = "pkcs11"))]
pub use key_uri::{KeyUri, UriError};
pub use session::{Operation, Session};
pub use settings::{ReportForm, RootTrust, Settings};
pub use step::{Connection, Method, Purpose, Request, Response, Step};

pub use gangplank_envelope as envelope;
pub use gangplank_key as key;
#[cfg(feature = "message")]
pub use gangplank_message as message;
pub use gangplank_onboarding as onboarding;
pub use gangplank_token as token;
pub use gangplank_trust as trust;

/// The longest answer that is read, in bytes: 4 MiB, ten times the longest message and its
/// certificates in an envelope.
pub const MAX_ANSWER: usize = 4 << 20;
