use super::*;
use crate::{DigestAlgorithm, DigestError, NotPinned, PinnedImage};

const HEX: &str = "fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752";

fn refusal(text: &str) -> ReferenceError {
    ImageReference::parse(text).expect_err(text)
}

#[test]
fn errors_say_the_byte() {
    let format = |at| ReferenceError::Format { at };
    for (text, expected) in [
        (" nginx", format(0)),
        ("nginx ", format(5)),
        ("nginx\n", format(5)),
        ("nginx:", format(6)),
        (
            "nginx@",
            ReferenceError::Digest {
                from: 6,
                source: DigestError::Format { at: 0 },
            },
        ),
        ("nginx:1 2", format(7)),
        ("nginx:-1", format(6)),
        ("a//b", format(2)),
        ("a/b/", format(4)),
        ("a..b", format(2)),
        ("a___b", format(3)),
        ("a-.b", format(2)),
        ("a_b.example:80/c", format(1)),
        ("a.example:http/c", format(10)),
        ("a.example:/c", format(10)),
        ("[::1%eth0]:5000/a", format(4)),
        ("[::1]", format(0)),
        ("[]/a", format(1)),
        ("a/é", format(2)),
        ("a/b\0", format(3)),
        ("a/Bc", ReferenceError::UpperCase { at: 2 }),
        ("Nginx", ReferenceError::UpperCase { at: 0 }),
        ("Foo_b/x", ReferenceError::UpperCase { at: 0 }),
    ] {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn errors_of_digests_say_the_byte() {
    let upper = format!("a@sha256:{}", HEX.to_uppercase());
    let source = DigestError::Format { at: 7 };
    assert_eq!(refusal(&upper), ReferenceError::Digest { from: 2, source });
    let algorithm = DigestAlgorithm::Sha256;
    let source = DigestError::Length {
        algorithm,
        found: 63,
    };
    let short = format!("a:1@sha256:{}", &HEX[1..]);
    assert_eq!(refusal(&short), ReferenceError::Digest { from: 4, source });
    let twice = format!("a@sha256:{HEX}@sha256:{HEX}");
    let source = DigestError::Format { at: 71 };
    assert_eq!(refusal(&twice), ReferenceError::Digest { from: 2, source });
    let other = format!("a@sha384:{HEX}");
    assert_eq!(refusal(&other), ReferenceError::Algorithm { at: 2 });
}

#[test]
fn lengths_are_bounded() {
    let (path, tag) = ("a".repeat(255), "b".repeat(128));
    let domain = "c".repeat(300);
    let longest = format!("{domain}/{path}:{tag}@sha256:{HEX}");
    assert!(ImageReference::parse(&longest).is_ok());
    let length = 256;
    let refused = refusal(&format!("{domain}/{path}a:{tag}"));
    assert_eq!(refused, ReferenceError::PathTooLong { length });
    let refused = refusal(&format!("{path}:{tag}b"));
    assert_eq!(refused, ReferenceError::TagTooLong { length: 129 });
    let hub = DockerReference::parse(&path);
    assert_eq!(hub, Err(ReferenceError::PathTooLong { length: 263 }));
}

#[test]
fn a_domain_that_is_none_is_a_part_of_the_path() {
    let reference = ImageReference::parse("a_b.example/c").unwrap();
    assert_eq!(
        (reference.domain(), reference.path()),
        (None, "a_b.example/c")
    );
    let tagged = ImageReference::parse("a_b.example/c:1").unwrap();
    assert_eq!((tagged.path(), tagged.tag()), ("a_b.example/c", Some("1")));
    // Docker takes it for a host by its dot, and would ask nobody.
    for text in ["a_b.example/c", "[20]/c"] {
        assert_eq!(DockerReference::parse(text), Err(ReferenceError::Host));
    }
}

#[test]
fn only_a_sha256_is_a_pin() {
    let pinned = |text: &str| PinnedImage::parse(text).map(|image| image.digest().to_hex());
    let hex: [u8; 64] = HEX.as_bytes().try_into().unwrap();
    assert_eq!(pinned(&format!("a:1@sha256:{HEX}")), Ok(hex));
    assert_eq!(pinned("a:1"), Err(NotPinned::NoDigest));
    assert_eq!(pinned(HEX), Err(NotPinned::NoDigest));
    for other in [format!("a@blake3:{HEX}"), format!("a@sha512:{HEX}{HEX}")] {
        assert_eq!(pinned(&other), Err(NotPinned::Algorithm));
    }
    let unknown = pinned(&format!("a@sha256+b64:{HEX}")).unwrap_err();
    assert_eq!(unknown.code(), "algorithm");
}

#[test]
fn patterns_are_those_of_shells() {
    for (pattern, text, fits) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "a/b", false),
        ("*/*", "a/b", true),
        ("a*b*c", "aXbXbXc", true),
        ("a*b*c", "aXbX/c", false),
        ("a?c", "a/c", false),
        ("a[^b]c", "a/c", false),
        ("a[^b]c", "axc", true),
        ("a[]-]c", "a]c", true),
        ("a[x-z]c", "ayc", true),
        ("a[x-z", "ay", false),
        (r"a\*c", "a*c", true),
        (r"a\*c", "abc", false),
        ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
    ] {
        assert_eq!(pattern::matches(pattern, text), fits, "{pattern} {text}");
    }
}
