//! A request or response out of arbitrary bytes: a line of method and URI, or of a status; field
//! lines; an empty line; the body.

use gangplank_message::{Field, Message, Request, Response, Target};

pub fn with_message<T>(
    text: &[u8],
    check: impl FnOnce(Message<'_>, &[Field<'_>], &[u8]) -> T,
) -> Option<T> {
    let (head, body) = match text.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&text[..at], &text[at + 2..]),
        None => (text, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let start = std::str::from_utf8(lines.next()?).ok()?;
    let fields: Vec<Field<'_>> = lines
        .filter_map(|line| {
            let at = line.iter().position(|byte| *byte == b':')?;
            Some((std::str::from_utf8(&line[..at]).ok()?, &line[at + 1..]))
        })
        .collect();
    if let Ok(status) = start.parse() {
        let response = Response::new(status, &fields).with_trailers(&fields);
        return Some(check(Message::Response(&response), &fields, body));
    }
    let (method, uri) = start.split_once(' ')?;
    let target = Target::parse(uri).ok()?;
    let request = Request::new(method, target, &fields).with_trailers(&fields);
    Some(check(Message::Request(&request), &fields, body))
}
