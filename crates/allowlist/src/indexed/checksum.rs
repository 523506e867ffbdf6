//! The checksums of an indexed file: sums of 64-bit words, each times a constant of its place.
//!
//! They find decay, not forgery: who can write the file can write its checksums. Sums of products were
//! taken because a machine without vector instructions makes them as fast as memory delivers.

/// Words of a row of 32 bytes.
pub(super) type Row = [u64; 4];

/// A digest as four little-endian words.
#[inline]
pub(super) fn words(digest: &[u8; 32]) -> Row {
    let (words, _) = digest.as_chunks::<8>();
    core::array::from_fn(|at| words.get(at).map_or(0, |word| u64::from_le_bytes(*word)))
}

/// The sum of a row and the number of its entry, 0 for none.
#[inline]
pub(super) fn row_sum(row: &Row, entry: u32) -> u64 {
    let products = row
        .iter()
        .zip(&COLUMNS)
        .map(|(word, constant)| folded(*word).wrapping_mul(*constant));
    products.fold(u64::from(entry).wrapping_mul(ENTRY), u64::wrapping_add)
}

/// What a digest adds to the content of a list. A product, since digests that exchange their entries make
/// another list.
#[inline]
pub(super) fn content_of(digest: &Row, entry: u32) -> u64 {
    row_sum(digest, 0).wrapping_mul(u64::from(entry) * 2 + 1)
}

/// The sum of a bucket while its rows go by.
#[derive(Clone, Copy)]
pub(super) struct BucketSum(u64);

impl BucketSum {
    /// Of bucket `number` of a list with this `content`, which has `rows` rows. A range of rows that is
    /// moved or cut, or was another list's, has another sum.
    #[inline]
    pub(super) const fn new(content: u64, number: u32, rows: u32) -> Self {
        let place = (number as u64) << 32 | rows as u64;
        Self(content.wrapping_add(place.wrapping_mul(FIRST)))
    }

    /// Adds a row and the number of its entry, 0 for none.
    #[inline]
    pub(super) fn add(&mut self, row: &Row, entry: u32) {
        let sum = row_sum(row, entry);
        self.0 = self.0.wrapping_mul(STEP).wrapping_add(sum);
    }

    /// The upper half: what the lower bits do reaches it, not the reverse.
    #[inline]
    pub(super) const fn finish(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// The checksum of a digest in bucket `number` of a list with this `content`: 16 bits, which every one
/// and every two flipped bits change.
#[inline]
pub(super) fn seal(content: u64, number: u32, digest: &Row) -> u64 {
    let start = content.wrapping_add(u64::from(number).wrapping_mul(FIRST));
    start.wrapping_add(row_sum(digest, 0)) >> 48
}

/// The sum of bytes whose number is a multiple of 8; `start` says what they belong to. Every change
/// within one word changes it, since all constants are odd.
pub(super) fn sum(start: u64, bytes: &[u8]) -> u64 {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().fold(start.wrapping_mul(FIRST), |sum, word| {
        let word = folded(u64::from_le_bytes(*word)).wrapping_mul(ENTRY);
        sum.wrapping_mul(STEP).wrapping_add(word)
    })
}

/// Lets the upper half of a word reach the lower bits: a product has little of its highest bits, and
/// two of them would take each other away.
const fn folded(word: u64) -> u64 {
    word ^ (word >> 32)
}

/// Taken from the digits of pi after the point, the lowest bit set. The tests say what else they need.
const COLUMNS: [u64; 4] = [
    0x243f_6a88_85a3_08d3,
    0x3f84_d5b5_b547_0917,
    0xa409_3822_299f_31d1,
    0x082e_fa98_ec4e_6c89,
];
const ENTRY: u64 = 0x4528_21e6_38d0_1377;
const FIRST: u64 = 0xbe54_66cf_34e9_0c6d;
const STEP: u64 = 0xc0ac_29b7_c97c_50dd;

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_of(rows: &[[u8; 32]]) -> u32 {
        let mut sum = BucketSum::new(5, 0x0123_4567, rows.len() as u32);
        rows.iter().for_each(|row| sum.add(&words(row), 7));
        sum.finish()
    }

    fn some_rows(count: usize) -> [Vec<[u8; 32]>; 3] {
        let mut state = 1u64;
        let random = core::iter::repeat_with(|| {
            core::array::from_fn(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 40) as u8
            })
        });
        [
            vec![[0; 32]; count],
            vec![[0xff; 32]; count],
            random.take(count).collect(),
        ]
    }

    fn flip(rows: &mut [[u8; 32]], bit: usize) {
        rows[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
    }

    #[test]
    fn one_flipped_bit_changes_the_sum_of_a_bucket() {
        for mut rows in (1..40).flat_map(some_rows) {
            let right = sum_of(&rows);
            for bit in 0..rows.len() * 256 {
                flip(&mut rows, bit);
                assert_ne!(sum_of(&rows), right);
                flip(&mut rows, bit);
            }
        }
        for number in 0..64 {
            let sum = |entry| {
                let mut sum = BucketSum::new(5, number, 1);
                sum.add(&[1, 2, 3, 4], entry);
                sum.finish()
            };
            assert!((0..32).all(|bit| sum(number) != sum(number ^ 1 << bit)));
        }
    }

    #[test]
    fn two_flipped_bits_change_the_sum_of_a_bucket_of_three_rows() {
        for mut rows in some_rows(3) {
            let right = sum_of(&rows);
            for (one, other) in (0..768).flat_map(|one| (0..one).map(move |other| (one, other))) {
                flip(&mut rows, one);
                flip(&mut rows, other);
                assert_ne!(sum_of(&rows), right, "{one} {other}");
                flip(&mut rows, one);
                flip(&mut rows, other);
            }
        }
    }

    #[test]
    fn a_bucket_that_is_moved_or_cut_has_another_sum() {
        let row = words(&[7; 32]);
        let made = |content, number, rows| {
            let mut sum = BucketSum::new(content, number, rows);
            (0..rows).for_each(|_| sum.add(&row, 0));
            sum.finish()
        };
        let all: std::collections::BTreeSet<u32> = (0..64)
            .flat_map(|number| (0..8).map(move |rows| made(5, number, rows)))
            .chain([made(5 << 40, 0, 1)])
            .collect();
        assert_eq!(all.len(), 64 * 8 + 1);
    }
}
