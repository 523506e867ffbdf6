use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use super::json::{LARGEST_NUMBER, Reader};
use crate::ImageDigest;

/// What a signer says of a list: which it is, its bytes, and when it counts. The payload of an envelope of
/// type `Allowlist`.
///
/// Anybody can make one; one that somebody signed is a [`VerifiedManifest`](super::VerifiedManifest).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListManifest {
    /// Which list.
    pub name: ListName,
    /// From 1, larger for each list that replaces another.
    pub version: u64,
    /// What its bytes are.
    pub format: ListFormat,
    /// How many they are.
    pub size: u64,
    /// Their SHA-256.
    pub digest: [u8; 32],
    /// How many digests of images it has.
    pub count: u64,
    /// Unix seconds from which on the list counts.
    pub not_before: Option<u64>,
    /// Unix seconds at which it counts no more.
    pub expires: u64,
    /// How to come here from an earlier version, for lists as text.
    pub delta: Option<ListDelta>,
}

/// What leads from one version of a list to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListDelta {
    /// The version that it begins with.
    pub from: u64,
    /// The SHA-256 of that list's bytes.
    pub from_digest: [u8; 32],
    /// How many bytes the delta has.
    pub size: u64,
    /// Their SHA-256.
    pub digest: [u8; 32],
}

/// What the bytes of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListFormat {
    /// Text in [canonical form](crate::text::CanonicalText).
    Text,
    /// An [indexed file](crate::indexed).
    Indexed,
}

impl ListFormat {
    /// As manifests name it: `text` or `indexed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Indexed => "indexed",
        }
    }
}

/// The name of a signed list: 1 to 64 of `A–Z a–z 0–9 . _ -`, the first a letter or digit. It can be part of
/// a file's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListName(String);

impl ListName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`ListNameError`]: it is empty, too long, or has another character.
    pub fn parse(text: &str) -> Result<Self, ListNameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let begins = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins || text.len() > LONGEST_NAME || !text.bytes().all(allowed) {
            return Err(ListNameError);
        }
        Ok(Self(String::from(text)))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no name of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a list's name has 1 to 64 letters, digits, `.`, `_` and `-`, and begins with a letter or digit"
)]
pub struct ListNameError;

impl ListManifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`ManifestError`]: it is no JSON of this shape, or says what cannot be.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let mut read = Members::default();
        let mut reader = Reader::new(json);
        reader.object(|reader, name| read.member(reader, name))?;
        reader.end()?;
        let manifest = read.manifest()?;
        manifest.judge()?;
        Ok(manifest)
    }

    /// Writes it, compact and in the documented order: the payload to sign.
    ///
    /// # Errors
    /// [`ManifestError`]: it says what cannot be.
    pub fn to_json(&self) -> Result<Vec<u8>, ManifestError> {
        self.judge()?;
        let mut json = String::new();
        // A string takes all that is written.
        let _ = write!(json, "{self}");
        Ok(json.into_bytes())
    }

    fn judge(&self) -> Result<(), ManifestError> {
        let delta = self.delta.as_ref();
        let numbers = [
            ("version", self.version),
            ("size", self.size),
            ("count", self.count),
            ("notBefore", self.not_before.unwrap_or_default()),
            ("expires", self.expires),
            ("delta", delta.map_or(0, |delta| delta.from.max(delta.size))),
        ];
        if let Some((name, _)) = numbers.iter().find(|(_, value)| *value > LARGEST_NUMBER) {
            return Err(ManifestError::Value(name));
        }
        if self.version == 0 {
            return Err(ManifestError::Value("version"));
        }
        if self.format == ListFormat::Text && self.count.checked_mul(ROW) != Some(self.size) {
            return Err(ManifestError::Size);
        }
        if self.not_before.is_some_and(|from| from >= self.expires) {
            return Err(ManifestError::Window);
        }
        match delta {
            Some(delta) if delta.from == 0 || delta.from >= self.version => {
                Err(ManifestError::Delta)
            }
            Some(_) if self.format != ListFormat::Text => Err(ManifestError::Delta),
            _ => Ok(()),
        }
    }
}

/// As JSON, whatever it says.
impl fmt::Display for ListManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, format) = (&self.name, self.format.name());
        write!(
            f,
            r#"{{"apiVersion":"{API_VERSION}","kind":"{KIND}","list":"{name}","#
        )?;
        let (version, size, count) = (self.version, self.size, self.count);
        let digest = ImageDigest::from_bytes(self.digest);
        write!(
            f,
            r#""version":{version},"format":"{format}","size":{size},"#
        )?;
        write!(f, r#""digest":"{digest}","count":{count},"#)?;
        if let Some(from) = self.not_before {
            write!(f, r#""notBefore":{from},"#)?;
        }
        write!(f, r#""expires":{}"#, self.expires)?;
        if let Some(ListDelta { from, size, .. }) = &self.delta {
            let digest = |of: fn(&ListDelta) -> [u8; 32]| {
                ImageDigest::from_bytes(self.delta.as_ref().map(of).unwrap_or_default())
            };
            let (from_digest, digest) = (
                digest(|delta| delta.from_digest),
                digest(|delta| delta.digest),
            );
            write!(
                f,
                r#","delta":{{"from":{from},"fromDigest":"{from_digest}","#
            )?;
            write!(f, r#""size":{size},"digest":"{digest}"}}"#)?;
        }
        f.write_str("}")
    }
}

/// Why bytes are no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not one JSON object of objects, strings and numbers as manifests have them.
    #[error("the manifest cannot be read at byte {at}")]
    Json {
        /// The byte, from 0.
        at: usize,
    },
    /// A member that this version does not have.
    #[error("the manifest has an unknown member")]
    Unknown,
    /// The member is there twice.
    #[error("the manifest's {0} is there twice")]
    Repeated(&'static str),
    /// The member is not there.
    #[error("the manifest lacks {0}")]
    Missing(&'static str),
    /// The member cannot have this value.
    #[error("the manifest's {0} has a value that it cannot have")]
    Value(&'static str),
    /// A list as text of so many digests has another size.
    #[error("the manifest's size is not that of its count")]
    Size,
    /// It expires before it begins.
    #[error("the manifest's list expires before it begins")]
    Window,
    /// A delta from no earlier version, or of a list that is no text.
    #[error("the manifest's delta does not lead from an earlier list as text")]
    Delta,
}

impl ManifestError {
    /// A word for programs, which stays as it is: `json`, `unknown`, `repeated`, `missing`, `value`, `size`,
    /// `window` or `delta`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json { .. } => "json",
            Self::Unknown => "unknown",
            Self::Repeated(_) => "repeated",
            Self::Missing(_) => "missing",
            Self::Value(_) => "value",
            Self::Size => "size",
            Self::Window => "window",
            Self::Delta => "delta",
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Members<'t> {
    api_version: Option<&'t str>,
    kind: Option<&'t str>,
    list: Option<&'t str>,
    version: Option<u64>,
    format: Option<&'t str>,
    size: Option<u64>,
    digest: Option<&'t str>,
    count: Option<u64>,
    not_before: Option<u64>,
    expires: Option<u64>,
    delta: Option<DeltaMembers<'t>>,
}

#[derive(Default)]
struct DeltaMembers<'t> {
    from: Option<u64>,
    from_digest: Option<&'t str>,
    size: Option<u64>,
    digest: Option<&'t str>,
}

impl<'t> Members<'t> {
    fn member(&mut self, reader: &mut Reader<'t>, name: &str) -> Result<(), ManifestError> {
        match name {
            "apiVersion" => once(&mut self.api_version, "apiVersion", reader.string()?),
            "kind" => once(&mut self.kind, "kind", reader.string()?),
            "list" => once(&mut self.list, "list", reader.string()?),
            "version" => once(&mut self.version, "version", reader.number()?),
            "format" => once(&mut self.format, "format", reader.string()?),
            "size" => once(&mut self.size, "size", reader.number()?),
            "digest" => once(&mut self.digest, "digest", reader.string()?),
            "count" => once(&mut self.count, "count", reader.number()?),
            "notBefore" => once(&mut self.not_before, "notBefore", reader.number()?),
            "expires" => once(&mut self.expires, "expires", reader.number()?),
            "delta" => {
                let mut delta = DeltaMembers::default();
                reader.object(|reader, name| delta.member(reader, name))?;
                once(&mut self.delta, "delta", delta)
            }
            _ => Err(ManifestError::Unknown),
        }
    }

    fn manifest(self) -> Result<ListManifest, ManifestError> {
        for (name, found, wanted) in [
            ("apiVersion", self.api_version, API_VERSION),
            ("kind", self.kind, KIND),
        ] {
            if there(found, name)? != wanted {
                return Err(ManifestError::Value(name));
            }
        }
        Ok(ListManifest {
            name: ListName::parse(there(self.list, "list")?)
                .map_err(|_| ManifestError::Value("list"))?,
            version: there(self.version, "version")?,
            format: match there(self.format, "format")? {
                "text" => ListFormat::Text,
                "indexed" => ListFormat::Indexed,
                _ => return Err(ManifestError::Value("format")),
            },
            size: there(self.size, "size")?,
            digest: digest(self.digest, "digest")?,
            count: there(self.count, "count")?,
            not_before: self.not_before,
            expires: there(self.expires, "expires")?,
            delta: self.delta.map(DeltaMembers::delta).transpose()?,
        })
    }
}

impl<'t> DeltaMembers<'t> {
    fn member(&mut self, reader: &mut Reader<'t>, name: &str) -> Result<(), ManifestError> {
        match name {
            "from" => once(&mut self.from, "from", reader.number()?),
            "fromDigest" => once(&mut self.from_digest, "fromDigest", reader.string()?),
            "size" => once(&mut self.size, "size", reader.number()?),
            "digest" => once(&mut self.digest, "digest", reader.string()?),
            _ => Err(ManifestError::Unknown),
        }
    }

    fn delta(self) -> Result<ListDelta, ManifestError> {
        Ok(ListDelta {
            from: there(self.from, "from")?,
            from_digest: digest(self.from_digest, "fromDigest")?,
            size: there(self.size, "size")?,
            digest: digest(self.digest, "digest")?,
        })
    }
}

fn once<T>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), ManifestError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ManifestError::Repeated(name)),
    }
}

fn there<T>(slot: Option<T>, name: &'static str) -> Result<T, ManifestError> {
    slot.ok_or(ManifestError::Missing(name))
}

fn digest(text: Option<&str>, name: &'static str) -> Result<[u8; 32], ManifestError> {
    let digits = there(text, name)?.strip_prefix("sha256:");
    let digest = digits.and_then(|digits| ImageDigest::from_hex(digits.as_bytes()).ok());
    let digest = digest.ok_or(ManifestError::Value(name))?;
    Ok(*digest.as_bytes())
}

const API_VERSION: &str = "gangplank/v1";
const KIND: &str = "Allowlist";
const LONGEST_NAME: usize = 64;
/// Bytes of a line of a list as text.
const ROW: u64 = 65;
