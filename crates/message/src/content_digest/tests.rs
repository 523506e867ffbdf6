use alloc::string::String;
use alloc::vec;

use super::*;

/// The example of RFC 9530 §B.1 and later; `openssl dgst` prints the same digests.
const CONTENT: &[u8] = b"{\"hello\": \"world\"}\n";
const SHA_256: &str = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
const SHA_512: &str = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";

fn read(value: &str) -> Result<Option<ClaimedDigests>, DigestError> {
    let fields = [("Content-Digest", value.as_bytes())];
    ClaimedDigests::read(&fields, DigestField::ContentDigest, &Limits::DEFAULT)
}

fn check(value: &str, content: &[u8]) -> Result<(), DigestError> {
    let claimed = read(value)?.unwrap();
    claimed.check(content, Backend::PURE_RUST)
}

fn wanted(value: &str) -> Result<Vec<(DigestAlgorithm, u8)>, DigestError> {
    let fields = [("Want-Content-Digest", value.as_bytes())];
    read_wanted(&fields, DigestField::ContentDigest, &Limits::DEFAULT)
}

#[test]
fn every_digest_that_counts_must_be_that_of_the_content() {
    // What does not count is passed over, whatever it says.
    let md5 = "md5=:AAAAAAAAAAAAAAAAAAAAAA==:";
    for value in [
        SHA_256,
        SHA_512,
        &[SHA_256, SHA_512].join(", "),
        &[md5, SHA_256].join(","),
    ] {
        assert_eq!(check(value, CONTENT), Ok(()), "{value}");
        assert_eq!(check(value, b"{}"), Err(DigestError::Mismatch), "{value}");
    }
    let wrong_256 = SHA_256.replace("RK", "RL");
    let wrong_512 = SHA_512.replace("YM", "YN");
    for value in [
        wrong_256.as_str(),
        wrong_512.as_str(),
        &[wrong_256.as_str(), SHA_512].join(","),
        &[SHA_256, wrong_512.as_str()].join(","),
    ] {
        let checked = check(value, CONTENT);
        assert_eq!(checked, Err(DigestError::Mismatch), "{value}");
    }
}

#[test]
fn a_field_that_says_nothing_is_refused() {
    let value = |algorithm: &str| DigestError::Value {
        algorithm: String::from(algorithm),
    };
    assert_eq!(read("md5=:AA==:"), Err(DigestError::NoneCounts));
    assert_eq!(read(""), Err(DigestError::NoneCounts));
    assert_eq!(read("sha-256=:AA==:"), Err(value("sha-256")));
    assert_eq!(read("sha-512=:AA==:"), Err(value("sha-512")));
    assert_eq!(read("sha-256=(:AA==:)"), Err(value("sha-256")));
    assert_eq!(read("md5=1"), Err(value("md5")));
    assert!(matches!(read("="), Err(DigestError::Structured(_))));
    let none = ClaimedDigests::read(&[], DigestField::ContentDigest, &Limits::DEFAULT);
    assert_eq!(none, Ok(None));
}

#[test]
fn a_field_may_be_as_long_as_the_limit() {
    let limits = Limits {
        field: SHA_256.len(),
        ..Limits::DEFAULT
    };
    let fits = [("content-digest", SHA_256.as_bytes())];
    assert!(ClaimedDigests::read(&fits, DigestField::ContentDigest, &limits).is_ok());
    for longer in [
        [
            ("content-digest", SHA_256.as_bytes()),
            ("content-digest", b"a"),
        ],
        [
            ("content-digest", SHA_256.as_bytes()),
            ("content-digest", &[b'a'; 100]),
        ],
    ] {
        assert_eq!(
            ClaimedDigests::read(&longer, DigestField::ContentDigest, &limits),
            Err(DigestError::TooLong {
                limit: SHA_256.len()
            })
        );
    }
}

#[test]
fn what_is_wanted_comes_best_first() {
    use DigestAlgorithm::{Sha256, Sha512};
    // RFC 9530 §4, the two examples; and the ends of the range.
    assert_eq!(wanted("sha-256=1"), Ok(vec![(Sha256, 1)]));
    assert_eq!(
        wanted("sha-512=3, sha-256=10, unixsum=0"),
        Ok(vec![(Sha256, 10), (Sha512, 3)])
    );
    assert_eq!(
        wanted("sha-256=10, sha-512=1"),
        Ok(vec![(Sha256, 10), (Sha512, 1)])
    );
    assert_eq!(wanted("sha-256=0, sha-512=2"), Ok(vec![(Sha512, 2)]));
    // The last of several counts, in its place (RFC 9651 §3.2).
    assert_eq!(
        wanted("sha-256=9, sha-512=2, sha-256=1"),
        Ok(vec![(Sha512, 2), (Sha256, 1)])
    );
    for wrong in [
        "sha-256=11",
        "sha-256=-1",
        "sha-256",
        "sha-256=1.0",
        "sha-256=(1)",
    ] {
        let algorithm = String::from("sha-256");
        assert_eq!(
            wanted(wrong),
            Err(DigestError::Value { algorithm }),
            "{wrong}"
        );
    }
    let fields = [("want-repr-digest", &b"sha-256=5"[..])];
    let read = |field| read_wanted(&fields, field, &Limits::DEFAULT);
    assert_eq!(read(DigestField::ReprDigest), Ok(vec![(Sha256, 5)]));
    assert_eq!(read(DigestField::ContentDigest), Ok(vec![]));
}
