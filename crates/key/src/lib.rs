//! A key, its one algorithm and, once trusted, whose it is: sign, verify and hash with any backend.
//!
//! This crate does not build certificate paths (that is `gangplank-trust`), does not know any wire
//! format but that of keys and signatures, performs no I/O, reads no clock and draws no randomness
//! of its own.
//!
//! ```
//! use gangplank_key::{CertificateId, SigningKey, SoftwareKey, TrustedKey};
//!
//! # const DEVICE_KEY: &str = include_str!("../tests/data/p256.key.pem");
//! let device = SoftwareKey::from_pem(DEVICE_KEY)?;
//! let signature = device.sign(b"hello")?;
//!
//! // The registered key decides the algorithm, never the message.
//! let id = CertificateId::parse("SN-0001")?;
//! let trusted = TrustedKey::vouch(id, device.public_key().clone());
//! trusted.key().verify(b"hello", &signature)?;
//! assert!(trusted.key().verify(b"hullo", &signature).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The nouns: [`PublicKey`] (a key that passed every check, with its [`Backend`]), [`Signature`]
//! (neutral between DER and r‖s), [`SigningKey`] (anything that signs), [`CertificateId`] (the GUID
//! a manufacturer gave) and [`TrustedKey`] (the two bound together, by somebody who [vouches]).
//!
//! [vouches]: TrustedKey::vouch
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod algorithm;
mod backend;
mod certificate;
mod certificate_id;
#[cfg(feature = "ed25519")]
mod ed25519;
mod oid;
mod public_key;
mod signature;
mod signing_key;
mod trusted_key;

pub use algorithm::Algorithm;
pub use backend::{Backend, KeyVerifier, Sha256Hasher, VerifySha256};
pub use certificate_id::{CertificateId, CertificateIdError};
pub use public_key::{BadSignature, KeyError, PublicKey};
pub use signature::{Signature, SignatureError};
#[cfg(feature = "aws-lc-rs")]
pub use signing_key::AwsLcKey;
#[cfg(any(feature = "p256", feature = "p384", feature = "ed25519"))]
pub use signing_key::{PrivateKeyError, SoftwareKey};
pub use signing_key::{SigningError, SigningKey};
pub use trusted_key::TrustedKey;

/// The trait that every source of randomness given to gangplank implements.
pub use rand_core::CryptoRng;
/// DER of one certificate, as rustls and webpki know it.
pub use rustls_pki_types::CertificateDer;
/// Wall-clock time in whole seconds; it comes in as an argument, no protocol crate reads a clock.
pub use rustls_pki_types::UnixTime;
/// Text or bytes that are wiped when dropped.
pub use zeroize::Zeroizing;
