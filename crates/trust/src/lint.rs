//! What is doubtful about a tenant that could be saved, and what stands in the way of saving it.

mod anchor;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use rustls_pki_types::UnixTime;
use serde::{Serialize, Serializer};

use crate::{
    AnchorPolicy, SaveError, Template, TemplateLint, TemplateUse, TenantDocument, TenantId,
    TenantIndex,
};

/// Looks a tenant over before it is saved as `id` beside the others, at `now`.
///
/// An error stands in the way of saving; a warning is for the operator to judge: everything that
/// Eclipse Hono takes is taken. The order is that of the document, and what stands in the way comes
/// first.
///
/// ```
/// use gangplank_testkit::NOW;
/// use gangplank_trust::{TenantDocument, TenantId, TenantIndex, lint};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let document = TenantDocument::decode(br#"{"alias": "plant-7"}"#, &mut String::new)?;
/// let found = lint(&TenantId::parse("acme")?, &document, &TenantIndex::default(), NOW);
/// assert_eq!(found, []);
/// # Ok(())
/// # }
/// ```
pub fn lint(
    id: &TenantId,
    document: &TenantDocument,
    others: &TenantIndex,
    now: UnixTime,
) -> Vec<Lint> {
    let mut found = Vec::new();
    if let Err(error) = others.check_save(id, document) {
        found.push(Lint::of_conflict(&error));
    }
    let mut seen = BTreeSet::new();
    for (at, anchor) in document.anchors().enumerate() {
        let pointer = format!("/trusted-ca/{at}");
        found.extend(anchor::own(anchor, &pointer, now));
        if !seen.insert((anchor.prepared_name(), anchor.spki())) {
            found.push(Lint::warning(
                LintCode::AnchorRepeated,
                &pointer,
                format!(
                    "{} has the name and the key of an anchor before it, whose policy may count",
                    anchor.id()
                ),
            ));
        }
        found.extend(anchor::shared(id, anchor, &pointer, others));
        found.extend(of_templates(anchor.policy(), &pointer));
    }
    found
}

/// Something that was noticed about a tenant. It serialises as an object of its members, the code and
/// the severity by their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// What it is.
    pub code: LintCode,
    /// How bad it is.
    pub severity: Severity,
    /// JSON pointer (RFC 6901) to what it is about; empty if that is the whole document.
    pub pointer: String,
    /// A sentence for the operator, without a full stop.
    pub message: String,
}

impl Lint {
    fn warning(code: LintCode, pointer: &str, message: String) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            pointer: pointer.to_string(),
            message,
        }
    }

    fn of_conflict(error: &SaveError) -> Self {
        Self {
            code: match error {
                SaveError::IssuerTaken { .. } => LintCode::IssuerTaken,
                SaveError::AliasTaken { .. } => LintCode::AliasTaken,
            },
            severity: Severity::Error,
            pointer: error.pointer().to_string(),
            message: error.to_string(),
        }
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (severity, code) = (self.severity.name(), self.code.name());
        write!(f, "{severity} {code} {}: {}", self.pointer, self.message)
    }
}

/// How bad a [`Lint`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operator should know.
    Warning,
    /// It cannot be saved.
    Error,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a [`Lint`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LintCode {
    /// A template is doubtful.
    Template(TemplateLint),
    /// An anchor has ended.
    AnchorExpired,
    /// An anchor's certificate is no authority's: it vouches for the one device that has it.
    AnchorNotAuthority,
    /// An anchor's certificate is so far from RFC 5280 that no path leads to it.
    AnchorUnusable,
    /// Whoever has an anchor's key may make authorities below it, for any name.
    AnchorUnlimited,
    /// An anchor's key is of a kind or size that gangplank does not verify by.
    AnchorKeyUnsupported,
    /// A tenant has the same name and key twice.
    AnchorRepeated,
    /// Another tenant of the group has an anchor of the same name.
    AnchorNameShared,
    /// Another tenant has an anchor with the same key.
    AnchorKeyShared,
    /// Another tenant, not of the group, has an anchor of the same name.
    IssuerTaken,
    /// Another tenant has the alias or id.
    AliasTaken,
}

impl LintCode {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Template(lint) => lint.name(),
            Self::AnchorExpired => "anchor-expired",
            Self::AnchorNotAuthority => "anchor-not-authority",
            Self::AnchorUnusable => "anchor-unusable",
            Self::AnchorUnlimited => "anchor-unlimited",
            Self::AnchorKeyUnsupported => "anchor-key-unsupported",
            Self::AnchorRepeated => "anchor-repeated",
            Self::AnchorNameShared => "anchor-name-shared",
            Self::AnchorKeyShared => "anchor-key-shared",
            Self::IssuerTaken => "issuer-taken",
            Self::AliasTaken => "alias-taken",
        }
    }
}

impl Serialize for LintCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

fn of_templates(policy: &AnchorPolicy, pointer: &str) -> Vec<Lint> {
    let (auth_id, device_id) = (&policy.auth_id_template, &policy.device_id_template);
    let mut found = Vec::new();
    for (member, template, used_for) in [
        ("auth-id-template", auth_id, TemplateUse::AuthId),
        (
            "auto-provisioning-device-id-template",
            device_id,
            TemplateUse::DeviceId,
        ),
    ] {
        if let Some(template) = template {
            found.extend(of_template(
                template,
                used_for,
                &format!("{pointer}/{member}"),
            ));
        }
    }
    found
}

fn of_template(template: &Template, used_for: TemplateUse, pointer: &str) -> Vec<Lint> {
    let lints = template.lints(used_for).into_iter();
    let lints = lints.map(|lint| {
        let why = match lint {
            TemplateLint::Collision => "may make one id of two subjects: a value may have the text between its placeholders",
            TemplateLint::NotUnique => "has neither {{subject-cn}} nor {{subject-dn}}, so that devices share an id",
            TemplateLint::DeviceIdDn => "has {{subject-dn}}, and only a subject of one relative name makes a device id",
            TemplateLint::DeviceIdLiteral => "has a character that no device id has",
        };
        Lint::warning(LintCode::Template(lint), pointer, format!("{:?} {why}", template.as_str()))
    });
    lints.collect()
}

#[cfg(test)]
mod tests;
