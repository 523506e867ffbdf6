//! The Ed25519 points that backends judge differently, judged once here.
//!
//! RFC 8032 §5.1.3 wants canonical encodings; §5.1.7 leaves points of small order open, and
//! libraries differ: dalek's strict verification refuses them, aws-lc accepts some. A key or an R
//! of small order lets one signature verify for many messages, so neither is accepted.

use curve25519_dalek::edwards::CompressedEdwardsY;

/// Whether `bytes` is the canonical encoding of a curve point that is not of small order.
pub(crate) fn is_strict_point(bytes: &[u8; 32]) -> bool {
    let encoded = CompressedEdwardsY(*bytes);
    encoded
        .decompress()
        .is_some_and(|point| point.compress() == encoded && !point.is_small_order())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_point_is_strict() {
        // RFC 8032 §5.1: the base point, y = 4/5.
        let mut base = [0x66; 32];
        base[0] = 0x58;
        assert!(is_strict_point(&base));
    }

    #[test]
    fn small_order_and_non_canonical_points_are_not() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(!is_strict_point(&identity), "identity");
        assert!(!is_strict_point(&[0; 32]), "order 4");
        // y = p + 1, a second way to write the identity.
        let mut non_canonical = [0xff; 32];
        non_canonical[0] = 0xee;
        non_canonical[31] = 0x7f;
        assert!(!is_strict_point(&non_canonical), "non-canonical identity");
        assert!(!is_strict_point(&[0xff; 32]), "y beyond the field");
    }
}
