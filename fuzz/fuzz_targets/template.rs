//! Arbitrary bytes as a template and a subject: reading and filling never panic, what is made is
//! bounded, and values go in as they are, whatever they contain.
//!
//! The input is the template, a line feed, and the subject as DER or as text.

#![no_main]

use gangplank_trust::{
    AuthId, DistinguishedName, MAX_FILLED_BYTES, Placeholder, Template, TemplateUse,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let template = parts
        .next()
        .and_then(|text| core::str::from_utf8(text).ok());
    let subject = parts.next().unwrap_or_default();
    let Some(template) = template.and_then(|text| Template::parse(text).ok()) else {
        return;
    };
    assert_eq!(Template::parse(template.as_str()).as_ref(), Ok(&template));
    template.lints(TemplateUse::AuthId);
    template.lints(TemplateUse::DeviceId);
    let text = core::str::from_utf8(subject).ok();
    let of_text = text.and_then(|text| DistinguishedName::parse(text).ok());
    let of_bytes = DistinguishedName::from_der(subject).ok();
    for subject in [of_text, of_bytes].into_iter().flatten() {
        let Ok(filled) = template.fill(&subject) else {
            continue;
        };
        assert!(filled.as_str().len() <= MAX_FILLED_BYTES);
        assert_eq!(
            filled.as_str(),
            slowly(&template, filled.values().collect())
        );
        let auth_id = AuthId::of(&subject, Some(&template)).expect("what was filled once");
        assert_eq!(auth_id.as_str(), filled.as_str());
    }
});

/// The same by searching for the next placeholder in the template alone, character by character.
fn slowly(template: &Template, values: Vec<(Placeholder, &str)>) -> String {
    let mut rest = template.as_str();
    let mut made = String::new();
    while let Some(first) = rest.chars().next() {
        let found = values
            .iter()
            .find(|(placeholder, _)| rest.starts_with(placeholder.text()));
        match found {
            Some((placeholder, value)) => {
                made.push_str(value);
                rest = &rest[placeholder.text().len()..];
            }
            None => {
                made.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    made
}
