//! A payload, who signed it for whom, and the only way to read it: verify.
//!
//! An envelope (version 1, `docs/envelope.md`) carries a payload through boxes that end TLS. This
//! crate does not find keys, does not decide which certificates are believed (`gangplank-trust`
//! does), encrypts nothing, performs no I/O, reads no clock and draws no randomness of its own.
//!
//! ```
//! use gangplank_envelope::{
//!     Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits, PayloadType,
//! };
//! use gangplank_key::{CertificateId, SigningKey, SoftwareKey, TrustedKey};
//!
//! # const DEVICE_KEY: &str = include_str!("../../key/tests/data/p256.key.pem");
//! // The device seals a payload.
//! let device = SoftwareKey::from_pem(DEVICE_KEY)?;
//! let id = CertificateId::parse("SN-0001")?;
//! let form = Form::Bound(Binding::new(PayloadType::parse("Greeting")?));
//! let wire = Envelope::prepare(b"hello".to_vec(), form, &id)?.sign_with(&device)?;
//!
//! // The server finds the registered key by the claimed signer, and only then reads the payload.
//! let mut scratch = Vec::new();
//! let envelope = Envelope::decode(&wire, &Limits::DEFAULT, &mut scratch)?;
//! assert_eq!(envelope.claimed_signer(), &id);
//! let registered = TrustedKey::vouch(id, device.public_key().clone());
//! let verified = envelope.verify(
//!     &registered,
//!     &Expect {
//!         form: ExpectedForm::Bound(PayloadType::parse("Greeting")?),
//!         audience: ExpectedAudience::NotCompared,
//!         freshness: Freshness::NotRequired,
//!     },
//! )?;
//! assert_eq!(verified.payload(), b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The nouns: [`Envelope`] (decoded, nothing believed yet), [`Form`] (plain, or bound to a type, a
//! time, a nonce and an audience), [`ToBeSigned`] (for any signer, near or far), [`Expect`] (what a
//! verifier insists on) and [`Verified`] (the payload at last). What makes an envelope fresh comes
//! from `gangplank-freshness`. Beside the envelope, [`payload_signature`] is the older header that
//! signs a body.
#![cfg_attr(not(test), no_std)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod audience;
mod base64_text;
mod decode;
mod der;
mod encode;
mod envelope;
mod expect;
mod form;
mod json_object;
mod limits;
pub mod payload_signature;
mod payload_type;
mod prepare;
mod verify;

/// What proves freshness, shared with the other signed messages.
pub use gangplank_freshness::{
    Freshness, Nonce, NonceError, NonceIssuer, NonceRefused, OnceKey, Stale, Window,
};

pub use audience::{Audience, AudienceError};
pub use decode::{DecodeError, JsonError, MemberError};
pub use envelope::Envelope;
pub use expect::{Expect, ExpectedAudience, ExpectedForm};
pub use form::{Binding, Form};
pub use limits::Limits;
pub use payload_type::{PayloadType, PayloadTypeError};
pub use prepare::{PrepareError, SealError, ToBeSigned};
pub use verify::{Verified, VerifyError};

/// The media type of an envelope in HTTP.
pub const MEDIA_TYPE: &str = "application/vnd.gangplank.envelope+json";
