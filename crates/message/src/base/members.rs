//! Members of dictionaries (RFC 9421 §2.1.2): each field is read once, however many are covered.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::ValueError;
use super::source::{FieldId, Sources};
use crate::component::{Kind, Part};
use crate::structured::{Key, Member, read_dictionary};
use crate::{Limits, SignatureParams, StructuredType};

/// The texts of the dictionaries that members of are covered.
pub(crate) type Texts<'t> = BTreeMap<FieldId<'t>, Result<Cow<'t, [u8]>, ValueError>>;

/// Finds the dictionaries that members of are covered.
pub(crate) fn texts<'t>(params: &'t SignatureParams<'_>, sources: &'t Sources<'_>) -> Texts<'t> {
    let mut texts = Texts::new();
    for component in params.components() {
        if let Kind::Field {
            name,
            part: Part::Member(_),
            of_trailers,
        } = &component.kind
        {
            let id = (component.of_request, *of_trailers, name.as_str());
            texts.entry(id).or_insert_with(|| {
                let field = sources.field(id)?;
                match field.known {
                    None | Some(StructuredType::Dictionary) => field.combined(),
                    Some(_) => Err(ValueError::NotDictionary),
                }
            });
        }
    }
    texts
}

/// Those dictionaries, read.
pub(crate) struct Members<'t>(BTreeMap<FieldId<'t>, Result<ByKey<'t>, ValueError>>);

type ByKey<'t> = BTreeMap<Key<'t>, Member<'t>>;

impl<'t> Members<'t> {
    pub(crate) fn read(texts: &'t Texts<'t>, limits: &Limits) -> Self {
        let read = |text: &'t Result<Cow<'t, [u8]>, ValueError>| {
            let text = text.as_ref().map_err(|error| *error)?;
            let mut members = Vec::new();
            read_dictionary(text, &limits.structured, &mut members)
                .map_err(ValueError::Malformed)?;
            // Of a repeated key the last value counts (RFC 9651 §4.2.2).
            Ok(members.into_iter().collect())
        };
        Self(texts.iter().map(|(id, text)| (*id, read(text))).collect())
    }

    /// Appends the value of a member.
    pub(crate) fn write(
        &self,
        id: FieldId<'_>,
        key: &str,
        out: &mut String,
    ) -> Result<(), ValueError> {
        let members = self.0.get(&id).ok_or(ValueError::FieldMissing)?;
        let members = members.as_ref().map_err(|error| *error)?;
        let member = Key::new(key)
            .ok()
            .and_then(|key| members.get(&key))
            .ok_or(ValueError::MemberMissing)?;
        member.write(out);
        Ok(())
    }
}
