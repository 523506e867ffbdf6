//! Work grows no faster than the input, and memory no faster than what the limits allow.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem::size_of;

use crate::read_field::read_field;
use crate::structured::{BareItem, Bounds, Dictionary, Key, Member, StructuredError};
use crate::{
    BaseError, Component, Field, Limits, Message, ReadError, Request, SignatureBase,
    SignatureParams, Signatures, Target, ValueError, work,
};

/// Limits that do not stand in the way of counting.
const WIDE: Limits = Limits {
    labels: 1 << 20,
    components: 1 << 20,
    parameters: 1 << 20,
    field_lines: 1 << 20,
    field: 1 << 24,
    base: 1 << 24,
    structured: Bounds {
        members: 1 << 20,
        items: 1 << 20,
        parameters: 1 << 20,
    },
};

/// The steps that a base takes that covers `count` fields, as many members of one dictionary and as
/// many query parameters.
fn steps(count: usize) -> usize {
    let numbers = || 0..count;
    let list = |separator: &str, prefix: &str| {
        let names: Vec<_> = numbers().map(|n| format!("{prefix}{n:05}=1")).collect();
        names.join(separator)
    };
    let uri = format!("https://a/?{}", list("&", "q"));
    let dictionary = list(",", "k");
    let names: Vec<String> = numbers().map(|n| format!("x-{n:05}")).collect();
    let mut fields: Vec<Field<'_>> = names
        .iter()
        .map(|name| (name.as_str(), &b"v"[..]))
        .collect();
    fields.push(("d", dictionary.as_bytes()));
    let components = names
        .iter()
        .map(|name| Component::named(name.as_str()))
        .chain(numbers().map(|n| Component::named("d").and_then(|d| d.member(format!("k{n:05}")))))
        .chain(numbers().map(|n| Component::query_param(format!("q{n:05}"))))
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let request = Request::new("GET", Target::parse(&uri).unwrap(), &fields);
    work::take();
    let params = SignatureParams::new(components).unwrap();
    let base = SignatureBase::build(Message::Request(&request), &params, &WIDE).unwrap();
    assert_eq!(base.as_str().lines().count(), 3 * count + 1);
    work::take()
}

/// Twice the input, and one more comparison for each value, is not twice as much work and half.
fn grows_with_the_input(what: &str, steps: impl Fn(usize) -> usize) {
    let (one, two) = (steps(1000), steps(2000));
    assert!(two < one * 5 / 2, "{what}: {one} and {two} steps");
    assert!(one > 1000, "{what}: {one} steps are counted");
}

#[test]
fn a_base_takes_no_quadratic_work() {
    grows_with_the_input("a base", steps);
}

#[test]
fn reading_takes_no_quadratic_work() {
    let list = |count: usize, separator: &str, value: &dyn Fn(usize) -> String| {
        (0..count).map(value).collect::<Vec<_>>().join(separator)
    };
    type Text<'t> = &'t dyn Fn(usize) -> String;
    let texts: [(&str, Text<'_>); 7] = [
        ("members", &|count| {
            list(count, ",", &|n| format!("k{n:05}=1"))
        }),
        ("one key", &|count| {
            list(count, " ,\t", &|n| format!("k={n}"))
        }),
        ("two of each", &|count| {
            list(count, ",", &|n| format!("k{:05}", n / 2))
        }),
        ("items", &|count| {
            format!("k=({})", list(count, "  ", &|n| format!("\"{n}\"")))
        }),
        ("parameters", &|count| {
            format!("k={}", list(count, ";", &|n| format!("p{:05}", n / 2)))
        }),
        ("escapes", &|count| {
            format!("k=\"{}\"", list(count, "", &|_| "\\\"".into()))
        }),
        ("foldings", &|count| {
            list(count, ",\r\n ", &|n| format!("k{n:05}=:AA==:"))
        }),
    ];
    for (what, text) in texts {
        grows_with_the_input(what, |count| {
            let text = text(count);
            let fields: [Field<'_>; 1] = [("a", text.as_bytes())];
            work::take();
            let members = read_field(&fields, "a", WIDE.field, &WIDE.structured).unwrap();
            assert!(members.is_some(), "{what}");
            if !text.contains('\n') {
                Dictionary::parse(text.as_bytes(), &WIDE.structured).unwrap();
            }
            work::take()
        });
    }
}

#[test]
fn reading_takes_one_pass() {
    let long = "a".repeat(10_000);
    for text in [
        long.clone(),
        format!("k={long}"),
        format!("k=\"{long}\""),
        format!("k=:{long}:"),
        format!("k=%\"{long}\""),
        format!("k;{long}=1"),
        format!("k,{}l", " ".repeat(10_000)),
    ] {
        work::take();
        assert!(Dictionary::parse(text.as_bytes(), &WIDE.structured).is_ok());
        let steps = work::take();
        assert!(
            (10_000..10_100).contains(&steps),
            "{steps} steps for {text:.20}"
        );
    }
}

#[test]
fn finding_labels_takes_no_quadratic_work() {
    let read = |count: usize| {
        let labels: Vec<_> = (0..count).map(|n| format!("s{n:05}=()")).collect();
        let values: Vec<_> = (0..count).map(|n| format!("s{n:05}=:AA==:")).collect();
        let (labels, values) = (labels.join(","), values.join(","));
        let fields: [Field<'_>; 2] = [
            ("signature-input", labels.as_bytes()),
            ("signature", values.as_bytes()),
        ];
        work::take();
        let signatures = Signatures::read(&fields, &WIDE).unwrap();
        assert_eq!(signatures.labels().count(), count);
        let steps = work::take();
        (steps, Signatures::read(&fields, &Limits::DEFAULT).map(drop))
    };
    grows_with_the_input("labels", |count| read(count).0);
    assert_eq!(read(16).1, Ok(()));
    assert_eq!(
        read(17).1,
        Err(ReadError::Structured {
            field: "signature-input",
            reason: StructuredError::TooMany { limit: 16 }
        })
    );
    assert_eq!(
        read(10_000).1,
        Err(ReadError::TooLong {
            field: "signature-input",
            limit: 16 << 10
        })
    );
}

/// A vector begins with room for four entries, and may have room for twice as many as it holds.
#[test]
fn a_value_takes_no_more_memory_than_the_bounds_say() {
    assert!(size_of::<(Key<'_>, Member<'_>)>() <= 100);
    assert!(size_of::<(Key<'_>, BareItem<'_>)>() <= 100);
}

#[test]
fn many_members_of_a_long_dictionary_are_still_bounded() {
    let dictionary = format!("{}a", "a,".repeat(1024));
    let fields: [Field<'_>; 1] = [("d", dictionary.as_bytes())];
    let request = Request::new("GET", Target::parse("https://a/").unwrap(), &fields);
    let member = Component::named("d").and_then(|d| d.member("a")).unwrap();
    let params = SignatureParams::new([member].into()).unwrap();
    let base = SignatureBase::build(Message::Request(&request), &params, &Limits::DEFAULT);
    assert_eq!(
        base,
        Err(BaseError::Component {
            component: "\"d\";key=\"a\"".into(),
            reason: ValueError::Malformed(StructuredError::TooMany { limit: 1024 })
        })
    );
}
