//! DER, one element after the other (X.690 §8.1 and §10), for what is read as it stands in the bytes.

/// The elements in a run of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'d>(&'d [u8]);

impl<'d> Elements<'d> {
    pub(crate) fn of(bytes: &'d [u8]) -> Self {
        Self(bytes)
    }

    /// The elements of the one constructed element that `bytes` are.
    pub(crate) fn inside(tag: u8, bytes: &'d [u8]) -> Option<Self> {
        let mut outer = Self(bytes);
        let content = outer.content(tag)?;
        outer.is_finished().then_some(Self(content))
    }

    /// The next element, its tag and length included.
    pub(crate) fn whole(&mut self) -> Option<&'d [u8]> {
        let header = Header::read(self.0)?;
        let end = header.size.checked_add(header.length)?;
        let (whole, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(whole)
    }

    /// What is inside of the next element, which has to have this tag.
    pub(crate) fn content(&mut self, tag: u8) -> Option<&'d [u8]> {
        let header = Header::read(self.0).filter(|header| header.tag == tag)?;
        let after = self.0.get(header.size..)?;
        let (content, rest) = after.split_at_checked(header.length)?;
        self.0 = rest;
        Some(content)
    }

    /// As [`content`](Self::content), if the next element has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.next_is(tag).then(|| self.content(tag))?
    }

    pub(crate) fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_empty()
    }
}

/// What stands before the content of an element.
pub(crate) struct Header {
    /// The identifier octet.
    pub(crate) tag: u8,
    /// Bytes of the content.
    pub(crate) length: usize,
    /// Bytes of the header itself.
    pub(crate) size: usize,
}

impl Header {
    /// Tags of more than one octet and those of end-of-contents are in nothing that is read here;
    /// lengths are in the shortest form, and of four octets at most.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let (&[tag, first], rest) = der.split_first_chunk()?;
        if tag == 0 || tag & 0x1f == 0x1f {
            return None;
        }
        if first < 0x80 {
            let length = usize::from(first);
            return Some(Self {
                tag,
                length,
                size: 2,
            });
        }
        let count = usize::from(first & 0x7f);
        let octets = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
        let length = octets
            .iter()
            .fold(0u32, |length, octet| length << 8 | u32::from(*octet));
        let is_shortest = length >= 0x80 && octets.first() != Some(&0);
        is_shortest.then_some(Self {
            tag,
            length: usize::try_from(length).ok()?,
            size: 2 + count,
        })
    }
}

/// The identifier octet of a field of a primitive type, implicitly tagged `[number]`.
pub(crate) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// The identifier octet of a field that is explicitly tagged `[number]`.
pub(crate) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

#[cfg(test)]
mod tests {
    use der::{Reader, SliceReader};

    use super::*;

    /// Held against another reader of DER, on every header of four octets and some that are longer.
    #[test]
    fn a_header_is_what_der_reads() {
        let mut agreed = 0;
        let mut der = vec![0; 0x1_0010];
        for tag in [0x02, 0x30, 0x1f, 0xa3, 0x00] {
            for length in 0..=u16::MAX {
                let [high, low] = length.to_be_bytes();
                der[..3].copy_from_slice(&[tag, high, low]);
                let ours = Elements::of(&der).whole();
                let theirs = SliceReader::new(&der)
                    .and_then(|mut reader| reader.tlv_bytes())
                    .ok();
                // The crate has no class for end-of-contents, and knows tags of several octets.
                if tag & 0x1f != 0x1f && tag != 0 {
                    assert_eq!(ours, theirs, "{tag:#x} {length:#x}");
                    agreed += usize::from(ours.is_some());
                } else {
                    assert_eq!(ours, None);
                }
            }
        }
        assert!(agreed > 90_000, "{agreed}");
        let long = |length: &[u8]| {
            Elements::of(&[&[4], length, &[0; 3]].concat())
                .whole()
                .is_some()
        };
        assert!(long(&[3]));
        for longer in [
            &[0x81, 3][..],
            &[0x82, 0, 3],
            &[0x80],
            &[0x85, 0, 0, 0, 0, 3],
            &[0xff],
        ] {
            assert!(!long(longer), "{longer:x?}");
        }
    }
}
