use super::*;

#[test]
fn each_fault_of_a_text_has_its_error_and_place() {
    use NameTextError as E;
    for (text, error) in [
        ("CN", E::NoEqualsSign { at: 0 }),
        ("CN=a,O", E::NoEqualsSign { at: 5 }),
        ("CN=a,", E::EmptyPart { at: 5 }),
        (",CN=a", E::EmptyPart { at: 0 }),
        ("CN=a,,O=b", E::EmptyPart { at: 5 }),
        ("CN=a+", E::EmptyPart { at: 5 }),
        (" ", E::EmptyPart { at: 1 }),
        ("=a", E::UnknownType { at: 0 }),
        ("CN=a, E=b", E::UnknownType { at: 6 }),
        ("SN=b", E::UnknownType { at: 0 }),
        ("TITLE=b", E::UnknownType { at: 0 }),
        ("OID.=b", E::UnknownType { at: 0 }),
        ("1.2.03=b", E::UnknownType { at: 0 }),
        (
            "CN=a<b",
            E::Unescaped {
                character: '<',
                at: 4,
            },
        ),
        (
            "CN=a\"b\"",
            E::Unescaped {
                character: '"',
                at: 4,
            },
        ),
        ("CN=a\\b", E::Escape { at: 4 }),
        ("CN=a\\", E::Escape { at: 4 }),
        ("CN=a\\4", E::Escape { at: 4 }),
        ("CN=\\C3", E::EscapedBytes { at: 3 }),
        ("CN=\"a", E::UnclosedQuote { at: 3 }),
        ("CN=\"a\" b", E::AfterQuote { at: 7 }),
        ("CN=#", E::Hexadecimal { at: 3 }),
        ("CN=#0c1", E::Hexadecimal { at: 3 }),
        ("CN=#0c0261", E::Hexadecimal { at: 3 }),
        ("CN=#0c016100", E::Hexadecimal { at: 3 }),
        ("CN=#xy", E::Hexadecimal { at: 3 }),
        ("DC=\u{e4}", E::NotAscii { at: 3 }),
        ("email=\u{e4}", E::NotAscii { at: 6 }),
    ] {
        assert_eq!(DistinguishedName::parse(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn texts_are_read_as_people_write_them() {
    for (text, printed) in [
        ("", ""),
        ("CN=", "CN="),
        ("CN=\"a, b\" , O = c", "CN=a\\, b,O=c"),
        ("CN=\" a \"", "CN=\\ a\\ "),
        ("CN=\"\\\"\"", "CN=\\\""),
        ("CN=a\\ ", "CN=a\\ "),
        ("CN=a\\  ", "CN=a\\ "),
        ("CN=a=b", "CN=a\\=b"),
        ("CN=\\C3\\A4", "CN=\u{e4}"),
        ("CN=#0C0161 ,O=b", "CN=a,O=b"),
        ("o=b + cn=a", "O=b+CN=a"),
        ("Oid.2.5.4.10=b", "O=b"),
        ("T=b", "2.5.4.12=#130162"),
    ] {
        let name = DistinguishedName::parse(text).unwrap();
        assert_eq!(name.to_string(), printed, "{text}");
    }
    let joined = DistinguishedName::parse("O=b+CN=a").unwrap();
    // Sorted by the encodings, CN comes first.
    assert_eq!(
        DistinguishedName::from_der(&joined.to_der())
            .unwrap()
            .to_string(),
        "CN=a+O=b"
    );
}

#[test]
fn texts_of_too_much_are_refused() {
    let parts = |count: usize, separator: &str| vec!["CN=a"; count].join(separator);
    assert!(DistinguishedName::parse(&parts(64, ",")).is_ok());
    assert_eq!(
        DistinguishedName::parse(&parts(65, ",")).unwrap_err(),
        NameTextError::TooManyRelativeNames
    );
    assert!(DistinguishedName::parse(&parts(128, "+")).is_ok());
    assert_eq!(
        DistinguishedName::parse(&parts(129, "+")).unwrap_err(),
        NameTextError::TooManyAttributes
    );
    for length in [MAX_NAME_BYTES, MAX_NAME_BYTES * 4] {
        let text = format!("CN={}", "a".repeat(length));
        assert_eq!(
            DistinguishedName::parse(&text).unwrap_err(),
            NameTextError::TooLong
        );
    }
}
