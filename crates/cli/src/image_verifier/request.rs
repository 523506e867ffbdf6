use std::ffi::OsString;

use gangplank_client::allowlist::{OciDigest, PinnedImage};
use serde::Deserialize;

/// What containerd asks.
#[derive(Debug)]
pub(super) struct Request {
    image: String,
    digest: String,
    media_type: Option<MediaType>,
}

/// What containerd writes to standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MediaType {
    Descriptor,
    Input,
}

impl Request {
    /// Reads arguments by hand: names with one dash would be short options to most readers. Options that
    /// are not known are passed over with their values, as later versions of containerd may have more.
    pub(super) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut arguments = arguments.map(|text| {
            text.into_string()
                .map_err(|_| "an argument is no UTF-8 text".to_owned())
        });
        let (mut name, mut digest, mut media_type) = (None, None, None);
        while let Some(option) = arguments.next().transpose()? {
            let Some(option) = option.strip_prefix('-').filter(|rest| !rest.contains('=')) else {
                return Err(format!("the argument {option:?} is no option"));
            };
            let option = option.strip_prefix('-').unwrap_or(option);
            let value = arguments.next().transpose()?;
            let value = value.ok_or_else(|| format!("-{option} has no value"))?;
            let place = match option {
                "name" => &mut name,
                "digest" => &mut digest,
                "stdin-media-type" => &mut media_type,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(format!("-{option} comes twice"));
            }
        }
        let name = name.ok_or("there is no -name")?;
        let digest = digest.ok_or("there is no -digest")?;
        Ok(Self {
            image: pinned(&name, &digest)?,
            digest,
            media_type: media_type.as_deref().and_then(media_type_of),
        })
    }

    /// The image with its digest.
    pub(super) fn image(&self) -> &str {
        &self.image
    }

    /// Whether what comes by standard input is known. It says nothing that the arguments do not say, so
    /// that of another kind is not looked at.
    pub(super) fn reads_stdin(&self) -> bool {
        self.media_type.is_some()
    }

    /// Holds what came by standard input against the arguments.
    pub(super) fn compare(&self, stdin: &[u8]) -> Result<(), String> {
        let unreadable = |error| format!("standard input: {error}");
        let descriptor: Descriptor = match self.media_type {
            Some(MediaType::Descriptor) => serde_json::from_slice(stdin).map_err(unreadable)?,
            Some(MediaType::Input) => {
                let input: Input = serde_json::from_slice(stdin).map_err(unreadable)?;
                input.descriptor
            }
            None => return Ok(()),
        };
        match descriptor.digest == self.digest {
            true => Ok(()),
            false => Err("standard input has another digest than -digest".to_owned()),
        }
    }
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

#[derive(Deserialize)]
struct Input {
    descriptor: Descriptor,
}

fn media_type_of(text: &str) -> Option<MediaType> {
    match text {
        "application/vnd.oci.descriptor.v1+json" => Some(MediaType::Descriptor),
        "application/vnd.containerd.image-verifier.input.v1+json" => Some(MediaType::Input),
        _ => None,
    }
}

/// The name with the digest; a name that has one already has to have the same.
fn pinned(name: &str, digest: &str) -> Result<String, String> {
    let is_digest = OciDigest::parse(digest).map_err(|error| format!("-digest: {error}"))?;
    if is_digest.image_digest().is_none() {
        return Err("-digest: it is another digest than a SHA-256".to_owned());
    }
    let image = match name.ends_with(&format!("@{digest}")) {
        true => name.to_owned(),
        false => format!("{name}@{digest}"),
    };
    // A name with another digest has two now, and is no reference.
    match PinnedImage::parse(&image) {
        Ok(_) => Ok(image),
        Err(error) => Err(format!("-name: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Request, String> {
        Request::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn arguments_are_read_as_containerd_writes_them() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let other = format!("sha256:{}", "b".repeat(64));
        let (name, image) = (
            "docker.io/library/a:1",
            format!("docker.io/library/a:1@{digest}"),
        );
        let descriptor = "application/vnd.oci.descriptor.v1+json";
        let good = [
            "-name",
            name,
            "-digest",
            &digest,
            "-stdin-media-type",
            descriptor,
        ];
        let request = parse(&good).unwrap();
        assert_eq!(request.image(), image);
        assert!(request.reads_stdin());
        for more in [
            &["-operation", "run"][..],
            &["-later", "-digest"],
            &["--operation", "pull"],
        ] {
            assert_eq!(parse(&[&good[..], more].concat()).unwrap().image(), image);
            assert_eq!(parse(&[more, &good[..]].concat()).unwrap().image(), image);
        }
        assert_eq!(
            parse(&["-name", &image, "-digest", &digest])
                .unwrap()
                .image(),
            image
        );
        let unknown = [
            "-name",
            name,
            "-digest",
            &digest,
            "-stdin-media-type",
            "text/plain",
        ];
        assert!(!parse(&unknown).unwrap().reads_stdin());
        let short = &digest[..70];
        let capitals = digest.to_uppercase();
        let sha512 = format!("sha512:{}", "a".repeat(128));
        let blake3 = format!("blake3:{}", "a".repeat(64));
        let lf = format!("{digest}\n");
        for wrong in [
            &[][..],
            &["-name", name],
            &["-digest", &digest],
            &["-name", name, "-digest"],
            &["-name", name, "-digest", &digest, "-digest", &digest],
            &["-name", name, "-digest", &digest, "--digest", &other],
            &["-name", name, "-name", name, "-digest", &digest],
            &["-name", name, "-digest", &digest, "more"],
            &["-name", name, "-digest", &digest, "-operation"],
            &["-name", name, &format!("-digest={digest}"), "x"],
            &["-name", name, "-digest", short],
            &["-name", name, "-digest", &capitals],
            &["-name", name, "-digest", &sha512],
            &["-name", name, "-digest", &blake3],
            &["-name", name, "-digest", &lf],
            &["-name", name, "-digest", ""],
            &["-name", "", "-digest", &digest],
            &["-name", "A B", "-digest", &digest],
            &["-name", &image, "-digest", &other],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn standard_input_has_to_have_the_same_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let of = |media_type: &str| {
            parse(&[
                "-name",
                "a",
                "-digest",
                &digest,
                "-stdin-media-type",
                media_type,
            ])
            .unwrap()
        };
        let descriptor = of("application/vnd.oci.descriptor.v1+json");
        let input = of("application/vnd.containerd.image-verifier.input.v1+json");
        let right = format!(r#"{{"mediaType":"x","digest":"{digest}","size":1}}"#);
        let wrapped =
            format!(r#"{{"descriptor":{right},"operation":"run","annotations":{{"a":"b"}}}}"#);
        assert_eq!(descriptor.compare(right.as_bytes()), Ok(()));
        assert_eq!(input.compare(wrapped.as_bytes()), Ok(()));
        let wrong = [
            String::new(),
            "{}".to_owned(),
            "null".to_owned(),
            right.replace("sha256:a", "sha256:b"),
            right.replace(r#""size":1"#, r#""digest":"x""#),
            format!("{right}x"),
        ];
        for wrong in &wrong {
            assert!(descriptor.compare(wrong.as_bytes()).is_err(), "{wrong}");
            let wrapped = wrapped.replace(&right, wrong);
            assert!(input.compare(wrapped.as_bytes()).is_err(), "{wrapped}");
        }
        assert!(descriptor.compare(wrapped.as_bytes()).is_err());
        assert!(input.compare(right.as_bytes()).is_err());
    }
}
