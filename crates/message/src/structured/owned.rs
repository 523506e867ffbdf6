//! Values that no longer borrow from the text they were read from.

use alloc::borrow::{Cow, ToOwned};

use super::{BareItem, Entry, InnerList, Item, Key, Member, Parameters, Text, Token};

impl Key<'_> {
    pub(crate) fn into_owned(self) -> Key<'static> {
        Key(owned(self.0))
    }
}

impl Member<'_> {
    pub(crate) fn into_owned(self) -> Member<'static> {
        match self {
            Self::Item(item) => Member::Item(item.into_owned()),
            Self::InnerList(list) => Member::InnerList(InnerList {
                items: list.items.into_iter().map(Item::into_owned).collect(),
                parameters: list.parameters.into_owned(),
            }),
        }
    }
}

impl Item<'_> {
    fn into_owned(self) -> Item<'static> {
        Item {
            value: self.value.into_owned(),
            parameters: self.parameters.into_owned(),
        }
    }
}

impl Parameters<'_> {
    fn into_owned(self) -> Parameters<'static> {
        let own = |(key, value): Entry<'_, BareItem<'_>>| (key.into_owned(), value.into_owned());
        Parameters(self.0.into_iter().map(own).collect())
    }
}

impl BareItem<'_> {
    fn into_owned(self) -> BareItem<'static> {
        match self {
            Self::Integer(number) => BareItem::Integer(number),
            Self::Decimal(number) => BareItem::Decimal(number),
            Self::String(text) => BareItem::String(Text(owned(text.0))),
            Self::Token(token) => BareItem::Token(Token(owned(token.0))),
            Self::ByteSequence(bytes) => BareItem::ByteSequence(owned(bytes)),
            Self::Boolean(value) => BareItem::Boolean(value),
            Self::Date(seconds) => BareItem::Date(seconds),
            Self::DisplayString(text) => BareItem::DisplayString(owned(text)),
        }
    }
}

fn owned<T: ToOwned + ?Sized>(value: Cow<'_, T>) -> Cow<'static, T> {
    Cow::Owned(value.into_owned())
}
