//! By hand, from the text of RFC 9651. The package `differential` holds the reader against the crate
//! `sfv` on made-up texts.

use alloc::format;
use alloc::string::{String, ToString};

use proptest::prelude::*;

use super::*;
use StructuredError as E;

const BOUNDS: &Bounds = &Bounds::DEFAULT;

fn item(text: &str) -> Result<String, StructuredError> {
    Item::parse(text.as_bytes(), BOUNDS).map(|item| item.to_string())
}

fn list(text: &str) -> Result<String, StructuredError> {
    List::parse(text.as_bytes(), BOUNDS).map(|list| list.to_string())
}

fn dictionary(text: &str) -> Result<String, StructuredError> {
    Dictionary::parse(text.as_bytes(), BOUNDS).map(|dictionary| dictionary.to_string())
}

#[test]
fn items_are_written_in_one_way() {
    // RFC 9651 §3.3, §4.1.
    for (text, written) in [
        ("  42  ", "42"),
        ("-0", "0"),
        ("00042", "42"),
        ("-999999999999999", "-999999999999999"),
        ("4.5", "4.5"),
        ("4.50", "4.5"),
        ("-0.0", "0.0"),
        ("0.010", "0.01"),
        ("999999999999.999", "999999999999.999"),
        (r#""a \"b\" \\c""#, r#""a \"b\" \\c""#),
        ("\"\"", "\"\""),
        ("foo123/456", "foo123/456"),
        ("*a:b", "*a:b"),
        (
            ":cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:",
            ":cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:",
        ),
        ("::", "::"),
        (":YQ:", ":YQ==:"),
        (":YR==:", ":YQ==:"),
        ("?0", "?0"),
        ("@1659578233", "@1659578233"),
        ("@-1", "@-1"),
        (r#"%"f%c3%bc%22x""#, r#"%"f%c3%bc%22x""#),
        ("1;a;b=?0;  c=2;a=?1", "1;a;b=?0;c=2"),
        ("1;a=1;b=2;a=3", "1;a=3;b=2"),
        ("1;a=1;a=2", "1;a=2"),
    ] {
        assert_eq!(item(text).as_deref(), Ok(written), "{text}");
    }
}

#[test]
fn what_is_no_item_is_refused_where_it_goes_wrong() {
    for (text, error) in [
        ("", E::End),
        ("1 2", E::Character { at: 2 }),
        ("-", E::End),
        ("1.", E::Number { at: 0 }),
        (".5", E::Character { at: 0 }),
        ("1.2345", E::Number { at: 0 }),
        ("1234567890123.1", E::Number { at: 0 }),
        ("1234567890123456", E::Number { at: 0 }),
        ("\"a", E::End),
        ("\"a\\b\"", E::Character { at: 3 }),
        ("\"a\u{7f}\"", E::Character { at: 2 }),
        ("\"é\"", E::Character { at: 1 }),
        (":a", E::End),
        (":a:", E::Base64 { at: 1 }),
        (":a b:", E::Base64 { at: 1 }),
        (":_-8=:", E::Base64 { at: 1 }),
        ("?2", E::Character { at: 1 }),
        ("@1.5", E::Number { at: 1 }),
        ("%\"%C3%BC\"", E::Character { at: 3 }),
        ("%\"%c3\"", E::Utf8 { at: 2 }),
        ("%\"\n\"", E::Character { at: 2 }),
        ("%\"\u{7f}\"", E::Character { at: 2 }),
        ("%\"é\"", E::Character { at: 2 }),
        ("%\"a", E::End),
        ("%a", E::Character { at: 1 }),
        ("a;A", E::Character { at: 2 }),
        ("a;", E::End),
        ("a ;b", E::Character { at: 2 }),
        ("(1)", E::Character { at: 0 }),
        ("\ta", E::Character { at: 0 }),
    ] {
        assert_eq!(item(text), Err(error), "{text}");
    }
}

#[test]
fn lists_and_dictionaries() {
    for (text, written) in [
        ("", ""),
        ("a,b", "a, b"),
        ("a \t,\t b", "a, b"),
        ("( a  b );x=1 , ()", "(a b);x=1, ()"),
    ] {
        assert_eq!(list(text).as_deref(), Ok(written), "{text}");
    }
    for (text, written) in [
        (
            "a=1,    b=2;x=1;y=2,   c=(a   b   c)",
            "a=1, b=2;x=1;y=2, c=(a b c)",
        ),
        ("a, b;x, c=?1;y, d=?0", "a, b;x, c;y, d=?0"),
        ("a=1, b=2, a=3;x", "a=3;x, b=2"),
        ("*a.b-c_1=()", "*a.b-c_1=()"),
    ] {
        assert_eq!(dictionary(text).as_deref(), Ok(written), "{text}");
    }
    let parsed = Dictionary::parse(b"a=1, b", BOUNDS).unwrap();
    let get = |key| parsed.get(key).map(ToString::to_string);
    assert_eq!(get("a").as_deref(), Some("1"));
    assert_eq!(get("b").as_deref(), Some("?1"));
    assert_eq!(get("c"), None);
    assert_eq!(list("a,"), Err(E::End));
    assert_eq!(list("a,,b"), Err(E::Character { at: 2 }));
    assert_eq!(list("(a b"), Err(E::End));
    assert_eq!(list("(a\tb)"), Err(E::Character { at: 2 }));
    assert_eq!(list("(a(b))"), Err(E::Character { at: 2 }));
    assert_eq!(dictionary("a=1 b=2"), Err(E::Character { at: 4 }));
    assert_eq!(dictionary("a="), Err(E::End));
    assert_eq!(dictionary("A=1"), Err(E::Character { at: 0 }));
}

#[test]
fn a_dictionary_may_be_spread_over_lines() {
    let read = |lines: &[&'static str]| {
        let lines = lines.iter().map(|line| line.as_bytes());
        read_dictionary_lines(lines, BOUNDS).map(|members| members.len())
    };
    assert_eq!(read(&["a=1", "b=2, c"]), Ok(3));
    assert_eq!(read(&["a=1", "a=2"]), Ok(2));
    assert_eq!(read(&[""]), Ok(0));
    assert_eq!(read(&["a=1", ""]), Err(E::End));
    assert_eq!(read(&["a=\"1", "2\""]), Err(E::End));
}

#[test]
fn more_than_the_bounds_is_refused() {
    let bounds = Bounds {
        members: 2,
        items: 3,
        parameters: 1,
    };
    let many = |limit| Err(E::TooMany { limit });
    assert!(List::parse(b"a, b", &bounds).is_ok());
    assert_eq!(List::parse(b"a, b, c", &bounds), many(2));
    assert_eq!(
        Dictionary::parse(b"a, b, a", &bounds).map(drop),
        many(2).map(drop)
    );
    assert!(InnerList::parse(b"(a b c);a", &bounds).is_ok());
    assert_eq!(
        InnerList::parse(b"(a b c d)", &bounds).map(drop),
        many(3).map(drop)
    );
    assert_eq!(Item::parse(b"a;b;b", &bounds).map(drop), many(1).map(drop));
    let long = format!("{}a", "a, ".repeat(1023));
    assert!(List::parse(long.as_bytes(), BOUNDS).is_ok());
    let longer = format!("{}a", "a, ".repeat(1024));
    assert_eq!(list(&longer), Err(E::TooMany { limit: 1024 }));
}

#[test]
fn texts_borrow_unless_they_are_escaped() {
    use alloc::borrow::Cow;
    let value = |text: &'static [u8]| match Item::parse(text, BOUNDS).unwrap().value {
        BareItem::String(text) => text.0,
        other => panic!("{other:?}"),
    };
    assert!(matches!(value(b"\"plain\""), Cow::Borrowed("plain")));
    assert!(matches!(value(b"\"a\\\"\""), Cow::Owned(text) if text == "a\""));
}

#[test]
fn only_what_can_be_read_can_be_made() {
    assert!(Key::new("a-b_c.*1").is_ok());
    assert_eq!(Key::new("aB"), Err(TextError { at: 1 }));
    assert_eq!(Key::new(""), Err(TextError { at: 0 }));
    assert_eq!(Text::new("a\nb"), Err(TextError { at: 1 }));
    assert_eq!(Token::new("1a"), Err(TextError { at: 0 }));
    assert_eq!(Integer::new(1_000_000_000_000_000), None);
    assert_eq!(Decimal::from_thousandths(-1_000_000_000_000_000), None);
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_written_reads_the_same(text in "[ -~\t]{0,40}") {
        if let Ok(read) = Dictionary::parse(text.as_bytes(), BOUNDS) {
            let written = read.to_string();
            prop_assert_eq!(Dictionary::parse(written.as_bytes(), BOUNDS), Ok(read));
        }
        if let Ok(read) = List::parse(text.as_bytes(), BOUNDS) {
            let written = read.to_string();
            prop_assert_eq!(List::parse(written.as_bytes(), BOUNDS), Ok(read));
        }
    }
}
