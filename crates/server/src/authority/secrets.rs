//! The two secrets that are not certificate keys: the server's own, and the operator's token.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use core::fmt;
use hmac::digest::common::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::AuthorityError;
use super::files::DataDirectory;

/// 256 random bits that never leave the server; every other secret key is derived from them.
pub struct ServerKey(Zeroizing<[u8; 32]>);

impl ServerKey {
    /// The sub-key for one purpose: HMAC-SHA-256 of `label` under the server's key (RFC 2104).
    ///
    /// The same label always gives the same key, also after a restart; different labels give
    /// unrelated keys.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        // RFC 2104 §2: a key shorter than the hash's block is filled up with zeros. A whole block
        // is what `new` takes, and it cannot fail.
        let mut block = Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(self.0.iter()) {
            *to = *from;
        }
        let mac = Hmac::<Sha256>::new(&block).chain_update(label.as_bytes());
        block.as_mut_slice().zeroize();
        mac.finalize().into_bytes().into()
    }

    pub(super) fn open(directory: &DataDirectory) -> Result<Self, AuthorityError> {
        let text = secret(directory, SERVER_KEY, || {
            let key = random()?;
            Ok(Zeroizing::new(
                key.iter().map(|byte| format!("{byte:02x}")).collect(),
            ))
        })?;
        parse_hex(text.trim_end())
            .map(Self)
            .ok_or_else(|| AuthorityError::Unusable {
                path: directory.path(SERVER_KEY),
                problem: "does not hold 64 hexadecimal digits",
                remedy: "restore it from a backup: every secret the database holds depends on it",
            })
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(..)")
    }
}

/// The bearer token of the operator, who may do everything on the admin listener.
pub struct AdminToken(Zeroizing<String>);

impl AdminToken {
    /// Whether `presented` is the token, in time that does not depend on where they differ.
    pub fn matches(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// The token itself, to be handed to the operator.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn open(directory: &DataDirectory) -> Result<Self, AuthorityError> {
        let text = secret(directory, ADMIN_TOKEN, || {
            Ok(Zeroizing::new(
                BASE64_URL_SAFE_NO_PAD.encode(random()?.as_slice()),
            ))
        })?;
        let token = text.trim_end();
        // An operator may bring a token of their own; what is short enough to be guessed is refused.
        if token.len() < SHORTEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AuthorityError::Unusable {
                path: directory.path(ADMIN_TOKEN),
                problem: "does not hold one line of at least 43 visible ASCII characters",
                remedy: "remove it to have a new token made at the next start",
            });
        }
        Ok(Self(Zeroizing::new(token.to_owned())))
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(..)")
    }
}

/// The text of the secret file `name`, which `make` fills if it is absent.
fn secret(
    directory: &DataDirectory,
    name: &str,
    make: impl FnOnce() -> Result<Zeroizing<String>, AuthorityError>,
) -> Result<Zeroizing<String>, AuthorityError> {
    if directory.read_secret(name)?.is_none() {
        let line = Zeroizing::new(format!("{}\n", make()?.as_str()));
        directory.create(name, &line)?;
    }
    // Read back in either case: a process that started at the same moment may have won the name.
    directory
        .read_secret(name)?
        .ok_or_else(|| AuthorityError::Unusable {
            path: directory.path(name),
            problem: "vanished while it was read",
            remedy: "start again",
        })
}

fn random() -> Result<Zeroizing<[u8; 32]>, AuthorityError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|error| AuthorityError::Make(error.to_string()))?;
    Ok(bytes)
}

fn parse_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut key = Zeroizing::new([0; 32]);
    if pairs.len() != key.len() || !rest.is_empty() {
        return None;
    }
    for (byte, &[high, low]) in key.iter_mut().zip(pairs) {
        let digit = |ascii: u8| {
            char::from(ascii)
                .to_digit(16)
                .and_then(|n| u8::try_from(n).ok())
        };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(key)
}

pub(super) const SERVER_KEY: &str = "server.key";
const ADMIN_TOKEN: &str = "admin.token";
/// 256 bits in base64url.
const SHORTEST_TOKEN: usize = 43;
