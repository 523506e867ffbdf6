//! An HTTP/1.1 message as text (RFC 9112): out of a capture, or pasted by a person.
//!
//! Line ends may be CR LF or LF alone. Nothing is normalised, so that a signature base has what the
//! sender wrote; `gangplank-message` does what RFC 9421 asks for, obsolete line folding included.

use std::borrow::Cow;

use super::body;
use crate::message::Field;
use crate::{Exit, Failure};

/// A message in parts; only a chunked body is copied.
#[derive(Debug)]
pub(super) struct HttpText<'t> {
    pub(super) start: Start<'t>,
    pub(super) fields: Vec<Field<'t>>,
    pub(super) trailers: Vec<Field<'t>>,
    /// The body without chunks, or why the file does not have it whole.
    pub(super) body: Result<Cow<'t, [u8]>, Failure>,
    text: &'t [u8],
    /// Where the lines of the head end, the empty one apart.
    head_end: usize,
}

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start<'t> {
    Request { method: &'t str, target: &'t str },
    Response { status: u16 },
}

impl<'t> HttpText<'t> {
    /// Reads a message to its end.
    ///
    /// A body that is not whole is no error here: a base hardly ever needs it.
    pub(super) fn read(text: &'t [u8]) -> Result<Self, Failure> {
        let mut lines = Lines::new(text);
        let start = start(&mut lines)?;
        let (fields, head_end) = fields(&mut lines)?;
        let mut trailers = Vec::new();
        let body = body::read(start, &fields, &mut lines, &mut trailers);
        Ok(Self {
            start,
            fields,
            trailers,
            body,
            text,
            head_end,
        })
    }

    /// The body, where the file has it whole.
    pub(super) fn whole_body(&self) -> Result<&[u8], Failure> {
        match &self.body {
            Ok(body) => Ok(body),
            Err(failure) => Err(Failure::new(failure.exit(), failure)),
        }
    }

    /// The part with the signatures: the head, or else the trailers (RFC 9421 §4.3).
    pub(super) fn signed_fields(&self) -> &[Field<'t>] {
        let has_any = |fields: &[Field<'_>]| {
            fields
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("signature-input"))
        };
        if !has_any(&self.fields) && has_any(&self.trailers) {
            return &self.trailers;
        }
        &self.fields
    }

    /// The same message with these lines after its other fields, and its own kind of line ends.
    pub(super) fn with_fields(&self, added: &[(&str, &str)]) -> Vec<u8> {
        let (head, rest) = self
            .text
            .split_at_checked(self.head_end)
            .unwrap_or((self.text, &[]));
        let line_end: &[u8] = match self.text.iter().position(|byte| *byte == b'\n') {
            Some(at)
                if self
                    .text
                    .get(..at)
                    .is_some_and(|line| line.ends_with(b"\r")) =>
            {
                b"\r\n"
            }
            Some(_) => b"\n",
            None => b"\r\n",
        };
        let mut out = Vec::with_capacity(self.text.len() + 1024);
        out.extend_from_slice(head);
        if !head.ends_with(b"\n") {
            // The file ends in the middle of a line end.
            if head.ends_with(b"\r") && line_end == b"\r\n" {
                out.pop();
            }
            out.extend_from_slice(line_end);
        }
        for (name, value) in added {
            out.extend_from_slice(format!("{name}: {value}").as_bytes());
            out.extend_from_slice(line_end);
        }
        if rest.is_empty() {
            out.extend_from_slice(line_end);
        }
        out.extend_from_slice(rest);
        out
    }
}

/// The lines of a text, counted.
pub(super) struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    number: usize,
}

/// A line without its end, and where it begins.
struct Line<'t> {
    bytes: &'t [u8],
    start: usize,
}

impl<'t> Lines<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            number: 0,
        }
    }

    /// A failure at the line taken last.
    pub(super) fn wrong(&self, sentence: impl std::fmt::Display) -> Failure {
        Failure::new(Exit::No, sentence).while_doing(format_args!("line {}", self.number.max(1)))
    }

    /// The next line, without its end.
    pub(super) fn next_line(&mut self) -> Option<&'t [u8]> {
        self.next().map(|line| line.bytes)
    }

    /// What is left, all of it.
    pub(super) fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next `length` bytes, if there are as many.
    pub(super) fn take(&mut self, length: usize) -> Option<&'t [u8]> {
        let bytes = self.rest().get(..length)?;
        self.at = self.at.saturating_add(length);
        self.number += bytes.iter().filter(|byte| **byte == b'\n').count();
        Some(bytes)
    }

    fn next(&mut self) -> Option<Line<'t>> {
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        let length = rest.iter().position(|byte| *byte == b'\n');
        let bytes = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        let line = Line {
            bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes),
            start: self.at,
        };
        self.at = self.text.len().min(self.at + bytes.len() + 1);
        self.number += 1;
        Some(line)
    }
}

fn start<'t>(lines: &mut Lines<'t>) -> Result<Start<'t>, Failure> {
    // RFC 9112 §2.2 has empty lines before a request ignored, and so they may be pasted.
    let line = loop {
        match lines.next_line() {
            Some([]) => {}
            Some(line) => break line,
            None => return Err(lines.wrong("there is no message")),
        }
    };
    let malformed = || {
        lines.wrong("neither a request line, such as `GET / HTTP/1.1`, nor a status line, such as `HTTP/1.1 200 OK`")
    };
    let line = std::str::from_utf8(line).map_err(|_| malformed())?;
    let (first, rest) = line.split_once(' ').ok_or_else(malformed)?;
    if is_version(first) {
        let code = rest.split(' ').next().unwrap_or_default();
        let is_code = code.len() == 3 && code.bytes().all(|digit| digit.is_ascii_digit());
        let status = code.parse().ok().filter(|_| is_code);
        return status
            .map(|status| Start::Response { status })
            .ok_or_else(|| lines.wrong("the status code is not of three digits"));
    }
    let (target, version) = rest.trim_end().rsplit_once(' ').ok_or_else(malformed)?;
    if !is_version(version) || target.is_empty() || target.contains(' ') || !is_token(first) {
        return Err(malformed());
    }
    Ok(Start::Request {
        method: first,
        target,
    })
}

/// Reads field lines up to and with the empty line, and says where they ended.
pub(super) fn fields<'t>(lines: &mut Lines<'t>) -> Result<(Vec<Field<'t>>, usize), Failure> {
    let text = lines.text;
    let mut found: Vec<(&'t str, usize, usize)> = Vec::new();
    let mut end = lines.at;
    while let Some(line) = lines.next() {
        if line.bytes.is_empty() {
            break;
        }
        end = lines.at;
        let value_end = line.start + line.bytes.len();
        if matches!(line.bytes, [b' ' | b'\t', ..]) {
            let Some(last) = found.last_mut() else {
                return Err(lines.wrong("a blank before the first field name"));
            };
            last.2 = value_end;
            continue;
        }
        let colon = line.bytes.iter().position(|byte| *byte == b':');
        let colon = colon.ok_or_else(|| lines.wrong("no colon after a field name"))?;
        let name = line.bytes.get(..colon).unwrap_or_default();
        let name = std::str::from_utf8(name).ok().filter(|name| is_token(name));
        let name = name.ok_or_else(|| {
            lines.wrong("a field name is not made of letters, digits and !#$%&'*+-.^_`|~")
        })?;
        found.push((name, line.start + colon + 1, value_end));
    }
    let fields = found
        .into_iter()
        .map(|(name, start, end)| (name, text.get(start..end).unwrap_or_default()))
        .collect();
    Ok((fields, end))
}

fn is_version(text: &str) -> bool {
    text.strip_prefix("HTTP/").is_some_and(|number| {
        matches!(number.as_bytes(), [major] if major.is_ascii_digit())
            || matches!(number.as_bytes(), [major, b'.', minor]
                if major.is_ascii_digit() && minor.is_ascii_digit())
    })
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
