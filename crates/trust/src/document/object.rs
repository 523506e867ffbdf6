//! Objects whose members are taken out one by one, and what the values are read as.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DocumentError;
use super::error::Fault;
use super::json::{Json, member_pointer};

/// What `null` means for a member. Eclipse Hono takes it for an absent member in some places and for
/// an error in others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Null {
    Absent,
    Refused,
}

/// An object that is being read.
pub(super) struct Object {
    members: Vec<(String, Json)>,
    pointer: String,
}

impl Object {
    /// An object that may have any members.
    pub(super) fn open(value: Json, pointer: String) -> Result<Self, DocumentError> {
        match value {
            Json::Object(members) => Ok(Self { members, pointer }),
            other => Err(Fault::new("an object", other.kind()).at(&pointer)),
        }
    }

    /// An object that has `known` members and no others. What is not known is refused before anything
    /// is read: a misspelt member says more than that the right one is missing.
    pub(super) fn closed(
        value: Json,
        pointer: String,
        known: &[&str],
    ) -> Result<Self, DocumentError> {
        let object = Self::open(value, pointer)?;
        let mut names = object.members.iter().map(|(name, _)| name.as_str());
        let Some(unknown) = names.find(|name| !known.contains(name)) else {
            return Ok(object);
        };
        let renamed = RENAMED.iter().find(|(former, _)| *former == unknown);
        Err(DocumentError::Unknown {
            pointer: object.pointer_to(unknown),
            hint: renamed.map(|(_, hint)| *hint),
        })
    }

    /// The JSON pointer of one of its members.
    pub(super) fn pointer_to(&self, name: &str) -> String {
        member_pointer(&self.pointer, name)
    }

    /// Takes out a member; what it is read as names what is wrong with it.
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        null: Null,
        read: impl FnOnce(Json) -> Result<T, Fault>,
    ) -> Result<Option<T>, DocumentError> {
        match self.take(name, null) {
            None => Ok(None),
            Some(value) => match read(value) {
                Ok(value) => Ok(Some(value)),
                Err(fault) => Err(fault.at(&self.pointer_to(name))),
            },
        }
    }

    pub(super) fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Json) -> Result<T, Fault>,
    ) -> Result<T, DocumentError> {
        let pointer = self.pointer_to(name);
        let value = self.read(name, Null::Refused, read)?;
        value.ok_or(DocumentError::Missing { pointer })
    }

    /// Takes out a member that is a closed object.
    pub(super) fn object(
        &mut self,
        name: &str,
        null: Null,
        known: &[&str],
    ) -> Result<Option<Self>, DocumentError> {
        let pointer = self.pointer_to(name);
        let value = self.take(name, null);
        let object = value.map(|value| Self::closed(value, pointer, known));
        object.transpose()
    }

    /// Takes out a list of at most `limit` elements, each with its JSON pointer; `None` if there is
    /// none.
    pub(super) fn list(
        &mut self,
        name: &str,
        null: Null,
        limit: usize,
    ) -> Result<Option<Vec<(Json, String)>>, DocumentError> {
        let pointer = self.pointer_to(name);
        let list = self.take(name, null);
        list.map(|list| elements(list, &pointer, limit)).transpose()
    }

    /// A list whose elements are all read alike.
    pub(super) fn list_of<T>(
        &mut self,
        name: &str,
        limit: usize,
        read: impl Fn(Json) -> Result<T, Fault>,
    ) -> Result<Option<Vec<T>>, DocumentError> {
        let Some(list) = self.list(name, Null::Refused, limit)? else {
            return Ok(None);
        };
        let elements = list
            .into_iter()
            .map(|(value, pointer)| read(value).map_err(|fault| fault.at(&pointer)));
        elements.collect::<Result<_, _>>().map(Some)
    }

    /// What was not taken out: the object is open.
    pub(super) fn rest(self) -> Vec<(String, Json)> {
        self.members
    }

    fn take(&mut self, name: &str, null: Null) -> Option<Json> {
        let at = self.members.iter().position(|(found, _)| found == name)?;
        let (_, value) = self.members.remove(at);
        (null == Null::Refused || value != Json::Null).then_some(value)
    }
}

/// The elements of a list of at most `limit`, each with its JSON pointer.
pub(super) fn elements(
    value: Json,
    pointer: &str,
    limit: usize,
) -> Result<Vec<(Json, String)>, DocumentError> {
    let list = match value {
        Json::List(list) => list,
        other => return Err(Fault::new("a list", other.kind()).at(pointer)),
    };
    let found = list.len();
    if found > limit {
        return Err(DocumentError::TooMany {
            pointer: pointer.to_owned(),
            limit,
            found,
        });
    }
    let each = list.into_iter().enumerate();
    let placed = each.map(|(at, value)| (value, format!("{pointer}/{at}")));
    Ok(placed.collect())
}

pub(super) fn text(value: Json) -> Result<String, Fault> {
    match value {
        Json::Text(text) => Ok(text),
        other => Err(Fault::new("a string", other.kind())),
    }
}

pub(super) fn boolean(value: Json) -> Result<bool, Fault> {
    match value {
        Json::Bool(value) => Ok(value),
        other => Err(Fault::new("a boolean", other.kind())),
    }
}

/// Base64 as RFC 4648 §4 has it, padded and canonical.
pub(super) fn base64(value: Json) -> Result<Vec<u8>, Fault> {
    let text = text(value)?;
    let bytes = STANDARD.decode(&text);
    bytes.map_err(|_| Fault::of_value("padded base64", &text))
}

pub(super) fn to_base64(bytes: &[u8]) -> Json {
    Json::Text(base64_text(bytes))
}

pub(super) fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A whole number that is not negative.
pub(super) fn count(value: Json) -> Result<u64, Fault> {
    const EXPECTED: &str = "a whole number from 0";
    match value {
        Json::Number(number) => match number.as_u64() {
            Some(count) => Ok(count),
            None => Err(Fault::new(EXPECTED, number)),
        },
        other => Err(Fault::new(EXPECTED, other.kind())),
    }
}

pub(super) fn to_count(count: u64) -> Json {
    Json::Number(count.into())
}

/// Members as they are written; those without a value are left out.
pub(super) fn object<'n>(members: impl IntoIterator<Item = (&'n str, Option<Json>)>) -> Json {
    let members = members.into_iter();
    let given = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Json::Object(given.collect())
}

/// Members that once had another name.
const RENAMED: [(&str, &str); 1] = [(
    "allow-auto-provision",
    "it is now called auto-provisioning-enabled",
)];
