use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use crate::{DistinguishedName, FillError, Filled, PreparedName, Template};

/// The authentication id that a verified certificate yields: what a device's credential is found by.
///
/// It is the printed subject, or what the anchor's `auth-id-template` makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthId {
    text: String,
    origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Subject(PreparedName),
    Template(Vec<String>),
}

impl AuthId {
    /// That of a subject.
    ///
    /// # Errors
    /// [`FillError`]: the template asks for what the subject does not have.
    pub fn of(subject: &DistinguishedName, template: Option<&Template>) -> Result<Self, FillError> {
        Ok(match template {
            None => Self {
                text: printed(subject),
                origin: Origin::Subject(subject.prepared()),
            },
            Some(template) => {
                let filled = template.fill(subject)?;
                Self {
                    text: String::from(filled.as_str()),
                    origin: Origin::Template(values(&filled)),
                }
            }
        })
    }

    /// The id as text; a subject as RFC 2253 prints it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What else the id is looked up by: a whole subject also by its name, since names that print
    /// differently may be one (RFC 5280 §7.1).
    pub fn prepared_name(&self) -> Option<&PreparedName> {
        match &self.origin {
            Origin::Subject(name) => Some(name),
            Origin::Template(_) => None,
        }
    }

    /// The values that a template put into the id, none for a whole subject: stored with the device,
    /// since other values may make the same text.
    pub fn template_values(&self) -> &[String] {
        match &self.origin {
            Origin::Subject(_) => &[],
            Origin::Template(values) => values,
        }
    }

    /// Whether a stored credential is found by this id. Its device may be another one all the same, if a
    /// template made both of different values: [`decide`](crate::decide) tells.
    pub fn names(&self, stored: &StoredAuthId) -> bool {
        self.compare(stored) != Sameness::Other
    }

    /// Whether a stored credential is this one's.
    pub(crate) fn compare(&self, stored: &StoredAuthId) -> Sameness {
        match &self.origin {
            Origin::Subject(name)
                if self.text == stored.text || stored.name.as_ref() == Some(name) =>
            {
                Sameness::Same
            }
            Origin::Template(values) if self.text == stored.text => match &stored.values {
                // Made by other values: another device, though nobody could tell by the text.
                Some(others) if others != values => Sameness::Collision,
                _ => Sameness::Same,
            },
            _ => Sameness::Other,
        }
    }
}

/// What most subjects fit into, so that printing allocates once.
fn printed(subject: &DistinguishedName) -> String {
    let mut text = String::with_capacity(96);
    // Writing to a String does not fail.
    let _ = write!(text, "{subject}");
    text
}

/// Whether two authentication ids are one device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sameness {
    Same,
    Other,
    Collision,
}

/// The authentication id of a stored credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAuthId {
    text: String,
    name: Option<PreparedName>,
    values: Option<Vec<String>>,
}

impl StoredAuthId {
    /// One that an operator wrote, or that a whole subject yielded.
    pub fn new(text: &str) -> Self {
        let name = DistinguishedName::parse(text).ok();
        Self {
            text: String::from(text),
            name: name.map(|name| name.prepared()),
            values: None,
        }
    }

    /// One as an operator may write it: a distinguished name is printed again, anything else is kept.
    /// There is none of an empty text or name.
    pub fn normalised(text: &str) -> Option<Self> {
        let printed = DistinguishedName::parse(text).map(|name| name.to_string());
        let stored = printed.map_or_else(|_| Self::new(text), |printed| Self::new(&printed));
        (!stored.text.is_empty()).then_some(stored)
    }

    /// One of the whole subject of a certificate.
    pub fn of_subject(subject: &DistinguishedName) -> Self {
        Self {
            text: printed(subject),
            name: Some(subject.prepared()),
            values: None,
        }
    }

    /// One that a template made of these values, see [`AuthId::template_values`].
    pub fn of_template(text: &str, values: Vec<String>) -> Self {
        Self {
            text: String::from(text),
            name: None,
            values: Some(values),
        }
    }

    /// The id as it was stored.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What else it is found by, see [`AuthId::prepared_name`].
    pub fn prepared_name(&self) -> Option<&PreparedName> {
        self.name.as_ref()
    }

    /// The values that a template made it of, if one did.
    pub fn template_values(&self) -> Option<&[String]> {
        self.values.as_deref()
    }

    /// Whether both are one credential's: a whole subject also by its name. Ids that a template made of
    /// different values share a text all the same, and only one of them can be stored.
    pub fn clashes_with(&self, other: &Self) -> bool {
        self.text == other.text || (self.name.is_some() && self.name == other.name)
    }
}

impl From<&AuthId> for StoredAuthId {
    /// What is stored of the id that a certificate yields.
    fn from(auth_id: &AuthId) -> Self {
        let (name, values) = match &auth_id.origin {
            Origin::Subject(name) => (Some(name.clone()), None),
            Origin::Template(values) => (None, Some(values.clone())),
        };
        Self {
            text: auth_id.text.clone(),
            name,
            values,
        }
    }
}

pub(crate) fn values(filled: &Filled) -> Vec<String> {
    filled
        .values()
        .map(|(_, value)| String::from(value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).unwrap()
    }

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    #[test]
    fn a_whole_subject_is_found_by_its_print_or_its_name() {
        let id = AuthId::of(&subject("CN=dev1,O=ACME"), None).unwrap();
        assert_eq!(id.as_str(), "CN=dev1,O=ACME");
        let name = subject("cn=DEV1, o=acme").prepared();
        assert_eq!(id.prepared_name(), Some(&name));
        assert!(id.template_values().is_empty());
        for (stored, sameness) in [
            ("CN=dev1,O=ACME", Sameness::Same),
            ("cn=DEV1, o=acme", Sameness::Same),
            ("O=ACME,CN=dev1", Sameness::Other),
            ("dev1", Sameness::Other),
        ] {
            assert_eq!(id.compare(&StoredAuthId::new(stored)), sameness, "{stored}");
        }
    }

    #[test]
    fn an_id_is_stored_as_what_it_was_made_of() {
        let dn = AuthId::of(&subject("cn=Dev1"), None).unwrap();
        let stored = StoredAuthId::from(&dn);
        assert_eq!(stored, StoredAuthId::new("CN=Dev1"));
        assert_eq!(stored.prepared_name(), dn.prepared_name());
        assert_eq!(stored.template_values(), None);
        let made = AuthId::of(&subject("CN=a"), Some(&template("CN={{subject-cn}}"))).unwrap();
        let stored = StoredAuthId::from(&made);
        assert_eq!(stored.as_str(), "CN=a");
        assert_eq!(stored.prepared_name(), None);
        assert_eq!(stored.template_values(), Some(&["a".to_string()][..]));
    }

    #[test]
    fn what_an_operator_writes_is_printed_again() {
        let normalised = |text| Some(StoredAuthId::normalised(text)?.text);
        assert_eq!(normalised("cn=a, o=b").as_deref(), Some("CN=a,O=b"));
        assert_eq!(normalised("sensor=1").as_deref(), Some("sensor=1"));
        assert_eq!(normalised(""), None);
    }

    #[test]
    fn a_template_tells_its_values_apart() {
        let both = template("{{subject-cn}}:{{subject-ou}}");
        let one = AuthId::of(&subject("CN=a,OU=b:c"), Some(&both)).unwrap();
        let other = AuthId::of(&subject("CN=a:b,OU=c"), Some(&both)).unwrap();
        assert_eq!((one.as_str(), other.as_str()), ("a:b:c", "a:b:c"));
        let stored = StoredAuthId::of_template("a:b:c", one.template_values().to_vec());
        assert_eq!(one.compare(&stored), Sameness::Same);
        assert_eq!(other.compare(&stored), Sameness::Collision);
        // An operator's text is compared by exact code points.
        assert_eq!(other.compare(&StoredAuthId::new("a:b:c")), Sameness::Same);
        assert_eq!(other.compare(&StoredAuthId::new("A:b:c")), Sameness::Other);
        assert_eq!(other.prepared_name(), None);
    }
}
