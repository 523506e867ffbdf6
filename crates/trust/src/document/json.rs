//! Any JSON value, each member of an object once, and where it stands.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{DocumentError, MAX_DOCUMENT_BYTES, MAX_NESTING};

/// A value; the members of an object are in the order that they were written in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value and nothing after it.
    pub(super) fn read(text: &[u8]) -> Result<Self, DocumentError> {
        let length = text.len();
        if length > MAX_DOCUMENT_BYTES {
            return Err(DocumentError::TooLarge { length });
        }
        let fault = RefCell::new(None);
        let seed = Seed {
            at: &Place::Root,
            nesting: 0,
            fault: &fault,
        };
        let mut reader = serde_json::Deserializer::from_slice(text);
        let value = seed.deserialize(&mut reader);
        let read = value.and_then(|value| reader.end().map(|()| value));
        read.map_err(|error| {
            fault.take().unwrap_or(DocumentError::Unreadable {
                line: error.line(),
                column: error.column(),
            })
        })
    }

    /// What kind of value it is, as a person says it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    pub(super) fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }
}

impl fmt::Display for Json {
    /// Compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It cannot fail: every name is a string.
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => list.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// Where in the document the reader is.
enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Element(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(of, name) => member_pointer(&of.pointer(), name),
            Self::Element(of, at) => format!("{}/{at}", of.pointer()),
        }
    }
}

/// The JSON pointer (RFC 6901) of a member of what `pointer` points at.
pub(super) fn member_pointer(pointer: &str, name: &str) -> String {
    let name = name.replace('~', "~0").replace('/', "~1");
    format!("{pointer}/{name}")
}

struct Seed<'a> {
    at: &'a Place<'a>,
    nesting: usize,
    /// What serde_json's own error cannot carry.
    fault: &'a RefCell<Option<DocumentError>>,
}

impl Seed<'_> {
    fn below<'b>(&'b self, at: &'b Place<'b>) -> Seed<'b> {
        Seed {
            at,
            nesting: self.nesting + 1,
            fault: self.fault,
        }
    }

    fn stop<E: serde::de::Error>(&self, fault: DocumentError) -> E {
        *self.fault.borrow_mut() = Some(fault);
        E::custom("see the fault")
    }

    fn check_nesting<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.nesting < MAX_NESTING {
            return Ok(());
        }
        let pointer = self.at.pointer();
        Err(self.stop(DocumentError::TooDeep { pointer }))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        let number = serde_json::Number::from_f64(value);
        number
            .map(Json::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::text(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        self.check_nesting()?;
        let mut list = Vec::new();
        loop {
            let place = Place::Element(self.at, list.len());
            match elements.next_element_seed(self.below(&place))? {
                Some(element) => list.push(element),
                None => return Ok(Json::List(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        self.check_nesting()?;
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names = BTreeSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            let place = Place::Member(self.at, &name);
            if !names.insert(name.clone()) {
                let pointer = place.pointer();
                return Err(self.stop(DocumentError::Repeated { pointer }));
            }
            let value = entries.next_value_seed(self.below(&place))?;
            members.push((name, value));
        }
        Ok(Json::Object(members))
    }
}
