//! HTTP message signatures (RFC 9421) and digests (RFC 9530), with Margo 1.0's policy.
//!
//! Messages come in as borrowed parts and go out as header values. This crate does not parse HTTP,
//! does not find keys, knows no shared secrets (HMAC), performs no I/O, reads no clock and draws no
//! randomness of its own.
//!
//! ```
//! use core::time::Duration;
//! use gangplank_key::{SigningKey, SoftwareKey, UnixTime};
//! use gangplank_message::margo::{self, Incoming, Profile};
//! use gangplank_message::{Limits, Nonce, Request, Target, Window};
//!
//! # const DEVICE_KEY: &str = include_str!("../../key/tests/data/p256.key.pem");
//! // The device signs a request.
//! let device = SoftwareKey::from_pem(DEVICE_KEY)?;
//! let target = Target::parse("https://wfm.example/api/v1/clients/c-1/capabilities/d-1")?;
//! let now = UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600));
//! let nonce = Nonce::from_bytes(&[7; 16])?; // random in earnest
//! let body = b"{}";
//! let headers = margo::prepare("PUT", target, Some(body), now, &nonce, device.public_key())?
//!     .sign_with(&device)?;
//!
//! // The server knows the client's key by the path, and reads the body only once it is verified.
//! let content_digest = headers.content_digest.unwrap_or_default();
//! let fields = [
//!     ("content-digest", content_digest.as_bytes()),
//!     ("signature-input", headers.signature_input.as_bytes()),
//!     ("signature", headers.signature.as_bytes()),
//! ];
//! let request = Request::new("PUT", target, &fields);
//! let window = Window { now, max_age: Duration::from_secs(300), max_lead: Duration::from_secs(60) };
//! let verified = margo::verify(
//!     &Incoming::new(&request, body),
//!     "c-1",
//!     device.public_key(),
//!     &Profile::MARGO_1_0,
//!     &window,
//!     &Limits::DEFAULT,
//! )?;
//! assert_eq!(verified.body(), body);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The nouns: [`Request`] and [`Response`] (borrowed), [`Component`] (a part that is covered),
//! [`SignatureParams`] (what is covered, and what the signer says), [`SignatureBase`] (the bytes that
//! are signed), [`ToBeSigned`] (for any signer, near or far), [`Signatures`] (what a message claims)
//! and [`Verified`] (what holds); [`content_digest`] for bodies; [`margo`] for Margo's rules;
//! [`structured`] for the syntax of all these fields.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod content_digest;
pub mod margo;
pub mod structured;

mod accept_signature;
mod base;
mod component;
#[cfg(test)]
mod growth_tests;
mod limits;
mod message;
mod params;
mod prepare;
mod read_field;
mod signatures;
mod target;
mod verify;
mod work;

pub use accept_signature::{AcceptError, AcceptSignature, RequestedSignature, Times};
pub use base::{BaseError, SignatureBase, ValueError};
pub use component::{Component, ComponentError};
pub use limits::Limits;
pub use message::{Field, Message, Request, Response, StructuredType};
pub use params::{ParamsError, SignatureParams};
pub use prepare::{PrepareError, SignError, SignatureFields, ToBeSigned, prepare};
pub use signatures::{ClaimError, ClaimedSignature, ReadError, Signatures};
pub use target::{Target, TargetError};
pub use verify::{Expect, ExpectedTag, Verified, VerifyError};

/// What makes a message new; it comes from `gangplank-freshness`.
pub use gangplank_freshness::{Freshness, Nonce, OnceKey, Stale, Window};
