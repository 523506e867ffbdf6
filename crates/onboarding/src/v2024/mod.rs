//! The messages of Margo generation 2024: the pre-draft of October 2024, whose bodies it mostly
//! leaves open, with the readings that gangplank takes (`docs/onboarding-api.md`).
//!
//! All paths are below the [root URL](crate::RootUrl). Members that a reader does not know are
//! ignored in every message, so that a newer device and an older server get along; `apiVersion`
//! and `kind` are strict, since they say what the message is.

pub mod capabilities;
pub mod certificate;
pub mod git_credential;
pub mod onboarding;
pub mod status;

/// The path of the token endpoint of gangplank's own server. A client takes it from the
/// `tokenEndpointUrl` that it was given.
pub const TOKEN_PATH: &str = "/oauth2/token";
