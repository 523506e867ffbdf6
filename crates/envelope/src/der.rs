/// Whether the bytes are one DER SEQUENCE (X.690 §8.1, §10.1) and nothing after it, as each
/// certificate is. The signature covers the certificates put end to end: only whole ones have one
/// reading. What else a certificate is, whoever reads it finds out.
pub(crate) fn is_one_sequence(der: &[u8]) -> bool {
    let (length, content) = match der {
        [0x30, short @ 0..=0x7f, content @ ..] => (usize::from(*short), content),
        [0x30, 0x81, length @ 0x80..=0xff, content @ ..] => (usize::from(*length), content),
        [0x30, 0x82, high @ 1..=0xff, low, content @ ..] => (number(&[*high, *low]), content),
        [0x30, 0x83, high @ 1..=0xff, middle, low, content @ ..] => {
            (number(&[*high, *middle, *low]), content)
        }
        // No limit that anybody would set lets 16 MiB through.
        _ => return false,
    };
    length != 0 && content.len() == length
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, byte| 256 * number + usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_length(length: &[u8], content: usize) -> Vec<u8> {
        [&[0x30], length, &vec![0; content]].concat()
    }

    #[test]
    fn every_length_has_one_spelling() {
        for (length, content) in [
            (&[0x01][..], 1),
            (&[0x7f], 0x7f),
            (&[0x81, 0x80], 0x80),
            (&[0x81, 0xff], 0xff),
            (&[0x82, 0x01, 0x00], 0x100),
            (&[0x82, 0xff, 0xff], 0xffff),
            (&[0x83, 0x01, 0x00, 0x00], 0x1_0000),
            (&[0x83, 0x02, 0x34, 0x56], 0x2_3456),
        ] {
            assert!(
                is_one_sequence(&with_length(length, content)),
                "{length:x?}"
            );
            for other in [content - 1, content + 1] {
                assert!(!is_one_sequence(&with_length(length, other)), "{length:x?}");
            }
        }
        for (length, content) in [
            (&[][..], 0),
            (&[0x00], 0),
            (&[0x80], 0),
            (&[0x81, 0x7f], 0x7f),
            (&[0x82, 0x00, 0xff], 0xff),
            (&[0x83, 0x00, 0xff, 0xff], 0xffff),
        ] {
            assert!(
                !is_one_sequence(&with_length(length, content)),
                "{length:x?}"
            );
        }
        assert!(!is_one_sequence(b"\x31\x01\x00"));
    }
}
