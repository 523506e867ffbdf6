//! Where a body ends (RFC 9112 §6.3), for files rather than connections.

use std::borrow::Cow;

use super::text::{Lines, Start, fields};
use crate::Failure;
use crate::message::Field;

/// Reads the body that follows a head with these fields; a chunked one may have trailers.
///
/// Responses of status 1xx, 204 and 304 have none, whatever their fields say (§6.3, rule 1). Else,
/// without Content-Length and Transfer-Encoding, it is all that is left: a file is not cut by the
/// next message.
pub(super) fn read<'t>(
    start: Start<'t>,
    head: &[Field<'t>],
    lines: &mut Lines<'t>,
    trailers: &mut Vec<Field<'t>>,
) -> Result<Cow<'t, [u8]>, Failure> {
    if let Start::Response {
        status: status @ (100..=199 | 204 | 304),
    } = start
    {
        return match lines.rest() {
            b"" | b"\n" | b"\r\n" => Ok(Cow::Borrowed(&[])),
            _ => Err(lines.wrong(format_args!(
                "the file goes on after the head, but a response of status {status} has no body"
            ))),
        };
    }
    let mut codings = values(head, "transfer-encoding");
    if let Some(coding) = codings.next() {
        if !coding.eq_ignore_ascii_case(b"chunked") || codings.next().is_some() {
            let sentence = "a transfer coding other than `chunked` is not undone here";
            return Err(lines.wrong(sentence));
        }
        return chunked(lines, trailers).map(Cow::Owned);
    }
    let mut lengths = values(head, "content-length");
    let Some(text) = lengths.next() else {
        return Ok(Cow::Borrowed(lines.rest()));
    };
    let length = decimal(text).filter(|_| lengths.all(|other| other == text));
    let length = length.ok_or_else(|| lines.wrong("the Content-Length is not one number"))?;
    let found = lines.rest().len();
    let Some(body) = lines.take(length) else {
        return Err(lines.wrong(format_args!(
            "the body has {found} bytes, but its Content-Length is {length}"
        )));
    };
    // Editors end a file with a line end.
    match lines.rest() {
        b"" | b"\n" | b"\r\n" => Ok(Cow::Borrowed(body)),
        rest => Err(lines.wrong(format_args!(
            "{} more bytes after the body, whose Content-Length is {length}",
            rest.len()
        ))),
    }
}

/// RFC 9112 §7.1.
fn chunked<'t>(lines: &mut Lines<'t>, trailers: &mut Vec<Field<'t>>) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let line = lines.next_line().unwrap_or_default();
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let size = hexadecimal(size.trim_ascii()).ok_or_else(|| {
            lines.wrong("no size of a chunk, although Transfer-Encoding is chunked (curl shows chunks with --raw)")
        })?;
        if size == 0 {
            break;
        }
        let chunk = lines.take(size);
        let chunk = chunk.ok_or_else(|| {
            lines.wrong(format_args!(
                "fewer than {size} bytes are left for a chunk of that size"
            ))
        })?;
        body.extend_from_slice(chunk);
        if lines.next_line() != Some(b"") {
            return Err(lines.wrong(format_args!("a chunk goes on after its {size} bytes")));
        }
    }
    *trailers = fields(lines)?.0;
    match lines.rest() {
        b"" | b"\n" | b"\r\n" => Ok(body),
        _ => Err(lines.wrong("the file goes on after the last chunk")),
    }
}

fn values<'h>(head: &'h [Field<'_>], name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    head.iter()
        .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_ascii())
}

fn decimal(text: &[u8]) -> Option<usize> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| is_number)?;
    text.parse().ok()
}

fn hexadecimal(text: &[u8]) -> Option<usize> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(text).ok().filter(|_| is_number)?;
    usize::from_str_radix(text, 16).ok()
}
