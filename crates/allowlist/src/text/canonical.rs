use crate::{Damaged, Entry, ImageDigest, Listing};

use super::{LINE, line};

/// A list as text in its one canonical form: 64 lower-case hex digits and LF for each digest, in ascending
/// order, each once, and nothing else. What is signed has this form, and is searched where it lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CanonicalText<'t> {
    rows: &'t [[u8; LINE]],
}

impl<'t> CanonicalText<'t> {
    /// Reads all of it.
    ///
    /// # Errors
    /// [`NotCanonical`]: the first line that is not as it has to be.
    pub fn read(text: &'t [u8]) -> Result<Self, NotCanonical> {
        let (rows, rest) = text.as_chunks::<LINE>();
        let mut before = None;
        for (at, row) in rows.iter().enumerate() {
            let digest = read_row(row).ok_or(NotCanonical { line: at + 1 })?;
            if before.is_some_and(|before| before >= digest) {
                return Err(NotCanonical { line: at + 1 });
            }
            before = Some(digest);
        }
        match rest {
            [] => Ok(Self { rows }),
            _ => Err(NotCanonical {
                line: rows.len() + 1,
            }),
        }
    }

    /// How many digests it has.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All of it.
    pub const fn as_bytes(&self) -> &'t [u8] {
        self.rows.as_flattened()
    }

    /// The lines, each with its LF.
    #[cfg(feature = "signed")]
    pub(crate) const fn rows(&self) -> &'t [[u8; LINE]] {
        self.rows
    }
}

impl Listing for CanonicalText<'_> {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        // Hex digits are ordered as what they stand for.
        let found = self.rows.binary_search(&line(digest));
        Ok(found.ok().map(|_| Entry::default()))
    }
}

impl core::fmt::Debug for CanonicalText<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CanonicalText")
            .field("len", &self.len())
            .finish()
    }
}

/// A text is no list in canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not 64 lower-case hex digits and a line feed, above the line before")]
pub struct NotCanonical {
    /// The line, from 1.
    pub line: usize,
}

fn read_row(row: &[u8; LINE]) -> Option<ImageDigest> {
    match row {
        [digits @ .., b'\n'] => ImageDigest::from_digits(digits),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(digests: &[u8]) -> Vec<u8> {
        let digests = digests
            .iter()
            .map(|byte| ImageDigest::from_bytes([*byte; 32]));
        digests.flat_map(|digest| line(&digest)).collect()
    }

    #[test]
    fn what_is_on_it_is_found() {
        let text = text(&[0, 9, 10, 0x9f, 0xa0, 0xff]);
        let list = CanonicalText::read(&text).unwrap();
        assert_eq!((list.len(), list.as_bytes()), (6, text.as_slice()));
        for byte in 0..=255 {
            let found = list.find(&ImageDigest::from_bytes([byte; 32])).unwrap();
            assert_eq!(
                found.is_some(),
                [0, 9, 10, 0x9f, 0xa0, 0xff].contains(&byte)
            );
        }
        assert!(CanonicalText::read(b"").unwrap().is_empty());
    }

    #[test]
    fn another_form_is_refused_by_its_line() {
        let good = text(&[1, 2, 3]);
        let changed = |at: usize, byte| {
            let mut text = good.clone();
            text[at] = byte;
            text
        };
        for (line, text) in [
            (2, text(&[1, 1])),
            (3, text(&[1, 3, 2])),
            (3, good[..good.len() - 1].to_vec()),
            (4, [good.clone(), b"\n".to_vec()].concat()),
            (1, changed(64, b' ')),
            (2, changed(70, b'A')),
            (2, changed(70, b'g')),
        ] {
            assert_eq!(CanonicalText::read(&text), Err(NotCanonical { line }));
        }
    }
}
