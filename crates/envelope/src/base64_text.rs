//! base64 as the envelope spells it: one text for each sequence of bytes (RFC 4648 §3.5).

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;

use crate::limits::base64_length;

/// RFC 4648 §4 base64, padded.
pub(crate) fn standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Appends RFC 4648 §4 base64, padded.
pub(crate) fn append_standard(bytes: &[u8], text: &mut Vec<u8>) {
    let begin = text.len();
    text.resize(begin + base64_length(bytes.len()), 0);
    if let Some(room) = text.get_mut(begin..) {
        write_standard(bytes, room);
    }
}

/// Writes RFC 4648 §4 base64, padded, into `room`, which has its length.
pub(crate) fn write_standard(bytes: &[u8], room: &mut [u8]) {
    // It does not fail, because the room has the length.
    let _ = STANDARD.encode_slice(bytes, room);
}

/// Reads RFC 4648 §4 base64, padded and canonical, into `bytes`, in place of what was there. After
/// an error it is empty.
pub(crate) fn read_standard(text: &[u8], bytes: &mut Vec<u8>) -> Result<(), NotBase64> {
    make_room(bytes, base64::decoded_len_estimate(text.len()));
    let read = STANDARD.decode_slice(text, bytes);
    bytes.truncate(read.as_ref().copied().unwrap_or(0));
    read.map(|_| ()).map_err(|_| NotBase64)
}

/// Makes `bytes` that long, for all of it to be written over: old bytes stay, new ones are zeros of the
/// allocator's, and a buffer that is too small goes before a larger one comes.
pub(crate) fn make_room(bytes: &mut Vec<u8>, length: usize) {
    if bytes.capacity() < length {
        *bytes = Vec::new();
        *bytes = alloc::vec![0; length];
    } else {
        bytes.resize(length, 0);
    }
}

/// The text is not base64 in its one canonical spelling.
#[derive(Debug)]
pub(crate) struct NotBase64;

/// With `std` the processor is asked which vector instructions it has, once; what is accepted is
/// the same.
#[cfg(all(feature = "std", any(target_arch = "x86_64", target_arch = "aarch64")))]
static STANDARD: std::sync::LazyLock<base64::engine::simd::Simd> = std::sync::LazyLock::new(|| {
    base64::engine::simd::Simd::standard(base64::engine::general_purpose::PAD)
});
#[cfg(not(all(feature = "std", any(target_arch = "x86_64", target_arch = "aarch64"))))]
use base64::engine::general_purpose::STANDARD;

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    /// The scalar engine says the same of the text as ours, whichever that is.
    fn agreed(text: &[u8]) -> bool {
        let scalar = BASE64_STANDARD.decode(text);
        // A buffer that held something else, as a caller's does.
        let mut bytes = alloc::vec![0xa5; text.len() / 2];
        let read = read_standard(text, &mut bytes).is_ok();
        assert_eq!(read, scalar.is_ok(), "{}", text.escape_ascii());
        assert_eq!(bytes, scalar.unwrap_or_default());
        read
    }

    #[test]
    fn a_buffer_is_used_again_where_it_is_large_enough() {
        let mut bytes = alloc::vec![7; 10];
        make_room(&mut bytes, 15);
        // No copy of what was there, and no room to spare.
        assert_eq!((bytes.capacity(), &bytes), (15, &alloc::vec![0; 15]));
        bytes.fill(7);
        make_room(&mut bytes, 15);
        assert_eq!(bytes, [7; 15]);
        make_room(&mut bytes, 3);
        assert_eq!((bytes.capacity(), &bytes), (15, &alloc::vec![7; 3]));
    }

    // Without the vector engine the comparison would say nothing.
    const _: () = assert!(cfg!(feature = "std"), "test with the feature std");

    #[test]
    fn every_byte_at_every_place_of_a_vector() {
        // Longer than two vectors, so that bytes lie in the vectors and in the scalar rest.
        let bytes: Vec<u8> = (0..=160).map(|n: u8| n.wrapping_mul(89)).collect();
        for length in [47, 48, 49, 95, 96, 97, 160, 161] {
            let good = BASE64_STANDARD.encode(&bytes[..length]).into_bytes();
            assert!(agreed(&good));
            for at in 0..good.len() {
                for byte in 0..=255 {
                    let mut text = good.clone();
                    text[at] = byte;
                    agreed(&text);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn text_is_written_as_the_scalar_engine_writes_it(bytes in any::<Vec<u8>>(), times in 1usize..40) {
            let bytes = bytes.repeat(times);
            let mut text = b"before".to_vec();
            append_standard(&bytes, &mut text);
            let scalar = BASE64_STANDARD.encode(&bytes);
            prop_assert_eq!(&text[6..], scalar.as_bytes());
            prop_assert_eq!(text.len() - 6, base64_length(bytes.len()));
            prop_assert!(agreed(&text[6..]));
        }

        #[test]
        fn changed_text_is_refused_alike(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            changes in prop::collection::vec((any::<usize>(), 0usize..3, "[A-Za-z0-9+/=_ \n-]{0,3}"), 1..4),
        ) {
            let mut text = BASE64_STANDARD.encode(&bytes).into_bytes();
            for (at, removed, inserted) in changes {
                let at = at % (text.len() + 1);
                let end = text.len().min(at + removed);
                text.splice(at..end, inserted.into_bytes());
            }
            agreed(&text);
        }
    }
}
