//! Libraries that are loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use super::Pkcs11Error;
use super::error::reason;

/// Loads a module, or takes the one that is loaded, and starts it if it is not running.
pub(super) fn load(path: &Path) -> Result<Pkcs11, Pkcs11Error> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let module = match loaded.get(path) {
        Some(module) => module.clone(),
        None => {
            let module = Pkcs11::new(path).map_err(|error| unusable(path, &error))?;
            loaded.insert(path.to_owned(), module.clone());
            module
        }
    };
    start(&module).map_err(|error| unusable(path, &error))?;
    Ok(module)
}

/// PKCS#11 v2.40 §5.4: a process initializes a module once. Somebody else in it may have.
fn start(module: &Pkcs11) -> Result<(), Error> {
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        outcome => outcome,
    }
}

fn unusable(path: &Path, error: &Error) -> Pkcs11Error {
    let reason = match error {
        // Its text names the file again.
        Error::LibraryLoading(error) => error.to_string(),
        Error::MissingSymbol(_) => "it is no PKCS#11 module".to_owned(),
        other => reason(other),
    };
    Pkcs11Error::Module {
        path: path.to_owned(),
        reason,
    }
}

/// Modules stay until the process ends: they have threads and exit handlers, which would be left
/// behind without their code, and others in the process may use the same one.
static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());
