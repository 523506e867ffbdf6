//! Templates that make an authentication id or a device id from a subject.

mod fill;
mod lint;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use fill::{FillError, Filled, MAX_FILLED_BYTES};
pub use lint::{TemplateLint, TemplateUse};

/// Text with placeholders for parts of a subject, as Eclipse Hono's trust anchors have it.
///
/// A placeholder is the shortest text from `{{` to the next `}}` on one line. There is at least one,
/// and each is one of [`Placeholder`]; any other brace is ordinary text.
///
/// ```
/// use gangplank_trust::{DistinguishedName, Template};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let template = Template::parse("device-{{subject-cn}}")?;
/// let filled = template.fill(&DistinguishedName::parse("CN=pump-7,O=ACME")?)?;
/// assert_eq!(filled.as_str(), "device-pump-7");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`TemplateError`]: it has no placeholder, or unknown ones.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut unknown = Vec::new();
        let mut rest = text;
        while let Some((literal, placeholder, after)) = split_placeholder(rest) {
            if !literal.is_empty() {
                parts.push(Part::Literal(String::from(literal)));
            }
            match Placeholder::ALL
                .iter()
                .find(|known| known.text() == placeholder)
            {
                Some(known) => parts.push(Part::Placeholder(*known)),
                None => unknown.push(String::from(placeholder)),
            }
            rest = after;
        }
        if !unknown.is_empty() {
            return Err(TemplateError::UnknownPlaceholder { unknown });
        }
        if parts.is_empty() {
            return Err(TemplateError::NoPlaceholder);
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(String::from(rest)));
        }
        let text = String::from(text);
        Ok(Self { text, parts })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(placeholder) => Some(*placeholder),
            Part::Literal(_) => None,
        })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The part of a subject that a template takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Placeholder {
    /// `{{subject-dn}}`, the whole subject as [`crate::DistinguishedName`] prints it.
    SubjectDn,
    /// `{{subject-cn}}`, a commonName.
    SubjectCn,
    /// `{{subject-ou}}`, an organizationalUnitName.
    SubjectOu,
    /// `{{subject-o}}`, an organizationName.
    SubjectO,
}

impl Placeholder {
    /// How it is written, braces included.
    pub fn text(self) -> &'static str {
        match self {
            Self::SubjectDn => "{{subject-dn}}",
            Self::SubjectCn => "{{subject-cn}}",
            Self::SubjectOu => "{{subject-ou}}",
            Self::SubjectO => "{{subject-o}}",
        }
    }

    pub(crate) const ALL: [Self; 4] = [
        Self::SubjectDn,
        Self::SubjectCn,
        Self::SubjectOu,
        Self::SubjectO,
    ];
}

/// Why a text is no [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// It would make the same id of every subject.
    #[error("a template has at least one placeholder")]
    NoPlaceholder,
    /// It has placeholders that mean nothing.
    #[error("these placeholders are unknown: {unknown:?}")]
    UnknownPlaceholder {
        /// Each of them, braces included, in the order of the text.
        unknown: Vec<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Placeholder(Placeholder),
}

/// What stands before the next placeholder, the placeholder, and what stands after it.
fn split_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let mut line = 0;
    loop {
        let start = line + text.get(line..)?.find("{{")?;
        let inside = start + 2;
        let end = inside + find_end(text.get(inside..)?)?;
        let (before, placeholder) = text.get(..end)?.split_at_checked(start)?;
        if placeholder.ends_with("}}") {
            return Some((before, placeholder, text.get(end..)?));
        }
        // The line ends first, and with it whatever began on it.
        line = end;
    }
}

/// Where the first `}}` or end of line ends.
fn find_end(text: &str) -> Option<usize> {
    let mut after_brace = false;
    for (at, character) in text.char_indices() {
        let is_brace = character == '}';
        if (is_brace && after_brace) || ends_line(character) {
            return Some(at + character.len_utf8());
        }
        after_brace = is_brace;
    }
    None
}

/// What `.` does not match in a regular expression of Java.
fn ends_line(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
