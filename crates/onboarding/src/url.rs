use alloc::{
    format,
    string::{String, ToString as _},
};
use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use crate::RootUrl;

/// An `https` address that an orchestrator hands out: its token endpoint, a repository.
///
/// Scheme and host are in lower case and port 443 is left out; path and query stay as they were
/// written (RFC 3986 characters only). No user or password, since a secret in an address ends up in
/// logs, and no fragment. At most 2048 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpsUrl {
    text: String,
    authority: Authority,
}

impl HttpsUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`UrlError`] names the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (authority, rest) = split(text)?;
        if let Some(found) = rest.chars().find(|c| !is_url_char(*c)) {
            return Err(UrlError::Character(found));
        }
        let path = rest.split('?').next().unwrap_or_default();
        // "%2e" is a dot to most programs that resolve paths.
        let dots = |segment: &str| {
            matches!(
                segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
                "." | ".."
            )
        };
        if path.split('/').any(dots) {
            return Err(UrlError::DotSegment);
        }
        Ok(Self {
            text: format!("https://{authority}{rest}"),
            authority,
        })
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host without brackets, as a TLS server name has it.
    pub fn host(&self) -> &str {
        &self.authority.host
    }

    /// The port, 443 if none was written.
    pub fn port(&self) -> u16 {
        self.authority.port
    }

    /// Whether this address has the host and port of `root` (RFC 6454 §4).
    pub fn same_origin(&self, root: &RootUrl) -> bool {
        self.authority == *root.origin()
    }
}

impl fmt::Display for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpsUrl({})", self.text)
    }
}

/// Why a text is no address that this crate accepts; always the fault of whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Longer than 2048 bytes.
    #[error("the address is longer than {MAX_URL} bytes")]
    TooLong,
    /// Another scheme than `https`, or none.
    #[error("the address does not begin with https://")]
    Scheme,
    /// A user or password before the host.
    #[error("the address contains a user or a password")]
    User,
    /// No DNS name, IPv4 address or IPv6 address in brackets.
    #[error("the host is no dns name, ipv4 address or ipv6 address in brackets")]
    Host,
    /// No number from 1 to 65535.
    #[error("the port is no number from 1 to 65535")]
    Port,
    /// A query, where none belongs.
    #[error("the address has a query")]
    Query,
    /// A fragment.
    #[error("the address has a fragment")]
    Fragment,
    /// A character that the path or query cannot have.
    #[error("the path contains {0:?}, which is not allowed there")]
    Character(char),
    /// An empty path segment.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// A path segment `.` or `..`.
    #[error("the path has a segment of dots")]
    DotSegment,
}

/// Host and port, canonical.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Authority {
    /// In lower case, an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        match self.port {
            DEFAULT_PORT => Ok(()),
            port => write!(f, ":{port}"),
        }
    }
}

/// Splits an `https` address into its authority and what follows it, which is empty or begins with
/// `/` or `?`.
pub(crate) fn split(text: &str) -> Result<(Authority, &str), UrlError> {
    if text.len() > MAX_URL {
        return Err(UrlError::TooLong);
    }
    let (scheme, after) = text.split_once("://").ok_or(UrlError::Scheme)?;
    if !scheme.eq_ignore_ascii_case("https") {
        return Err(UrlError::Scheme);
    }
    if after.contains('#') {
        return Err(UrlError::Fragment);
    }
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (authority, rest) = after.split_at_checked(end).ok_or(UrlError::Host)?;
    Ok((parse_authority(authority)?, rest))
}

fn parse_authority(text: &str) -> Result<Authority, UrlError> {
    if text.contains('@') {
        return Err(UrlError::User);
    }
    let (host, port) = if let Some(inner) = text.strip_prefix('[') {
        let (address, after) = inner.split_once(']').ok_or(UrlError::Host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| UrlError::Host)?;
        (address.to_string(), after)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        let (name, after) = text.split_at_checked(end).ok_or(UrlError::Host)?;
        (parse_name(name)?, after)
    };
    let port = match port.strip_prefix(':') {
        Some(digits) => parse_port(digits)?,
        None if port.is_empty() => DEFAULT_PORT,
        None => return Err(UrlError::Host),
    };
    Ok(Authority { host, port })
}

/// A DNS name (RFC 1123 §2.1) or an IPv4 address. Names whose last label is a number are no DNS
/// names but the short and octal forms of IPv4 that resolvers read differently.
fn parse_name(text: &str) -> Result<String, UrlError> {
    let last = text.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.starts_with("0x") || last.starts_with("0X");
    if hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit()) {
        let address: Ipv4Addr = text.parse().map_err(|_| UrlError::Host)?;
        return Ok(address.to_string());
    }
    let label = |label: &str| {
        matches!(label.len(), 1..=63)
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match text.len() <= 253 && text.split('.').all(label) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(UrlError::Host),
    }
}

fn parse_port(digits: &str) -> Result<u16, UrlError> {
    // `u16::from_str` also reads a sign.
    if digits.len() > 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(UrlError::Port);
    }
    match digits.parse() {
        Ok(0) | Err(_) => Err(UrlError::Port),
        Ok(port) => Ok(port),
    }
}

/// `pchar`, `/` and `?` (RFC 3986 §3.3, §3.4); the two digits after a `%` are the receiver's to
/// check, since nothing here is decoded.
fn is_url_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%/?".contains(c)
}

/// The longest address, in bytes: what common proxies and clients carry.
pub(crate) const MAX_URL: usize = 2048;

pub(crate) const DEFAULT_PORT: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scheme_and_host_are_made_canonical_and_the_rest_stays() {
        let url = HttpsUrl::parse("HTTPS://WFM.Example:443/Token?a=b%20c").unwrap();
        assert_eq!(url.as_str(), "https://wfm.example/Token?a=b%20c");
        let git = "https://wfm.example:8443/git/d:1=2.git";
        assert_eq!(HttpsUrl::parse(git).unwrap().as_str(), git);
    }

    #[test]
    fn the_origin_is_host_and_port() {
        let root = RootUrl::parse("https://wfm.example/margo").unwrap();
        let same = |text| HttpsUrl::parse(text).unwrap().same_origin(&root);
        assert!(same("https://wfm.example:443/oauth2/token"));
        assert!(!same("https://wfm.example:8443/margo"));
        assert!(!same("https://wfm.example.org/margo"));
    }

    #[test]
    fn what_is_dangerous_or_broken_is_refused() {
        for (text, error) in [
            ("http://a/", UrlError::Scheme),
            ("ssh://git@a/", UrlError::Scheme),
            ("a/b", UrlError::Scheme),
            ("https://user:pw@a/", UrlError::User),
            ("https:///a", UrlError::Host),
            ("https://a_b/", UrlError::Host),
            ("https://a\\b/", UrlError::Host),
            ("https://[fe80::1%25eth0]/", UrlError::Host),
            ("https://127.1/", UrlError::Host),
            ("https://0X7f000001/", UrlError::Host),
            ("https://a:/", UrlError::Port),
            ("https://a:+1/", UrlError::Port),
            ("https://a/#b", UrlError::Fragment),
            ("https://a/b\nc", UrlError::Character('\n')),
            ("https://a/b c", UrlError::Character(' ')),
            ("https://a/\\b", UrlError::Character('\\')),
            ("https://a/b/../c", UrlError::DotSegment),
            ("https://a/b/%2E./c", UrlError::DotSegment),
        ] {
            assert_eq!(HttpsUrl::parse(text), Err(error), "{text}");
        }
        let long = format!("https://a/{}", "b".repeat(2048));
        assert_eq!(HttpsUrl::parse(&long), Err(UrlError::TooLong));
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent_and_never_panics(text in "(https://)?[a-zA-Z0-9.:@/?\\[\\]%é-]{0,40}") {
            if let Ok(url) = HttpsUrl::parse(&text) {
                prop_assert_eq!(HttpsUrl::parse(url.as_str()), Ok(url));
            }
        }
    }
}
