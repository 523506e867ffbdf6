//! User and password of HTTP Basic authentication (RFC 7617): how git presents a token.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// Reads the value of an `Authorization` header: the user, and the password in memory that is wiped when dropped.
///
/// `None` when it is not Basic, longer than 8 KiB, not canonical base64 of UTF-8 text, has no colon, or holds a
/// control character (RFC 7617 §2). The user ends at the first colon; the password may hold more of them.
#[must_use]
pub fn parse_basic(header: &str) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if header.len() > MAX_HEADER || !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim_matches(' ')).ok()?);
    let text = core::str::from_utf8(&decoded).ok()?;
    if text.chars().any(char::is_control) {
        return None;
    }
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), Zeroizing::new(password.to_owned())))
}

const MAX_HEADER: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rfc_example() {
        // RFC 7617 §2.
        let (user, password) = parse_basic("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
        assert_eq!(
            (user.as_str(), password.as_str()),
            ("Aladdin", "open sesame")
        );
    }

    #[test]
    fn the_password_keeps_its_colons_and_the_scheme_has_no_case() {
        let header = format!("bAsIc  {}", STANDARD.encode("a:b:c"));
        let (user, password) = parse_basic(&header).unwrap();
        assert_eq!((user.as_str(), password.as_str()), ("a", "b:c"));
    }

    #[test]
    fn other_headers_are_refused() {
        let long = format!("Basic {}", STANDARD.encode(vec![b'a'; 7000]));
        let (newline, no_colon, not_text) = (
            STANDARD.encode("a:b\nc"),
            STANDARD.encode("ab"),
            STANDARD.encode([b'a', b':', 0xff]),
        );
        for header in [
            "",
            "Basic",
            "Basic ",
            "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
            "BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            &long,
            &format!("Basic {newline}"),
            &format!("Basic {no_colon}"),
            &format!("Basic {not_text}"),
        ] {
            assert!(parse_basic(header).is_none(), "{header}");
        }
    }
}
