//! Arbitrary text as a reference of an image: reading never panics, what is read is printed as it was and
//! is made of its parts, and Docker's names are the same when they are read again.
//!
//! The input is the reference, and behind a blank a shell pattern.

#![no_main]

use gangplank_allowlist::{AnyReference, DockerReference, ImageReference, PinnedImage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (text, pattern) = input.split_once(' ').unwrap_or((input, "*"));
    let _ = AnyReference::parse(text);
    match ImageReference::parse(text) {
        Err(error) => assert!(error.at().is_none_or(|at| at <= text.len())),
        Ok(reference) => assert_parts(text, reference),
    }
    if let Ok(docker) = DockerReference::parse(text) {
        let full = docker.to_string();
        let again = DockerReference::parse(&full).expect("a full name");
        assert_eq!(again.to_string(), full);
        assert_eq!(again.familiar(), docker.familiar());
        assert!(text.ends_with(docker.familiar()));
        // An address begins as a class of characters does.
        let name = docker.familiar_name();
        assert!(name.starts_with('[') || docker.is_like(name));
        docker.is_like(pattern);
    }
});

fn assert_parts(text: &str, reference: ImageReference<'_>) {
    assert_eq!(reference.as_str(), text);
    let (domain, path) = (reference.domain(), reference.path());
    let name = domain.map_or(path.to_owned(), |domain| format!("{domain}/{path}"));
    assert_eq!(reference.name(), name);
    assert!((1..=255).contains(&path.len()));
    let digest = reference.digest();
    assert!(digest.is_none_or(|digest| digest.registered().is_some()));
    let digest = digest.map(|digest| digest.as_str());
    let composed = ImageReference::compose(&name, reference.tag(), digest);
    assert_eq!(composed.expect("its own parts").to_string(), text);
    if let Ok(pinned) = PinnedImage::try_from(reference) {
        assert!(text.ends_with(&format!("@{}", pinned.digest())));
    }
}
