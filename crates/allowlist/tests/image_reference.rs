//! The suite `image-reference`: what distribution/reference and OCI say of names and digests.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fmt::Display;

use gangplank_allowlist::{
    AnyReference, DigestError, DockerReference, ImageDigest, ImageReference, OciDigest,
    ReferenceError,
};
use serde_json::{Value, json};

mod suite;

use suite::{Outcome, same, text_of};

#[test]
fn all_cases() {
    suite::run(
        "image-reference",
        341,
        include_str!("suite/image-reference-exceptions.json"),
        &[
            ("parse", parse),
            ("bare-name", name),
            ("split", split),
            ("canonical-name", canonical_name),
            ("docker-normalize", docker_normalize),
            ("docker-split", docker_split),
            ("any-reference", any_reference),
            ("docker-ref", docker_ref),
            ("compose", compose),
            ("familiar-match", familiar_match),
            ("domain", domain),
            ("name", name),
            ("reference", parse),
            ("identifier", identifier),
            ("docker-name", docker_name),
            ("digest", digest),
            ("descriptor-digest", digest),
        ],
    );
}

fn parse(case: &Value) -> Outcome {
    let input = input(case);
    let found = ImageReference::parse(input);
    if let Ok(reference) = &found {
        same(reference.to_string().as_str(), input)?;
    }
    outcome(case, found.map(|r| members(&r)))
}

fn name(case: &Value) -> Outcome {
    let found = ImageReference::parse_name(input(case)).map(|reference| members(&reference));
    // The suite has one word for all that the grammar refuses; here an empty text is told apart.
    match found {
        Err(ReferenceError::Empty) => same(false, accepts(case)),
        found => outcome(case, found),
    }
}

fn split(case: &Value) -> Outcome {
    outcome(
        case,
        ImageReference::parse_name(input(case)).map(|r| members(&r)),
    )
}

fn canonical_name(case: &Value) -> Outcome {
    let input = input(case);
    let found = DockerReference::parse(input).map_err(|error| error.to_string())?;
    match found.to_string() == input {
        true => outcome(case, Ok(docker_members(&found))),
        false => same("not-canonical", text_of(&case["expect"], "error")),
    }
}

fn docker_normalize(case: &Value) -> Outcome {
    for spelling in case["input"].as_array().unwrap() {
        let found = DockerReference::parse(spelling.as_str().unwrap());
        outcome(case, found.map(|found| docker_members(&found)))?;
    }
    Ok(())
}

fn docker_split(case: &Value) -> Outcome {
    let found = DockerReference::parse(input(case));
    outcome(case, found.map(|found| docker_members(&found)))
}

fn docker_name(case: &Value) -> Outcome {
    canonical(case, DockerReference::parse(input(case)))
}

fn any_reference(case: &Value) -> Outcome {
    canonical(case, AnyReference::parse(input(case)))
}

fn docker_ref(case: &Value) -> Outcome {
    canonical(
        case,
        DockerReference::parse(input(case)).map(DockerReference::pulled),
    )
}

fn compose(case: &Value) -> Outcome {
    let part = |member| case["input"][member].as_str();
    let name = part("name").unwrap();
    let found = ImageReference::compose(name, part("tag"), part("digest"));
    outcome(case, found.map(|found| json!({"text": found.to_string()})))
}

fn familiar_match(case: &Value) -> Outcome {
    let reference = DockerReference::parse(text_of(&case["input"], "reference"));
    let found = reference
        .unwrap()
        .is_like(text_of(&case["input"], "pattern"));
    same(found, accepts(case))
}

fn domain(case: &Value) -> Outcome {
    let with_path = format!("{}/x", input(case));
    let found = ImageReference::parse(&with_path);
    let matches = found.is_ok_and(|found| found.domain() == Some(input(case)));
    same(matches, accepts(case))
}

fn identifier(case: &Value) -> Outcome {
    same(
        ImageDigest::from_hex(input(case).as_bytes()).is_ok(),
        accepts(case),
    )?;
    let found = AnyReference::parse(input(case));
    same(
        matches!(found, Ok(AnyReference::Identifier(_))),
        accepts(case),
    )
}

fn digest(case: &Value) -> Outcome {
    let found = OciDigest::parse(input(case));
    if let Ok(digest) = &found {
        same(digest.to_string().as_str(), input(case))?;
        let parts = format!("{}:{}", digest.algorithm(), digest.encoded());
        same(parts.as_str(), input(case))?;
    }
    let class = |error: DigestError| match error {
        DigestError::Length { .. } => "length",
        _ => "format",
    };
    compare(
        case,
        found.map_err(class).map(|digest| {
            json!({"algorithm": digest.algorithm(), "registered": digest.registered().is_some()})
        }),
    )
}

fn canonical<T: Display>(case: &Value, found: Result<T, ReferenceError>) -> Outcome {
    outcome(
        case,
        found.map(|found| json!({"canonical": found.to_string()})),
    )
}

fn outcome(case: &Value, found: Result<Value, ReferenceError>) -> Outcome {
    compare(case, found.map_err(class))
}

/// Each member that is expected, and the class of an error where one is.
fn compare(case: &Value, found: Result<Value, &str>) -> Outcome {
    let expected = &case["expect"];
    match found {
        Ok(found) => {
            if !accepts(case) {
                return Err(format!("is read as {found}"));
            }
            for (member, value) in expected.as_object().unwrap() {
                if !matches!(member.as_str(), "ok" | "match") {
                    same(&found[member], value)?;
                }
            }
            Ok(())
        }
        Err(class) => {
            same(false, accepts(case))?;
            same(Some(class), expected["error"].as_str().or(Some(class)))
        }
    }
}

fn accepts(case: &Value) -> bool {
    let expected = &case["expect"];
    let accepts = expected["ok"].as_bool().or(expected["match"].as_bool());
    // Groups without either have accepted inputs only.
    accepts.unwrap_or(true)
}

fn class(error: ReferenceError) -> &'static str {
    match error {
        ReferenceError::Empty => "empty",
        ReferenceError::UpperCase { .. } => "uppercase",
        ReferenceError::PathTooLong { .. } => "too-long",
        ReferenceError::Algorithm { .. } => "digest-unsupported",
        ReferenceError::Digest {
            source: DigestError::Length { .. },
            ..
        } => "digest-length",
        _ => "format",
    }
}

fn members(reference: &ImageReference<'_>) -> Value {
    json!({
        "name": reference.name(),
        "domain": reference.domain(),
        "path": reference.path(),
        "tag": reference.tag(),
        "digest": reference.digest().map(|digest| digest.as_str()),
    })
}

fn docker_members(reference: &DockerReference<'_>) -> Value {
    let (prefix, path) = reference.path();
    json!({
        "familiar": reference.familiar(),
        "canonical": reference.to_string(),
        "domain": reference.domain(),
        "path": format!("{prefix}{path}"),
    })
}

fn input(case: &Value) -> &str {
    text_of(case, "input")
}
