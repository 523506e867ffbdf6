use std::fmt;
use std::io;
use std::path::PathBuf;

use cryptoki::error::{Error, RvError};
use gangplank_key::{Algorithm, KeyError};

/// Why a key in a token cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs11Error {
    /// The URI does not say which library to load. Its author is at fault.
    #[error("the `pkcs11:` URI has no `module-path`")]
    NoModule,
    /// The library cannot be loaded, or is no PKCS#11 module, or does not start. The machine's
    /// installation is at fault.
    #[error("{}: the PKCS#11 module cannot be used: {reason}", path.display())]
    Module {
        /// Which library.
        path: PathBuf,
        /// The loader's or the library's words.
        reason: String,
    },
    /// No token agrees with the URI.
    #[error("no token is as the URI says; there {}", list(present))]
    NoToken {
        /// The labels of those that are there.
        present: Vec<String>,
    },
    /// More tokens than one agree with the URI. None was given the PIN.
    #[error(
        "the URI does not say which token: {} match; add `serial=`",
        list_names(matching)
    )]
    SeveralTokens {
        /// Their labels and serial numbers.
        matching: Vec<String>,
    },
    /// The token wants a PIN, and none was given.
    #[error("the token {token:?} needs a PIN")]
    PinNeeded {
        /// The token's label.
        token: String,
    },
    /// The file of the PIN cannot be used.
    #[error("{}: no PIN: {error}", path.display())]
    PinFile {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The token refused the PIN. It was tried once and is not tried again: tokens lock themselves.
    #[error("the token {token:?} refused the PIN; it locks itself after a few of these")]
    PinRefused {
        /// The token's label.
        token: String,
    },
    /// One more wrong PIN would lock the token, so none was tried.
    #[error("the token {token:?} would lock itself at the next wrong PIN; log in by hand once")]
    LastTry {
        /// The token's label.
        token: String,
    },
    /// The token has locked itself, or wants a new PIN first.
    #[error("the token {token:?} lets nobody log in: {reason}")]
    Locked {
        /// The token's label.
        token: String,
        /// The token's reason.
        reason: &'static str,
    },
    /// The token has no private key that agrees with the URI and may sign.
    #[error("the token {token:?} has no private key for signing that is as the URI says")]
    NoKey {
        /// The token's label.
        token: String,
    },
    /// More keys than one agree with the URI.
    #[error("the URI does not say which key: {count} of the token {token:?} match; add `id=`")]
    SeveralKeys {
        /// The token's label.
        token: String,
        /// How many.
        count: usize,
    },
    /// The key wants the PIN again for each signature, which is not supported.
    #[error(
        "the key wants the PIN for each signature (CKA_ALWAYS_AUTHENTICATE), which is not supported"
    )]
    PinEachTime,
    /// The token has neither a public key nor a certificate with the private key's id.
    #[error("the token {token:?} has neither public key nor certificate with the private key's id")]
    NoPublicHalf {
        /// The token's label.
        token: String,
    },
    /// Public keys, or certificates, of the private key's id disagree.
    #[error("several public keys in the token {token:?} have the private key's id")]
    SeveralPublicHalves {
        /// The token's label.
        token: String,
    },
    /// The public half is of a kind that gangplank does not support, too short, or broken.
    #[error("the key in the token cannot be used: {0}")]
    Key(KeyError),
    /// The token does not sign in the way that the key needs.
    #[error("the token {token:?} has no mechanism for {algorithm}")]
    NoMechanism {
        /// The token's label.
        token: String,
        /// What was asked for.
        algorithm: Algorithm,
    },
    /// After the session was lost, the URI named another key than before.
    #[error("the token now holds another key than before")]
    OtherKey,
    /// The signature is not one of the public half: the operator has mixed up two keys, or the token
    /// computed wrongly. The signature is thrown away.
    #[error("the token's signature does not fit the public key that it holds for the private key")]
    BadSignature,
    /// The module or the token failed otherwise.
    #[error("the token failed: {reason}")]
    Token {
        /// The function and its return value, in the standard's words.
        reason: String,
    },
}

impl Pkcs11Error {
    /// Whether a person must look at the token before anything is tried again.
    pub fn needs_operator(&self) -> bool {
        matches!(
            self,
            Self::PinRefused { .. } | Self::LastTry { .. } | Self::Locked { .. }
        )
    }

    /// Whether the key itself is unfit, rather than out of reach.
    pub fn is_about_the_key(&self) -> bool {
        matches!(
            self,
            Self::Key(_)
                | Self::PinEachTime
                | Self::NoMechanism { .. }
                | Self::OtherKey
                | Self::BadSignature
        )
    }
}

impl From<Error> for Pkcs11Error {
    fn from(error: Error) -> Self {
        Self::Token {
            reason: reason(&error),
        }
    }
}

/// The module's answer in a few words: the standard's name of the return value, not its prose.
pub(super) fn reason(error: &Error) -> String {
    match error {
        Error::Pkcs11(value, function) => format!("{function}: {value:?}"),
        other => other.to_string(),
    }
}

/// Whether the connection to the token is gone, and a new one may help: a reset or re-inserted
/// token, a server of tokens that was restarted, somebody's C_Finalize or C_Logout in this process.
pub(super) fn is_lost(error: &Error) -> bool {
    let Error::Pkcs11(value, _) = error else {
        return false;
    };
    matches!(
        value,
        RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::DeviceRemoved
            | RvError::DeviceError
            | RvError::TokenNotPresent
            | RvError::UserNotLoggedIn
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::CryptokiNotInitialized
            | RvError::SlotIdInvalid
    )
}

fn list(present: &[String]) -> String {
    match present {
        [] => "is none".to_owned(),
        [one] => format!("is {one:?}"),
        _ => format!("are {}", list_names(present)),
    }
}

fn list_names(names: &[String]) -> impl fmt::Display {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}
