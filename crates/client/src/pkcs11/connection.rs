//! A session in which a key can sign.

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use gangplank_key::{Algorithm, Backend, PublicKey};

use super::mechanism::Way;
use super::{KeyUri, Pin, Pkcs11Error, module, public_half, token};

/// A session, logged in, and the handles that are good in it.
pub(super) struct Connection {
    module: Pkcs11,
    slot: Slot,
    token: String,
    session: Session,
    key: ObjectHandle,
}

impl Connection {
    /// Finds token and key, and logs in; the PIN is tried once at most.
    pub(super) fn open(uri: &KeyUri, pin: Option<&Pin>) -> Result<Self, Pkcs11Error> {
        let module = module::load(uri.module_path().ok_or(Pkcs11Error::NoModule)?)?;
        let token = token::find(&module, uri)?;
        let session = module.open_ro_session(token.slot)?;
        token.log_in(&session, pin)?;
        let key = private_key(&session, uri, &token.label)?;
        Ok(Self {
            module,
            slot: token.slot,
            token: token.label,
            session,
            key,
        })
    }

    pub(super) fn public_half(&self, backend: Backend) -> Result<PublicKey, Pkcs11Error> {
        public_half::find(&self.session, self.key, &self.token, backend)
    }

    /// How the token signs with this algorithm.
    pub(super) fn way(&self, algorithm: Algorithm) -> Result<Way, Pkcs11Error> {
        Way::choose(&self.module, self.slot, algorithm)?.ok_or_else(|| Pkcs11Error::NoMechanism {
            token: self.token.clone(),
            algorithm,
        })
    }

    /// The signature as the token makes it: r‖s for ECDSA.
    pub(super) fn sign(
        &self,
        way: Way,
        algorithm: Algorithm,
        input: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let mechanism = way.mechanism(algorithm).ok_or(Error::NotSupported)?;
        self.session.sign(&mechanism, self.key, input)
    }

    /// Ends a connection that has failed with `error`.
    ///
    /// A session whose handle is no longer good must not be closed: by now the module may have given
    /// the same number to somebody else in this process.
    pub(super) fn abandon(self, error: &Error) {
        let Error::Pkcs11(value, _) = error else {
            return;
        };
        let is_open = matches!(
            value,
            RvError::UserNotLoggedIn | RvError::KeyHandleInvalid | RvError::ObjectHandleInvalid
        );
        if !is_open {
            std::mem::forget(self.session);
        }
    }
}

fn private_key(session: &Session, uri: &KeyUri, token: &str) -> Result<ObjectHandle, Pkcs11Error> {
    let mut template = vec![
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Sign(true),
    ];
    template.extend(uri.object().map(|label| Attribute::Label(label.into())));
    template.extend(uri.id().map(|id| Attribute::Id(id.into())));
    let token = token.to_owned();
    let key = match *session.find_objects(&template)?.as_slice() {
        [key] => key,
        [] => return Err(Pkcs11Error::NoKey { token }),
        ref several => {
            let count = several.len();
            return Err(Pkcs11Error::SeveralKeys { token, count });
        }
    };
    let each_time = session.get_attributes(key, &[AttributeType::AlwaysAuthenticate])?;
    if each_time.contains(&Attribute::AlwaysAuthenticate(true)) {
        return Err(Pkcs11Error::PinEachTime);
    }
    Ok(key)
}
