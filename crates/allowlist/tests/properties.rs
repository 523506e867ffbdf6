//! What holds of every text, every list and every order of changes.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use gangplank_allowlist::{
    Allowlist, Change, DockerReference, Entry, ImageDigest, ImageReference, Launch, Listing, Mode,
    OciDigest, OptionPolicy, Overlaid, PinnedImage, text,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn references_are_those_of_the_grammar(text in reference_like()) {
        let found = ImageReference::parse(&text);
        let parts = found.ok().map(|r| (r.domain(), r.path(), r.tag(), r.digest().map(|d| d.as_str())));
        prop_assert_eq!(parts, grammar(&text), "{:?}", found);
        if let Ok(reference) = found {
            prop_assert_eq!(reference.to_string(), text.as_str());
            let digest = reference.digest().map(|digest| digest.as_str());
            let composed = ImageReference::compose(reference.name(), reference.tag(), digest).unwrap();
            prop_assert_eq!(composed.to_string(), text.as_str());
        }
    }

    #[test]
    fn dockers_names_stay_when_they_are_read_again(text in reference_like()) {
        if let Ok(docker) = DockerReference::parse(&text) {
            let full = docker.to_string();
            let again = DockerReference::parse(&full).unwrap();
            prop_assert_eq!(again.to_string(), full.as_str());
            let familiar = docker.familiar();
            prop_assert!(text.ends_with(familiar));
            prop_assert_eq!(again.familiar(), familiar);
            // An address begins as a class of characters does.
            let name = docker.familiar_name();
            prop_assert!(name.starts_with('[') || docker.is_like(name));
            prop_assert!(DockerReference::parse(&docker.pulled().to_string()).is_ok());
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), pattern in "[a*?\\[\\]^\\\\/-]{0,8}") {
        let _ = ImageReference::parse(&text);
        let _ = OciDigest::parse(&text);
        let _ = ImageDigest::parse(&text);
        let _ = DockerReference::parse("a/b").unwrap().is_like(&pattern);
        let _ = Launch::parse(&["docker", &text, "run", &text], OptionPolicy::Strict);
    }

    #[test]
    fn digests_are_written_as_they_are_read(bytes: [u8; 32]) {
        let digest = ImageDigest::from_bytes(bytes);
        let slowly: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        prop_assert_eq!(String::from_utf8(digest.to_hex().to_vec()).unwrap(), slowly.as_str());
        prop_assert_eq!(ImageDigest::from_hex(slowly.as_bytes()), Ok(digest));
        prop_assert_eq!(ImageDigest::parse(&digest.to_string()), Ok(digest));
        let oci = digest.to_string();
        let image = format!("a@{oci}");
        prop_assert_eq!(OciDigest::parse(&oci).unwrap().image_digest(), Some(digest));
        prop_assert_eq!(*PinnedImage::parse(&image).unwrap().digest(), digest);
    }

    #[test]
    fn lists_are_read_line_by_line(lines in vec(list_line(), 0..12), end in select(&["", "\n", "\r\n"])) {
        let file = lines.join("\n") + end;
        let found: Vec<_> = text::lines(file.as_bytes())
            .map(|(number, read)| (number, read.ok()))
            .collect();
        prop_assert_eq!(found, slow_lines(&file));
    }

    #[test]
    fn what_is_written_is_read(digests in vec(any::<[u8; 32]>(), 0..20)) {
        let digests = digests.into_iter().map(ImageDigest::from_bytes);
        let file: Vec<u8> = digests.clone().flat_map(|digest| text::line(&digest)).collect();
        let read = text::lines(&file).map(|(_, read)| read.unwrap());
        prop_assert!(read.eq(digests));
    }

    #[test]
    fn a_launch_is_of_its_image(arguments in vec(argument(), 0..8)) {
        let mut all = vec!["docker"];
        all.extend(arguments.iter().map(String::as_str));
        let compat = Launch::parse(&all, OptionPolicy::Compat);
        let strict = Launch::parse(&all, OptionPolicy::Strict);
        if let Ok(launch) = compat {
            prop_assert_eq!(launch.image().to_string(), all[launch.image_at()]);
            let verb = all.iter().position(|argument| matches!(*argument, "run" | "create"));
            prop_assert!(verb.unwrap() < launch.image_at());
            // What follows the image is the container's.
            let more: Vec<_> = all.iter().copied().chain(["--privileged", "evil"]).collect();
            let again = Launch::parse(&more, OptionPolicy::Compat).unwrap();
            prop_assert_eq!(again.image_at(), launch.image_at());
        }
        if strict.is_ok() {
            prop_assert_eq!(strict, compat);
        }
    }
}

// Fewer cases: each asks nine digests at three times after every step.
proptest! {
    #[test]
    fn permit_agrees_with_a_set(steps in vec(step(), 0..60)) {
        let mut list = List::default();
        let mut naive: BTreeMap<ImageDigest, Entry<'static>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add(digest, entry) => {
                    naive.insert(digest, entry);
                    list.change(digest, Some(entry));
                }
                Step::Remove(digest) => {
                    naive.remove(&digest);
                    list.change(digest, None);
                }
                Step::Merge => list.merge(),
            }
            for now in [0, 5, 9] {
                compare(&list, &naive, now)?;
            }
        }
    }
}

/// A base and what was changed since, as a driver keeps them.
#[derive(Default)]
struct List {
    base: Vec<ImageDigest>,
    changes: BTreeMap<ImageDigest, Option<Entry<'static>>>,
}

impl List {
    fn change(&mut self, digest: ImageDigest, entry: Option<Entry<'static>>) {
        self.changes.insert(digest, entry);
    }

    /// Writes into the base what can stand there: digests without more said of them.
    fn merge(&mut self) {
        let mut base: BTreeSet<_> = self.base.iter().copied().collect();
        self.changes.retain(|digest, entry| match entry {
            None => {
                base.remove(digest);
                false
            }
            Some(entry) if *entry == Entry::default() => {
                base.insert(*digest);
                false
            }
            Some(_) => true,
        });
        self.base = base.into_iter().collect();
    }
}

fn compare(
    list: &List,
    naive: &BTreeMap<ImageDigest, Entry<'_>>,
    now: u64,
) -> Result<(), TestCaseError> {
    let base = list.base.as_slice();
    let changes = list.changes.iter();
    let changes: Vec<_> = changes
        .map(|(digest, entry)| Change {
            digest: *digest,
            entry: *entry,
        })
        .collect();
    let overlaid = Overlaid::new(&base, &changes).unwrap();
    for digest in (0..=8).map(digest) {
        let counts = naive.get(&digest).is_some_and(|entry| {
            entry.not_before.is_none_or(|from| now >= from)
                && entry.expires.is_none_or(|at| now < at)
        });
        let text = format!("pump@{digest}");
        let image = PinnedImage::parse(&text).unwrap();
        let allowlist = Allowlist::new(&overlaid).at(now);
        prop_assert_eq!(allowlist.permit(image).is_ok(), counts);
        let permit = allowlist.mode(Mode::Audit).permit(image).unwrap();
        prop_assert_eq!(permit.would_be_denied().is_none(), counts);
        prop_assert_eq!(
            overlaid.find(&digest).unwrap().is_some(),
            naive.contains_key(&digest)
        );
    }
    Ok(())
}

#[derive(Clone, Debug)]
enum Step {
    Add(ImageDigest, Entry<'static>),
    Remove(ImageDigest),
    Merge,
}

fn step() -> impl Strategy<Value = Step> {
    let time = || select(vec![None, Some(3), Some(7)]);
    let entry = (time(), time()).prop_map(|(not_before, expires)| {
        let mut entry = Entry::default();
        (entry.not_before, entry.expires) = (not_before, expires);
        entry
    });
    prop_oneof![
        4 => (0..8u8, entry).prop_map(|(byte, entry)| Step::Add(digest(byte), entry)),
        3 => (0..8u8).prop_map(|byte| Step::Remove(digest(byte))),
        1 => Just(Step::Merge),
    ]
}

fn digest(byte: u8) -> ImageDigest {
    ImageDigest::from_bytes([byte.wrapping_mul(31); 32])
}

/// Texts of which many are references, and most of the others nearly.
fn reference_like() -> impl Strategy<Value = String> {
    let hex = "6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752fc";
    let pieces = [
        "a",
        "b1",
        "A",
        "0",
        ".",
        "..",
        "_",
        "__",
        "___",
        "-",
        "--",
        "/",
        "/",
        "//",
        ":",
        ":",
        "@",
        ":80",
        "[::1]",
        "[",
        "]",
        "localhost",
        "docker.io/",
        "index.docker.io/",
        "library/",
        "é",
        " ",
        "\n",
        "@sha256:",
        "@blake3:",
        "@sha384:",
        "@sha512:",
        hex,
        hex,
        &hex[1..],
        "F",
    ];
    let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
    let any = vec(select(pieces), 0..9).prop_map(|pieces| pieces.concat());
    let good = "([a-zA-Z0-9.-]{1,5}(:[0-9]{1,3})?/)?[a-z0-9]{1,3}([._/-][a-z0-9]{1,3}){0,3}(:[A-Za-z_.-]{1,4})?";
    let pin = select(vec![
        String::new(),
        format!("@sha256:{hex}"),
        format!("@sha256:{hex}0"),
    ]);
    prop_oneof![any, (good, pin).prop_map(|(name, pin)| name + &pin)]
}

type Parts<'t> = (Option<&'t str>, &'t str, Option<&'t str>, Option<&'t str>);

/// The grammar by trying all ways to split the text.
fn grammar(text: &str) -> Option<Parts<'_>> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    if !digest.is_none_or(is_digest) {
        return None;
    }
    let with_tag = rest.rsplit_once(':').map(|(name, tag)| (name, Some(tag)));
    [with_tag, Some((rest, None))]
        .into_iter()
        .flatten()
        .filter(|(_, tag)| tag.is_none_or(is_tag))
        .find_map(|(name, tag)| {
            let (domain, path) = split_name(name)?;
            (path.len() <= 255).then_some((domain, path, tag, digest))
        })
}

fn split_name(name: &str) -> Option<(Option<&str>, &str)> {
    let is_path = |path: &str| path.split('/').all(is_component);
    match name.split_once('/') {
        Some((domain, path)) if is_domain(domain) => is_path(path).then_some((Some(domain), path)),
        _ => is_path(name).then_some((None, name)),
    }
}

fn is_component(text: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inner = text
        .split(is_alphanumeric)
        .filter(|separator| !separator.is_empty());
    let is_separator = |s: &str| matches!(s, "." | "_" | "__") || s.chars().all(|c| c == '-');
    text.starts_with(is_alphanumeric)
        && text.ends_with(is_alphanumeric)
        && inner.clone().all(is_separator)
}

fn is_domain(text: &str) -> bool {
    let in_brackets = |host: &str| {
        let address = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let fits = |c: char| c.is_ascii_hexdigit() || c == ':';
        address.is_some_and(|address| !address.is_empty() && address.chars().all(fits))
    };
    let is_label = |label: &str| {
        let ends = |c: char| c.is_ascii_alphanumeric();
        let fits = |c: char| ends(c) || c == '-';
        label.starts_with(ends) && label.ends_with(ends) && label.chars().all(fits)
    };
    let is_host = |host: &str| in_brackets(host) || host.split('.').all(is_label);
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let with_port = text.rsplit_once(':');
    is_host(text) || with_port.is_some_and(|(host, port)| is_host(host) && is_port(port))
}

fn is_tag(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    (1..=128).contains(&text.len()) && text.chars().all(fits) && !text.starts_with(['.', '-'])
}

fn is_digest(text: &str) -> bool {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let Some((algorithm, encoded)) = text.split_once(':') else {
        return false;
    };
    let length = match algorithm {
        "sha256" | "blake3" => 64,
        "sha512" => 128,
        _ => return false,
    };
    encoded.len() == length && encoded.chars().all(is_hex)
}

fn list_line() -> impl Strategy<Value = String> {
    let hex = "[0-9a-f]{64}";
    let blanks = "[ \t\r]{0,2}";
    prop_oneof![
        4 => hex,
        1 => (blanks, hex, blanks).prop_map(|(before, hex, after)| before + &hex + &after),
        1 => hex.prop_map(|hex| hex.to_uppercase()),
        1 => "[ \tA-Fa-g0-9#:]{0,70}",
        1 => blanks,
        1 => hex.prop_map(|hex| format!("sha256:{hex}")),
    ]
}

fn slow_lines(file: &str) -> Vec<(usize, Option<ImageDigest>)> {
    let lines = file.split('\n').enumerate().map(|(at, line)| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        (at + 1, line.trim_matches([' ', '\t']))
    });
    let said = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    said.map(|(number, line)| {
        let is_digest = line.len() == 64 && line.chars().all(|c| c.is_ascii_hexdigit());
        let bytes = is_digest.then(|| {
            std::array::from_fn(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap())
        });
        (number, bytes.map(ImageDigest::from_bytes))
    })
    .collect()
}

fn argument() -> impl Strategy<Value = String> {
    let image = format!("good@{}", digest(1));
    let evil = format!("evil:1@{}", digest(2));
    let words = [
        "run",
        "run",
        "create",
        "container",
        "--rm",
        "-it",
        "-v",
        "--volume",
        "a:/b",
        "--",
        "-",
        "-D",
        "--host",
        "--host=x",
        "--privileged",
        "--name=x",
        "--name",
        "-ev",
        "--unknown",
        "",
    ];
    let words = words.iter().map(|word| (*word).to_owned());
    let images = [image.clone(), image, evil];
    prop_oneof![
        9 => select(words.chain(images).collect::<Vec<_>>()),
        1 => any::<String>(),
        1 => "-[a-zA-Z=]{1,4}",
    ]
}
