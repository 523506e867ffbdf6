use super::*;

/// The DER of `tag` with this content, of any length.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match length {
        0..0x80 => der.push(length as u8),
        0x80..0x100 => der.extend([0x81, length as u8]),
        0x100..0x1_0000 => der.extend([0x82, (length >> 8) as u8, length as u8]),
        _ => der.extend([
            0x83,
            (length >> 16) as u8,
            (length >> 8) as u8,
            length as u8,
        ]),
    }
    der.extend(content);
    der
}

fn relative_name(value: &[u8], count: usize) -> Vec<u8> {
    let pair = [element(6, COMMON_NAME), element(UTF8_STRING, value)].concat();
    element(0x31, &element(0x30, &pair).repeat(count))
}

fn refused(der: &[u8]) -> NameError {
    DistinguishedName::from_der(der).unwrap_err()
}

#[test]
fn a_name_of_64_kib_is_refused_before_it_is_read() {
    let der = element(0x30, &relative_name(&[b'a'; 65536], 1));
    let length = der.len();
    assert_eq!(refused(&der), NameError::TooLong { length });
}

#[test]
fn a_name_as_long_as_it_may_be_is_compared() {
    let header = element(0x30, &relative_name(&[b'a'; 16000], 1)).len() - 16000;
    // Each becomes three times as long or is put in order among thousands.
    for unit in ["\u{fdfa}", "\u{301}\u{323}", "\u{390}", "\u{a8}", " "] {
        let value = unit.repeat((MAX_NAME_BYTES - header) / unit.len());
        let name = DistinguishedName::from_der(&element(0x30, &relative_name(value.as_bytes(), 1)))
            .unwrap();
        assert!(name.matches(&name.clone()));
        assert!(name.prepared().as_bytes().len() < 12 * MAX_NAME_BYTES);
    }
}

#[test]
fn names_of_many_parts_are_refused() {
    let sets = |count| element(0x30, &relative_name(b"a", 1).repeat(count));
    assert!(DistinguishedName::from_der(&sets(64)).is_ok());
    assert_eq!(refused(&sets(65)), NameError::TooManyRelativeNames);
    let one_set = |count| element(0x30, &relative_name(b"a", count));
    assert!(DistinguishedName::from_der(&one_set(128)).is_ok());
    assert_eq!(refused(&one_set(129)), NameError::TooManyAttributes);
    let two_sets = [relative_name(b"a", 100), relative_name(b"a", 29)].concat();
    let der = element(0x30, &two_sets);
    assert_eq!(refused(&der), NameError::TooManyAttributes);
}

#[test]
fn each_fault_of_der_has_its_error_and_place() {
    let pair = [element(6, COMMON_NAME), element(UTF8_STRING, b"a")].concat();
    let set = |pair: &[u8]| element(0x30, &element(0x31, &element(0x30, pair)));
    assert!(DistinguishedName::from_der(&set(&pair)).is_ok());
    for (der, at) in [
        (vec![], 0),
        (vec![0x30], 0),
        (vec![0x31, 0], 0),
        (vec![0x30, 0, 0], 2),
        (vec![0x30, 0x80, 0, 0], 0),
        (vec![0x30, 0x81, 0], 0),
        (vec![0x30, 2, 0x30, 0], 2),
        // An end of contents, a tag of two octets, and a third element.
        (
            set(&[element(6, COMMON_NAME), element(0, b"")].concat()),
            11,
        ),
        (
            set(&[element(6, COMMON_NAME), vec![0x1f, 0x81, 0]].concat()),
            11,
        ),
        (set(&[pair.clone(), element(5, b"")].concat()), 14),
        (set(&element(6, COMMON_NAME)), 11),
    ] {
        assert_eq!(refused(&der), NameError::Malformed { at }, "{der:x?}");
    }
    let empty = element(0x30, &element(0x31, b""));
    assert_eq!(refused(&empty), NameError::EmptyRelativeName { at: 2 });
    for oid in [&[][..], &[0x80, 1], &[0x85]] {
        let pair = [element(6, oid), element(UTF8_STRING, b"a")].concat();
        assert_eq!(refused(&set(&pair)), NameError::AttributeType { at: 6 });
    }
}

#[test]
fn subjects_that_print_like_others_are_unusable() {
    use UnusableSubject as U;
    let domain = |tag| name(&[&[attribute(DOMAIN_COMPONENT, tag, "com")]]);
    let serial = |tag, content: &[u8]| name(&[&[attribute(SERIAL_NUMBER, tag, content)]]);
    let position = 0;
    for (name, expected) in [
        (name(&[]), Err(U::Empty)),
        (common_name(UTF8_STRING, "pump"), Ok(())),
        (common_name(PRINTABLE_STRING, "*.pump@x"), Ok(())),
        (common_name(UTF8_STRING, "$1 a\\b {{subject-o}}"), Ok(())),
        (
            common_name(UTF8_STRING, "a\u{1f}"),
            Err(U::ControlCharacter { position }),
        ),
        (
            common_name(UTF8_STRING, "a\u{7f}"),
            Err(U::ControlCharacter { position }),
        ),
        (
            common_name(UTF8_STRING, "a\u{9f}"),
            Err(U::ControlCharacter { position }),
        ),
        (common_name(UTF8_STRING, "\u{a0}"), Ok(())),
        (
            common_name(PRINTABLE_STRING, "\u{e4}"),
            Err(U::Undecodable { position }),
        ),
        (
            common_name(TELETEX_STRING, "a"),
            Err(U::StringType {
                position,
                tag: TELETEX_STRING,
            }),
        ),
        (
            common_name(BMP_STRING, "\0a"),
            Err(U::StringType {
                position,
                tag: BMP_STRING,
            }),
        ),
        (
            common_name(IA5_STRING, "a"),
            Err(U::StringType {
                position,
                tag: IA5_STRING,
            }),
        ),
        (domain(IA5_STRING), Ok(())),
        (
            domain(TELETEX_STRING),
            Err(U::StringType {
                position,
                tag: TELETEX_STRING,
            }),
        ),
        (serial(IA5_STRING, b"1"), Ok(())),
        (serial(BMP_STRING, b"\x001"), Ok(())),
        (
            serial(BMP_STRING, b"\x00\x01"),
            Err(U::ControlCharacter { position }),
        ),
        (serial(BMP_STRING, b"\0"), Err(U::Undecodable { position })),
        (
            serial(BMP_STRING, b"\xd8\x00"),
            Err(U::Undecodable { position }),
        ),
        (
            serial(UTF8_STRING, b"\xff"),
            Err(U::Undecodable { position }),
        ),
        (serial(0x02, b"\x01"), Ok(())),
    ] {
        assert_eq!(name.check_usable(), expected, "{name}");
    }
    let cn = attribute(COMMON_NAME, UTF8_STRING, "a");
    let o = attribute(ORGANIZATION, UTF8_STRING, "a");
    let doubled = name(&[
        std::slice::from_ref(&cn),
        &[cn.clone(), o.clone(), cn.clone()],
    ]);
    assert_eq!(
        doubled.check_usable(),
        Err(U::DoubledAttribute { position: 1 })
    );
    assert_eq!(name(&[&[cn.clone(), o], &[cn]]).check_usable(), Ok(()));
}

#[test]
fn variants_of_one_name_are_one() {
    let cn = |text: &str| common_name(UTF8_STRING, text);
    for (a, b, equal) in [
        (cn("Pump"), cn("pUMP"), true),
        (cn(" a  b "), cn("a b"), true),
        (cn("a\tb"), cn("a b"), true),
        (cn("ab"), cn("a b"), false),
        (cn("e\u{301}"), cn("\u{e9}"), true),
        (cn("\u{c9}"), cn("E\u{301}"), true),
        (cn("\u{df}"), cn("SS"), true),
        (cn("\u{1f600}"), cn("\u{1f600}"), true),
        (cn("\u{1f600} "), cn("\u{1f600}"), false),
        (cn("\u{10d50}"), cn("\u{10d70}"), false),
        (cn("a"), common_name(PRINTABLE_STRING, "A"), true),
        (cn("a"), common_name(IA5_STRING, "a"), false),
        (
            common_name(IA5_STRING, "a"),
            common_name(IA5_STRING, "A"),
            false,
        ),
        (cn("\u{c3}\u{a4}"), cn("\u{e4}"), false),
        (common_name(PRINTABLE_STRING, "\u{e4}"), cn("\u{e4}"), false),
        (
            common_name(UTF8_STRING, b"\xff"),
            common_name(UTF8_STRING, b"\xff"),
            true,
        ),
        (
            common_name(UTF8_STRING, b"\xff"),
            common_name(UTF8_STRING, b"\xfe"),
            false,
        ),
        (cn(""), cn(" "), true),
        (name(&[]), cn(""), false),
    ] {
        assert_eq!(a.matches(&b), equal, "{a} {b}");
    }
}
