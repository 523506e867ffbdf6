use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::oid::Oid;

/// One attribute of a name: its type and its value.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(super) oid: Oid,
    /// The identifier octet of the value.
    pub(super) tag: u8,
    /// The value without identifier and length.
    pub(super) content: Vec<u8>,
}

/// What the printed form shows of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown<'a> {
    /// Its text, not yet escaped.
    Text(Cow<'a, str>),
    /// The hexadecimal digits of its DER.
    Hex,
}

impl Attribute {
    /// The keyword that stands for the type in print, if it has one.
    pub(crate) fn keyword(&self) -> Option<&'static str> {
        let content = self.oid.as_bytes();
        let found = PRINTED.iter().find(|(_, known)| *known == content);
        found.map(|(keyword, _)| *keyword)
    }

    /// The content of the OBJECT IDENTIFIER that is its type.
    pub(crate) fn kind(&self) -> &[u8] {
        self.oid.as_bytes()
    }

    /// The identifier octet and the content of its value.
    pub(crate) fn value(&self) -> (u8, &[u8]) {
        (self.tag, &self.content)
    }

    /// What comes before `=` in print.
    pub(crate) fn printed_type(&self) -> Cow<'static, str> {
        self.keyword()
            .map_or_else(|| Cow::Owned(self.oid.to_string()), Cow::Borrowed)
    }

    /// Text is read as UTF-8 whatever string type the tag says, as the JDK does.
    pub(crate) fn shown(&self) -> Shown<'_> {
        if self.keyword().is_some() && PRINTED_AS_TEXT.contains(&self.tag) {
            return Shown::Text(String::from_utf8_lossy(&self.content));
        }
        Shown::Hex
    }

    pub(super) fn prints_text(&self) -> bool {
        matches!(self.shown(), Shown::Text(_))
    }
}

/// The type that a keyword stands for in a text that people write, in any letter case.
pub(super) fn oid_of(keyword: &str) -> Option<Oid> {
    let mut known = PRINTED.iter().chain(READ_ONLY);
    let found = known.find(|(word, _)| word.eq_ignore_ascii_case(keyword));
    found.map(|(_, content)| Oid::of_known(content))
}

/// 0.9.2342.19200300.100.1.25.
pub(super) const DOMAIN_COMPONENT: &[u8] = b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19";
/// 1.2.840.113549.1.9.1.
pub(super) const EMAIL_ADDRESS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01";

pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(super) const NUMERIC_STRING: u8 = 0x12;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const TELETEX_STRING: u8 = 0x14;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(super) const VISIBLE_STRING: u8 = 0x1a;
pub(super) const GENERAL_STRING: u8 = 0x1b;
pub(super) const UNIVERSAL_STRING: u8 = 0x1c;
pub(super) const BMP_STRING: u8 = 0x1e;

const PRINTED_AS_TEXT: [u8; 6] = [
    UTF8_STRING,
    PRINTABLE_STRING,
    TELETEX_STRING,
    IA5_STRING,
    GENERAL_STRING,
    BMP_STRING,
];

/// RFC 2253 §2.3.
const PRINTED: &[(&str, &[u8])] = &[
    ("CN", &[0x55, 4, 3]),
    ("C", &[0x55, 4, 6]),
    ("L", &[0x55, 4, 7]),
    ("ST", &[0x55, 4, 8]),
    ("O", &[0x55, 4, 10]),
    ("OU", &[0x55, 4, 11]),
    ("STREET", &[0x55, 4, 9]),
    ("DC", DOMAIN_COMPONENT),
    ("UID", b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"),
];

/// More keywords that the JDK reads: X.520 and PKCS #9 attributes.
const READ_ONLY: &[(&str, &[u8])] = &[
    ("S", &[0x55, 4, 8]),
    ("T", &[0x55, 4, 12]),
    ("DNQ", &[0x55, 4, 46]),
    ("DNQUALIFIER", &[0x55, 4, 46]),
    ("SURNAME", &[0x55, 4, 4]),
    ("GIVENNAME", &[0x55, 4, 42]),
    ("INITIALS", &[0x55, 4, 43]),
    ("GENERATION", &[0x55, 4, 44]),
    ("EMAILADDRESS", EMAIL_ADDRESS),
    ("EMAIL", EMAIL_ADDRESS),
    ("SERIALNUMBER", &[0x55, 4, 5]),
];
