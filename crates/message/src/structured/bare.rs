use alloc::borrow::Cow;

use super::{Text, Token};

/// A value (RFC 9651 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BareItem<'a> {
    /// An integer of at most 15 digits.
    Integer(Integer),
    /// A decimal of at most 12 digits before the point and 3 after it.
    Decimal(Decimal),
    /// Printable ASCII.
    String(Text<'a>),
    /// A word.
    Token(Token<'a>),
    /// Bytes, in base64 on the wire.
    ByteSequence(Cow<'a, [u8]>),
    /// `?1` or `?0`.
    Boolean(bool),
    /// Unix seconds.
    Date(Integer),
    /// Unicode text.
    DisplayString(Cow<'a, str>),
}

/// An integer of at most 15 digits (RFC 9651 §3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Integer(pub(crate) i64);

impl Integer {
    /// Takes an integer; `None` when it has more than 15 digits.
    pub const fn new(value: i64) -> Option<Self> {
        if value.unsigned_abs() < 1_000_000_000_000_000 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// A decimal number of whole thousandths (RFC 9651 §3.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(pub(crate) i64);

impl Decimal {
    /// Takes a number of thousandths; `None` when there are more than 12 digits before the point.
    pub const fn from_thousandths(value: i64) -> Option<Self> {
        if value.unsigned_abs() < 1_000_000_000_000_000 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The number, times a thousand.
    pub const fn thousandths(self) -> i64 {
        self.0
    }
}

impl BareItem<'_> {
    /// The text of a String.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The number of an Integer.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number.get()),
            _ => None,
        }
    }

    /// The bytes of a Byte Sequence.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::ByteSequence(bytes) => Some(bytes),
            _ => None,
        }
    }
}
