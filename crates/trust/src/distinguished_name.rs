//! X.501 names: read, printed as Eclipse Hono prints them, compared as RFC 5280 says.

mod attribute;
mod decode;
mod encode;
mod oid;
mod parse;
mod prepare;
mod prepared;
mod print;
mod tables;
mod unusable;

use alloc::vec::Vec;
use core::fmt;

pub use decode::NameError;
pub use parse::NameTextError;
pub use prepared::PreparedName;
pub use unusable::UnusableSubject;

pub(crate) use attribute::{Attribute, IA5_STRING, PRINTABLE_STRING, Shown, UTF8_STRING};

/// An X.501 Name: the subject or issuer of a certificate (RFC 5280 §4.1.2.4).
///
/// It keeps the type, the tag and the bytes of every attribute, so that nothing is lost that some
/// comparison or print needs. It has no `==`: [`DistinguishedName::matches`] says whether two names
/// are one, and [`DistinguishedName::prepared`] gives what to look up by.
///
/// `Display` prints it as RFC 2253 text as the JDK does, which is how Eclipse Hono stores an
/// authentication id: relative names in reverse order, keywords for nine types, and `OID=#hex` for
/// every other. That text is not injective, see [`DistinguishedName::check_usable`].
///
/// ```
/// use gangplank_trust::DistinguishedName;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let name = DistinguishedName::parse("cn=Pump 7, o=ACME")?;
/// assert_eq!(name.to_string(), "CN=Pump 7,O=ACME");
/// assert!(name.matches(&DistinguishedName::parse("CN=PUMP  7,O=acme")?));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DistinguishedName {
    /// In the order of the DER, none of them empty.
    relative_names: Vec<Vec<Attribute>>,
}

impl DistinguishedName {
    /// The name without relative names.
    pub const EMPTY: Self = Self {
        relative_names: Vec::new(),
    };

    /// Reads the DER of a Name, its outer SEQUENCE included (RFC 5280 §4.1.2.4, X.690 §8 and §10).
    ///
    /// The attributes of one relative name may stand in any order, though DER sorts them: such
    /// certificates are about, and comparison does not see the order.
    ///
    /// # Errors
    /// [`NameError`]: what is wrong, and at which byte.
    pub fn from_der(der: &[u8]) -> Result<Self, NameError> {
        let relative_names = decode::read_name(der)?;
        Ok(Self { relative_names })
    }

    /// Reads a name as people write it: RFC 2253, with what RFC 1779 and the JDK add.
    ///
    /// Parts are separated by `,` or `;`, blanks around them do not count, keywords are read in any
    /// case. The empty text is the empty name.
    ///
    /// # Errors
    /// [`NameTextError`]: what is wrong, and at which byte of the text.
    pub fn parse(text: &str) -> Result<Self, NameTextError> {
        let relative_names = parse::read_text(text)?;
        Ok(Self { relative_names })
    }

    /// Writes the name as DER, the attributes of each relative name sorted (X.690 §11.6).
    pub fn to_der(&self) -> Vec<u8> {
        encode::name(&self.relative_names)
    }

    /// The name as a key to look up by: two names have equal keys exactly if they match.
    ///
    /// Values are prepared by RFC 4518 §2 (RFC 5280 §7.1).
    pub fn prepared(&self) -> PreparedName {
        PreparedName::of(&self.relative_names)
    }

    /// Each relative name as a key of its own, in the order of the DER.
    pub(crate) fn prepared_relative_names(&self) -> Vec<PreparedName> {
        let relative_names = self.relative_names.iter();
        relative_names
            .map(|relative_name| PreparedName::of(core::slice::from_ref(relative_name)))
            .collect()
    }

    /// Whether both are one name by RFC 5280 §7.1.
    pub fn matches(&self, other: &Self) -> bool {
        self.prepared() == other.prepared()
    }

    /// Whether the name has no relative names.
    pub fn is_empty(&self) -> bool {
        self.relative_names.is_empty()
    }

    /// Refuses a subject that a new identity cannot be made from, since other names print as it does,
    /// or since nobody could read what it prints.
    ///
    /// # Errors
    /// [`UnusableSubject`]: the first thing found, and where.
    pub fn check_usable(&self) -> Result<(), UnusableSubject> {
        unusable::check(&self.relative_names)
    }

    pub(crate) fn relative_names(&self) -> &[Vec<Attribute>] {
        &self.relative_names
    }

    /// The position of the first relative name that has an attribute type twice.
    pub(crate) fn doubled_attribute(&self) -> Option<usize> {
        unusable::doubled_attribute(&self.relative_names)
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::name(&self.relative_names, f)
    }
}

/// Bytes of one name: what a whole certificate may have ([`crate::MAX_CERTIFICATE_BYTES`]).
pub const MAX_NAME_BYTES: usize = crate::MAX_CERTIFICATE_BYTES;

/// Relative names of one name. Those met in the field have at most ten; X.509 sets no bound.
pub const MAX_RELATIVE_NAMES: usize = 64;

/// Attributes of one name: two for each relative name, where almost all have one.
pub const MAX_ATTRIBUTES: usize = 128;

#[cfg(test)]
mod tests;
