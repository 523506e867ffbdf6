//! How many instructions one operation over 1 KiB takes, counted by valgrind: a baseline without
//! noise.
//!
//! Each case runs N and 2N times; the difference, divided by N, leaves out start and preparation.
//! valgrind's processor has AVX2 but no SHA extensions. Key and signatures are the same in every run,
//! but for what aws-lc-rs signs, whose randomness moves the count by about one per cent. How much work
//! a verification is depends on the signature, and each case has another one.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin instructions`

use std::process::Command;

use gangplank_benches::cases::{
    Buffer, Operation, sign_bare, sign_envelope, sign_message, sign_p256, verify_bare,
    verify_envelope, verify_message, verify_p256,
};
use gangplank_benches::material::Material;
use gangplank_key::Backend;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => count_all(),
        [case, times] => run(case, times.parse().expect("a number")),
        _ => panic!("no arguments, or a case and how often to run it"),
    }
}

fn count_all() {
    println!("| 1 KiB | instructions | beside bare |\n|---|---|---|");
    let mut bare = 0;
    for (name, _) in CASES {
        let count = (collected(name, 2 * TIMES) - collected(name, TIMES)) / TIMES;
        if name.contains("bare") {
            bare = count;
        }
        println!("| {name} | {count} | {:+} |", count - bare);
    }
}

fn collected(case: &str, times: i64) -> i64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("a path"))
        .args([case, &times.to_string()])
        .output()
        .expect("valgrind");
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, count)| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("{case}: {said}"))
}

fn run(case: &str, times: i64) {
    let material = Material::new();
    let (_, make) = CASES
        .iter()
        .find(|(name, _)| *name == case)
        .expect("a case");
    let mut operation = make(&material);
    for _ in 0..times {
        operation();
    }
}

type Make = for<'m> fn(&'m Material) -> Operation<'m>;

const CASES: [(&str, Make); 10] = [
    ("verify, bare aws-lc-rs", |material| {
        verify_bare(material, KIB)
    }),
    ("verify, envelope, aws-lc-rs", |material| {
        verify_envelope(material, KIB, Backend::AWS_LC_RS, Buffer::Reused)
    }),
    ("verify, RFC 9421, aws-lc-rs", |material| {
        verify_message(material, KIB, Backend::AWS_LC_RS)
    }),
    ("sign, bare aws-lc-rs", |material| sign_bare(material, KIB)),
    ("sign, envelope, aws-lc-rs", |material| {
        sign_envelope(material, KIB, Backend::AWS_LC_RS, Buffer::Reused)
    }),
    ("sign, RFC 9421, aws-lc-rs", |material| {
        sign_message(material, KIB, Backend::AWS_LC_RS)
    }),
    ("verify, bare p256", |material| verify_p256(material, KIB)),
    ("verify, envelope, pure Rust", |material| {
        verify_envelope(material, KIB, Backend::PURE_RUST, Buffer::Reused)
    }),
    ("sign, bare p256", |material| sign_p256(material, KIB)),
    ("sign, envelope, pure Rust", |material| {
        sign_envelope(material, KIB, Backend::PURE_RUST, Buffer::Reused)
    }),
];

const KIB: usize = 1 << 10;
const TIMES: i64 = 50;
