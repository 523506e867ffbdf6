//! DER, one element after the other (X.690 §8.1), for what has to be seen as it stands in the bytes.

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

/// The elements in a run of bytes.
pub(crate) struct Elements<'d>(SliceReader<'d>);

impl<'d> Elements<'d> {
    pub(crate) fn of(bytes: &'d [u8]) -> Option<Self> {
        SliceReader::new(bytes).ok().map(Self)
    }

    /// The elements of the one constructed element that `bytes` are.
    pub(crate) fn inside(tag: Tag, bytes: &'d [u8]) -> Option<Self> {
        let mut outer = Self::of(bytes)?;
        let content = outer.content(tag)?;
        outer.is_finished().then(|| Self::of(content))?
    }

    /// The next element, its tag and length included.
    pub(crate) fn whole(&mut self) -> Option<&'d [u8]> {
        self.0.tlv_bytes().ok()
    }

    /// What is inside of the next element, which has to have this tag.
    pub(crate) fn content(&mut self, tag: Tag) -> Option<&'d [u8]> {
        let (found, content) = self.any()?;
        (found == tag).then_some(content)
    }

    /// As [`content`](Self::content), if the next element has this tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Option<&'d [u8]> {
        self.next_is(tag).then(|| self.content(tag))?
    }

    /// Tag and content of the next element.
    pub(crate) fn any(&mut self) -> Option<(Tag, &'d [u8])> {
        let element = AnyRef::decode(&mut self.0).ok()?;
        Some((element.header().tag(), element.value()))
    }

    pub(crate) fn next_is(&self, tag: Tag) -> bool {
        Tag::peek(&self.0).is_ok_and(|found| found == tag)
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// An implicitly tagged field of a primitive type, `[number]`.
pub(crate) const fn implicit(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: false,
        number: TagNumber(number),
    }
}

/// An explicitly tagged field, `[number]`.
pub(crate) const fn explicit(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(number),
    }
}
