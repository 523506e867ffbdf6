//! Reading JSON objects member by member, so that every error names its member and no member
//! counts twice.

use alloc::{
    borrow::ToOwned as _,
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::{fmt, time::Duration};

use rustls_pki_types::UnixTime;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use zeroize::Zeroize as _;

use crate::{MAX_MESSAGE, MessageError, Text};

/// Any JSON value. Objects have each member once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

/// An object whose members are taken out one by one; those never taken are ignored.
pub(crate) struct Object {
    members: BTreeMap<String, Json>,
    path: String,
}

impl Object {
    /// Reads a whole message.
    pub(crate) fn read(wire: &[u8]) -> Result<Self, MessageError> {
        if wire.len() > MAX_MESSAGE {
            return Err(MessageError::TooLarge);
        }
        match serde_json::from_slice(wire) {
            Ok(Json::Object(members)) => Ok(Self {
                members,
                path: String::new(),
            }),
            Ok(_) => Err(MessageError::NotAnObject),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                // `Json` takes every value, so that only a repeated member is a data error.
                Err(match error.classify() {
                    serde_json::error::Category::Data => MessageError::Repeated { line, column },
                    _ => MessageError::Unreadable { line, column },
                })
            }
        }
    }

    /// Requires `apiVersion` and one of the `kinds`, of which the first is the right one.
    pub(crate) fn header(
        &mut self,
        api_version: &'static str,
        kinds: &[&'static str],
    ) -> Result<(), MessageError> {
        let is =
            |value: Option<Json>, text: &str| matches!(value, Some(Json::Text(t)) if t == text);
        if !is(self.members.remove("apiVersion"), api_version) {
            return Err(MessageError::ApiVersion {
                expected: api_version,
            });
        }
        let kind = self.members.remove("kind");
        match kinds.iter().any(|allowed| is(kind.clone(), allowed)) {
            true => Ok(()),
            false => Err(MessageError::Kind {
                expected: kinds.first().copied().unwrap_or_default(),
            }),
        }
    }

    /// The member's value; null counts as absent, as many serialisers write it so.
    pub(crate) fn optional(&mut self, name: &str) -> Option<Json> {
        self.members
            .remove(name)
            .filter(|value| *value != Json::Null)
    }

    pub(crate) fn required(&mut self, name: &str) -> Result<Json, MessageError> {
        self.optional(name).ok_or_else(|| MessageError::Missing {
            member: self.name(name),
        })
    }

    pub(crate) fn optional_string(&mut self, name: &str) -> Result<Option<String>, MessageError> {
        match self.optional(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "a string")),
        }
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<String, MessageError> {
        match self.required(name)? {
            Json::Text(text) => Ok(text),
            _ => Err(self.wrong(name, "a string")),
        }
    }

    /// A required string in the form that `parse` reads.
    pub(crate) fn parsed<T, E>(
        &mut self,
        name: &str,
        reason: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, MessageError> {
        let text = self.string(name)?;
        parse(&text).map_err(|_| self.invalid(name, reason))
    }

    pub(crate) fn optional_text<const LIMIT: usize, const LINES: bool>(
        &mut self,
        name: &str,
    ) -> Result<Option<Text<LIMIT, LINES>>, MessageError> {
        match self.optional_string(name)? {
            None => Ok(None),
            Some(text) => match Text::parse(&text) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(self.invalid(name, NO_TEXT)),
            },
        }
    }

    pub(crate) fn text<const LIMIT: usize, const LINES: bool>(
        &mut self,
        name: &str,
    ) -> Result<Text<LIMIT, LINES>, MessageError> {
        self.parsed(name, NO_TEXT, Text::parse)
    }

    /// Unix seconds: a JSON integer from 0 to 2^53 - 1, which every JSON reader keeps exactly.
    pub(crate) fn time(&mut self, name: &str) -> Result<UnixTime, MessageError> {
        let seconds = match self.required(name)? {
            Json::Number(number) => number.as_u64(),
            _ => None,
        };
        match seconds {
            Some(seconds) if seconds < 1 << 53 => {
                Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
            }
            _ => Err(self.wrong(name, "a whole number of unix seconds")),
        }
    }

    pub(crate) fn object(&mut self, name: &str) -> Result<Self, MessageError> {
        let value = self.required(name)?;
        self.nested(name, value)
    }

    pub(crate) fn optional_object(&mut self, name: &str) -> Result<Option<Self>, MessageError> {
        match self.optional(name) {
            None => Ok(None),
            Some(value) => self.nested(name, value).map(Some),
        }
    }

    /// A list; absent is empty.
    pub(crate) fn list(&mut self, name: &str, limit: usize) -> Result<Vec<Json>, MessageError> {
        match self.optional(name) {
            None => Ok(Vec::new()),
            Some(Json::List(list)) if list.len() <= limit => Ok(list),
            Some(Json::List(_)) => Err(MessageError::TooMany {
                member: self.name(name),
                limit,
            }),
            Some(_) => Err(self.wrong(name, "a list")),
        }
    }

    /// A list of objects; absent is empty.
    pub(crate) fn objects(&mut self, name: &str, limit: usize) -> Result<Vec<Self>, MessageError> {
        let list = self.list(name, limit)?;
        let each = list.into_iter().enumerate();
        each.map(|(at, value)| self.nested(&format!("{name}[{at}]"), value))
            .collect()
    }

    /// What is left of it.
    pub(crate) fn into_json(mut self) -> Json {
        Json::Object(core::mem::take(&mut self.members))
    }

    pub(crate) fn wrong(&self, name: &str, expected: &'static str) -> MessageError {
        MessageError::Type {
            member: self.name(name),
            expected,
        }
    }

    pub(crate) fn invalid(&self, name: &str, reason: &'static str) -> MessageError {
        MessageError::Invalid {
            member: self.name(name),
            reason,
        }
    }

    fn nested(&self, name: &str, value: Json) -> Result<Self, MessageError> {
        match value {
            Json::Object(members) => Ok(Self {
                members,
                path: format!("{}.", self.name(name)),
            }),
            _ => Err(self.wrong(name, "an object")),
        }
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }
}

/// A message that is refused half-way may still hold a secret.
impl Drop for Object {
    fn drop(&mut self) {
        for value in self.members.values_mut() {
            if let Json::Text(text) = value {
                text.zeroize();
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
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
            Self::Object(members) => members.serialize(serializer),
        }
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a json value")
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

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        // serde_json reads no number that is not finite.
        Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry::<String, Json>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member comes twice"));
            }
        }
        Ok(Json::Object(members))
    }
}

/// A number as text, for members that are read in either form.
pub(crate) fn number_text(number: &serde_json::Number) -> String {
    number.to_string()
}

/// The JSON text of a message. None of ours can fail: their keys are strings.
pub(crate) fn write(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

const NO_TEXT: &str = "too long, or with control characters";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_member_counts_once_at_any_depth() {
        for (text, column) in [
            (r#"{"a":1,"a":1}"#, 12),
            (r#"{"x":{"a":1,"\u0061":2}}"#, 22),
            (r#"{"x":[{"a":1,"a":null}]}"#, 21),
        ] {
            match Object::read(text.as_bytes()).err() {
                Some(MessageError::Repeated {
                    line: 1,
                    column: at,
                }) => {
                    assert!(at.abs_diff(column) <= 2, "{text}: {at}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "{",
            "{} {}",
            "\u{feff}{}",
            "{'a':1}",
            "{\"a\":\"\\ud800\"}",
        ] {
            let error = Object::read(text.as_bytes()).err();
            assert!(
                matches!(error, Some(MessageError::Unreadable { .. })),
                "{text}"
            );
        }
        assert_eq!(Object::read(b"[]").err(), Some(MessageError::NotAnObject));
        let long = std::vec![b' '; MAX_MESSAGE + 1];
        assert_eq!(Object::read(&long).err(), Some(MessageError::TooLarge));
        let deep = "[".repeat(200_000);
        assert!(matches!(
            Object::read(deep.as_bytes()).err(),
            Some(MessageError::Unreadable { .. })
        ));
    }

    #[test]
    fn errors_name_the_member() {
        let mut object = Object::read(br#"{"a":{"b":[{"c":1},2]},"t":1.5}"#).unwrap();
        assert_eq!(
            object.time("t").unwrap_err().to_string(),
            "the member t is not a whole number of unix seconds"
        );
        let mut a = object.object("a").unwrap();
        let error = a.objects("b", 9).err().unwrap();
        assert_eq!(error.to_string(), "the member a.b[1] is not an object");
        let mut object = Object::read(br#"{"b":[{"c":1},{}]}"#).unwrap();
        let mut list = object.objects("b", 2).unwrap();
        assert_eq!(
            list[0].string("c").unwrap_err().to_string(),
            "the member b[0].c is not a string"
        );
        assert_eq!(
            list[1].string("c").unwrap_err().to_string(),
            "the member b[1].c is missing"
        );
        let mut object = Object::read(br#"{"b":[{},{}]}"#).unwrap();
        assert!(matches!(
            object.objects("b", 1).err(),
            Some(MessageError::TooMany { limit: 1, .. })
        ));
    }

    #[test]
    fn times_are_exact_integers() {
        let read = |text: &str| Object::read(text.as_bytes()).unwrap().time("t");
        assert_eq!(
            read(r#"{"t":1767229200}"#).unwrap().as_secs(),
            1_767_229_200
        );
        assert!(read(r#"{"t":9007199254740991}"#).is_ok());
        for text in [
            r#"{"t":9007199254740992}"#,
            r#"{"t":-1}"#,
            r#"{"t":1.0}"#,
            r#"{"t":"1"}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Object::read(&bytes);
        }
    }
}
