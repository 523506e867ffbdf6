//! HTTP/1.1 messages as RFCs print them: lines end with LF, and parts may be left out.

use gangplank_message::{Field, Message, Request, Response, StructuredType, Target};

/// A message in parts.
pub(crate) struct Text {
    start: Option<String>,
    fields: Vec<(String, Vec<u8>)>,
    trailers: Vec<(String, Vec<u8>)>,
    host: String,
}

impl Text {
    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let (start, head) = match head.split_once('\n').unwrap_or((head, "")) {
            (first, rest) if first.contains("HTTP/1.1") => (Some(first.to_owned()), rest),
            _ => (None, head),
        };
        // A chunked body ends with a chunk of length 0, and trailers after it.
        let trailers = match head.contains("chunked") {
            true => body.split_once("\n0\n").unwrap_or_default().1,
            false => "",
        };
        let fields = lines(head);
        let host = fields.iter().find(|(name, _)| name == "Host");
        let host = host.map_or("www.example.com", |(_, value)| {
            std::str::from_utf8(value).unwrap().trim()
        });
        Self {
            start,
            host: host.to_owned(),
            trailers: lines(trailers),
            fields,
        }
    }

    pub(crate) fn fields(&self) -> Vec<Field<'_>> {
        borrowed(&self.fields)
    }

    pub(crate) fn request<'t>(&'t self, scheme: &'t str) -> Request<'t> {
        let line = self.start.as_deref().unwrap_or("GET / HTTP/1.1");
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let target = Target::from_request_line(scheme, &self.host, target).unwrap();
        Request::new(method, target, self.fields().leak())
            .with_trailers(borrowed(&self.trailers).leak())
            .with_structured_types(TYPES)
    }

    /// Calls `check` with the message; a response answers `request`.
    pub(crate) fn with_message<T>(
        &self,
        scheme: &str,
        request: &Request<'_>,
        check: impl FnOnce(Message<'_>) -> T,
    ) -> T {
        match self
            .start
            .as_deref()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        {
            Some(status) => {
                let fields = self.fields();
                let trailers = borrowed(&self.trailers);
                let response = Response::new(status[..3].parse().unwrap(), &fields)
                    .with_trailers(&trailers)
                    .with_structured_types(TYPES)
                    .answering(request);
                check(Message::Response(&response))
            }
            None => check(Message::Request(&self.request(scheme))),
        }
    }
}

fn borrowed(fields: &[(String, Vec<u8>)]) -> Vec<Field<'_>> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect()
}

fn lines(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        // An obsolete line folding goes on with the value of the line before.
        if line.starts_with([' ', '\t']) {
            let value = &mut fields.last_mut().expect("a field").1;
            value.push(b'\n');
            value.extend(line.as_bytes());
        } else {
            let (name, value) = line.split_once(':').expect("a field");
            fields.push((name.to_owned(), value.as_bytes().to_vec()));
        }
    }
    fields
}

const TYPES: &[(&str, StructuredType)] = &[("example-dict", StructuredType::Dictionary)];
