use alloc::format;
use core::fmt;

use crate::{RootUrl, UrlError};

/// What an operator hands a device: where the orchestrator is, and the fingerprint of its root.
///
/// `gangplank://HOST[:PORT][/PREFIX]?ca=sha256:<64 lower-case hexadecimal digits>`. It is no
/// secret, but whoever changes it on its way decides whom the device believes.
///
/// ```
/// use gangplank_onboarding::JoinString;
///
/// let text = format!("gangplank://wfm.example/margo?ca=sha256:{}", "0a".repeat(32));
/// let join = JoinString::parse(&text)?;
/// assert_eq!(join.root_url.as_str(), "https://wfm.example/margo");
/// assert_eq!(join.ca, [0x0a; 32]);
/// assert_eq!(join.to_string(), text);
/// # Ok::<(), gangplank_onboarding::JoinError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinString {
    /// The root URL.
    pub root_url: RootUrl,
    /// SHA-256 of the root certificate's DER.
    pub ca: [u8; 32],
}

impl JoinString {
    /// Reads a join string.
    ///
    /// # Errors
    /// [`JoinError`] names the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, JoinError> {
        let (scheme, after) = text.split_once("://").ok_or(JoinError::Scheme)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(JoinError::Scheme);
        }
        let (place, query) = after.split_once('?').ok_or(JoinError::NoFingerprint)?;
        let root_url = RootUrl::parse(&format!("https://{place}"))?;
        let mut ca = None;
        for parameter in query.split('&') {
            match parameter.split_once('=') {
                Some(("ca", _)) if ca.is_some() => return Err(JoinError::Repeated),
                Some(("ca", value)) => ca = Some(parse_fingerprint(value)?),
                // A parameter of a later version may demand more than this one checks.
                _ => return Err(JoinError::Unknown),
            }
        }
        Ok(Self {
            root_url,
            ca: ca.ok_or(JoinError::NoFingerprint)?,
        })
    }
}

impl fmt::Display for JoinString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.root_url.as_str().trim_start_matches("https://");
        write!(f, "{SCHEME}://{place}?ca=sha256:")?;
        self.ca.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a person gives a device to say where the orchestrator is: a join string, or a bare URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootTarget {
    /// A root URL alone; the root certificate must come another way.
    Url(RootUrl),
    /// A join string.
    Join(JoinString),
}

impl RootTarget {
    /// Reads either form, told apart by the scheme.
    ///
    /// # Errors
    /// [`JoinError`] names the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, JoinError> {
        match text.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case(SCHEME) => {
                JoinString::parse(text).map(Self::Join)
            }
            _ => Ok(Self::Url(RootUrl::parse(text)?)),
        }
    }

    /// The root URL of either form.
    pub fn root_url(&self) -> &RootUrl {
        match self {
            Self::Url(root_url) => root_url,
            Self::Join(join) => &join.root_url,
        }
    }

    /// The fingerprint to compare the root certificate with, if there is one.
    pub fn ca(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Url(_) => None,
            Self::Join(join) => Some(&join.ca),
        }
    }
}

impl fmt::Display for RootTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(root_url) => root_url.fmt(f),
            Self::Join(join) => join.fmt(f),
        }
    }
}

/// Why a text is no join string; always the fault of whoever wrote or copied it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The text does not begin with `gangplank://`.
    #[error("the join string does not begin with gangplank://")]
    Scheme,
    /// The host, port or prefix makes no root URL.
    #[error("{0}")]
    Url(#[from] UrlError),
    /// The parameter `ca` is missing.
    #[error("the join string has no fingerprint of the root certificate")]
    NoFingerprint,
    /// The parameter `ca` is not `sha256:` and 64 lower-case hexadecimal digits.
    #[error("the fingerprint is not sha256: and 64 lower-case hexadecimal digits")]
    Fingerprint,
    /// A parameter comes twice.
    #[error("the join string has a parameter twice")]
    Repeated,
    /// A parameter other than `ca`.
    #[error("the join string has an unknown parameter")]
    Unknown,
}

fn parse_fingerprint(text: &str) -> Result<[u8; 32], JoinError> {
    let hex = text.strip_prefix("sha256:").ok_or(JoinError::Fingerprint)?;
    if hex.len() != 64 {
        return Err(JoinError::Fingerprint);
    }
    let mut bytes = [0_u8; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        *byte = pair.iter().try_fold(0_u8, |high, digit| match digit {
            b'0'..=b'9' => Ok((high << 4) | (digit - b'0')),
            b'a'..=b'f' => Ok((high << 4) | (digit - b'a' + 10)),
            _ => Err(JoinError::Fingerprint),
        })?;
    }
    Ok(bytes)
}

const SCHEME: &str = "gangplank";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// printf test | openssl dgst -sha256
    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn either_form_is_told_by_its_scheme() {
        let join =
            RootTarget::parse(&format!("GANGPLANK://A.example:443/?ca=sha256:{HEX}")).unwrap();
        assert_eq!(
            join.to_string(),
            format!("gangplank://a.example?ca=sha256:{HEX}")
        );
        assert_eq!(join.ca().unwrap()[..3], [0x9f, 0x86, 0xd0]);
        let url = RootTarget::parse("https://a.example/b").unwrap();
        assert_eq!(
            url.root_url(),
            &RootUrl::parse("https://a.example/b").unwrap()
        );
        assert_eq!(url.ca(), None);
    }

    #[test]
    fn what_is_no_join_string_is_refused() {
        let parse = |text: &str| JoinString::parse(&text.replace("HEX", HEX)).err();
        for (text, error) in [
            ("https://a?ca=sha256:HEX", JoinError::Scheme),
            ("gangplank:a?ca=sha256:HEX", JoinError::Scheme),
            ("gangplank://a", JoinError::NoFingerprint),
            ("gangplank://a?", JoinError::Unknown),
            ("gangplank://a?ca", JoinError::Unknown),
            ("gangplank://a?CA=sha256:HEX", JoinError::Unknown),
            ("gangplank://a?ca=sha256:HEX&x=1", JoinError::Unknown),
            ("gangplank://a?ca=sha256:HEX&", JoinError::Unknown),
            (
                "gangplank://a?ca=sha256:HEX&ca=sha256:HEX",
                JoinError::Repeated,
            ),
            ("gangplank://a?ca=HEX", JoinError::Fingerprint),
            ("gangplank://a?ca=sha256:HEX0", JoinError::Fingerprint),
            ("gangplank://a?ca=sha256:", JoinError::Fingerprint),
            ("gangplank://a?ca=sha256:HEX#b", JoinError::Fingerprint),
            ("gangplank://?ca=sha256:HEX", JoinError::Url(UrlError::Host)),
            (
                "gangplank://u@a?ca=sha256:HEX",
                JoinError::Url(UrlError::User),
            ),
        ] {
            assert_eq!(parse(text), Some(error), "{text}");
        }
        let upper = format!("gangplank://a?ca=sha256:{}", HEX.to_uppercase());
        assert_eq!(parse(&upper), Some(JoinError::Fingerprint));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            host in "[a-z]{1,10}(\\.[a-z]{2,5}){0,2}",
            port in 1_u16..,
            prefix in "(/[a-z0-9]{1,5}){0,2}",
            ca in any::<[u8; 32]>(),
        ) {
            let root_url = RootUrl::parse(&format!("https://{host}:{port}{prefix}")).unwrap();
            let join = JoinString { root_url, ca };
            prop_assert_eq!(JoinString::parse(&join.to_string()), Ok(join));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}", value in ".{0,70}") {
            let _ = RootTarget::parse(&text);
            let _ = JoinString::parse(&format!("gangplank://a?ca=sha256:{value}"));
        }
    }
}
