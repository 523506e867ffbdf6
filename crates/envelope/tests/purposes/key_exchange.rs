//! The ServerKeyExchange of TLS 1.2 (RFC 8422 §5.4): the one purpose whose first bytes somebody else
//! chooses, all 32 of them.
//!
//! What is signed: client_random (32 bytes, a hostile client's), server_random (32 bytes of the
//! signer's randomness), then the curve and the signer's one-time public key:
//! `03 00 group length point`. Every other purpose refuses it for what stands at offset 64, but for
//! the two in DER, which can hold any bytes there: for those it is the 32 random bytes
//! (docs/threat-model.md, "Somebody with two purposes for one key").

use gangplank_key::{PublicKey, SigningKey};

use crate::bound::PREFIX;
use crate::{Purpose, Signed, keys, purposes};

pub(crate) struct ServerKeyExchange;

impl Purpose for ServerKeyExchange {
    fn name(&self) -> &'static str {
        SERVER_KEY_EXCHANGE
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        let mut client_random = bait.to_vec();
        client_random.resize(32, b' ');
        // Of a seeded generator, as if drawn.
        let server_random: [u8; 32] = [
            0x9c, 0x41, 0xe7, 0x1b, 0x02, 0xd8, 0x5f, 0xa6, 0x33, 0xc4, 0x70, 0x8e, 0xf9, 0x1d,
            0x62, 0xbb, 0x05, 0x97, 0xae, 0x4c, 0xd1, 0x3e, 0x88, 0x20, 0x6b, 0xf3, 0x19, 0xca,
            0x54, 0x7d, 0xe0, 0xb5,
        ];
        Signed::new(
            key,
            [&client_random[..], &server_random, &parameters(GROUPS[0])].concat(),
        )
    }

    /// The client compares the randoms with those of its handshake; here they are whatever suits.
    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let mut groups = GROUPS.iter();
        let parameters = signed.bytes.get(64..).unwrap_or_default();
        let known = groups.any(|(group, length)| {
            parameters.len() == 4 + usize::from(*length)
                && parameters.starts_with(&[3, 0, *group, *length])
        });
        known && signed.verifies(key)
    }
}

/// ECParameters and ECPoint: a named curve, and the point's length before it.
fn parameters((group, length): (u8, u8)) -> Vec<u8> {
    let mut bytes = vec![3, 0, group, length];
    bytes.resize(4 + usize::from(length), 0x5a);
    bytes
}

/// However the 64 random bytes came out, and whatever the one-time key: no text, no bound envelope
/// and no TLS transcript has a ServerKeyExchange's parameters at offset 64.
#[test]
fn no_random_makes_a_key_exchange_pass_for_anything_but_der() {
    for key in keys() {
        let algorithm = key.public_key().algorithm();
        let mut tried = 0;
        for target in purposes(algorithm) {
            let name = target.name();
            if DER.contains(&name) || name == SERVER_KEY_EXCHANGE {
                continue;
            }
            // The best that both randoms could be, and the best that the point could be, too.
            let wanted = target.sign(&*key, &[b'a'; 200]);
            for group in GROUPS {
                let mut bytes = wanted.bytes.clone();
                let head = parameters(group);
                bytes.resize(64 + head.len(), b'a');
                bytes[64..68].copy_from_slice(&head[..4]);
                let signed = Signed {
                    beside: wanted.beside.clone(),
                    ..Signed::new(&*key, bytes)
                };
                assert!(ServerKeyExchange.accepts(key.public_key(), &signed));
                assert!(
                    !target.accepts(key.public_key(), &signed),
                    "{name}, {group:?}"
                );
                tried += 1;
            }
        }
        assert!(tried >= 7 * GROUPS.len());
    }
}

/// The same for the bound envelope, by looking at every way to lay out its seven fields.
#[test]
fn no_layout_of_a_bound_envelope_has_a_curve_at_offset_64() {
    let mut layouts = 0;
    for (group, length) in GROUPS {
        let total = 64 + 4 + usize::from(length);
        let head = [3, 0, group, length];
        layouts += each_layout(total, |layout| {
            assert!(!fits(layout, &head), "{group}: {layout:?}");
        });
    }
    assert!(layouts > 100_000, "{layouts}");
    // The search does find what can be there.
    let mut possible = 0;
    each_layout(133, |layout| possible += usize::from(fits(layout, b"text")));
    assert!(possible > 100, "{possible}");
    println!(
        "layouts of a bound envelope as long as a key exchange: {layouts}, that hold a curve: 0"
    );
}

/// Calls `look` with the lengths of the seven fields, in every way that gives `total` bytes.
fn each_layout(total: usize, mut look: impl FnMut(&[usize; 7])) -> usize {
    let room = total.saturating_sub(PREFIX.len() + 7 * 8 + 32);
    let mut layouts = 0;
    for payload_type in 1..=64.min(room) {
        for id in 1..=128.min(room - payload_type) {
            let room = room - payload_type - id;
            for created in 0..=16.min(room) {
                for nonce in [0].into_iter().chain(22..=86) {
                    for chain in [0, 32] {
                        let Some(audience) = room.checked_sub(created + nonce + chain) else {
                            continue;
                        };
                        look(&[payload_type, id, created, nonce, audience, chain, 32]);
                        layouts += 1;
                    }
                }
            }
        }
    }
    layouts
}

/// Whether such fields could have these bytes at offset 64. The hashes can have any.
fn fits(lengths: &[usize; 7], at_64: &[u8]) -> bool {
    let mut at = PREFIX.len();
    let expected = |offset: usize| offset.checked_sub(64).and_then(|index| at_64.get(index));
    for (number, length) in lengths.iter().enumerate() {
        for (offset, byte) in (*length as u64).to_be_bytes().iter().enumerate() {
            if expected(at + offset).is_some_and(|wanted| wanted != byte) {
                return false;
            }
        }
        at += 8;
        let text = number < 5;
        let content = at..at + length;
        at = content.end;
        let no_text = |offset| expected(offset).is_some_and(|byte| !byte.is_ascii_graphic());
        if text && content.into_iter().any(no_text) {
            return false;
        }
    }
    true
}

pub(crate) const SERVER_KEY_EXCHANGE: &str = "TLS 1.2 ServerKeyExchange";
const DER: [&str; 2] = ["certificate request", "certificate"];

/// The groups of RFC 8422 §5.1.1 and RFC 7027 that a TLS 1.2 stack may have: number, and bytes of the
/// point.
const GROUPS: [(u8, u8); 8] = [
    (23, 65),
    (24, 97),
    (25, 133),
    (26, 65),
    (27, 97),
    (28, 129),
    (29, 32),
    (30, 56),
];
