//! A device's key in a PKCS#11 token: a smart card, a hardware security module, a TPM behind
//! tpm2-pkcs11.
//!
//! [`Pkcs11Key`] is a [`SigningKey`](gangplank_key::SigningKey). A [`KeyUri`] (RFC 7512) says where
//! it is, a [`Pin`] opens it. Nothing here makes, imports or changes keys, and none leaves its token.
//!
//! ```no_run
//! use gangplank_client::key::{Backend, SigningKey};
//! use gangplank_client::pkcs11::{KeyUri, Pkcs11Key};
//!
//! let uri = KeyUri::parse(
//!     "pkcs11:token=device;object=onboarding\
//!      ?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/device/pin",
//! )?;
//! let key = Pkcs11Key::open(&uri, None, Backend::PURE_RUST)?;
//! let signature = key.sign(b"hello")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The module that the URI names is native code: it is loaded into this process and stays until the
//! process ends. Whoever chooses the URI chooses that code.

mod connection;
mod error;
mod key;
mod mechanism;
mod module;
mod pin;
mod public_half;
mod token;

pub use crate::{KeyUri, UriError};
pub use error::Pkcs11Error;
pub use key::Pkcs11Key;
pub use pin::Pin;
