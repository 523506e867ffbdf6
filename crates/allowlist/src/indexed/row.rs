//! How a digest lies in the file.

use super::checksum::{Row, seal, words};
use super::header::Header;
use crate::ImageDigest;

impl Header {
    /// Whether each row has a checksum of its own: there are so many buckets that a digest's first two
    /// bytes can be told from its bucket and the two after them, and leave their place to it.
    #[inline]
    pub(super) const fn seals(&self) -> bool {
        self.buckets >= 1 << 16
    }

    /// A digest as the rows of its bucket have it.
    #[inline]
    pub(super) fn row_of(&self, bucket: u32, digest: &ImageDigest) -> Row {
        let mut row = words(digest.as_bytes());
        if self.seals() {
            row[0] = row[0] >> 16 << 16 | seal(self.content, bucket, &row);
        }
        row
    }

    /// The digest of a row; `None` if the row does not belong to the bucket, or its seal is wrong.
    pub(super) fn digest_of(&self, bucket: u32, row: &[u8; 32]) -> Option<ImageDigest> {
        let mut digest = *row;
        if self.seals() {
            let (first, _) = digest.split_first_chunk_mut::<4>()?;
            let lowest = (u64::from(bucket) << 32).div_ceil(u64::from(self.buckets));
            let [_, _, third, fourth] = *first;
            let behind = u16::from_be_bytes([third, fourth]).wrapping_sub(lowest as u16);
            *first = u32::try_from(lowest + u64::from(behind))
                .ok()?
                .to_be_bytes();
        }
        let belongs = self.bucket_of(&digest) == bucket;
        let digest = ImageDigest::from_bytes(digest);
        (belongs && self.row_of(bucket, &digest) == words(row)).then_some(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(buckets: u32) -> Header {
        Header {
            count: 0,
            buckets,
            numbered: false,
            records: 0,
            entries_length: 0,
            log_slots: 0,
            serial: 0,
            content: 0x0123_4567_89ab_cdef,
        }
    }

    fn digests() -> impl Iterator<Item = [u8; 32]> {
        let ends = [0u32, 1, 0xffff, 0x1_0000, u32::MAX - 0xffff, u32::MAX];
        let firsts = (0..=u16::MAX)
            .step_by(7)
            .map(|high| u32::from(high) << 16 | 0x8000);
        ends.into_iter().chain(firsts).map(|first| {
            let mut digest = [first as u8; 32];
            digest[..4].copy_from_slice(&first.to_be_bytes());
            digest
        })
    }

    /// How many digests lie in the file as they are, and how many rows would be believed one bucket on.
    fn written_and_read(buckets: u32) -> [usize; 2] {
        let header = header(buckets);
        let mut found = [0, 0];
        for digest in digests() {
            let bucket = header.bucket_of(&digest);
            let digest = ImageDigest::from_bytes(digest);
            let row = header.row_of(bucket, &digest).map(u64::to_le_bytes);
            let row: [u8; 32] = row.as_flattened().try_into().unwrap();
            assert_eq!(header.digest_of(bucket, &row), Some(digest), "{buckets}");
            let next = (bucket + 1) % buckets;
            found[0] += usize::from(row == *digest.as_bytes());
            found[1] += usize::from(next != bucket && header.digest_of(next, &row).is_some());
        }
        found
    }

    #[test]
    fn a_row_is_read_as_what_was_written() {
        let all = digests().count();
        for buckets in [1, 9, 65_535] {
            assert_eq!(written_and_read(buckets), [all, 0], "{buckets}");
        }
        // A seal is right by chance once in 65,536 times.
        for buckets in [65_536, 65_537, 4_444_445, u32::MAX] {
            let [as_they_are, elsewhere] = written_and_read(buckets);
            assert!(as_they_are < 4 && elsewhere < 4, "{buckets}");
        }
    }

    fn flip(digest: &mut [u8; 32], bit: usize) {
        digest[bit / 8] ^= 1 << (bit % 8);
    }

    #[test]
    fn one_or_two_flipped_bits_make_another_seal() {
        for mut digest in digests().step_by(97) {
            let right = seal(3, 77, &words(&digest));
            for one in 0..256 {
                flip(&mut digest, one);
                let made = seal(3, 77, &words(&digest));
                assert_ne!(made, right, "{one}");
                // The other one may be a bit of the seal.
                assert!(one < 16 || (made ^ right).count_ones() > 1, "{one}");
                for other in 0..one {
                    flip(&mut digest, other);
                    assert_ne!(seal(3, 77, &words(&digest)), right, "{one} {other}");
                    flip(&mut digest, other);
                }
                flip(&mut digest, one);
            }
        }
    }

    #[test]
    fn a_row_of_another_list_is_not_believed() {
        let (one, mut other) = (header(4_444_445), header(4_444_445));
        other.content += 1 << 50;
        let believed = digests().filter(|digest| {
            let bucket = one.bucket_of(digest);
            let row = one.row_of(bucket, &ImageDigest::from_bytes(*digest));
            let row = row.map(u64::to_le_bytes);
            other
                .digest_of(bucket, row.as_flattened().try_into().unwrap())
                .is_some()
        });
        assert_eq!(believed.count(), 0);
    }
}
