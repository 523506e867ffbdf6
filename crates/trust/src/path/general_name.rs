//! The syntax of names in certificates (RFC 5280 §4.2.1.6) and of constraints on them.

use x509_cert::ext::pkix::name::GeneralName;

/// Whether a name is of the syntax of its kind. Kinds without one of their own are taken as they are.
pub(crate) fn is_well_formed(name: &GeneralName) -> bool {
    match name {
        GeneralName::DnsName(name) => is_dns_name(name.as_str()),
        GeneralName::Rfc822Name(name) => mailbox(name.as_str()).is_some(),
        GeneralName::UniformResourceIdentifier(name) => is_uri(name.as_str()),
        // "exactly four octets" or "exactly sixteen octets".
        GeneralName::IpAddress(address) => matches!(address.as_bytes().len(), 4 | 16),
        GeneralName::DirectoryName(name) => !name.is_empty(),
        _ => true,
    }
}

/// Whether the base of a name constraint is of the syntax of its kind (RFC 5280 §4.2.1.10).
pub(crate) fn is_well_formed_base(base: &GeneralName) -> bool {
    let is_domain = |name: &str| is_host(name.strip_prefix('.').unwrap_or(name));
    match base {
        // Any name can be made "by simply adding zero or more labels" to the empty one; a leading
        // period is for URIs and mailboxes only.
        GeneralName::DnsName(name) => name.as_str().is_empty() || is_host(name.as_str()),
        GeneralName::Rfc822Name(name) => {
            mailbox(name.as_str()).is_some() || is_domain(name.as_str())
        }
        GeneralName::UniformResourceIdentifier(name) => is_domain(name.as_str()),
        GeneralName::IpAddress(network) => is_network(network.as_bytes()),
        _ => true,
    }
}

/// An address and a mask of the same length, ones before zeros (RFC 4632 §3.1).
fn is_network(network: &[u8]) -> bool {
    let Some((_, mask)) = network.split_at_checked(network.len() / 2) else {
        return false;
    };
    let mut ended = false;
    let mut whole = matches!(network.len(), 8 | 32);
    for byte in mask {
        whole &= byte.leading_ones() + byte.trailing_zeros() >= 8 && !(ended && *byte != 0);
        ended |= *byte != 0xff;
    }
    whole
}

/// RFC 1034 §3.5 as changed by RFC 1123 §2.1; the first label may be a wildcard (RFC 6125 §6.4.3,
/// which RFC 5280 §4.2.1.6 leaves to applications).
fn is_dns_name(name: &str) -> bool {
    is_host(name.strip_prefix("*.").unwrap_or(name))
}

/// A host's full name: labels of letters, digits and inner hyphens, no final dot.
pub(crate) fn is_host(name: &str) -> bool {
    name.len() <= MAX_HOST && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Local part and host of an RFC 5321 §4.1.2 `Mailbox`. Its local part may be quoted; the last `@`
/// is the one between both, as a host has none.
pub(crate) fn mailbox(name: &str) -> Option<(&str, &str)> {
    let (local, host) = name.rsplit_once('@')?;
    (is_local_part(local) && is_host(host)).then_some((local, host))
}

fn is_local_part(local: &str) -> bool {
    let quoted = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    match quoted {
        Some(text) => is_quoted_text(text),
        None => local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_text)),
    }
}

/// RFC 5321 §4.1.2 `QcontentSMTP`.
fn is_quoted_text(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'\\' => matches!(bytes.next(), Some(b' '..=b'~')),
            b'"' => false,
            other => matches!(other, b' '..=b'~'),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// RFC 5322 §3.2.3 `atext`.
fn is_atom_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// "The name MUST NOT be a relative URI": a scheme (RFC 3986 §3.1) and something after it.
fn is_uri(name: &str) -> bool {
    let Some((scheme, rest)) = name.split_once(':') else {
        return false;
    };
    let mut bytes = scheme.bytes();
    let scheme = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    scheme && !rest.is_empty() && name.bytes().all(|byte| matches!(byte, b'!'..=b'~'))
}

/// RFC 1034 §3.1: 255 octets on the wire, two of which the text lacks.
const MAX_HOST: usize = 253;
/// RFC 1034 §3.1.
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests {
    use der::asn1::{Ia5String, OctetString};

    use super::*;

    #[test]
    fn dns_names_are_of_the_preferred_syntax() {
        let long = "a".repeat(64);
        let tall = ["abcdefgh"; 29].join(".");
        for (name, fine) in [
            ("example.com", true),
            ("*.example.com", true),
            ("3com.x-1.example", true),
            ("pump", true),
            ("", false),
            (" ", false),
            ("*", false),
            ("a.*.example", false),
            ("foo_bar.example.com", false),
            (".example.com", false),
            ("example.com.", false),
            ("-a.example", false),
            ("a-.example", false),
            (long.as_str(), false),
            (tall.as_str(), false),
        ] {
            let name_of_kind = GeneralName::DnsName(Ia5String::new(name).unwrap());
            assert_eq!(is_well_formed(&name_of_kind), fine, "{name}");
        }
    }

    #[test]
    fn mailboxes_have_a_local_part_and_a_host() {
        for (name, parts) in [
            ("a@example.com", Some(("a", "example.com"))),
            ("*@example.com", Some(("*", "example.com"))),
            ("a.b+c@example.com", Some(("a.b+c", "example.com"))),
            ("\"a b@c\"@example.com", Some(("\"a b@c\"", "example.com"))),
            (
                "\"a\\\"b\"@example.com",
                Some(("\"a\\\"b\"", "example.com")),
            ),
            ("\"a\"b\"@example.com", None),
            ("example.com", None),
            ("@example.com", None),
            ("a..b@example.com", None),
            ("a b@example.com", None),
            ("a@b@example.com", None),
            ("a@", None),
            ("a@.example.com", None),
        ] {
            assert_eq!(mailbox(name), parts, "{name}");
        }
    }

    #[test]
    fn uris_are_absolute_and_addresses_whole() {
        for (name, fine) in [
            ("https://example.com/a", true),
            ("urn:uuid:a6dfa681-1533-4975-b807-d219f110a091", true),
            ("spiffe://example.org/pump", true),
            ("/pump", false),
            ("1a:b", false),
            ("urn:", false),
            ("urn:a b", false),
        ] {
            let uri = GeneralName::UniformResourceIdentifier(Ia5String::new(name).unwrap());
            assert_eq!(is_well_formed(&uri), fine, "{name}");
        }
        for (length, fine) in [(4, true), (16, true), (0, false), (8, false), (5, false)] {
            let address = GeneralName::IpAddress(OctetString::new(vec![0; length]).unwrap());
            assert_eq!(is_well_formed(&address), fine, "{length}");
        }
    }

    #[test]
    fn networks_have_masks_of_ones_before_zeros() {
        for (network, fine) in [
            (&[10, 0, 0, 0, 255, 0, 0, 0][..], true),
            (&[10, 0, 0, 0, 255, 240, 0, 0], true),
            (&[0; 8], true),
            (&[0; 32], true),
            (&[10, 0, 0, 0, 255, 255, 255, 255], true),
            (&[10, 0, 0, 0, 255, 0, 255, 0], false),
            (&[10, 0, 0, 0, 255, 5, 0, 0], false),
            (&[10, 0, 0, 0, 0, 128, 0, 0], false),
            (&[10, 0, 0, 0], false),
            (&[], false),
        ] {
            let base = GeneralName::IpAddress(OctetString::new(network).unwrap());
            assert_eq!(is_well_formed_base(&base), fine, "{network:?}");
        }
    }

    #[test]
    fn bases_of_names_have_their_kinds_syntax() {
        let text = |name| Ia5String::new(name).unwrap();
        for (name, dns, email, uri) in [
            ("example.com", true, true, true),
            (".example.com", false, true, true),
            ("", true, false, false),
            ("*.example.com", false, false, false),
            ("a@example.com", false, true, false),
            ("https://example.com", false, false, false),
        ] {
            let bases = [
                GeneralName::DnsName(text(name)),
                GeneralName::Rfc822Name(text(name)),
                GeneralName::UniformResourceIdentifier(text(name)),
            ];
            assert_eq!(
                bases.map(|base| is_well_formed_base(&base)),
                [dns, email, uri],
                "{name}"
            );
        }
    }
}
