use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _, digest::Key};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::Secret;

/// The key under which a server keeps secrets: whoever reads its database alone can neither use
/// nor test them.
///
/// A plain keyed hash is enough, because the secrets are machine-made and have 256 bits; a slow
/// password hash would only cap the server's token requests.
pub struct StorageKey(Zeroizing<[u8; 32]>);

impl StorageKey {
    /// Takes 32 secret bytes that are used for nothing else.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// HMAC-SHA-256 (RFC 2104) of the secret's text: what a database holds and is searched by.
    pub fn stored(&self, secret: &impl Secret) -> StoredSecret {
        // RFC 2104 §2 pads a short key with zeros to the hash's block; doing so here leaves nothing
        // that can fail.
        let mut block = Key::<Hmac<Sha256>>::default();
        block
            .iter_mut()
            .zip(self.0.iter())
            .for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new(&block);
        block.zeroize();
        mac.update(secret.expose().as_bytes());
        StoredSecret(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageKey(redacted)")
    }
}

/// What a server keeps of a secret. Compared in constant time.
#[derive(Clone, Copy)]
pub struct StoredSecret([u8; 32]);

impl StoredSecret {
    /// Takes bytes that were read back from storage.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for StoredSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for StoredSecret {}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientSecret, GitToken};

    /// printf gpcs_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 | openssl dgst -sha256 -mac HMAC
    /// -macopt hexkey:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
    const BY_OPENSSL: &str = "8b660786e4a66b27984a913ed942cfd1a2e0e3c0911707da6a6c65398f497cb0";

    fn key() -> StorageKey {
        StorageKey::new(core::array::from_fn(|i| u8::try_from(i).unwrap()))
    }

    #[test]
    fn what_is_stored_is_the_hmac_that_openssl_computes() {
        let secret = ClientSecret::generate(&mut crate::secret::tests::Counting(0));
        let stored = key().stored(&secret);
        let hex: String = stored
            .as_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(hex, BY_OPENSSL);
    }

    #[test]
    fn only_the_same_secret_under_the_same_key_compares_equal() {
        let one = ClientSecret::from_wire("one".into()).unwrap();
        let two = GitToken::from_wire("two".into()).unwrap();
        assert_eq!(key().stored(&one), key().stored(&one));
        assert_ne!(key().stored(&one), key().stored(&two));
        assert_ne!(key().stored(&one), StorageKey::new([0; 32]).stored(&one));
        let back = StoredSecret::from_bytes(*key().stored(&one).as_bytes());
        assert_eq!(back, key().stored(&one));
    }

    #[test]
    fn debug_shows_nothing() {
        let secret = ClientSecret::from_wire("one".into()).unwrap();
        assert_eq!(format!("{:?}", key()), "StorageKey(redacted)");
        assert_eq!(
            format!("{:?}", key().stored(&secret)),
            "StoredSecret(redacted)"
        );
    }
}
