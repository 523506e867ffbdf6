//! OAuth2 client credentials and bearer tokens: ask, keep, present, compare; never print.
//!
//! This crate does **not** send requests, read a clock, draw randomness of its own, keep tokens in
//! a database, or decide who is given one. It knows the shapes (RFC 6749 §4.4 and §5, RFC 6750
//! §2.1) and treats every secret as a type: redacted `Debug`, no `Display`, no `PartialEq`, wiped
//! when dropped, and gone from its type only through `expose()` or the module [`exposed`].
//!
//! ```
//! use gangplank_token::{ClientId, ClientSecret, TokenRequest, parse_token_request};
//!
//! // The device's side asks …
//! let request = TokenRequest {
//!     client_id: ClientId::parse("press-7")?,
//!     client_secret: ClientSecret::from_wire("gpcs_not-a-real-secret".into())?,
//! };
//! let header = request.basic_header();
//! let body = request.form_beside_basic();
//!
//! // … and the server's side reads it.
//! let read = parse_token_request(
//!     Some(header.as_str()),
//!     Some("application/x-www-form-urlencoded"),
//!     body.as_bytes(),
//! )?;
//! assert_eq!(read.client_id.as_str(), "press-7");
//! assert_eq!(format!("{:?}", read.client_secret), "ClientSecret(redacted)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The nouns: [`ClientId`]; the secrets [`ClientSecret`], [`AccessToken`] and [`GitToken`];
//! [`StorageKey`] and the [`StoredSecret`] it makes of them; [`TokenRequest`], [`TokenResponse`]
//! and [`ErrorResponse`] on the wire; [`TokenCache`] on a device.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod exposed;

mod bearer;
mod cache;
mod client_credentials;
mod form;
mod identifier;
mod response;
mod secret;
mod stored;

pub use bearer::{
    BEARER_CHALLENGE, BearerError, INVALID_TOKEN_CHALLENGE, bearer_header, parse_bearer,
};
pub use cache::TokenCache;
pub use client_credentials::{
    BASIC_CHALLENGE, ClientFault, FORM_MEDIA_TYPE, MAX_TOKEN_REQUEST, RequestFault, TokenError,
    TokenRequest, parse_token_request,
};
pub use identifier::{ClientId, IdentifierError, check_identifier};
pub use response::{
    CACHE_CONTROL, ErrorCode, ErrorResponse, MAX_TOKEN_RESPONSE, ResponseError, TokenResponse,
};
pub use secret::{AccessToken, ClientSecret, GitToken, MAX_SECRET, Secret, SecretError};
pub use stored::{StorageKey, StoredSecret};
