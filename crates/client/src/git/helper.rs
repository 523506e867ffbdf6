//! git's credential-helper protocol (gitcredentials(7), git-credential(1)): bytes in, bytes out.

use std::str;

use gangplank_token::GitToken;
use rustls_pki_types::UnixTime;
use zeroize::Zeroizing;

/// What git asks of a helper, from its one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A user name and a password, please.
    Get,
    /// They worked. There is nothing to store: they came from here.
    Store,
    /// The server refused them.
    Erase,
    /// One that this helper does not know, which it is to ignore (gitcredentials(7), "Custom helpers").
    Other,
}

/// The one repository that the credential is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryUrl {
    host: String,
    path: String,
}

/// Not the URL of a repository that a device fetches from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an https URL of a repository, without user, query, fragment and percent-encoding")]
#[non_exhaustive]
pub struct RepositoryUrlError;

/// What a `get` is answered with.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The account's name.
    pub username: String,
    /// The token.
    pub password: GitToken,
    /// When the token expires; `None` while the device's clock is not trusted, because git drops a password that its
    /// clock calls expired.
    pub expires_at: Option<UnixTime>,
}

/// Where the credential is kept, or got from.
pub trait CredentialSource {
    /// Why there is none.
    type Error;

    /// A credential that has not expired, a new one if need be.
    ///
    /// # Errors
    /// The source's own; git then fails for want of a password.
    fn get(&mut self) -> Result<Credential, Self::Error>;

    /// The server refused this password. Forgets the token, and nothing else, if it is still this one: by now
    /// another process may have renewed it. `None`: git did not say which.
    ///
    /// # Errors
    /// The source's own.
    fn erase(&mut self, password: Option<&str>) -> Result<(), Self::Error>;
}

/// The helper could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelperError<E> {
    /// git's request is longer than [`MAX_REQUEST`], has a line without `=`, or a value with CR or NUL.
    #[error("not a credential request of git")]
    Request,
    /// The credential holds a CR, LF or NUL, which git would take for another line.
    #[error("the credential cannot be written as lines")]
    Credential,
    /// The source failed.
    #[error("there is no credential to give")]
    Source(E),
}

/// Answers git: what to write to standard output.
///
/// `request` is all of standard input, or at least [`MAX_REQUEST`] + 1 bytes of it. The answer to a `get` for anything
/// but exactly this repository (https, host with port, path, and the user name where git names one) is empty, and
/// the source is not asked; an `erase` for another repository does nothing. Lines it does not know, among them
/// `capability[]=authtype`, are passed over.
///
/// # Errors
/// [`HelperError`].
pub fn answer<S: CredentialSource>(
    action: Action,
    request: &[u8],
    repository: &RepositoryUrl,
    source: &mut S,
) -> Result<Zeroizing<Vec<u8>>, HelperError<S::Error>> {
    let nothing = Zeroizing::new(Vec::new());
    if matches!(action, Action::Store | Action::Other) {
        return Ok(nothing);
    }
    let asked = Asked::parse(request).ok_or(HelperError::Request)?;
    if !asked.is_for(repository) {
        return Ok(nothing);
    }
    if action == Action::Erase {
        source.erase(asked.password).map_err(HelperError::Source)?;
        return Ok(nothing);
    }
    let credential = source.get().map_err(HelperError::Source)?;
    if asked
        .username
        .is_some_and(|username| username != credential.username)
    {
        return Ok(nothing);
    }
    credential.lines().ok_or(HelperError::Credential)
}

impl Action {
    /// Reads git's argument.
    #[must_use]
    pub fn parse(argument: &str) -> Self {
        match argument {
            "get" => Self::Get,
            "store" => Self::Store,
            "erase" => Self::Erase,
            _ => Self::Other,
        }
    }
}

impl RepositoryUrl {
    /// Reads `https://HOST[:PORT]/PATH`, the same text that git is given.
    ///
    /// # Errors
    /// [`RepositoryUrlError`] for another scheme, and for a user, query, fragment, percent-encoding, backslash or
    /// anything that is not visible ASCII: git would decode or rewrite those before it asks.
    pub fn parse(url: &str) -> Result<Self, RepositoryUrlError> {
        let rest = url.strip_prefix("https://").ok_or(RepositoryUrlError)?;
        let (host, path) = rest.split_once('/').ok_or(RepositoryUrlError)?;
        let plain = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"@?#%\\\"'".contains(&byte))
        };
        // git takes the slashes off both ends of a path.
        if !plain(host) || !plain(path) || path.starts_with('/') || path.ends_with('/') {
            return Err(RepositoryUrlError);
        }
        Ok(Self {
            host: host.to_owned(),
            path: path.to_owned(),
        })
    }
}

impl Credential {
    fn lines(&self) -> Option<Zeroizing<Vec<u8>>> {
        let password = self.password.expose();
        let safe = |value: &str| !value.is_empty() && !value.contains(['\r', '\n', '\0']);
        if !safe(&self.username) || !safe(password) {
            return None;
        }
        let expiry = self
            .expires_at
            .map(|at| format!("password_expiry_utc={}\n", at.as_secs()))
            .unwrap_or_default();
        let mut lines = Zeroizing::new(Vec::with_capacity(
            self.username.len() + password.len() + 128,
        ));
        for part in [
            "username=",
            &self.username,
            "\npassword=",
            password,
            "\n",
            &expiry,
        ] {
            lines.extend_from_slice(part.as_bytes());
        }
        Some(lines)
    }
}

/// What git says of the credential it wants.
#[derive(Default)]
struct Asked<'a> {
    protocol: Option<&'a str>,
    host: Option<&'a str>,
    path: Option<&'a str>,
    username: Option<&'a str>,
    password: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// `key=value` lines up to a blank one or the end. Of a repeated key the last counts, as in git.
    fn parse(request: &'a [u8]) -> Option<Self> {
        if request.len() > MAX_REQUEST {
            return None;
        }
        let mut asked = Self::default();
        for line in request
            .split(|&byte| byte == b'\n')
            .take_while(|line| !line.is_empty())
        {
            let line = str::from_utf8(line)
                .ok()
                .filter(|line| !line.contains(['\r', '\0']))?;
            let (key, value) = line.split_once('=')?;
            match key {
                "protocol" => asked.protocol = Some(value),
                "host" => asked.host = Some(value),
                "path" => asked.path = Some(value),
                "username" => asked.username = Some(value),
                "password" => asked.password = Some(value),
                _ => {}
            }
        }
        Some(asked)
    }

    fn is_for(&self, repository: &RepositoryUrl) -> bool {
        self.protocol == Some("https")
            && self.host == Some(&repository.host)
            && self.path == Some(&repository.path)
    }
}

/// The longest request in bytes; git's own lines are a few hundred.
pub const MAX_REQUEST: usize = 64 * 1024;

#[cfg(test)]
#[path = "helper_tests.rs"]
mod tests;
