use alloc::{format, string::String};
use core::fmt;

use crate::{
    HttpsUrl, UrlError,
    url::{Authority, DEFAULT_PORT, split},
};

/// Where an orchestrator is; all paths of the API are below it.
///
/// Canonical: scheme and host in lower case, no port 443, no final `/`, no user, query, fragment or
/// percent-encoding, path segments of `A–Z a–z 0–9 . _ ~ -`, none empty, `.` or `..`. Two root URLs
/// are the same exactly if their texts are, so a text can be signed as an audience.
///
/// Only `https`: the device's credentials travel below this URL, and what a signed answer does not
/// cover (token answers, statuses) is protected by TLS alone. A server behind a balancer that ends
/// TLS still has an `https` root URL, the balancer's.
///
/// ```
/// use gangplank_onboarding::RootUrl;
///
/// let root = RootUrl::parse("HTTPS://WFM.Example:443/margo/")?;
/// assert_eq!(root.as_str(), "https://wfm.example/margo");
/// assert_eq!(root.join("/oauth2/token"), "https://wfm.example/margo/oauth2/token");
/// # Ok::<(), gangplank_onboarding::UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootUrl {
    text: String,
    authority: Authority,
}

impl RootUrl {
    /// Reads what a person typed, and makes it canonical.
    ///
    /// # Errors
    /// [`UrlError`] names the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (authority, rest) = split(text)?;
        let path = rest.strip_suffix('/').unwrap_or(rest);
        if path.contains('?') {
            return Err(UrlError::Query);
        }
        path.split('/').skip(1).try_for_each(check_segment)?;
        Ok(Self {
            text: format!("https://{authority}{path}"),
            authority,
        })
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host as a TLS server name has it: a DNS name, an IPv4 address, or an IPv6 address without
    /// brackets.
    pub fn host(&self) -> &str {
        &self.authority.host
    }

    /// The port, 443 if none was written.
    pub fn port(&self) -> u16 {
        self.authority.port
    }

    /// Whether the port is 443, so that neither the URL nor a `Host` header has it.
    pub fn is_default_port(&self) -> bool {
        self.authority.port == DEFAULT_PORT
    }

    /// The path before every path of the API: empty, or `/` and segments without a final `/`.
    pub fn path_prefix(&self) -> &str {
        let after_scheme = self.text.get("https://".len()..).unwrap_or_default();
        match after_scheme.find('/') {
            Some(start) => after_scheme.get(start..).unwrap_or_default(),
            None => "",
        }
    }

    /// The URL of a path below this one. `path` begins with `/` and is appended as it is.
    pub fn join(&self, path: &str) -> String {
        match path.starts_with('/') {
            true => format!("{}{path}", self.text),
            false => format!("{}/{path}", self.text),
        }
    }

    /// [`join`](Self::join), checked.
    ///
    /// # Errors
    /// [`UrlError`] names the rule that `path` breaks.
    pub fn url(&self, path: &str) -> Result<HttpsUrl, UrlError> {
        HttpsUrl::parse(&self.join(path))
    }

    pub(crate) fn origin(&self) -> &Authority {
        &self.authority
    }
}

impl fmt::Display for RootUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RootUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootUrl({})", self.text)
    }
}

fn check_segment(segment: &str) -> Result<(), UrlError> {
    let unreserved = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | '-');
    match segment {
        "" => Err(UrlError::EmptySegment),
        "." | ".." => Err(UrlError::DotSegment),
        _ => match segment.chars().find(|c| !unreserved(*c)) {
            Some(found) => Err(UrlError::Character(found)),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_type_becomes_canonical() {
        for (typed, canonical) in [
            ("https://wfm.example", "https://wfm.example"),
            ("https://wfm.example/", "https://wfm.example"),
            ("HTTPS://WFM.example:443", "https://wfm.example"),
            ("https://wfm.example:0443/", "https://wfm.example"),
            (
                "https://wfm.example:8443/Margo/v1/",
                "https://wfm.example:8443/Margo/v1",
            ),
            ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
            ("https://[0:0::1]:8443/", "https://[::1]:8443"),
            ("https://[2001:DB8::A]", "https://[2001:db8::a]"),
        ] {
            assert_eq!(
                RootUrl::parse(typed).unwrap().as_str(),
                canonical,
                "{typed}"
            );
        }
    }

    #[test]
    fn what_is_no_root_url_is_refused() {
        for (text, error) in [
            ("", UrlError::Scheme),
            ("wfm.example", UrlError::Scheme),
            ("http://wfm.example", UrlError::Scheme),
            (" https://wfm.example", UrlError::Scheme),
            ("https://", UrlError::Host),
            ("https://wfm..example", UrlError::Host),
            ("https://wfm.example.", UrlError::Host),
            ("https://-wfm.example", UrlError::Host),
            ("https://wfm.exämple", UrlError::Host),
            ("https://::1", UrlError::Host),
            ("https://[::1", UrlError::Host),
            ("https://[::1]8443", UrlError::Host),
            ("https://010.0.0.1", UrlError::Host),
            ("https://a:0", UrlError::Port),
            ("https://a:65536", UrlError::Port),
            ("https://a:b", UrlError::Port),
            ("https://user@a", UrlError::User),
            ("https://a?b", UrlError::Query),
            ("https://a/b?", UrlError::Query),
            ("https://a#b", UrlError::Fragment),
            ("https://a/b%20c", UrlError::Character('%')),
            ("https://a/b:c", UrlError::Character(':')),
            ("https://a//b", UrlError::EmptySegment),
            ("https://a//", UrlError::EmptySegment),
            ("https://a/./b", UrlError::DotSegment),
            ("https://a/b/..", UrlError::DotSegment),
        ] {
            assert_eq!(RootUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_parts_are_those_of_the_text() {
        let root = RootUrl::parse("https://[::1]:8443/margo/v1").unwrap();
        assert_eq!((root.host(), root.port()), ("::1", 8443));
        assert_eq!(root.path_prefix(), "/margo/v1");
        assert!(!root.is_default_port());
        assert_eq!(root.join("/a"), "https://[::1]:8443/margo/v1/a");
        assert_eq!(root.join("a"), "https://[::1]:8443/margo/v1/a");
        let root = RootUrl::parse("https://a").unwrap();
        assert_eq!(
            (root.host(), root.port(), root.path_prefix()),
            ("a", 443, "")
        );
        assert!(root.is_default_port());
    }

    proptest! {
        #[test]
        fn the_canonical_text_parses_to_itself(
            host in "[a-zA-Z]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?(\\.[a-z]{2,5}){0,3}",
            port in proptest::option::of(1_u16..),
            path in "(/[A-Za-z0-9_~-]{1,8}){0,3}/?",
        ) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let root = RootUrl::parse(&format!("https://{host}{port}{path}")).unwrap();
            prop_assert_eq!(RootUrl::parse(root.as_str()).unwrap(), root.clone());
            prop_assert!(HttpsUrl::parse(root.as_str()).unwrap().same_origin(&root));
        }

        #[test]
        fn no_text_panics(text in "(https://)?.{0,60}") {
            let _ = RootUrl::parse(&text);
        }
    }
}
