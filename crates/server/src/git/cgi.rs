//! The head that a CGI program writes before its body (RFC 3875 §6.3), read strictly.

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, PRAGMA},
};

/// Status and the headers that are passed on.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

/// The program wrote something else than a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAHead;

/// Reads the head at the start of `output`: with it, how long it is; `None` when more output is needed.
///
/// Lines end in CR LF, as those of `git http-backend` do. Headers it has no business to set are left out.
pub(super) fn parse(output: &[u8]) -> Result<Option<(Head, usize)>, NotAHead> {
    let Some(end) = output.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if output.len() < MAX_HEAD {
            Ok(None)
        } else {
            Err(NotAHead)
        };
    };
    if end >= MAX_HEAD {
        return Err(NotAHead);
    }
    let text = output
        .get(..end)
        .and_then(|head| core::str::from_utf8(head).ok())
        .ok_or(NotAHead)?;
    let mut status = None;
    let mut headers = HeaderMap::new();
    for line in text.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or(NotAHead)?;
        let value = value.trim_matches(' ');
        if name.eq_ignore_ascii_case("status") {
            if status.replace(parse_status(value)?).is_some() {
                return Err(NotAHead);
            }
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| NotAHead)?;
        let value = HeaderValue::from_str(value).map_err(|_| NotAHead)?;
        if PASSED_ON.contains(&name) && headers.insert(name, value).is_some() {
            return Err(NotAHead);
        }
    }
    let head = Head {
        status: status.unwrap_or(StatusCode::OK),
        headers,
    };
    Ok(Some((head, end + 4)))
}

/// `404 Not Found`: the reason is for people.
fn parse_status(value: &str) -> Result<StatusCode, NotAHead> {
    let (digits, _reason) = value.split_once(' ').unwrap_or((value, ""));
    StatusCode::from_bytes(digits.as_bytes()).map_err(|_| NotAHead)
}

const PASSED_ON: [HeaderName; 4] = [CACHE_CONTROL, CONTENT_TYPE, EXPIRES, PRAGMA];
/// `git http-backend` writes less than 300 bytes.
const MAX_HEAD: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// The output of `git http-backend` 2.47.3 for `GET info/refs?service=git-upload-pack`, up to the first packet.
    const REFS: &[u8] = b"Expires: Fri, 01 Jan 1980 00:00:00 GMT\r\nPragma: no-cache\r\n\
        Cache-Control: no-cache, max-age=0, must-revalidate\r\n\
        Content-Type: application/x-git-upload-pack-advertisement\r\n\r\n001e# service=git-upload-pack\n";

    #[test]
    fn the_head_of_git() {
        let (head, length) = parse(REFS).unwrap().unwrap();
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(
            head.headers[CONTENT_TYPE],
            "application/x-git-upload-pack-advertisement"
        );
        assert_eq!(head.headers.len(), 4);
        assert!(REFS[length..].starts_with(b"001e#"));
        for cut in 0..length {
            assert!(parse(&REFS[..cut]).unwrap().is_none(), "{cut}");
        }
    }

    #[test]
    fn a_status_is_read_and_foreign_headers_are_left_out() {
        let (head, _) = parse(b"Status: 403 Forbidden\r\nSet-Cookie: a=b\r\nLocation: /x\r\n\r\n")
            .unwrap()
            .unwrap();
        assert_eq!(head.status, StatusCode::FORBIDDEN);
        assert!(head.headers.is_empty());
    }

    #[test]
    fn anything_else_is_refused() {
        for output in [
            &b"\r\n\r\n"[..],
            b"fatal\r\n\r\n",
            b"Status: 99\r\n\r\n",
            b"Status: 200\r\nStatus: 200\r\n\r\n",
            b"Pragma: a\r\nPragma: b\r\n\r\n",
            b"Content Type: a\r\n\r\n",
            b"Pragma: a\nb\r\n\r\n",
            b"Pragma: \xff\r\n\r\n",
        ] {
            assert!(parse(output).is_err(), "{}", output.escape_ascii());
        }
        assert!(parse(&[b'a'; MAX_HEAD]).is_err());
    }
}
