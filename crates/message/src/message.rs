use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::{Target, work};

/// One field line: its name, in any case, and its value as received, with or without blanks around
/// it and with line foldings of HTTP/1.1 if it had any. A field with several lines is there several
/// times, in the order of the message.
pub type Field<'m> = (&'m str, &'m [u8]);

/// What a signature covers parts of.
#[derive(Clone, Copy, Debug)]
pub enum Message<'m> {
    /// A request.
    Request(&'m Request<'m>),
    /// A response.
    Response(&'m Response<'m>),
}

impl<'m> From<&'m Request<'m>> for Message<'m> {
    fn from(request: &'m Request<'m>) -> Self {
        Self::Request(request)
    }
}

impl<'m> From<&'m Response<'m>> for Message<'m> {
    fn from(response: &'m Response<'m>) -> Self {
        Self::Response(response)
    }
}

/// A request as its sender meant it, or as its receiver saw it; nothing is copied.
#[derive(Clone, Copy, Debug)]
pub struct Request<'m> {
    pub(crate) method: &'m str,
    pub(crate) target: Target<'m>,
    pub(crate) lines: Lines<'m>,
}

impl<'m> Request<'m> {
    /// A request without trailers.
    pub fn new(method: &'m str, target: Target<'m>, fields: &'m [Field<'m>]) -> Self {
        Self {
            method,
            target,
            lines: Lines::new(fields),
        }
    }

    /// The same request with trailer fields.
    #[must_use]
    pub fn with_trailers(mut self, trailers: &'m [Field<'m>]) -> Self {
        self.lines.trailers = trailers;
        self
    }

    /// The same request, whose application knows these fields to be structured. Names are in small
    /// letters. They come before the fields that this crate knows.
    #[must_use]
    pub fn with_structured_types(mut self, types: &'m [(&'m str, StructuredType)]) -> Self {
        self.lines.types = types;
        self
    }

    /// The method.
    pub fn method(&self) -> &'m str {
        self.method
    }

    /// The target.
    pub fn target(&self) -> &Target<'m> {
        &self.target
    }

    /// The field lines.
    pub fn fields(&self) -> &'m [Field<'m>] {
        self.lines.fields
    }
}

/// A response; nothing is copied.
#[derive(Clone, Copy, Debug)]
pub struct Response<'m> {
    pub(crate) status: u16,
    pub(crate) lines: Lines<'m>,
    pub(crate) request: Option<&'m Request<'m>>,
}

impl<'m> Response<'m> {
    /// A response without trailers, to a request that is not known.
    pub fn new(status: u16, fields: &'m [Field<'m>]) -> Self {
        Self {
            status,
            lines: Lines::new(fields),
            request: None,
        }
    }

    /// The same response, with the request that it answers, for components with `req`.
    #[must_use]
    pub fn answering(mut self, request: &'m Request<'m>) -> Self {
        self.request = Some(request);
        self
    }

    /// The same response with trailer fields.
    #[must_use]
    pub fn with_trailers(mut self, trailers: &'m [Field<'m>]) -> Self {
        self.lines.trailers = trailers;
        self
    }

    /// As [`Request::with_structured_types`].
    #[must_use]
    pub fn with_structured_types(mut self, types: &'m [(&'m str, StructuredType)]) -> Self {
        self.lines.types = types;
        self
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The field lines.
    pub fn fields(&self) -> &'m [Field<'m>] {
        self.lines.fields
    }
}

/// Which kind of structured field a field is (RFC 9651 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StructuredType {
    /// One value.
    Item,
    /// A list.
    List,
    /// A dictionary.
    Dictionary,
}

/// The fields of a message, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines<'m> {
    pub(crate) fields: &'m [Field<'m>],
    pub(crate) trailers: &'m [Field<'m>],
    types: &'m [(&'m str, StructuredType)],
}

impl<'m> Lines<'m> {
    fn new(fields: &'m [Field<'m>]) -> Self {
        Self {
            fields,
            trailers: &[],
            types: &[],
        }
    }

    /// What is known of the field `name`, which is in small letters.
    pub(crate) fn structured_type(&self, name: &str) -> Option<StructuredType> {
        let find = |types: &[(&str, StructuredType)]| {
            let found = types.iter().find(|(known, _)| *known == name);
            found.map(|(_, structured_type)| *structured_type)
        };
        find(self.types).or_else(|| find(KNOWN))
    }
}

/// The values of the lines called `name`, which is in small letters.
pub(crate) fn values_of<'m>(lines: &'m [Field<'m>], name: &str) -> impl Iterator<Item = &'m [u8]> {
    lines
        .iter()
        .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| trim(value))
}

/// Field lines by name, so that each component finds its own without looking at all others.
#[derive(Clone, Debug)]
pub(crate) struct Index<'m>(Vec<&'m Field<'m>>);

impl<'m> Index<'m> {
    pub(crate) fn new(lines: &'m [Field<'m>]) -> Self {
        let mut sorted: Vec<_> = lines.iter().collect();
        // Stable: lines of one name stay in the order of the message.
        sorted.sort_by(|one, other| compare(one.0, other.0));
        Self(sorted)
    }

    /// The values of the lines called `name`.
    pub(crate) fn values_of(&self, name: &str) -> impl Iterator<Item = &'m [u8]> {
        let start = self.0.partition_point(|line| compare(line.0, name).is_lt());
        let found = self.0.get(start..).unwrap_or_default().iter();
        found
            .take_while(move |line| line.0.eq_ignore_ascii_case(name))
            .map(|line| trim(line.1))
    }
}

fn compare(one: &str, other: &str) -> Ordering {
    work::done(1);
    let small = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(small).cmp(other.bytes().map(small))
}

/// Without blanks around it (RFC 9110 §5.5). A folding next to them is a blank, too.
fn trim(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = value.iter().position(|byte| !is_blank(byte));
    let end = value.iter().rposition(|byte| !is_blank(byte));
    match (start, end) {
        (Some(start), Some(end)) => value.get(start..=end).unwrap_or_default(),
        _ => &[],
    }
}

/// Replaces each obsolete line folding by one blank (RFC 9421 §2.1 step 3, RFC 9112 §5.2).
pub(crate) fn unfolded(value: &[u8]) -> Result<Cow<'_, [u8]>, LineEnd> {
    if !value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Ok(Cow::Borrowed(value));
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    for line in value.split(|byte| *byte == b'\n') {
        let next = at + line.len() + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let start = line.iter().position(|byte| !is_blank(byte));
        let end = line.iter().rposition(|byte| !is_blank(byte));
        if at > 0 {
            // A line end that no blank follows is no folding.
            if !line.first().is_some_and(is_blank) {
                return Err(LineEnd { at: at - 1 });
            }
            if out.last() != Some(&b' ') {
                out.push(b' ');
            }
        }
        if let (Some(start), Some(end)) = (start, end) {
            out.extend_from_slice(line.get(start..=end).unwrap_or_default());
        }
        at = next;
    }
    Ok(Cow::Owned(out))
}

/// A line end in a field's value that is no folding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineEnd {
    /// Its byte offset.
    pub(crate) at: usize,
}

/// Some of the fields that are structured by their specifications: those of RFCs 8942, 9209, 9211,
/// 9213, 9218, 9297, 9421, 9440, 9530, 9745 and 9875. The HTTP Field Name Registry has more.
const KNOWN: &[(&str, StructuredType)] = &[
    ("accept-ch", StructuredType::List),
    ("accept-signature", StructuredType::Dictionary),
    ("cache-groups", StructuredType::List),
    ("cache-status", StructuredType::List),
    ("capsule-protocol", StructuredType::Item),
    ("cdn-cache-control", StructuredType::Dictionary),
    ("client-cert", StructuredType::Item),
    ("client-cert-chain", StructuredType::List),
    ("content-digest", StructuredType::Dictionary),
    ("deprecation", StructuredType::Item),
    ("priority", StructuredType::Dictionary),
    ("proxy-status", StructuredType::List),
    ("repr-digest", StructuredType::Dictionary),
    ("signature", StructuredType::Dictionary),
    ("signature-input", StructuredType::Dictionary),
    ("want-content-digest", StructuredType::Dictionary),
    ("want-repr-digest", StructuredType::Dictionary),
];
