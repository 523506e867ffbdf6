use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Part, Placeholder, Template};
use crate::DistinguishedName;
use crate::distinguished_name::{Attribute, Shown};

impl Template {
    /// Puts a subject's values in place of the placeholders, in one pass from left to right.
    ///
    /// Values go in as they are: nothing in them is looked at again, neither braces nor `$` nor `\`.
    ///
    /// `{{subject-dn}}` is the printed subject. Any other takes the first relative name, from the
    /// right end of the print, that shows its attribute; where a relative name has several
    /// attributes, it shows only the one whose printed type sorts first.
    ///
    /// # Errors
    /// [`FillError`]: the subject does not yield a value.
    pub fn fill(&self, subject: &DistinguishedName) -> Result<Filled, FillError> {
        if let Some(position) = subject.doubled_attribute() {
            return Err(FillError::DoubledAttribute { position });
        }
        let mut used: Vec<Placeholder> = self.placeholders().collect();
        used.sort_unstable();
        used.dedup();
        let mut values = Vec::with_capacity(used.len());
        for placeholder in used {
            values.push((placeholder, value(subject, placeholder)?));
        }
        let pieces: Vec<&str> = self.parts.iter().map(|part| piece(part, &values)).collect();
        let length = pieces.iter().map(|piece| piece.len()).sum();
        if length > MAX_FILLED_BYTES {
            return Err(FillError::TooLong { length });
        }
        let text = pieces.concat();
        Ok(Filled { text, values })
    }
}

/// What a template made of a subject: an id, and the values that are in it.
///
/// Two templates or subjects may make the same text of different values, which are then not the same
/// device: equality asks for both. Texts compare by exact code points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    text: String,
    values: Vec<(Placeholder, String)>,
}

impl Filled {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value of each placeholder that the template has, once each, in the order of
    /// [`Placeholder`]'s variants.
    pub fn values(&self) -> impl ExactSizeIterator<Item = (Placeholder, &str)> {
        let values = self.values.iter();
        values.map(|(placeholder, value)| (*placeholder, value.as_str()))
    }

    /// Whether the id has only characters that Eclipse Hono's device ids have, and at least one:
    /// letters, digits and `_ . : = -`.
    pub fn fits_device_id(&self) -> bool {
        !self.text.is_empty() && self.text.bytes().all(super::lint::is_of_device_id)
    }
}

/// Why a subject does not fill a [`Template`].
///
/// All but [`FillError::DoubledAttribute`], which is `subject-unusable`, are
/// `template-attribute-missing`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FillError {
    /// The subject does not show the attribute.
    #[error("the subject has nothing for {}", placeholder.text())]
    Absent {
        /// What the template asks for.
        placeholder: Placeholder,
    },
    /// The value is there and has no characters.
    #[error("the subject's value for {} is empty", placeholder.text())]
    Empty {
        /// What the template asks for.
        placeholder: Placeholder,
    },
    /// The value is of a type that prints as hexadecimal digits.
    #[error("the subject's value for {} is not text", placeholder.text())]
    NotText {
        /// What the template asks for.
        placeholder: Placeholder,
    },
    /// A relative name has one attribute type twice, and nothing says which counts.
    #[error("relative name {position} of the subject has an attribute type twice")]
    DoubledAttribute {
        /// Which relative name, in the order of the DER, from 0.
        position: usize,
    },
    /// The id would be longer than [`MAX_FILLED_BYTES`].
    #[error("an id has at most {MAX_FILLED_BYTES} bytes, this one would have {length}")]
    TooLong {
        /// Bytes that it would have.
        length: usize,
    },
}

fn value(subject: &DistinguishedName, placeholder: Placeholder) -> Result<String, FillError> {
    let text = match placeholder {
        Placeholder::SubjectDn => Cow::Owned(subject.to_string()),
        Placeholder::SubjectCn => shown(subject, "CN", placeholder)?,
        Placeholder::SubjectOu => shown(subject, "OU", placeholder)?,
        Placeholder::SubjectO => shown(subject, "O", placeholder)?,
    };
    if text.is_empty() {
        return Err(FillError::Empty { placeholder });
    }
    Ok(text.into_owned())
}

fn shown<'s>(
    subject: &'s DistinguishedName,
    keyword: &str,
    placeholder: Placeholder,
) -> Result<Cow<'s, str>, FillError> {
    let mut visible = subject
        .relative_names()
        .iter()
        .filter_map(|set| visible(set));
    let found = visible.find(|attribute| attribute.keyword() == Some(keyword));
    let attribute = found.ok_or(FillError::Absent { placeholder })?;
    match attribute.shown() {
        Shown::Text(text) => Ok(text),
        Shown::Hex => Err(FillError::NotText { placeholder }),
    }
}

/// The one attribute that a relative name shows. Printed types are all capitals or digits.
fn visible(relative_name: &[Attribute]) -> Option<&Attribute> {
    match relative_name {
        [single] => Some(single),
        several => several.iter().min_by_key(|found| found.printed_type()),
    }
}

fn piece<'p>(part: &'p Part, values: &'p [(Placeholder, String)]) -> &'p str {
    match part {
        Part::Literal(text) => text,
        Part::Placeholder(wanted) => {
            let mut values = values.iter();
            let found = values.find(|(placeholder, _)| placeholder == wanted);
            found.map_or("", |(_, value)| value)
        }
    }
}

/// Bytes of an id that a template may make: the longest print of a name, or many times any id that is
/// of use. It bounds what a template with many placeholders makes of a long subject.
pub const MAX_FILLED_BYTES: usize = 4 * crate::MAX_NAME_BYTES;
