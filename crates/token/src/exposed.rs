//! Secrets in serde, on purpose and greppable: `#[serde(with = "gangplank_token::exposed")]`.
//!
//! The secret types have no `Serialize` and no `Deserialize` of their own, so that none slips into
//! a log or a file because a struct around it was serialised.
//!
//! ```
//! use gangplank_token::{ClientSecret, exposed};
//!
//! #[derive(serde::Serialize)]
//! struct StateFile {
//!     #[serde(with = "exposed")]
//!     client_secret: ClientSecret,
//! }
//!
//! let client_secret = ClientSecret::from_wire("gpcs_abc".into())?;
//! let text = serde_json::to_string(&StateFile { client_secret })?;
//! assert_eq!(text, r#"{"client_secret":"gpcs_abc"}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::string::String;

use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

use crate::Secret;

/// Writes the secret's text.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<T: Secret, S: Serializer>(secret: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// Reads a secret's text.
///
/// # Errors
/// Those of the deserializer, or a text that is no such secret; neither repeats the text.
pub fn deserialize<'de, T: Secret, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::from_wire(String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The same for an `Option`: `#[serde(with = "gangplank_token::exposed::optional", default)]`.
pub mod optional {
    use alloc::string::String;

    use serde::{Deserialize, Deserializer, Serialize as _, Serializer, de::Error as _};

    use crate::Secret;

    /// Writes the secret's text, or null.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Secret, S: Serializer>(
        secret: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }

    /// Reads a secret's text, or null.
    ///
    /// # Errors
    /// Those of the deserializer, or a text that is no such secret; neither repeats the text.
    pub fn deserialize<'de, T: Secret, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Option::<String>::deserialize(deserializer)?
            .map(T::from_wire)
            .transpose()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::{AccessToken, ClientSecret};

    #[derive(serde::Serialize, serde::Deserialize)]
    struct State {
        #[serde(with = "super")]
        token: AccessToken,
        #[serde(with = "super::optional", default)]
        secret: Option<ClientSecret>,
    }

    #[test]
    fn secrets_go_through_serde_only_here() {
        let text = r#"{"token":"gpat_a","secret":"gpcs_b"}"#;
        let state: State = serde_json::from_str(text).unwrap();
        assert_eq!(state.token.expose(), "gpat_a");
        assert_eq!(serde_json::to_string(&state).unwrap(), text);
        let without: State = serde_json::from_str(r#"{"token":"gpat_a"}"#).unwrap();
        assert!(without.secret.is_none());
    }

    #[test]
    fn a_refused_secret_is_not_repeated_in_the_error() {
        let error = serde_json::from_str::<State>(r#"{"token":"gpat_a secret"}"#)
            .err()
            .unwrap();
        assert!(!std::format!("{error}").contains("gpat_a"));
    }
}
