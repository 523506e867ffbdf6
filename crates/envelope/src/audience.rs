use alloc::string::String;
use core::fmt;

mod ipv6;

/// For whom a payload is meant: the root URL of the party, in canonical form (member `audience`).
///
/// Canonical: scheme `https` or `http` and host in lower case, an IPv4 address as four decimal
/// numbers without leading zeros, a port only if it is not the scheme's default, a path of
/// unreserved characters and `:` without a final `/`; no user, query, fragment, percent-encoding,
/// empty segment or dot segment. At most 2,048 bytes. Two audiences are equal if their bytes are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audience(String);

impl Audience {
    /// Takes a canonical audience; nothing is normalised.
    ///
    /// # Errors
    /// [`AudienceError`], which names the first part that is not canonical.
    pub fn parse(text: &str) -> Result<Self, AudienceError> {
        if text.len() > 2048 {
            return Err(AudienceError::TooLong);
        }
        let (default_port, rest) = if let Some(rest) = text.strip_prefix("https://") {
            ("443", rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            ("80", rest)
        } else {
            return Err(AudienceError::Scheme);
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, Some(path)),
            None => (rest, None),
        };
        check_authority(authority, default_port)?;
        if let Some(path) = path
            && !path.split('/').all(is_segment)
        {
            return Err(AudienceError::Path);
        }
        Ok(Self(String::from(text)))
    }

    /// The audience as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no canonical [`Audience`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AudienceError {
    /// More than 2,048 bytes.
    #[error("an audience has at most 2048 bytes")]
    TooLong,
    /// The scheme.
    #[error("an audience begins with `https://` or `http://` in lower case")]
    Scheme,
    /// The host.
    #[error(
        "an audience's host is a name, an IPv4 address or a bracketed IPv6 address in lower case"
    )]
    Host,
    /// The port.
    #[error(
        "an audience's port is a number from 1 to 65535 without leading zeros, and is left out if it is the scheme's default"
    )]
    Port,
    /// The path.
    #[error(
        "an audience's path has non-empty segments of letters, digits, `-`, `.`, `_`, `~` and `:`, and no final `/`"
    )]
    Path,
}

fn check_authority(authority: &str, default_port: &str) -> Result<(), AudienceError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(literal) => {
            let (address, rest) = literal.split_once(']').ok_or(AudienceError::Host)?;
            if !ipv6::is_canonical(address) {
                return Err(AudienceError::Host);
            }
            (None, rest)
        }
        None => match authority.find(':') {
            Some(at) => authority
                .split_at_checked(at)
                .map_or((Some(authority), ""), |(h, p)| (Some(h), p)),
            None => (Some(authority), ""),
        },
    };
    if !host.is_none_or(is_host) {
        return Err(AudienceError::Host);
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(digits) if digits != default_port && is_port(digits) => Ok(()),
        _ => Err(AudienceError::Port),
    }
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    let mut ends_in_number = false;
    let is_name = host.len() <= 253
        && host.split('.').all(|label| {
            ends_in_number = is_number(label);
            is_label(label)
        });
    // Readers of URLs take a host that ends in a number for an IPv4 address, in one of many spellings
    // (WHATWG URL §3.5): 127.1, 0177.0.0.1, 2130706433.
    is_name && (!ends_in_number || ipv6::is_ipv4(host))
}

fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => label.bytes().all(|b| b.is_ascii_digit()),
    }
}

fn is_port(digits: &str) -> bool {
    !digits.starts_with('0')
        && digits.bytes().all(|b| b.is_ascii_digit())
        && digits.parse::<u16>().is_ok()
}

fn is_segment(segment: &str) -> bool {
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b':');
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use AudienceError as E;

    #[test]
    fn canonical_urls_are_taken_as_they_are() {
        for text in [
            "https://wfm.example",
            "https://wfm.example/margo",
            "https://wfm.example:8443/a/b",
            "http://127.0.0.1:8080",
            "https://255.255.255.255/a",
            "https://1.2.3.4.5.example",
            "https://127.0.0.1a",
            "https://[::1]:9443/x",
            "https://wfm.example/certificate/urn:dev:mac:01",
        ] {
            assert_eq!(Audience::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn an_audience_has_at_most_2048_bytes() {
        let long = |length: usize| {
            let start = "https://wfm.example/";
            alloc::format!("{start}{}", "a".repeat(length - start.len()))
        };
        assert!(Audience::parse(&long(2048)).is_ok());
        assert_eq!(Audience::parse(&long(2049)), Err(E::TooLong));
    }

    #[test]
    fn everything_else_is_refused_by_part() {
        for (text, error) in [
            ("", E::Scheme),
            ("HTTPS://wfm.example", E::Scheme),
            ("ftp://wfm.example", E::Scheme),
            ("https://", E::Host),
            ("https://WFM.example", E::Host),
            ("https://user@wfm.example", E::Host),
            ("https://wfm..example", E::Host),
            ("https://[::0001]", E::Host),
            ("https://010.0.0.1", E::Host),
            ("https://127.1", E::Host),
            ("https://256.0.0.1", E::Host),
            ("https://2130706433", E::Host),
            ("https://1.2.3.4.5", E::Host),
            ("https://wfm.1:8443", E::Host),
            ("https://0x7f000001", E::Host),
            ("https://127.0.0.0x1", E::Host),
            ("https://0x", E::Host),
            ("https://[::1", E::Host),
            ("https://wfm.example:443", E::Port),
            ("http://wfm.example:80", E::Port),
            ("https://wfm.example:", E::Port),
            ("https://wfm.example:08443", E::Port),
            ("https://wfm.example:65536", E::Port),
            ("https://[::1]x", E::Port),
            ("https://wfm.example/", E::Path),
            ("https://wfm.example/a//b", E::Path),
            ("https://wfm.example/a/../b", E::Path),
            ("https://wfm.example/a%20b", E::Path),
            ("https://wfm.example/a?b", E::Path),
            ("https://wfm.example/a#b", E::Path),
        ] {
            assert_eq!(Audience::parse(text), Err(error), "{text}");
        }
        let long = alloc::format!("https://wfm.example/{}", "a".repeat(2048));
        assert_eq!(Audience::parse(&long), Err(E::TooLong));
    }
}
