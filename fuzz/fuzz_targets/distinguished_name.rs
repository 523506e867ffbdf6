//! Arbitrary bytes as a name, in DER and as text: reading never panics, what is read is written so that
//! it reads as the same name and prints as the same text, and a name is itself.

#![no_main]

use gangplank_trust::DistinguishedName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(name) = DistinguishedName::from_der(input) {
        check(&name);
    }
    let text = core::str::from_utf8(input).ok();
    if let Some(name) = text.and_then(|text| DistinguishedName::parse(text).ok()) {
        check(&name);
        let again = DistinguishedName::parse(&name.to_string());
        // A value in hexadecimal digits may be of a string type that prints as another does.
        if let (Ok(again), Some(false)) = (again, text.map(|text| text.contains('#'))) {
            assert!(again.matches(&name), "{input:?}");
        }
    }
});

fn check(name: &DistinguishedName) {
    let der = name.to_der();
    let again = DistinguishedName::from_der(&der).expect("what was written is read");
    assert_eq!(again.to_der(), der);
    assert!(again.matches(name) && name.matches(&again));
    assert_eq!(again.check_usable().is_ok(), name.check_usable().is_ok());
    assert_eq!(again.is_empty(), name.is_empty());
    let printed = again.to_string();
    if let Ok(read) = DistinguishedName::parse(&printed) {
        assert_eq!(read.to_string(), printed);
    }
}
