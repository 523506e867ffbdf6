//! Structured fields, held against the crate `sfv` on made-up and on damaged texts: both accept the
//! same, and write it in the same way.

use gangplank_message::structured::{Bounds, Dictionary, Item, List};
use proptest::prelude::*;
use proptest::sample::Index;
use sfv::{FieldType, Parser};

fn agree(text: &[u8]) -> Result<(), TestCaseError> {
    let bounds = &Bounds::DEFAULT;
    let ours = Item::parse(text, bounds).ok().map(|item| item.to_string());
    let theirs = Parser::new(text).parse::<sfv::Item>().ok();
    prop_assert_eq!(ours, theirs.map(|item| item.serialize()), "item");
    let ours = List::parse(text, bounds).ok().map(|list| list.to_string());
    let theirs = Parser::new(text).parse::<sfv::List>().ok();
    let theirs = theirs.map(|list| list.serialize().unwrap_or_default());
    prop_assert_eq!(ours, theirs, "list");
    let ours = Dictionary::parse(text, bounds).ok();
    let ours = ours.map(|dictionary| dictionary.to_string());
    let theirs = Parser::new(text).parse::<sfv::Dictionary>().ok();
    let theirs = theirs.map(|dictionary| dictionary.serialize().unwrap_or_default());
    prop_assert_eq!(ours, theirs, "dictionary");
    Ok(())
}

fn bare_item() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,16}",
        "-?[0-9]{1,13}\\.[0-9]{0,4}",
        "\"([ -!#-\\[\\]-~]|\\\\[\"\\\\]){0,6}\"",
        "[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]{0,6}",
        ":[A-Za-z0-9+/]{0,9}={0,3}:",
        "\\?[012]",
        "@-?[0-9]{1,11}(\\.5)?",
        "%\"([ -!#-$&-~]|%[0-9a-f]{2}|%c3%bc){0,4}\"",
    ]
}

fn parameters() -> impl Strategy<Value = String> {
    let one = ("; ?[a-c*][a-c0-9_.*-]{0,2}", prop::option::of(bare_item()));
    let written = |(key, value): (String, Option<String>)| match value {
        Some(value) => format!("{key}={value}"),
        None => key,
    };
    prop::collection::vec(one.prop_map(written), 0..4).prop_map(|all| all.concat())
}

fn item() -> impl Strategy<Value = String> {
    (bare_item(), parameters()).prop_map(|(item, parameters)| item + &parameters)
}

fn member() -> impl Strategy<Value = String> {
    let inner = (prop::collection::vec(item(), 0..4), parameters());
    prop_oneof![
        3 => item(),
        1 => inner.prop_map(|(items, parameters)| format!("({}){parameters}", items.join(" "))),
    ]
}

fn field() -> impl Strategy<Value = String> {
    let entry = (
        "[a-c][a-c0-9]{0,1}",
        prop::option::of(member()),
        parameters(),
    );
    let entry = entry.prop_map(|(key, value, parameters)| match value {
        Some(value) => format!("{key}={value}"),
        None => key + &parameters,
    });
    let comma = "[ \t]{0,2},[ \t]{0,2}";
    prop_oneof![
        item(),
        (prop::collection::vec(member(), 0..5), comma).prop_map(|(all, comma)| all.join(&comma)),
        (prop::collection::vec(entry, 0..5), comma).prop_map(|(all, comma)| all.join(&comma)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn made_up_texts(text in field()) {
        agree(text.as_bytes())?;
    }

    #[test]
    fn damaged_texts(text in field(), at in any::<Index>(), byte in any::<u8>(), way in 0..3) {
        let mut text = text.into_bytes();
        if !text.is_empty() {
            let at = at.index(text.len());
            match way {
                0 => text[at] = byte,
                1 => drop(text.remove(at)),
                _ => text.insert(at, byte),
            }
        }
        agree(&text)?;
    }

    #[test]
    fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..12)) {
        agree(&text)?;
    }
}
