use std::string::ToString;

use super::*;
use crate::{Allowlist, PinnedImage};

/// The example of the OCI Image Index Specification, as `sha256sum` reads it.
const INDEX: &str = r#"{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.index.v1+json",
  "manifests": [
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "size": 7143,
      "digest": "sha256:e692418e4cbaf90ca69d05a66403747baa33ee08806650b51fab815ad7fc331f",
      "platform": {
        "architecture": "ppc64le",
        "os": "linux"
      }
    },
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "size": 7682,
      "digest": "sha256:5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270",
      "platform": {
        "architecture": "amd64",
        "os": "linux"
      }
    }
  ],
  "annotations": {
    "com.example.key1": "value1",
    "com.example.key2": "value2"
  }
}"#;
const INDEX_SHA256: &str = "05bbc206ed9c460127a40c1fcdbccf21bf01fe892a80dfff2014f9cd26aebf4a";
const AMD64: &str = "5b0bcabd1ed22e9fb1310cf6c2dec7cdef19f0ad69efa1f392e94a4333501270";
const LINUX_AMD64: Platform<'_> = Platform {
    os: "linux",
    architecture: "amd64",
    variant: None,
};

fn digest(hex: &str) -> ImageDigest {
    ImageDigest::parse(hex).unwrap()
}

/// Asks under a list that has the index as it is.
fn ask(index: &str, manifest: &str, platform: Platform<'_>) -> Result<ImageDigest, IndexFault> {
    let listed = [ImageDigest::from_bytes(Sha256::digest(index).into())];
    let image = std::format!("app@{}", listed[0]);
    let permit = Allowlist::new(&listed)
        .permit(PinnedImage::parse(&image).unwrap())
        .unwrap();
    let manifest = permit.manifest(index.as_bytes(), &digest(manifest), platform);
    manifest.map(|permitted| *permitted.digest())
}

#[test]
fn a_permitted_index_permits_what_it_lists_for_a_platform() {
    let listed = [digest(INDEX_SHA256)];
    let image = std::format!("app:1@sha256:{INDEX_SHA256}");
    let permit = Allowlist::new(&listed).permit(PinnedImage::parse(&image).unwrap());
    let permitted = permit
        .unwrap()
        .manifest(INDEX.as_bytes(), &digest(AMD64), LINUX_AMD64);
    let permitted = permitted.unwrap();
    assert_eq!(permitted.digest(), &digest(AMD64));
    assert_eq!(permitted.index().image().to_string(), image);
}

#[test]
fn other_manifests_platforms_and_bytes_are_refused() {
    let other = AMD64.replace('5', "6");
    assert_eq!(ask(INDEX, &other, LINUX_AMD64), Err(IndexFault::NotListed));
    for platform in [
        Platform {
            os: "windows",
            ..LINUX_AMD64
        },
        Platform {
            architecture: "arm64",
            ..LINUX_AMD64
        },
        Platform {
            variant: Some("v2"),
            ..LINUX_AMD64
        },
    ] {
        assert_eq!(ask(INDEX, AMD64, platform), Err(IndexFault::OtherPlatform));
    }
    let listed = [digest(INDEX_SHA256)];
    let image = std::format!("app@sha256:{INDEX_SHA256}");
    let shown = INDEX.replace("ppc64le", "riscv64");
    let permit = Allowlist::new(&listed).permit(PinnedImage::parse(&image).unwrap());
    let refused = permit
        .unwrap()
        .manifest(shown.as_bytes(), &digest(AMD64), LINUX_AMD64);
    assert!(matches!(refused, Err(IndexFault::OtherBytes { .. })));
}

#[test]
fn a_variant_counts_if_it_is_asked_for() {
    let armed = INDEX.replace(
        r#""architecture": "amd64","#,
        r#""architecture": "arm", "variant": "v7","#,
    );
    let arm = |variant| Platform {
        os: "linux",
        architecture: "arm",
        variant,
    };
    assert!(ask(&armed, AMD64, arm(None)).is_ok());
    assert!(ask(&armed, AMD64, arm(Some("v7"))).is_ok());
    assert_eq!(
        ask(&armed, AMD64, arm(Some("v6"))),
        Err(IndexFault::OtherPlatform)
    );
}

#[test]
fn what_is_no_index_permits_nothing() {
    let type_of_index = "application/vnd.oci.image.index.v1+json";
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    let untyped = INDEX.replace(&std::format!("  \"mediaType\": \"{type_of_index}\",\n"), "");
    assert!(ask(&untyped, AMD64, LINUX_AMD64).is_ok());
    let polyglot = untyped.replace(
        "\"schemaVersion\": 2",
        "\"schemaVersion\": 2, \"layers\": []",
    );
    for index in [
        "",
        "[]",
        "{}",
        "[2, null, []]",
        polyglot.as_str(),
        &INDEX.replace(type_of_index, manifest),
        &INDEX.replace("\"schemaVersion\": 2", "\"schemaVersion\": 1"),
        &INDEX.replace(
            "\"schemaVersion\": 2",
            "\"schemaVersion\": 2, \"schemaVersion\": 2",
        ),
        &INDEX.replace("\"annotations\"", "\"manifests\": [], \"annotations\""),
        &std::format!("{INDEX}x"),
    ] {
        assert_eq!(
            ask(index, AMD64, LINUX_AMD64),
            Err(IndexFault::Malformed),
            "{index}"
        );
    }
    // Of the second one only: an attestation, and an index.
    for (from, to) in [
        (
            "\"architecture\": \"amd64\",\n        \"os\": \"linux\"",
            "\"architecture\": \"unknown\", \"os\": \"unknown\"",
        ),
        (manifest, type_of_index),
    ] {
        let index = INDEX.replace(from, to);
        assert_ne!(index, INDEX);
        assert_eq!(
            ask(&index, AMD64, LINUX_AMD64),
            Err(IndexFault::OtherPlatform)
        );
    }
    let large = std::format!("{INDEX}{}", " ".repeat(MAX_INDEX_BYTES));
    assert!(matches!(
        ask(&large, AMD64, LINUX_AMD64),
        Err(IndexFault::TooLarge { .. })
    ));
}
