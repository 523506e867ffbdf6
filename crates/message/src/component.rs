use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use crate::structured::{BareItem, Bounds, Item, Key, Parameters, TRUE, Text, is_token_character};
use crate::{ParamsError, work};

mod error;
pub use error::ComponentError;

/// One component of a message that a signature covers: its name and parameters (RFC 9421 §2).
///
/// Two are equal when they name the same thing; the order of parameters is kept for writing but
/// does not count in comparison (§2).
#[derive(Clone, Debug)]
pub struct Component<'c> {
    item: Item<'c>,
    pub(crate) kind: Kind<'c>,
    pub(crate) of_request: bool,
}

/// What a component names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind<'c> {
    Derived(Derived),
    QueryParam(Text<'c>),
    Field {
        name: Text<'c>,
        part: Part<'c>,
        of_trailers: bool,
    },
}

/// Derived components without parameters of their own (RFC 9421 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Derived {
    Method,
    TargetUri,
    Authority,
    Scheme,
    RequestTarget,
    Path,
    Query,
    Status,
}

/// How a field's value gets into the base (RFC 9421 §2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part<'c> {
    /// As it is.
    Whole,
    /// `sf`: written anew.
    Structured,
    /// `key`: one member of a dictionary.
    Member(Text<'c>),
    /// `bs`: each line as a byte sequence.
    Bytes,
}

impl<'c> Component<'c> {
    /// `"@method"` (RFC 9421 §2.2.1).
    pub const METHOD: Self = Self::derived("@method", Derived::Method);
    /// `"@target-uri"` (RFC 9421 §2.2.2).
    pub const TARGET_URI: Self = Self::derived("@target-uri", Derived::TargetUri);
    /// `"@authority"` (RFC 9421 §2.2.3).
    pub const AUTHORITY: Self = Self::derived("@authority", Derived::Authority);
    /// `"@scheme"` (RFC 9421 §2.2.4).
    pub const SCHEME: Self = Self::derived("@scheme", Derived::Scheme);
    /// `"@request-target"` (RFC 9421 §2.2.5).
    pub const REQUEST_TARGET: Self = Self::derived("@request-target", Derived::RequestTarget);
    /// `"@path"` (RFC 9421 §2.2.6).
    pub const PATH: Self = Self::derived("@path", Derived::Path);
    /// `"@query"` (RFC 9421 §2.2.7).
    pub const QUERY: Self = Self::derived("@query", Derived::Query);
    /// `"@status"` (RFC 9421 §2.2.9).
    pub const STATUS: Self = Self::derived("@status", Derived::Status);
    /// `"content-digest"` (RFC 9530 §2).
    pub const CONTENT_DIGEST: Self = Self {
        item: bare("content-digest"),
        kind: Kind::Field {
            name: Text(Cow::Borrowed("content-digest")),
            part: Part::Whole,
            of_trailers: false,
        },
        of_request: false,
    };

    /// Reads a component as it stands in Signature-Input, such as `"@query-param";name="id"`.
    ///
    /// # Errors
    /// [`ComponentError`]: what is not understood, or does not go together.
    pub fn parse(text: &'c str) -> Result<Self, ComponentError> {
        let item = Item::parse(text.as_bytes(), &Bounds::DEFAULT)?;
        Self::from_item(item, FieldNames::SmallLetters)
    }

    /// The component of this name, without parameters: a field, or a derived one with its `@`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn named(name: impl Into<Cow<'c, str>>) -> Result<Self, ComponentError> {
        let name = name.into();
        let text = Text::new(name).map_err(|_| ComponentError::NotText)?;
        let item = Item {
            value: BareItem::String(text),
            parameters: Parameters::default(),
        };
        Self::from_item(item, FieldNames::SmallLetters)
    }

    /// `"@query-param"` with this name, percent-encoded as RFC 9421 §2.2.8 has it.
    ///
    /// # Errors
    /// [`ComponentError::NotText`] when the name is not ASCII.
    pub fn query_param(name: impl Into<Cow<'c, str>>) -> Result<Self, ComponentError> {
        let name = Text::new(name).map_err(|_| ComponentError::NotText)?;
        let mut parameters = Parameters::default();
        parameters.set(Key::known("name"), BareItem::String(name));
        let item = Item {
            value: BareItem::String(Text(Cow::Borrowed("@query-param"))),
            parameters,
        };
        Self::from_item(item, FieldNames::SmallLetters)
    }

    /// The same component of the request that a response answers (`req`, RFC 9421 §2.4).
    ///
    /// # Errors
    /// [`ComponentError`] for `"@status"`, which no request has.
    pub fn of_request(self) -> Result<Self, ComponentError> {
        self.with("req", TRUE)
    }

    /// The same field in the trailers (`tr`, RFC 9421 §2.1.4).
    ///
    /// # Errors
    /// [`ComponentError`] for a derived component.
    pub fn of_trailers(self) -> Result<Self, ComponentError> {
        self.with("tr", TRUE)
    }

    /// The same field, written anew as the structured field it is (`sf`, RFC 9421 §2.1.1).
    ///
    /// # Errors
    /// [`ComponentError`] for a derived component, and beside `bs`.
    pub fn structured(self) -> Result<Self, ComponentError> {
        self.with("sf", TRUE)
    }

    /// One member of the same dictionary field (`key`, RFC 9421 §2.1.2).
    ///
    /// # Errors
    /// [`ComponentError`] for a derived component, and beside `bs`.
    pub fn member(self, key: impl Into<Cow<'c, str>>) -> Result<Self, ComponentError> {
        let key = Text::new(key).map_err(|_| ComponentError::NotText)?;
        self.with("key", BareItem::String(key))
    }

    /// The same field, each line as bytes (`bs`, RFC 9421 §2.1.3).
    ///
    /// # Errors
    /// [`ComponentError`] for a derived component, and beside `sf` and `key`.
    pub fn as_bytes(self) -> Result<Self, ComponentError> {
        self.with("bs", TRUE)
    }

    /// The name, without parameters.
    pub fn name(&self) -> &str {
        self.item.value.as_text().unwrap_or_default()
    }

    /// Understands an item of a list of covered components.
    pub(crate) fn from_item(item: Item<'c>, names: FieldNames) -> Result<Self, ComponentError> {
        let BareItem::String(name) = &item.value else {
            return Err(ComponentError::NotText);
        };
        let found = Found::read(name.as_str(), &item.parameters)?;
        let kind = match name.as_str().strip_prefix('@') {
            Some(_) => found.derived(name.as_str())?,
            None => found.field(name, names)?,
        };
        let of_request = found.req;
        if of_request && kind == Kind::Derived(Derived::Status) {
            return Err(not_for(name.as_str(), "req"));
        }
        Ok(Self {
            item,
            kind,
            of_request,
        })
    }

    pub(crate) fn item(&self) -> &Item<'c> {
        &self.item
    }

    fn with(mut self, key: &'static str, value: BareItem<'c>) -> Result<Self, ComponentError> {
        self.item.parameters.set(Key::known(key), value);
        Self::from_item(self.item, FieldNames::SmallLetters)
    }

    const fn derived(name: &'static str, derived: Derived) -> Self {
        Self {
            item: bare(name),
            kind: Kind::Derived(derived),
            of_request: false,
        }
    }
}

impl PartialEq for Component<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Component<'_> {}

impl PartialOrd for Component<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Component<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        work::done(1);
        (&self.kind, self.of_request).cmp(&(&other.kind, other.of_request))
    }
}

impl fmt::Display for Component<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.item.fmt(f)
    }
}

/// Understands the items of a list of covered components.
pub(crate) fn understand<'c>(
    items: &[Item<'c>],
    names: FieldNames,
) -> Result<Vec<Component<'c>>, ParamsError> {
    let understood = items
        .iter()
        .map(|item| Component::from_item(item.clone(), names));
    Ok(understood.collect::<Result<_, _>>()?)
}

/// How field names may be written in a list of covered components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldNames {
    /// As RFC 9421 §2.1 has it.
    SmallLetters,
    /// `"Content-Digest"`, too, which is what Margo's text prints.
    ContentDigestWithCapitals,
}

/// The parameters of a component, all of them understood.
#[derive(Default)]
struct Found<'c> {
    sf: bool,
    bs: bool,
    tr: bool,
    req: bool,
    key: Option<Text<'c>>,
    name: Option<Text<'c>>,
}

impl<'c> Found<'c> {
    fn read(component: &str, parameters: &Parameters<'c>) -> Result<Self, ComponentError> {
        let mut found = Self::default();
        for (key, value) in parameters.iter() {
            match (key.as_str(), value) {
                ("sf", BareItem::Boolean(true)) => found.sf = true,
                ("bs", BareItem::Boolean(true)) => found.bs = true,
                ("tr", BareItem::Boolean(true)) => found.tr = true,
                ("req", BareItem::Boolean(true)) => found.req = true,
                ("key", BareItem::String(key)) => found.key = Some(key.clone()),
                ("name", BareItem::String(name)) => found.name = Some(name.clone()),
                (other, _) => return Err(not_for(component, other)),
            }
        }
        Ok(found)
    }

    fn derived(&self, name: &str) -> Result<Kind<'c>, ComponentError> {
        let of_fields = [
            (self.sf, "sf"),
            (self.bs, "bs"),
            (self.tr, "tr"),
            (self.key.is_some(), "key"),
        ];
        if let Some((_, parameter)) = of_fields.iter().find(|(there, _)| *there) {
            return Err(not_for(name, parameter));
        }
        if name == "@query-param" {
            let name = self.name.clone().ok_or(ComponentError::NameMissing)?;
            return Ok(Kind::QueryParam(name));
        }
        if self.name.is_some() {
            return Err(not_for(name, "name"));
        }
        let derived = DERIVED.iter().find(|(known, _)| *known == name);
        match derived {
            Some((_, derived)) => Ok(Kind::Derived(*derived)),
            None => Err(ComponentError::Derived { name: name.into() }),
        }
    }

    fn field(&self, name: &Text<'c>, names: FieldNames) -> Result<Kind<'c>, ComponentError> {
        let text = name.as_str();
        if self.name.is_some() {
            return Err(not_for(text, "name"));
        }
        let small = |byte: u8| is_token_character(byte) && !byte.is_ascii_uppercase();
        let name = if names == FieldNames::ContentDigestWithCapitals && text == "Content-Digest" {
            Text(Cow::Borrowed("content-digest"))
        } else if !text.is_empty() && text.bytes().all(small) {
            name.clone()
        } else {
            return Err(ComponentError::FieldName { name: text.into() });
        };
        let part = match (&self.key, self.sf, self.bs) {
            (None, false, false) => Part::Whole,
            (None, true, false) => Part::Structured,
            (None, false, true) => Part::Bytes,
            // With `key` the value is written anew, so `sf` adds nothing (§2.1).
            (Some(key), _, false) => Part::Member(key.clone()),
            _ => return Err(ComponentError::Incompatible { name: text.into() }),
        };
        Ok(Kind::Field {
            name,
            part,
            of_trailers: self.tr,
        })
    }
}

fn not_for(name: &str, parameter: &str) -> ComponentError {
    ComponentError::Parameter {
        name: name.to_string(),
        parameter: parameter.to_string(),
    }
}

const fn bare(name: &'static str) -> Item<'static> {
    Item {
        value: BareItem::String(Text(Cow::Borrowed(name))),
        parameters: Parameters(Vec::new()),
    }
}

const DERIVED: &[(&str, Derived)] = &[
    ("@method", Derived::Method),
    ("@target-uri", Derived::TargetUri),
    ("@authority", Derived::Authority),
    ("@scheme", Derived::Scheme),
    ("@request-target", Derived::RequestTarget),
    ("@path", Derived::Path),
    ("@query", Derived::Query),
    ("@status", Derived::Status),
];
