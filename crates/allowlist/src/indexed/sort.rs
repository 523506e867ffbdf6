use super::checksum::words;
use crate::ImageDigest;

/// Puts digests in ascending order.
///
/// Distributes them by their first two bytes, in place, and then sorts what lies close together: ten
/// million random digests take half the time of the library's sort.
pub fn sort(digests: &mut [ImageDigest]) {
    distribute(digests, 0);
}

/// Numbers in the order of the digests, which are compared sooner than bytes.
#[inline]
pub fn order(digest: &ImageDigest) -> [u64; 4] {
    words(digest.as_bytes()).map(u64::swap_bytes)
}

fn distribute(digests: &mut [ImageDigest], byte: usize) {
    if byte == BYTES || digests.len() < SMALL {
        digests.sort_unstable_by_key(order);
        return;
    }
    let key = |digest: &ImageDigest| digest.as_bytes().get(byte).copied().unwrap_or_default();
    let mut counts = [0usize; 256];
    for digest in digests.iter() {
        if let Some(count) = counts.get_mut(usize::from(key(digest))) {
            *count += 1;
        }
    }
    exchange(digests, &counts, key);
    let mut rest = digests;
    for count in counts {
        let (group, after) = rest.split_at_mut(count);
        distribute(group, byte + 1);
        rest = after;
    }
}

/// Brings each digest into the group of its key: whichever is in the wrong group changes places with
/// the first in the right group that was not looked at.
fn exchange(digests: &mut [ImageDigest], counts: &[usize; 256], key: impl Fn(&ImageDigest) -> u8) {
    let mut next = [0usize; 256];
    let mut end = 0;
    for (next, count) in next.iter_mut().zip(counts) {
        *next = end;
        end += count;
    }
    let mut end = 0;
    for (group, count) in counts.iter().enumerate() {
        end += count;
        loop {
            let place = next.get(group).copied().filter(|place| *place < end);
            let Some((place, digest)) = place.and_then(|place| Some((place, digests.get(place)?)))
            else {
                break;
            };
            let Some(right) = next.get_mut(usize::from(key(digest))) else {
                break;
            };
            digests.swap(place, *right);
            *right += 1;
        }
    }
}

/// Bytes to distribute by, which leaves 150 of ten million in a group.
const BYTES: usize = 2;
/// Fewer are sorted at once.
const SMALL: usize = 512;
