//! Reading references, and lists as text, beside other readers in the same run.
//!
//! | row | what it does |
//! |---|---|
//! | `ImageReference`, `DockerReference`, `PinnedImage` | gangplank's: the grammar, Docker's defaults, the pin as 32 bytes |
//! | oci-spec | `oci_spec::distribution::Reference` 0.10, which oci-client has, too; with Docker's defaults |
//! | docker-image-reference | `Reference::from_str` 0.1; no defaults |
//! | hex | `hex::decode_to_slice` 0.4 of each line, split by `slice::split` |
//!
//! A figure is the median of 31 blocks of at least 15 ms of the thread's processor time, in turn with the
//! others; the extremes beside it. References are read a hundred at a time, in turn from ten typical ones.
//!
//! `cargo bench --manifest-path benches/Cargo.toml --bench reference`

use std::hint::black_box;

use gangplank_allowlist::{DockerReference, ImageDigest, ImageReference, PinnedImage, text};
use gangplank_benches::cases::Operation;
use gangplank_benches::race::table;

fn main() {
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load().trim());
    let pinned = NAMES.map(|name| format!("{name}@sha256:{HEX}"));
    let pinned = pinned.each_ref().map(String::as_str);
    table("100 references with names and tags", rows_of(NAMES));
    table("100 references with digests", pinned_rows(&pinned));
    let list = list();
    table("A list of 15,385 digests as text (1 MB)", list_rows(&list));
    println!("\nload after: {}", load().trim());
}

/// `read` a hundred times.
fn hundred<'n, T>(names: [&'n str; 10], read: impl Fn(&'n str) -> T + 'n) -> Operation<'n> {
    Box::new(move || {
        for _ in 0..10 {
            for name in names {
                black_box(read(black_box(name)));
            }
        }
    })
}

fn rows_of(names: [&str; 10]) -> Vec<(&str, Operation<'_>)> {
    vec![
        (
            "gangplank, `ImageReference`",
            hundred(names, |name| ImageReference::parse(name).unwrap()),
        ),
        (
            "gangplank, `DockerReference`",
            hundred(names, |name| DockerReference::parse(name).unwrap()),
        ),
        (
            "oci-spec",
            hundred(names, |name| {
                name.parse::<oci_spec::distribution::Reference>().unwrap()
            }),
        ),
        (
            "docker-image-reference",
            hundred(names, |name| {
                docker_image_reference::Reference::from_str(name).unwrap()
            }),
        ),
    ]
}

fn pinned_rows<'n>(names: &[&'n str; 10]) -> Vec<(&'n str, Operation<'n>)> {
    let mut rows = rows_of(*names);
    let pinned = hundred(*names, |name| PinnedImage::parse(name).unwrap());
    rows.insert(2, ("gangplank, `PinnedImage`", pinned));
    rows
}

fn list_rows(list: &[u8]) -> Vec<(&str, Operation<'_>)> {
    vec![
        (
            "gangplank, `text::lines`",
            Box::new(move || {
                let digests = text::lines(black_box(list)).map(|(_, read)| read.unwrap());
                black_box(digests.collect::<Vec<_>>());
            }),
        ),
        (
            "hex",
            Box::new(move || {
                let mut digests = Vec::new();
                for line in black_box(list).split(|byte| *byte == b'\n') {
                    let mut digest = [0; 32];
                    if !line.is_empty() {
                        hex::decode_to_slice(line, &mut digest).unwrap();
                        digests.push(digest);
                    }
                }
                black_box(digests);
            }),
        ),
    ]
}

/// Digests without an order, from a generator of Marsaglia's.
fn list() -> Vec<u8> {
    let mut state = 1_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let digests = (0..15_385).map(|_| [random(), random(), random(), random()].concat());
    digests
        .flat_map(|bytes| text::line(&ImageDigest::from_bytes(bytes.try_into().unwrap())))
        .collect()
}

const HEX: &str = "fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752";
const NAMES: [&str; 10] = [
    "nginx",
    "nginx:1.27",
    "library/ubuntu:24.04",
    "grafana/grafana:11.2.0",
    "docker.io/library/redis:7-alpine",
    "ghcr.io/acme/press-monitor:v2.3.1",
    "quay.io/prometheus/node-exporter:v1.8.2",
    "registry.example.com:5000/team/app:1.2.3",
    "mcr.microsoft.com/azureiotedge-agent:1.5",
    "registry.gitlab.com/group/subgroup/project/image:main",
];
