//! Which token a URI names, and how to get into it.

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};

use super::{KeyUri, Pin, Pkcs11Error};

/// A token, and where it is.
pub(super) struct Token {
    pub(super) slot: Slot,
    pub(super) label: String,
    info: TokenInfo,
}

/// The one token that agrees with the URI. More than one is an error: the PIN of one token, given to
/// another, would bring that nearer to locking itself.
pub(super) fn find(module: &Pkcs11, uri: &KeyUri) -> Result<Token, Pkcs11Error> {
    let present = tokens(module)?;
    let labels = present.iter().map(|token| token.label.clone()).collect();
    let is_library = library_agrees(module, uri)?;
    let mut matching: Vec<Token> = present
        .into_iter()
        .filter(|token| is_library && token.agrees(module, uri))
        .collect();
    match (matching.pop(), matching.is_empty()) {
        (Some(token), true) => Ok(token),
        (Some(last), false) => Err(Pkcs11Error::SeveralTokens {
            matching: matching.iter().chain([&last]).map(Token::name).collect(),
        }),
        (None, _) => Err(Pkcs11Error::NoToken { present: labels }),
    }
}

impl Token {
    /// Logs in with `pin`, at most once.
    pub(super) fn log_in(&self, session: &Session, pin: Option<&Pin>) -> Result<(), Pkcs11Error> {
        let token = || self.label.clone();
        let has_keypad = self.info.protected_authentication_path();
        let pin = match pin {
            None if !self.info.login_required() => return Ok(()),
            None if !has_keypad => return Err(Pkcs11Error::PinNeeded { token: token() }),
            pin => pin.map(Pin::expose),
        };
        if self.info.user_pin_locked() {
            let reason = "its PIN is locked";
            return Err(Pkcs11Error::Locked {
                token: token(),
                reason,
            });
        }
        // At a keypad sits a person, who can take the risk.
        if self.info.user_pin_final_try() && pin.is_some() {
            return Err(Pkcs11Error::LastTry { token: token() });
        }
        match session.login(UserType::User, pin.as_ref()) {
            // All sessions of a process share one login.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(error) => Err(self.refusal(error)),
        }
    }

    fn refusal(&self, error: Error) -> Pkcs11Error {
        let token = self.label.clone();
        let Error::Pkcs11(value, _) = error else {
            return error.into();
        };
        let reason = match value {
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => {
                return Pkcs11Error::PinRefused { token };
            }
            RvError::PinLocked => "its PIN is locked",
            RvError::PinExpired => "its PIN has expired",
            RvError::UserPinNotInitialized => "its PIN has not been set",
            _ => return error.into(),
        };
        Pkcs11Error::Locked { token, reason }
    }

    fn agrees(&self, module: &Pkcs11, uri: &KeyUri) -> bool {
        let info = &self.info;
        let token = [
            ("token", info.label()),
            ("manufacturer", info.manufacturer_id()),
            ("model", info.model()),
            ("serial", info.serial_number()),
        ];
        let slot = |info: cryptoki::slot::SlotInfo| {
            uri.agrees(&[
                ("slot-description", info.slot_description()),
                ("slot-manufacturer", info.manufacturer_id()),
            ])
        };
        uri.agrees(&token)
            && uri.slot_id().is_none_or(|id| id == self.slot.id())
            && module.get_slot_info(self.slot).is_ok_and(slot)
    }

    fn name(&self) -> String {
        format!("{} (serial {})", self.label, self.info.serial_number())
    }
}

/// The tokens that can hold a key. A slot that fails has none.
fn tokens(module: &Pkcs11) -> Result<Vec<Token>, Pkcs11Error> {
    let token = |slot| {
        let info = module.get_token_info(slot).ok()?;
        info.token_initialized().then(|| Token {
            slot,
            label: info.label().to_owned(),
            info,
        })
    };
    let slots = module.get_slots_with_token()?;
    Ok(slots.into_iter().filter_map(token).collect())
}

fn library_agrees(module: &Pkcs11, uri: &KeyUri) -> Result<bool, Pkcs11Error> {
    let info = module.get_library_info()?;
    let version = (
        info.library_version().major(),
        info.library_version().minor(),
    );
    Ok(uri.library_version().is_none_or(|wanted| wanted == version)
        && uri.agrees(&[
            ("library-manufacturer", info.manufacturer_id()),
            ("library-description", info.library_description()),
        ]))
}
