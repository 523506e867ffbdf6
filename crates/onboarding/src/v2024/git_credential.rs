//! `GET /device/{deviceId}/git-credential`: the next Git password. The answer travels in an
//! envelope of type `GitCredential`, which says what it is: no `apiVersion` and `kind` here.

use alloc::{borrow::ToOwned as _, format, string::String, vec::Vec};
use core::fmt;

use gangplank_token::GitToken;
use rustls_pki_types::UnixTime;
use serde::Serialize;
use zeroize::Zeroizing;

use super::onboarding::{git_token, url};
use crate::{
    DeviceId, HttpsUrl, MessageError, ShortText,
    json::{Object, write},
};

/// Where it is; a query `nonce` is added by the client.
pub fn path(device: &DeviceId) -> String {
    format!("/device/{device}/git-credential")
}

/// How a device reads its repository, and what it should find there.
#[derive(Clone, Debug)]
pub struct GitCredential {
    /// The repository.
    pub url: HttpsUrl,
    /// The user name that Git sends; not empty.
    pub username: ShortText,
    /// The password that Git sends.
    pub password: GitToken,
    /// When the password ends; whole Unix seconds on the wire.
    pub expires_at: UnixTime,
    /// The head of the repository when this was signed, to compare with what Git fetched; absent
    /// while the repository is empty.
    pub commit: Option<CommitId>,
}

impl GitCredential {
    /// The JSON payload.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(write(&Wire {
            url: self.url.as_str(),
            username: self.username.as_str(),
            password: self.password.expose(),
            expires_at: self.expires_at.as_secs(),
            commit: self.commit.as_ref().map(CommitId::as_str),
        }))
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// [`MessageError`], the server's fault.
    pub fn decode(payload: &[u8]) -> Result<Self, MessageError> {
        let mut object = Object::read(payload)?;
        let username: ShortText = object.text("username")?;
        if username.as_str().is_empty() {
            return Err(object.invalid("username", "empty"));
        }
        let commit = match object.optional_string("commit")? {
            None => None,
            Some(text) => {
                Some(CommitId::parse(&text).map_err(|_| object.invalid("commit", "no commit id"))?)
            }
        };
        Ok(Self {
            url: url(&mut object, "url")?,
            username,
            password: git_token(&mut object, "password")?,
            expires_at: object.time("expiresAt")?,
            commit,
        })
    }
}

/// The full name of a Git commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(String);

impl CommitId {
    /// Reads a commit's name.
    ///
    /// # Errors
    /// [`CommitIdError`]: another length or another character.
    pub fn parse(text: &str) -> Result<Self, CommitIdError> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match matches!(text.len(), 40 | 64) && text.bytes().all(digit) {
            true => Ok(Self(text.to_owned())),
            false => Err(CommitIdError),
        }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitId({})", self.0)
    }
}

/// A text is no commit's name; the fault of whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the commit is not 40 or 64 lower-case hexadecimal digits")]
#[non_exhaustive]
pub struct CommitIdError;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    url: &'a str,
    username: &'a str,
    password: &'a str,
    expires_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// python3: json.dumps({...}, separators=(",", ":")), the members in the order of
    /// docs/onboarding-api.md; the commit is one of git's.
    const WIRE: &str = r#"{"url":"https://wfm.example/margo/git/d-1.git","username":"d-1","password":"gpgt_abc","expiresAt":1767232800,"commit":"3a94c51fbd4b953703ac1685e425bcc345deb840"}"#;

    #[test]
    fn what_python_writes_is_read_and_written() {
        let read = GitCredential::decode(WIRE.as_bytes()).unwrap();
        assert_eq!(read.url.as_str(), "https://wfm.example/margo/git/d-1.git");
        assert_eq!(read.username.as_str(), "d-1");
        assert_eq!(read.password.expose(), "gpgt_abc");
        assert_eq!(read.expires_at.as_secs(), 1_767_232_800);
        assert_eq!(read.encode().as_slice(), WIRE.as_bytes());
        assert!(!format!("{read:?}").contains("gpgt_abc"));
    }

    #[test]
    fn an_empty_repository_has_no_commit() {
        let text = WIRE.replace(
            r#","commit":"3a94c51fbd4b953703ac1685e425bcc345deb840""#,
            "",
        );
        let read = GitCredential::decode(text.as_bytes()).unwrap();
        assert!(read.commit.is_none());
        assert_eq!(read.encode().as_slice(), text.as_bytes());
    }

    #[test]
    fn each_member_is_checked() {
        for (from, to, said) in [
            (
                "https:",
                "http:",
                "the member url is invalid: no https address",
            ),
            ("\"d-1\"", "\"\"", "the member username is invalid: empty"),
            (
                "\"d-1\"",
                "\"a\\nhost=b\"",
                "the member username is invalid: too long, or with control characters",
            ),
            (
                "gpgt_abc",
                "gpgt\\nabc",
                "the member password is invalid: no git token",
            ),
            (
                "1767232800",
                "\"soon\"",
                "the member expiresAt is not a whole number of unix seconds",
            ),
            (
                "3a94c51fbd4b953703ac1685e425bcc345deb840",
                "HEAD",
                "the member commit is invalid: no commit id",
            ),
            (
                "\"password\"",
                "\"passwort\"",
                "the member password is missing",
            ),
        ] {
            let error = GitCredential::decode(WIRE.replace(from, to).as_bytes()).unwrap_err();
            assert_eq!(format!("{error}"), said);
        }
    }

    #[test]
    fn a_commit_is_its_full_name() {
        assert!(CommitId::parse(&"0a".repeat(20)).is_ok());
        assert!(CommitId::parse(&"0a".repeat(32)).is_ok());
        for text in [
            "",
            "HEAD",
            "0a",
            &"0A".repeat(20),
            &"0a".repeat(21),
            &"-o".repeat(20),
        ] {
            assert_eq!(CommitId::parse(text), Err(CommitIdError), "{text}");
        }
    }

    #[test]
    fn the_path_names_the_device() {
        let device = DeviceId::parse("d-1").unwrap();
        assert_eq!(path(&device), "/device/d-1/git-credential");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = GitCredential::decode(&bytes);
        }
    }
}
