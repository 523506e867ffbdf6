use std::fmt;
use std::sync::{Mutex, PoisonError};

use cryptoki::error::Error;
use gangplank_key::{Algorithm, Backend, PublicKey, Signature, SigningError, SigningKey};

use super::connection::Connection;
use super::error::is_lost;
use super::mechanism::Way;
use super::{KeyUri, Pin, Pkcs11Error};

/// A private key in a PKCS#11 token.
///
/// It may be used by several threads; they sign one after the other, as a session requires. A lost
/// session is renewed once per signature, with the PIN that was good before; a PIN that the token
/// refused is never tried again. Each signature is verified with the public half before it is given
/// out, so a token whose two halves do not belong together signs nothing, and neither does one that
/// computes wrongly.
pub struct Pkcs11Key {
    public: PublicKey,
    way: Way,
    uri: KeyUri,
    pin: Option<Pin>,
    state: Mutex<State>,
}

enum State {
    Connected(Connection),
    Lost,
    /// The token refused the PIN when the session was renewed. With the token's label.
    Refused(String),
}

impl Pkcs11Key {
    /// Loads the module, finds token and key, and logs in with `pin`, else with that of the URI's
    /// `pin-source`. The public half is that of the token's public key or certificate with the same
    /// CKA_ID, and has to pass every check of [`PublicKey`].
    ///
    /// # Errors
    /// [`Pkcs11Error`]. The PIN was tried at most once.
    pub fn open(uri: &KeyUri, pin: Option<Pin>, backend: Backend) -> Result<Self, Pkcs11Error> {
        let pin = match (pin, uri.pin_source()) {
            (None, Some(path)) => Some(Pin::from_file(path)?),
            (pin, _) => pin,
        };
        let connection = Connection::open(uri, pin.as_ref())?;
        let public = connection.public_half(backend)?;
        let way = connection.way(public.algorithm())?;
        Ok(Self {
            public,
            way,
            uri: uri.clone(),
            pin,
            state: Mutex::new(State::Connected(connection)),
        })
    }

    /// The same RSA key, signing with another padding (see [`PublicKey::using`]).
    ///
    /// # Errors
    /// [`Pkcs11Error::Key`] for a key that has no such algorithm, [`Pkcs11Error::NoMechanism`] when
    /// the token does not offer it, [`Pkcs11Error::PinRefused`] without another try when the PIN was
    /// refused before, else as [`open`](Self::open) for a session that was lost.
    pub fn using(mut self, algorithm: Algorithm) -> Result<Self, Pkcs11Error> {
        let public = self.public.using(algorithm).map_err(Pkcs11Error::Key)?;
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        match state {
            State::Connected(connection) => self.way = connection.way(algorithm)?,
            State::Refused(token) => {
                let token = token.clone();
                return Err(Pkcs11Error::PinRefused { token });
            }
            State::Lost => {
                let connection = self.connect_again()?;
                self.way = connection.way(algorithm)?;
                self.state = Mutex::new(State::Connected(connection));
            }
        }
        self.public = public;
        Ok(self)
    }

    fn try_sign(&self, message: &[u8]) -> Result<Signature, Pkcs11Error> {
        let input = self.way.input(&self.public, message);
        let bytes = self.raw_signature(&input)?;
        let algorithm = self.public.algorithm();
        let signature = Signature::from_fixed(algorithm, &bytes);
        signature
            .ok()
            .filter(|signature| self.public.verify(message, signature).is_ok())
            .ok_or(Pkcs11Error::BadSignature)
    }

    fn raw_signature(&self, input: &[u8]) -> Result<Vec<u8>, Pkcs11Error> {
        // After a panic elsewhere the session is as good or as lost as it would be anyway.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Refused(token) = &*state {
            let token = token.clone();
            return Err(Pkcs11Error::PinRefused { token });
        }
        let algorithm = self.public.algorithm();
        if let State::Connected(connection) = &*state {
            match connection.sign(self.way, algorithm, input) {
                Err(error) if is_lost(&error) => state.give_up(&error),
                outcome => return Ok(outcome?),
            }
        }
        let connection = self.connect_again().inspect_err(|error| {
            if let Pkcs11Error::PinRefused { token } = error {
                *state = State::Refused(token.clone());
            }
        })?;
        let signature = connection.sign(self.way, algorithm, input);
        *state = State::Connected(connection);
        Ok(signature?)
    }

    /// The key must be the same one: a URI may come to name another.
    fn connect_again(&self) -> Result<Connection, Pkcs11Error> {
        let connection = Connection::open(&self.uri, self.pin.as_ref())?;
        let public = connection.public_half(self.public.backend())?;
        match public.spki() == self.public.spki() {
            true => Ok(connection),
            false => Err(Pkcs11Error::OtherKey),
        }
    }
}

impl State {
    fn give_up(&mut self, error: &Error) {
        if let Self::Connected(connection) = std::mem::replace(self, Self::Lost) {
            connection.abandon(error);
        }
    }
}

impl SigningKey for Pkcs11Key {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SigningError> {
        self.try_sign(message).map_err(|error| SigningError {
            reason: error.to_string(),
        })
    }
}

impl fmt::Debug for Pkcs11Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Key")
            .field("uri", &self.uri)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}
