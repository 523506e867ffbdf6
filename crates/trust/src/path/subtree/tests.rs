use core::str::FromStr;

use der::asn1::{Ia5String, ObjectIdentifier, OctetString};

use x509_cert::name::Name;

use super::*;

fn text(text: &str) -> Ia5String {
    Ia5String::new(text).unwrap()
}

fn both(base: &GeneralName, name: &GeneralName) -> [Option<bool>; 2] {
    let [base, name] = [base, name].map(|name| Comparable::of(name.clone()).unwrap());
    [Side::Permitted, Side::Excluded].map(|side| contains(&base, &name, side))
}

#[test]
fn dns_names_are_below_a_domain() {
    for (base, name, permitted, excluded) in [
        ("example.com", "example.com", true, true),
        ("example.com", "A.Example.COM", true, true),
        ("example.com", "badexample.com", false, false),
        ("example.com", "com", false, false),
        ("", "example.com", true, true),
        ("example.com", "*.example.com", true, true),
        ("a.example.com", "*.example.com", false, true),
        ("b.a.example.com", "*.example.com", false, false),
        ("example.org", "*.example.com", false, false),
    ] {
        let found = both(
            &GeneralName::DnsName(text(base)),
            &GeneralName::DnsName(text(name)),
        );
        assert_eq!(found, [Some(permitted), Some(excluded)], "{base} {name}");
    }
}

#[test]
fn mailboxes_are_at_a_host_or_in_a_domain() {
    for (base, name, inside) in [
        ("a@example.com", "a@EXAMPLE.com", Some(true)),
        ("a@example.com", "A@example.com", Some(false)),
        ("*@example.com", "a@example.com", Some(false)),
        ("*@example.com", "*@example.com", Some(true)),
        ("example.com", "a@example.com", Some(true)),
        ("example.com", "a@host.example.com", Some(false)),
        (".example.com", "a@host.example.com", Some(true)),
        (".example.com", "a@example.com", Some(false)),
        ("example.com", "no mailbox", None),
    ] {
        let found = both(
            &GeneralName::Rfc822Name(text(base)),
            &GeneralName::Rfc822Name(text(name)),
        );
        assert_eq!(found, [inside; 2], "{base} {name}");
    }
}

#[test]
fn uris_are_at_a_host_or_in_a_domain() {
    for (base, name, inside) in [
        ("host.example", "https://HOST.example:443/a", Some(true)),
        ("host.example", "https://a@host.example?q", Some(true)),
        ("host.example", "https://a.host.example/", Some(false)),
        (".example", "https://host.example/", Some(true)),
        (".host.example", "https://host.example/", Some(false)),
        // No host to compare.
        (".example", "urn:uuid:1", None),
        (".example", "https://10.0.0.1/", None),
        (".example", "https://[2001:db8::1]/", None),
    ] {
        let found = both(
            &GeneralName::UniformResourceIdentifier(text(base)),
            &GeneralName::UniformResourceIdentifier(text(name)),
        );
        assert_eq!(found, [inside; 2], "{base} {name}");
    }
}

#[test]
fn addresses_are_in_a_network_of_their_family() {
    let address = |bytes: &[u8]| GeneralName::IpAddress(OctetString::new(bytes).unwrap());
    let network = address(&[10, 16, 0, 0, 255, 240, 0, 0]);
    for (name, inside) in [
        (&[10, 31, 1, 2][..], true),
        (&[10, 32, 0, 0], false),
        (&[10; 16], false),
    ] {
        assert_eq!(both(&network, &address(name)), [Some(inside); 2]);
    }
}

#[test]
fn directory_names_begin_with_the_base() {
    // The text is read from the end: the last one written is the first of the sequence (RFC 4514).
    let name = |text: &str| match text {
        "" => GeneralName::DirectoryName(Name::default()),
        text => GeneralName::DirectoryName(Name::from_str(text).unwrap()),
    };
    for (base, other, inside) in [
        ("O=Acme,C=DE", "CN=pump,O=Acme,C=DE", true),
        ("O=Acme,C=DE", "O=Acme,C=DE", true),
        ("O=Acme,C=DE", "CN=pump,O=ACME,C=DE", true),
        ("O=Acme  Works,C=DE", "CN=pump,O=acme works,C=DE", true),
        // One letter with its mark, and two code points for it.
        (
            "O=\u{e9}t\u{e9},C=DE",
            "CN=pump,O=E\u{301}te\u{301},C=DE",
            true,
        ),
        ("O=Acme,C=DE", "C=DE", false),
        ("O=Acme,C=DE", "CN=pump,O=Other,C=DE", false),
        ("O=Acme,C=DE", "O=Acme,CN=pump,C=DE", false),
        ("", "CN=pump", true),
    ] {
        let found = both(&name(base), &name(other));
        assert_eq!(found, [Some(inside); 2], "{base} {other}");
    }
}

#[test]
fn names_without_defined_subtrees_cannot_be_judged() {
    let id = |id| GeneralName::RegisteredId(ObjectIdentifier::new_unwrap(id));
    assert_eq!(both(&id("1.2.3"), &id("1.2.3")), [None; 2]);
    let kinds = [id("1.2.3"), GeneralName::DnsName(text("a"))];
    let [one, other] = kinds.map(|name| Comparable::of(name).unwrap());
    assert!(!same_kind(&one, &other));
}
