//! A request or response out of arbitrary bytes: a line of method and URI, or of a status; field
//! lines, which may be folded; an empty line; the body. The fields are the trailers, too, and those
//! of the request that a response answers.

use gangplank_message::{Field, Message, Request, Response, StructuredType, Target};

pub fn with_message<T>(
    text: &[u8],
    check: impl FnOnce(Message<'_>, &[Field<'_>], &[u8]) -> T,
) -> Option<T> {
    let (head, body) = match text.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&text[..at], &text[at + 2..]),
        None => (text, &[][..]),
    };
    let at = head.iter().position(|byte| *byte == b'\n');
    let (start, head) = head.split_at(at.unwrap_or(head.len()));
    let start = std::str::from_utf8(start).ok()?;
    let fields: Vec<Field<'_>> = field_lines(head)
        .filter_map(|line| {
            let at = line.iter().position(|byte| *byte == b':')?;
            Some((std::str::from_utf8(&line[..at]).ok()?, &line[at + 1..]))
        })
        .collect();
    if let Ok(status) = start.parse() {
        let target = Target::parse("https://a.example/b?c=d&e=%C3%A9").ok()?;
        let asked = Request::new("PUT", target, &fields)
            .with_trailers(&fields)
            .with_structured_types(TYPES);
        let response = Response::new(status, &fields)
            .with_trailers(&fields)
            .with_structured_types(TYPES)
            .answering(&asked);
        return Some(check(Message::Response(&response), &fields, body));
    }
    let (method, uri) = start.split_once(' ')?;
    let target = Target::parse(uri).ok()?;
    let request = Request::new(method, target, &fields)
        .with_trailers(&fields)
        .with_structured_types(TYPES);
    Some(check(Message::Request(&request), &fields, body))
}

/// The lines after a line end; one that begins with a blank belongs to the one before.
fn field_lines(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        rest = rest.strip_prefix(b"\n")?;
        let ends = |pair: &[u8]| pair[0] == b'\n' && !matches!(pair[1], b' ' | b'\t');
        let length = rest.windows(2).position(ends).unwrap_or(rest.len());
        let (line, after) = rest.split_at(length);
        rest = after;
        Some(line)
    })
}

/// What no specification says, an application may know.
const TYPES: &[(&str, StructuredType)] = &[
    ("a", StructuredType::Item),
    ("b", StructuredType::List),
    ("c", StructuredType::Dictionary),
];
