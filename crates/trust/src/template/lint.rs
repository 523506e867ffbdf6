use alloc::vec::Vec;
use core::fmt;

use super::{Part, Placeholder, Template};

/// What a template is to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateUse {
    /// Authentication ids: the anchor's `auth-id-template`.
    AuthId,
    /// Device ids: the anchor's `auto-provisioning-device-id-template`.
    DeviceId,
}

/// What is doubtful about a template that Eclipse Hono would take: a warning when it is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TemplateLint {
    /// It has several different placeholders, and a value may have the text that is between them: two
    /// subjects may make one id.
    Collision,
    /// It has neither the subject nor its CN: devices of one organisation share an id.
    NotUnique,
    /// It has the whole subject, and only a subject of one relative name makes a device id.
    DeviceIdDn,
    /// Its own text has what no device id has.
    DeviceIdLiteral,
}

impl fmt::Display for TemplateUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AuthId => "authentication id",
            Self::DeviceId => "device id",
        })
    }
}

impl TemplateLint {
    /// The stable name of the warning.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collision => "collision",
            Self::NotUnique => "not-unique",
            Self::DeviceIdDn => "device-id-dn",
            Self::DeviceIdLiteral => "device-id-literal",
        }
    }
}

impl Template {
    /// The warnings for this use, in the order of [`TemplateLint`]'s variants.
    pub fn lints(&self, purpose: TemplateUse) -> Vec<TemplateLint> {
        let has = |wanted| self.placeholders().any(|found| found == wanted);
        let first = self.placeholders().next();
        let several = self.placeholders().any(|other| Some(other) != first);
        let unique = has(Placeholder::SubjectDn) || has(Placeholder::SubjectCn);
        let device_id = purpose == TemplateUse::DeviceId;
        let found = [
            (TemplateLint::Collision, several),
            (TemplateLint::NotUnique, !unique),
            (
                TemplateLint::DeviceIdDn,
                device_id && has(Placeholder::SubjectDn),
            ),
            (
                TemplateLint::DeviceIdLiteral,
                device_id && self.has_foreign_text(),
            ),
        ];
        let found = found.into_iter().filter(|(_, applies)| *applies);
        found.map(|(lint, _)| lint).collect()
    }

    fn has_foreign_text(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Literal(text) => !text.bytes().all(is_of_device_id),
            Part::Placeholder(_) => false,
        })
    }
}

/// Eclipse Hono's pattern of device ids.
pub(super) fn is_of_device_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.:=-".contains(&byte)
}
