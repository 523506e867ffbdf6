//! The value of a field in the base (RFC 9421 §2.1).

use alloc::borrow::Cow;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ValueError;
use crate::message::{Index, unfolded};
use crate::structured::{Dictionary, Item, List};
use crate::{Limits, StructuredType};

/// The lines of one field.
pub(crate) struct Field<'s> {
    pub(crate) lines: &'s Index<'s>,
    pub(crate) name: &'s str,
    pub(crate) known: Option<StructuredType>,
    pub(crate) limits: &'s Limits,
}

impl<'s> Field<'s> {
    /// The values of all lines, as RFC 9110 §5.2 puts them together.
    pub(crate) fn combined(&self) -> Result<Cow<'s, [u8]>, ValueError> {
        let mut combined = Cow::Borrowed(&[][..]);
        self.each(|value, is_first| {
            if is_first {
                combined = value;
            } else {
                combined.to_mut().extend_from_slice(b", ");
                combined.to_mut().extend_from_slice(&value);
            }
            Ok(())
        })?;
        Ok(combined)
    }

    /// Appends the values of all lines, put together as RFC 9110 §5.2 does.
    pub(crate) fn write_whole(&self, out: &mut String) -> Result<(), ValueError> {
        self.each(|value, is_first| {
            if !is_first {
                out.push_str(", ");
            }
            if !value.iter().all(|byte| is_field_character(*byte)) {
                return Err(ValueError::Character);
            }
            out.push_str(core::str::from_utf8(&value).map_err(|_| ValueError::Character)?);
            Ok(())
        })
    }

    /// Appends each line as a byte sequence (`bs`).
    pub(crate) fn write_bytes(&self, out: &mut String) -> Result<(), ValueError> {
        self.each(|value, is_first| {
            out.push_str(if is_first { ":" } else { ", :" });
            STANDARD.encode_string(&value, out);
            out.push(':');
            Ok(())
        })
    }

    /// Appends the field written anew (`sf`).
    pub(crate) fn write_structured(&self, out: &mut String) -> Result<(), ValueError> {
        let text = self.combined()?;
        let bounds = &self.limits.structured;
        match self.known.ok_or(ValueError::TypeUnknown)? {
            StructuredType::Item => Item::parse(&text, bounds).map(|item| item.write(out)),
            StructuredType::List => List::parse(&text, bounds).map(|list| list.write(out)),
            StructuredType::Dictionary => {
                Dictionary::parse(&text, bounds).map(|dictionary| dictionary.write(out))
            }
        }
        .map_err(ValueError::Malformed)
    }

    /// Calls `visit` with each line's value, unfolded and without blanks around it.
    fn each(
        &self,
        mut visit: impl FnMut(Cow<'s, [u8]>, bool) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let mut length = 0_usize;
        let mut is_first = true;
        for value in self.lines.values_of(self.name) {
            length = length.saturating_add(value.len());
            if length > self.limits.field {
                let limit = self.limits.field;
                return Err(ValueError::TooLong { limit });
            }
            visit(
                unfolded(value).map_err(|_| ValueError::Character)?,
                is_first,
            )?;
            is_first = false;
        }
        if is_first {
            return Err(ValueError::FieldMissing);
        }
        Ok(())
    }
}

/// RFC 9110 §5.5 without `obs-text`, which a base cannot hold (RFC 9421 §2.5).
fn is_field_character(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t')
}
