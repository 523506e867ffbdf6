use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::DocumentError;
use super::error::Fault;
use super::json::Json;

/// A JSON object that gangplank keeps and gives back, and does not look into. It displays as compact
/// JSON, its members in the order that they were written in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FreeObject(Vec<(String, Json)>);

impl FreeObject {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// [`DocumentError`]: it is none, or too large or deep, or a member is there twice.
    pub fn parse(json: &[u8]) -> Result<Self, DocumentError> {
        Self::of(Json::read(json)?).map_err(|fault| fault.at(""))
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of(value: Json) -> Result<Self, Fault> {
        match value {
            Json::Object(members) => Ok(Self(members)),
            other => Err(Fault::new("an object", other.kind())),
        }
    }

    pub(super) fn of_members(members: Vec<(String, Json)>) -> Self {
        Self(members)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, Json)> {
        let members = self.0.iter();
        members.map(|(name, value)| (name.as_str(), value.clone()))
    }

    pub(super) fn to_json(&self) -> Json {
        Json::Object(self.0.clone())
    }
}

impl fmt::Display for FreeObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}
