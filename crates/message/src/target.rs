use alloc::string::String;

/// Where a request goes: its target URI in parts, and how the request line wrote it
/// (RFC 9110 §7.1, RFC 9112 §3.2).
///
/// The parts are kept as they are given; only the components that RFC 9421 normalises are
/// normalised, when the signature base is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'m> {
    scheme: &'m str,
    authority: &'m str,
    path: &'m str,
    query: Option<&'m str>,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Origin,
    Absolute,
    Authority,
    Asterisk,
}

impl<'m> Target<'m> {
    /// The target of a request whose request line has a path and a query (origin-form).
    ///
    /// `path` is empty or begins with `/`; `query` has no `?` in front.
    ///
    /// # Errors
    /// [`TargetError`], which names the part.
    pub fn new(
        scheme: &'m str,
        authority: &'m str,
        path: &'m str,
        query: Option<&'m str>,
    ) -> Result<Self, TargetError> {
        check_scheme(scheme)?;
        check_authority(authority)?;
        if !(path.is_empty() || path.starts_with('/')) || !is_made_of(path, b"?#") {
            return Err(TargetError::Path);
        }
        if !query.is_none_or(|query| is_made_of(query, b"#")) {
            return Err(TargetError::Query);
        }
        Ok(Self {
            scheme,
            authority,
            path,
            query,
            form: Form::Origin,
        })
    }

    /// The target with this absolute URI, sent in origin-form.
    ///
    /// # Errors
    /// [`TargetError`], which names the part.
    pub fn parse(uri: &'m str) -> Result<Self, TargetError> {
        let (scheme, rest) = uri.split_once("://").ok_or(TargetError::Scheme)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).ok_or(TargetError::Authority)?;
        let (path, query) = path_and_query(rest);
        Self::new(scheme, authority, path, query)
    }

    /// The target of a request as HTTP/1.1 writes it: `request_target` from the request line, in
    /// any of its four forms, and `authority` from the Host field (RFC 9112 §3.3).
    ///
    /// # Errors
    /// [`TargetError`], which names the part.
    pub fn from_request_line(
        scheme: &'m str,
        authority: &'m str,
        request_target: &'m str,
    ) -> Result<Self, TargetError> {
        let with_form = |target: Self, form| Self { form, ..target };
        if request_target == "*" {
            Self::new(scheme, authority, "", None).map(|t| with_form(t, Form::Asterisk))
        } else if request_target.starts_with('/') {
            let (path, query) = path_and_query(request_target);
            Self::new(scheme, authority, path, query)
        } else if request_target.contains("://") {
            Self::parse(request_target).map(|t| with_form(t, Form::Absolute))
        } else {
            Self::new(scheme, request_target, "", None).map(|t| with_form(t, Form::Authority))
        }
    }

    /// The authority as it was given.
    pub fn authority(&self) -> &'m str {
        self.authority
    }

    /// The path as it was given.
    pub fn path(&self) -> &'m str {
        self.path
    }

    /// The query without its `?`.
    pub fn query(&self) -> Option<&'m str> {
        self.query
    }

    /// RFC 9421 §2.2.2. An empty path is written `/`, as the request line does; the targets of
    /// `OPTIONS *` and `CONNECT` have neither path nor query (RFC 9112 §3.3).
    pub(crate) fn write_uri(&self, out: &mut String) {
        out.push_str(self.scheme);
        out.push_str("://");
        out.push_str(self.authority);
        if matches!(self.form, Form::Origin | Form::Absolute) {
            self.write_path_and_query(out);
        }
    }

    /// RFC 9421 §2.2.3: small letters, and no port that is the scheme's default.
    pub(crate) fn write_authority(&self, out: &mut String) {
        let bare = match self.authority.rsplit_once(':') {
            Some((host, port)) if self.is_default_port(port) => host,
            _ => self.authority,
        };
        out.extend(bare.chars().map(|character| character.to_ascii_lowercase()));
    }

    /// RFC 9421 §2.2.4.
    pub(crate) fn write_scheme(&self, out: &mut String) {
        out.extend(self.scheme.chars().map(|c| c.to_ascii_lowercase()));
    }

    /// RFC 9421 §2.2.5.
    pub(crate) fn write_request_target(&self, out: &mut String) {
        match self.form {
            Form::Origin => self.write_path_and_query(out),
            // As it was sent: RFC 9421 normalises no part of it.
            Form::Absolute => {
                out.push_str(self.scheme);
                out.push_str("://");
                out.push_str(self.authority);
                out.push_str(self.path);
                self.write_query_if_any(out);
            }
            Form::Authority => out.push_str(self.authority),
            Form::Asterisk => out.push('*'),
        }
    }

    /// RFC 9421 §2.2.6.
    pub(crate) fn write_path(&self, out: &mut String) {
        out.push_str(if self.path.is_empty() { "/" } else { self.path });
    }

    /// RFC 9421 §2.2.7: an absent query is `?`, too.
    pub(crate) fn write_query(&self, out: &mut String) {
        out.push('?');
        out.push_str(self.query.unwrap_or_default());
    }

    fn write_path_and_query(&self, out: &mut String) {
        self.write_path(out);
        self.write_query_if_any(out);
    }

    fn write_query_if_any(&self, out: &mut String) {
        if self.query.is_some() {
            self.write_query(out);
        }
    }

    fn is_default_port(&self, port: &str) -> bool {
        port.is_empty()
            || (self.scheme.eq_ignore_ascii_case("https") && port == "443")
            || (self.scheme.eq_ignore_ascii_case("http") && port == "80")
    }
}

/// Why something is no [`Target`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The scheme.
    #[error("the target's scheme is not a letter followed by letters, digits and + - .")]
    Scheme,
    /// The authority.
    #[error("the target's authority is not a host and an optional port")]
    Authority,
    /// The path.
    #[error("the target's path does not begin with / or has a character that no path has")]
    Path,
    /// The query.
    #[error("the target's query has a character that no query has")]
    Query,
}

fn path_and_query(text: &str) -> (&str, Option<&str>) {
    match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    }
}

fn check_scheme(scheme: &str) -> Result<(), TargetError> {
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
    {
        Ok(())
    } else {
        Err(TargetError::Scheme)
    }
}

/// User information is refused: RFC 9110 §4.2.4 has a recipient treat it as an error.
fn check_authority(authority: &str) -> Result<(), TargetError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(literal) => literal.split_once(']').ok_or(TargetError::Authority)?,
        None => match authority.find(':') {
            Some(at) => authority
                .split_at_checked(at)
                .ok_or(TargetError::Authority)?,
            None => (authority, ""),
        },
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port_is_well = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    if !host.is_empty() && is_made_of(host, b"/?#@[]\\") && port_is_well {
        Ok(())
    } else {
        Err(TargetError::Authority)
    }
}

/// Whether `text` has visible ASCII only, and none of `excluded`.
fn is_made_of(text: &str, excluded: &[u8]) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && !excluded.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<'t>(target: &Target<'t>, write: fn(&Target<'t>, &mut String)) -> String {
        let mut out = String::new();
        write(target, &mut out);
        out
    }

    #[test]
    fn authority_is_in_small_letters_without_a_default_port() {
        // RFC 9421 §2.2.3, RFC 9110 §4.2.3.
        for (uri, authority) in [
            ("https://WWW.Example.COM/", "www.example.com"),
            ("https://example.com:443/", "example.com"),
            ("http://example.com:80/", "example.com"),
            ("http://example.com:443/", "example.com:443"),
            ("HTTPS://example.com:443/", "example.com"),
            ("https://example.com:/", "example.com"),
            ("https://example.com:8443/", "example.com:8443"),
            ("https://[2001:DB8::1]:443/", "[2001:db8::1]"),
            ("https://[2001:db8::443]/", "[2001:db8::443]"),
        ] {
            let target = Target::parse(uri).unwrap();
            assert_eq!(
                written(&target, Target::write_authority),
                authority,
                "{uri}"
            );
        }
    }

    #[test]
    fn what_is_empty_is_written() {
        let target = Target::parse("https://example.com").unwrap();
        assert_eq!(written(&target, Target::write_path), "/");
        assert_eq!(written(&target, Target::write_query), "?");
        assert_eq!(written(&target, Target::write_uri), "https://example.com/");
        let target = Target::parse("https://example.com?a").unwrap();
        assert_eq!(written(&target, Target::write_query), "?a");
        assert_eq!(
            written(&target, Target::write_uri),
            "https://example.com/?a"
        );
        let target = Target::parse("https://example.com/p?").unwrap();
        assert_eq!(
            written(&target, Target::write_uri),
            "https://example.com/p?"
        );
    }

    #[test]
    fn request_target_has_four_forms() {
        // RFC 9421 §2.2.5, its four examples.
        for (line, host, target, uri) in [
            (
                "/path?param=value",
                "www.example.com",
                "/path?param=value",
                "https://www.example.com/path?param=value",
            ),
            (
                "https://www.example.com/path?param=value",
                "other.example",
                "https://www.example.com/path?param=value",
                "https://www.example.com/path?param=value",
            ),
            (
                "www.example.com:80",
                "www.example.com",
                "www.example.com:80",
                "https://www.example.com:80",
            ),
            ("*", "www.example.com", "*", "https://www.example.com"),
        ] {
            let parsed = Target::from_request_line("https", host, line).unwrap();
            assert_eq!(written(&parsed, Target::write_request_target), target);
            assert_eq!(written(&parsed, Target::write_uri), uri);
        }
    }

    #[test]
    fn other_texts_are_refused_by_part() {
        use TargetError as E;
        for (uri, error) in [
            ("example.com/", E::Scheme),
            ("1ttp://example.com/", E::Scheme),
            ("://example.com/", E::Scheme),
            ("https:///path", E::Authority),
            ("https://user@example.com/", E::Authority),
            ("https://example.com:x/", E::Authority),
            ("https://a b/", E::Authority),
            ("https://[::1/", E::Authority),
            ("https://example.com/a b", E::Path),
            ("https://example.com/a\nb", E::Path),
            ("https://example.com/é", E::Path),
            ("https://example.com/#f", E::Path),
            ("https://example.com/?#f", E::Query),
            ("https://example.com/?a\n", E::Query),
        ] {
            assert_eq!(Target::parse(uri), Err(error), "{uri}");
        }
    }
}
