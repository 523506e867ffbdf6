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
        let too_early = issued > now.as_secs().saturating_add(self.lifetime.as_secs());
        if too_early || until < now.as_secs() {
            return Err(NonceRefused::Expired);
        }
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        Ok(OnceKey {
            key,
            since: at(issued),
            until: at(until),
        })
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        // HMAC takes keys of every length, so this default is never used.
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.key.as_ref());
        let mut mac = mac.unwrap_or_else(|_| KeyInit::new(&Default::default()));
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

const TIME: usize = 8;
const RANDOM: usize = 8;
/// 128 bits of tag: NIST SP 800-107 §5.3 has no use for more against online guessing.
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use gangplank_testkit::{TestRng, python};

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    fn issuer() -> NonceIssuer {
        NonceIssuer::new([7; 32], Duration::from_secs(300))
    }

    #[test]
    fn a_nonce_holds_for_its_lifetime() {
        let nonce = issuer().issue(at(1000), &mut TestRng::new(1));
        let once = OnceKey {
            key: nonce.as_bytes().try_into().unwrap(),
            since: at(1000),
            until: at(1300),
        };
        // Up to its lifetime too early: processes of one server do not agree to the second.
        for now in [700, 1000, 1300] {
            assert_eq!(issuer().check(&nonce, at(now)), Ok(once));
        }
        for now in [699, 1301] {
            let refused = issuer().check(&nonce, at(now));
            assert_eq!(refused, Err(NonceRefused::Expired));
        }
    }

    #[test]
    fn nobody_else_can_issue_one() {
        let nonce = issuer().issue(at(1000), &mut TestRng::new(1));
        let other = NonceIssuer::new([8; 32], Duration::from_secs(300));
        assert_eq!(other.check(&nonce, at(1000)), Err(NonceRefused::NotOurs));
        for at_byte in 0..32 {
            let mut bytes = nonce.as_bytes().to_vec();
            bytes[at_byte] ^= 1;
            let forged = Nonce::from_bytes(&bytes).unwrap();
            assert_eq!(
                issuer().check(&forged, at(1000)),
                Err(NonceRefused::NotOurs)
            );
        }
        let random = Nonce::random(&mut TestRng::new(2));
        assert_eq!(
            issuer().check(&random, at(1000)),
            Err(NonceRefused::NotOurs)
        );
    }

    #[test]
    fn the_key_is_not_printed() {
        let shown = format!("{:?}", issuer());
        assert_eq!(shown, "NonceIssuer { lifetime: 300s, .. }");
    }

    #[test]
    fn no_two_are_alike() {
        let mut rng = TestRng::new(3);
        let one = issuer().issue(at(1000), &mut rng);
        assert_ne!(one, issuer().issue(at(1000), &mut rng));
    }

    #[test]
    fn the_tag_is_the_one_python_computes() {
        let nonce = issuer().issue(at(1000), &mut TestRng::new(1));
        let (body, tag) = nonce.as_bytes().split_at(16);
        let script = "import hmac,sys\n\
            body=sys.stdin.buffer.read()\n\
            mac=hmac.digest(bytes([7]*32),b'gangplank replay nonce/1'+body,'sha256')\n\
            sys.stdout.buffer.write(mac[:16])";
        if let Some(expected) = python(script, body) {
            assert_eq!(tag, expected);
        }
    }
}
