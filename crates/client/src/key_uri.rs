//! `pkcs11:` URIs that name a private key (RFC 7512).

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A `pkcs11:` URI (RFC 7512) that names a private key.
///
/// All path attributes of the standard restrict the choice of token and key. An unknown one would
/// match nothing (§2.5), so it is refused; an unknown query attribute is left out, also where the
/// URI is shown. Of the query attributes, `module-path` and `pin-source=file:` are taken;
/// `pin-value`, in letters of either case, is refused, since command lines and logs are no place for
/// a secret.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "pkcs11"), allow(dead_code))]
pub struct KeyUri {
    text: String,
    texts: BTreeMap<&'static str, String>,
    id: Option<Vec<u8>>,
    slot_id: Option<u64>,
    library_version: Option<(u8, u8)>,
    module_path: Option<PathBuf>,
    pin_source: Option<PathBuf>,
}

impl KeyUri {
    /// Reads a URI.
    ///
    /// # Errors
    /// [`UriError`]: what is wrong. It never repeats a value, which might be a secret.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("pkcs11") {
            return Err(UriError::Scheme);
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self {
            text: format!("{SCHEME}{path}"),
            texts: BTreeMap::new(),
            id: None,
            slot_id: None,
            library_version: None,
            module_path: None,
            pin_source: None,
        };
        let mut seen = Vec::new();
        for (name, value) in attributes(path, ';', PATH_CHARACTERS)? {
            once(&mut seen, name)?;
            uri.path_attribute(name, value)?;
        }
        let mut before = '?';
        for (name, value) in attributes(query, '&', QUERY_CHARACTERS)? {
            // In other letters it is no attribute of the standard, but it is a PIN all the same.
            if name.eq_ignore_ascii_case("pin-value") {
                return Err(UriError::PinValue);
            }
            if QUERY_ATTRIBUTES.contains(&name) {
                once(&mut seen, name)?;
                uri.query_attribute(name, value)?;
                uri.text.push_str(&format!("{before}{name}={value}"));
                before = '&';
            }
        }
        Ok(uri)
    }

    /// Whether `text` begins as a `pkcs11:` URI does, and so is no path of a file.
    pub fn is_one(text: &str) -> bool {
        text.get(..SCHEME.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
    }

    /// The library to load: an absolute path.
    pub fn module_path(&self) -> Option<&Path> {
        self.module_path.as_deref()
    }

    /// The file that holds the PIN: an absolute path.
    pub fn pin_source(&self) -> Option<&Path> {
        self.pin_source.as_deref()
    }
}

/// What a token is searched for.
#[cfg(any(test, feature = "pkcs11"))]
impl KeyUri {
    /// `object`: the key's label.
    pub(crate) fn object(&self) -> Option<&str> {
        self.texts.get("object").map(String::as_str)
    }

    /// `id`: the key's CKA_ID.
    pub(crate) fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    pub(crate) fn slot_id(&self) -> Option<u64> {
        self.slot_id
    }

    /// Major and minor number.
    pub(crate) fn library_version(&self) -> Option<(u8, u8)> {
        self.library_version
    }

    /// Whether each of these attributes is absent from the URI or has this very value. An empty
    /// attribute matches an empty value only (§2.3).
    pub(crate) fn agrees(&self, facts: &[(&str, &str)]) -> bool {
        facts
            .iter()
            .all(|(name, fact)| self.texts.get(name).is_none_or(|wanted| wanted == fact))
    }
}

impl KeyUri {
    fn path_attribute(&mut self, name: &str, value: &str) -> Result<(), UriError> {
        let bytes = decoded(name, value)?;
        let text = |bytes| String::from_utf8(bytes).map_err(|_| UriError::Value(name.to_owned()));
        match name {
            "id" => self.id = Some(bytes),
            "type" if bytes == b"private" => {}
            "type" => return Err(UriError::Type),
            "slot-id" => self.slot_id = Some(number(name, value)?),
            "library-version" => {
                let (major, minor) = value.split_once('.').unwrap_or((value, "0"));
                self.library_version = Some((number(name, major)?, number(name, minor)?));
            }
            _ => {
                let known = TEXT_ATTRIBUTES.iter().find(|known| **known == name);
                let known = known.ok_or_else(|| UriError::Unknown(name.to_owned()))?;
                self.texts.insert(known, text(bytes)?);
            }
        }
        Ok(())
    }

    fn query_attribute(&mut self, name: &str, value: &str) -> Result<(), UriError> {
        let path = || {
            String::from_utf8(decoded(name, value)?).map_err(|_| UriError::Value(name.to_owned()))
        };
        match name {
            "module-name" => Err(UriError::ModuleName),
            "pin-source" => {
                self.pin_source = Some(pin_file(&path()?).ok_or(UriError::PinSource)?);
                Ok(())
            }
            // §2.4: a relative path is to be rejected, for security reasons.
            _ => {
                let path = PathBuf::from(path()?);
                if !path.is_absolute() {
                    return Err(UriError::ModulePath);
                }
                self.module_path = Some(path);
                Ok(())
            }
        }
    }
}

impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyUri").field(&self.text).finish()
    }
}

/// Why a text is no `pkcs11:` URI of a private key. Whoever wrote it is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// It does not begin with `pkcs11:`.
    #[error("the URI does not begin with `pkcs11:`")]
    Scheme,
    /// A character that must be percent-encoded there (RFC 7512 §2.3).
    #[error("{0:?} must be percent-encoded in a `pkcs11:` URI")]
    Character(char),
    /// An attribute without a value. It is not repeated, since it may be a value without a name.
    #[error("an attribute of the `pkcs11:` URI has no `=`")]
    NoValue,
    /// A `%` without two hexadecimal digits, or text that is not UTF-8, or a number that is none.
    #[error("the attribute {0:?} of the `pkcs11:` URI has a value that cannot be read")]
    Value(String),
    /// A path attribute that matches nothing, since this program does not know it (§2.5).
    #[error("the attribute {0:?} of the `pkcs11:` URI is not known, so nothing would match")]
    Unknown(String),
    /// The same attribute twice.
    #[error("the attribute {0:?} is in the `pkcs11:` URI more than once")]
    Duplicate(String),
    /// `type` is there and names something else than a private key.
    #[error("the `type` of the `pkcs11:` URI is not `private`")]
    Type,
    /// `pin-value` would put a secret into command lines, configurations and logs.
    #[error("`pin-value` is refused: a PIN does not belong into a URI; use `pin-source=file:…`")]
    PinValue,
    /// `pin-source` names something else than a file.
    #[error("`pin-source` must be `file:` and an absolute path")]
    PinSource,
    /// `module-name`: there is no list of modules to look it up in.
    #[error("`module-name` is not looked up; use `module-path`")]
    ModuleName,
    /// `module-path` is relative.
    #[error("`module-path` must be an absolute path")]
    ModulePath,
}

/// The attributes of one component, still percent-encoded.
fn attributes<'t>(
    component: &'t str,
    separator: char,
    allowed: &str,
) -> Result<Vec<(&'t str, &'t str)>, UriError> {
    let is_allowed = |character: &char| {
        character.is_ascii_alphanumeric() || allowed.contains(*character) || *character == separator
    };
    if let Some(character) = component.chars().find(|character| !is_allowed(character)) {
        return Err(UriError::Character(character));
    }
    if component.is_empty() {
        return Ok(Vec::new());
    }
    component
        .split(separator)
        .map(|attribute| attribute.split_once('=').ok_or(UriError::NoValue))
        .collect()
}

fn once<'t>(seen: &mut Vec<&'t str>, name: &'t str) -> Result<(), UriError> {
    if seen.contains(&name) {
        return Err(UriError::Duplicate(name.to_owned()));
    }
    seen.push(name);
    Ok(())
}

/// Percent-decoding (RFC 3986 §2.1).
fn decoded(name: &str, value: &str) -> Result<Vec<u8>, UriError> {
    let broken = || UriError::Value(name.to_owned());
    let mut bytes = value.bytes();
    let mut out = Vec::with_capacity(value.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit().ok_or_else(broken)?, digit().ok_or_else(broken)?);
        out.push(u8::try_from(high * 16 + low).map_err(|_| broken())?);
    }
    Ok(out)
}

/// Decimal digits alone: `parse` would also take a plus sign.
fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, UriError> {
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    value
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| UriError::Value(name.to_owned()))
}

/// `file:/path` and `file:///path` (RFC 8089 §2), on this machine.
fn pin_file(source: &str) -> Option<PathBuf> {
    let path = source.strip_prefix("file:")?;
    let path = match path.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => path,
    };
    let path = PathBuf::from(path);
    path.is_absolute().then_some(path)
}

const SCHEME: &str = "pkcs11:";
/// RFC 7512 §2.3: unreserved, `pk11-path-res-avail` and percent-encoding, letters and digits aside.
const PATH_CHARACTERS: &str = "-._~%:[]@!$'()*+,=&";
/// With `pk11-query-res-avail`.
const QUERY_CHARACTERS: &str = "-._~%:[]@!$'()*+,=/?|";
const TEXT_ATTRIBUTES: [&str; 9] = [
    "token",
    "manufacturer",
    "serial",
    "model",
    "library-manufacturer",
    "library-description",
    "object",
    "slot-manufacturer",
    "slot-description",
];
const QUERY_ATTRIBUTES: [&str; 3] = ["pin-source", "module-name", "module-path"];

#[cfg(test)]
mod tests;
