use core::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use rustls_pki_types::UnixTime;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Nonce, OnceKey};

/// Issues and recognises one-time nonces without remembering them (header `Replay-Nonce`,
/// RFC 8555 §6.5.1).
///
/// A nonce is the time of issue (8 bytes, Unix seconds, big-endian), 8 random bytes, and the first
/// 16 bytes of HMAC-SHA-256 over both. Any process with the same key recognises it. That it is
/// used only once is the business of the caller, who remembers the [`OnceKey`].
pub struct NonceIssuer {
    key: Zeroizing<[u8; 32]>,
    lifetime: Duration,
}

impl NonceIssuer {
    /// `key` is secret and shared by all processes of one server; five minutes is a usual
    /// `lifetime`.
    pub fn new(key: [u8; 32], lifetime: Duration) -> Self {
        Self {
            key: Zeroizing::new(key),
            lifetime,
        }
    }

    /// A new nonce.
    pub fn issue(&self, now: UnixTime, rng: &mut dyn CryptoRng) -> Nonce {
        let mut bytes = [0; TIME + RANDOM + TAG];
        let (body, tag) = bytes.split_at_mut(TIME + RANDOM);
        let (time, random) = body.split_at_mut(TIME);
        time.copy_from_slice(&now.as_secs().to_be_bytes());
        rng.fill_bytes(random);
        for (to, from) in tag.iter_mut().zip(self.mac(body).finalize().into_bytes()) {
            *to = from;
        }
        // 32 bytes are within a nonce's bounds.
        Nonce::from_bytes(&bytes).unwrap_or_else(|_| Nonce::random(rng))
    }

    /// Whether this server issued `nonce` and it has not expired; what must be remembered of it, so
    /// that it is used once.
    ///
    /// # Errors
    /// [`NonceRefused`]: for a forged one nothing more is said.
    pub fn check(&self, nonce: &Nonce, now: UnixTime) -> Result<OnceKey, NonceRefused> {
        // The bytes of an issued nonce are of our own making, so the key is the nonce itself.
        let key: [u8; TIME + RANDOM + TAG] = nonce
            .as_bytes()
            .try_into()
            .map_err(|_| NonceRefused::NotOurs)?;
        let (body, tag) = key.split_at(TIME + RANDOM);
        self.mac(body)
            .verify_truncated_left(tag)
            .map_err(|_| NonceRefused::NotOurs)?;
        let issued = body
            .first_chunk()
            .copied()
            .map(u64::from_be_bytes)
            .unwrap_or_default();
        let until = issued.saturating_add(self.lifetime.as_secs());
        // A clock that was set back must not make an old nonce live long.
        let too_early = issued > now.as_secs().saturating_add(CLOCKS_DIFFER);
        if too_early || until < now.as_secs() {
            return Err(NonceRefused::Expired);
        }
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        Ok(OnceKey {
            key,
            since: at(issued.saturating_sub(CLOCKS_DIFFER)),
            until: at(until),
        })
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = keyed(self.key.as_ref());
        mac.update(b"gangplank replay nonce/1");
        mac.update(body);
        mac
    }
}

impl core::fmt::Debug for NonceIssuer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NonceIssuer")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of every length, so this default is never used.
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key);
    mac.unwrap_or_else(|_| KeyInit::new(&Default::default()))
}

/// Why a nonce proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NonceRefused {
    /// This server did not issue it.
    #[error("the nonce is none of this server's")]
    NotOurs,
    /// It was issued too long ago.
    #[error("the nonce has expired")]
    Expired,
}

/// Seconds by which the clocks of one server's processes may differ: one may see a nonce before the
/// moment at which another issued it.
const CLOCKS_DIFFER: u64 = 5;
const TIME: usize = 8;
const RANDOM: usize = 8;
/// 128 bits of tag: NIST SP 800-107 §5.3 has no use for more against online guessing.
const TAG: usize = 16;

#[cfg(test)]
mod tests;
