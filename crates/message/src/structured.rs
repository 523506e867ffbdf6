//! Structured fields (RFC 9651, which replaces RFC 8941): read strictly, written canonically.
//!
//! Reading takes one pass and one look-up per key; how much is read is bounded by [`Bounds`].
//! Values borrow from the text wherever they stand in it as they are.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

mod bare;
mod bounds;
mod cursor;
mod owned;
mod read;
mod text;
mod write;

pub use bare::{BareItem, Decimal, Integer};
pub use bounds::Bounds;
pub use cursor::StructuredError;
pub use text::{Key, Text, TextError, Token};

pub(crate) use cursor::TRUE;
pub(crate) use read::{read_dictionary, read_dictionary_lines};
pub(crate) use text::is_token_character;
pub(crate) use write::{write_dictionary, write_inner_list, write_number};

/// A key and its value, in a dictionary or among parameters.
pub(crate) type Entry<'a, T> = (Key<'a>, T);

/// The parameters of an item or inner list (RFC 9651 §3.1.2), each key once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters<'a>(pub(crate) Vec<Entry<'a, BareItem<'a>>>);

impl<'a> Parameters<'a> {
    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&BareItem<'a>> {
        self.0
            .iter()
            .find(|(found, _)| found.as_str() == key)
            .map(|(_, value)| value)
    }

    /// Sets `key`; a key that is there already keeps its place.
    pub fn set(&mut self, key: Key<'a>, value: BareItem<'a>) {
        match self.0.iter_mut().find(|(found, _)| *found == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key<'a>, &BareItem<'a>)> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

/// One value with its parameters (RFC 9651 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// The value.
    pub value: BareItem<'a>,
    /// Its parameters.
    pub parameters: Parameters<'a>,
}

/// Items in brackets, with parameters of the whole (RFC 9651 §3.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerList<'a> {
    /// The items, in order.
    pub items: Vec<Item<'a>>,
    /// The parameters of the list.
    pub parameters: Parameters<'a>,
}

/// What a list holds, and a dictionary under each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member<'a> {
    /// One value.
    Item(Item<'a>),
    /// Several, in brackets.
    InnerList(InnerList<'a>),
}

/// A list (RFC 9651 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List<'a>(pub Vec<Member<'a>>);

/// A dictionary (RFC 9651 §3.2), each key once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary<'a>(pub(crate) Vec<Entry<'a, Member<'a>>>);

impl<'a> Dictionary<'a> {
    /// The member under `key`.
    pub fn get(&self, key: &str) -> Option<&Member<'a>> {
        self.0
            .iter()
            .find(|(found, _)| found.as_str() == key)
            .map(|(_, member)| member)
    }

    /// All members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key<'a>, &Member<'a>)> {
        self.0.iter().map(|(key, member)| (key, member))
    }
}

macro_rules! shown_as_written {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = String::new();
                self.write(&mut text);
                f.write_str(&text)
            }
        }
    )*};
}

shown_as_written!(
    BareItem, Parameters, Item, InnerList, Member, List, Dictionary
);

#[cfg(test)]
mod tests;
