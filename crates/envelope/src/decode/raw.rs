use alloc::vec::Vec;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::Deserialize;
use crate::limits::FORMAT_CERTIFICATES;

/// The members as they stand in the text. Unknown and repeated ones are refused, and so is null.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Raw<'w> {
    pub(super) payload: &'w str,
    pub(super) digest: &'w str,
    pub(super) signature: &'w str,
    pub(super) certificate_id: &'w str,
    #[serde(rename = "type", borrow, default, deserialize_with = "present")]
    pub(super) payload_type: Option<&'w str>,
    #[serde(default, deserialize_with = "present")]
    pub(super) created: Option<u64>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) nonce: Option<&'w str>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) audience: Option<&'w str>,
    #[serde(borrow, default, deserialize_with = "texts")]
    pub(super) certificates: Option<Vec<&'w str>>,
}

impl Raw<'_> {
    /// The first member that only the bound form has, beside `type`.
    pub(super) fn bound_member(&self) -> Option<&'static str> {
        [
            ("created", self.created.is_some()),
            ("nonce", self.nonce.is_some()),
            ("audience", self.audience.is_some()),
            ("certificates", self.certificates.is_some()),
        ]
        .into_iter()
        .find_map(|(member, there)| there.then_some(member))
    }
}

/// An optional member may be left out, but not be null.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

fn texts<'de: 'w, 'w, D>(deserializer: D) -> Result<Option<Vec<&'w str>>, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(Texts).map(Some)
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "an array of 1 to {FORMAT_CERTIFICATES} strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = sequence.next_element()? {
            if texts.len() == FORMAT_CERTIFICATES {
                return Err(A::Error::invalid_length(FORMAT_CERTIFICATES + 1, &self));
            }
            texts.push(text);
        }
        Ok(texts)
    }
}
