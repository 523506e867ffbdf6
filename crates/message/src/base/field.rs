//! The value of a field in the base (RFC 9421 §2.1).

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ValueError;
use crate::component::Part;
use crate::message::{Field as Line, values_of};
use crate::structured::{Dictionary, Item, List};
use crate::{Limits, StructuredType};

/// The lines of one field.
pub(crate) struct Field<'b> {
    lines: &'b [Line<'b>],
    name: &'b str,
    limits: &'b Limits,
}

impl<'b> Field<'b> {
    /// The field called `name`, in small letters; whether there is one shows when it is written.
    pub(crate) fn find(lines: &'b [Line<'b>], name: &'b str, limits: &'b Limits) -> Self {
        Self {
            lines,
            name,
            limits,
        }
    }

    /// Appends its value.
    pub(crate) fn write(
        &self,
        part: &Part<'_>,
        known: Option<StructuredType>,
        out: &mut String,
    ) -> Result<(), ValueError> {
        match part {
            Part::Whole => self.write_whole(out),
            Part::Bytes => self.write_bytes(out),
            Part::Structured => self.write_structured(known, out),
            Part::Member(key) => self.write_member(key.as_str(), known, out),
        }
    }

    /// The lines' values, put together as RFC 9110 §5.2 does.
    fn write_whole(&self, out: &mut String) -> Result<(), ValueError> {
        self.each(|value, is_first| {
            if !is_first {
                out.push_str(", ");
            }
            if !value.iter().all(|byte| is_field_character(*byte)) {
                return Err(ValueError::Character);
            }
            out.push_str(core::str::from_utf8(value).map_err(|_| ValueError::Character)?);
            Ok(())
        })
    }

    fn write_bytes(&self, out: &mut String) -> Result<(), ValueError> {
        self.each(|value, is_first| {
            out.push_str(if is_first { ":" } else { ", :" });
            STANDARD.encode_string(value, out);
            out.push(':');
            Ok(())
        })
    }

    fn write_structured(
        &self,
        known: Option<StructuredType>,
        out: &mut String,
    ) -> Result<(), ValueError> {
        let text = self.combined()?;
        let bounds = &self.limits.structured;
        match known.ok_or(ValueError::TypeUnknown)? {
            StructuredType::Item => Item::parse(&text, bounds).map(|item| item.write(out)),
            StructuredType::List => List::parse(&text, bounds).map(|list| list.write(out)),
            StructuredType::Dictionary => {
                Dictionary::parse(&text, bounds).map(|dictionary| dictionary.write(out))
            }
        }
        .map_err(ValueError::Malformed)
    }

    fn write_member(
        &self,
        key: &str,
        known: Option<StructuredType>,
        out: &mut String,
    ) -> Result<(), ValueError> {
        if !matches!(known, None | Some(StructuredType::Dictionary)) {
            return Err(ValueError::NotDictionary);
        }
        let text = self.combined()?;
        let dictionary =
            Dictionary::parse(&text, &self.limits.structured).map_err(ValueError::Malformed)?;
        let member = dictionary.get(key).ok_or(ValueError::MemberMissing)?;
        member.write(out);
        Ok(())
    }

    fn combined(&self) -> Result<Cow<'b, [u8]>, ValueError> {
        let mut combined = Vec::new();
        self.each(|value, is_first| {
            if !is_first {
                combined.extend_from_slice(b", ");
            }
            combined.extend_from_slice(value);
            Ok(())
        })?;
        Ok(Cow::Owned(combined))
    }

    /// Calls `visit` with each line's value, unfolded and without blanks around it.
    fn each(
        &self,
        mut visit: impl FnMut(&[u8], bool) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let mut length = 0_usize;
        let mut is_first = true;
        for value in values_of(self.lines, self.name) {
            length = length.saturating_add(value.len());
            if length > self.limits.field {
                let limit = self.limits.field;
                return Err(ValueError::TooLong { limit });
            }
            visit(&unfolded(value)?, is_first)?;
            is_first = false;
        }
        if is_first {
            return Err(ValueError::FieldMissing);
        }
        Ok(())
    }
}

/// Replaces each obsolete line folding by one blank (RFC 9421 §2.1 step 3, RFC 9112 §5.2).
fn unfolded(value: &[u8]) -> Result<Cow<'_, [u8]>, ValueError> {
    if !value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Ok(Cow::Borrowed(value));
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut out = Vec::with_capacity(value.len());
    for (at, line) in value.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let start = line.iter().position(|byte| !is_blank(byte));
        let end = line.iter().rposition(|byte| !is_blank(byte));
        if at > 0 {
            // A line end that no blank follows is no folding.
            if !line.first().is_some_and(is_blank) {
                return Err(ValueError::Character);
            }
            if out.last() != Some(&b' ') {
                out.push(b' ');
            }
        }
        if let (Some(start), Some(end)) = (start, end) {
            out.extend_from_slice(line.get(start..=end).unwrap_or_default());
        }
    }
    Ok(Cow::Owned(out))
}

/// RFC 9110 §5.5 without `obs-text`, which a base cannot hold (RFC 9421 §2.5).
fn is_field_character(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t')
}
