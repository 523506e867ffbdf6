//! The key that a verb signs with: in a file, or in a token.

use std::path::PathBuf;

use gangplank_client::driver::KeyLocation;

use crate::key::SigningKey;
use crate::{Exit, Failure, files};

/// Where the key is, and what opens it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct KeyArguments {
    /// The private key: a file, PEM or DER, or a `pkcs11:` URI (RFC 7512) with `module-path`
    #[arg(long, value_name = "FILE|URI")]
    key: PathBuf,
    /// The file of the token's PIN; else GANGPLANK_PIN_FILE, else the URI's `pin-source`, else it is
    /// asked for at the terminal
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
}

impl KeyArguments {
    pub(crate) fn open(&self) -> Result<Box<dyn SigningKey>, Failure> {
        match location(&self.key)? {
            KeyLocation::File(path) => files::signing_key(&path),
            #[cfg(feature = "pkcs11")]
            KeyLocation::Token(uri) => {
                let pin_file = self.pin_file.clone().or_else(pin_file_of_environment);
                token::open(&uri, pin_file.as_deref())
            }
            #[cfg(not(feature = "pkcs11"))]
            KeyLocation::Token(_) => {
                let sentence = "this program was built without PKCS#11";
                Err(Failure::new(Exit::CannotTell, sentence))
            }
        }
    }
}

/// It is not clap that reads this: its complaints repeat the value, and that may hold a PIN.
pub(crate) fn location(key: &std::path::Path) -> Result<KeyLocation, Failure> {
    KeyLocation::try_from(key.to_owned()).map_err(|error| Failure::of(Exit::CannotTell, &error))
}

pub(crate) fn pin_file_of_environment() -> Option<PathBuf> {
    let path = std::env::var_os("GANGPLANK_PIN_FILE")?;
    (!path.is_empty()).then(|| path.into())
}

#[cfg(feature = "pkcs11")]
pub(crate) mod token {
    #[cfg(unix)]
    use std::io::{IsTerminal as _, stdin};
    use std::path::Path;

    use gangplank_client::KeyUri;
    use gangplank_client::pkcs11::{Pin, Pkcs11Error, Pkcs11Key};

    use crate::key::{Backend, SigningKey};
    use crate::{Exit, Failure};

    pub(super) fn open(
        uri: &KeyUri,
        pin_file: Option<&Path>,
    ) -> Result<Box<dyn SigningKey>, Failure> {
        let failed = |error: Pkcs11Error| failure(&error);
        let pin = pin_file.map(Pin::from_file).transpose().map_err(failed)?;
        let key = match Pkcs11Key::open(uri, pin, Backend::AWS_LC_RS) {
            #[cfg(unix)]
            Err(Pkcs11Error::PinNeeded { token }) if stdin().is_terminal() => {
                let pin = crate::terminal::ask(&format!("PIN of the token {token:?}: "))?;
                Pkcs11Key::open(uri, Some(Pin::new(pin)), Backend::AWS_LC_RS)
            }
            opened => opened,
        };
        Ok(Box::new(key.map_err(failed)?))
    }

    /// A key that is unfit is a "no"; one that is out of reach cannot be told about; and before a
    /// token locks itself a person must look.
    pub(crate) fn failure(error: &Pkcs11Error) -> Failure {
        let exit = match error {
            _ if error.needs_operator() => Exit::NeedsOperator,
            _ if error.is_about_the_key() => Exit::No,
            _ => Exit::CannotTell,
        };
        Failure::of(exit, error)
    }
}
