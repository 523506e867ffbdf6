//! The rule of device ids that all makers of them share.

/// Whether a text is a device id for Eclipse Hono (`[a-zA-Z0-9_.:=-]+`) and for gangplank (at most 128
/// characters, the first a letter or digit).
pub fn is_device_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:=-".contains(&byte);
    let first = id.bytes().next();
    first.is_some_and(|first| first.is_ascii_alphanumeric())
        && id.len() <= MAX_DEVICE_ID_BYTES
        && id.bytes().all(allowed)
}

const MAX_DEVICE_ID_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_both_rules() {
        for (id, expected) in [
            ("CN=pump.7:a_b-c", true),
            ("7", true),
            ("", false),
            ("-a", false),
            ("a,b", false),
            ("a~b", false),
            ("ä", false),
        ] {
            assert_eq!(is_device_id(id), expected, "{id}");
        }
        assert!(is_device_id(&"a".repeat(128)));
        assert!(!is_device_id(&"a".repeat(129)));
    }
}
