//! JSON that others wrote.

use serde_json::Value;

/// A member's text, if it has one.
pub(crate) fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member)?.as_str()
}

/// Sets a member of an object; anything else stays as it is.
pub(crate) fn set(value: &mut Value, member: &str, to: impl Into<Value>) {
    if let Some(members) = value.as_object_mut() {
        members.insert(member.to_owned(), to.into());
    }
}
