//! What makes a message new: time windows, one-time nonces that need no memory, and a guard against
//! replays.
//!
//! A signature proves who wrote a message, not when. This crate verifies no signature and reads no
//! message: it judges what a message that was verified says of its own time. It has no clock and
//! draws no randomness of its own.
//!
//! ```
//! use core::time::Duration;
//! use gangplank_freshness::{
//!     Claims, Freshness, MemoryReplayGuard, Refused, ReplayGuard, UnixTime, Window,
//! };
//!
//! let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
//! let mut guard = MemoryReplayGuard::new(100_000, at(1_000));
//!
//! // A message that says it was signed at 2,000 arrives at 2,010.
//! let window = Window {
//!     now: at(2_010),
//!     max_age: Duration::from_secs(300),
//!     max_lead: Duration::from_secs(60),
//! };
//! let claims = Claims { created: Some(at(2_000)), ..Claims::default() };
//! let seen = [7; 32]; // SHA-256 over who signed and which bytes
//! let once = Freshness::Created(window).check(&claims, seen)?;
//! guard.once(&once, at(2_010))?;
//!
//! // The same bytes again.
//! assert_eq!(guard.once(&once, at(2_011)), Err(Refused::Seen));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The nouns: [`Nonce`] (as it is written), [`NonceIssuer`] (issues and recognises nonces without
//! remembering them), [`Freshness`] (what a verifier insists on), [`Claims`] (what the message
//! says), [`Stale`] (why it is not fresh), [`OnceKey`] (what may be used once) and [`ReplayGuard`]
//! (who remembers that).
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod check;
mod guard;
mod memory_guard;
mod nonce;
mod nonce_issuer;

pub use check::{Claims, Freshness, OnceKey, Stale, Window};
pub use guard::{Refused, ReplayGuard};
pub use memory_guard::MemoryReplayGuard;
pub use nonce::{Nonce, NonceError};
pub use nonce_issuer::{NonceIssuer, NonceRefused};

/// The trait through which randomness comes in.
pub use rand_core::CryptoRng;
/// Seconds since 1970 in UTC.
pub use rustls_pki_types::UnixTime;
