//! Signing and verifying whole messages, as ratios to the bare aws-lc-rs operation on the same bytes
//! in the same run. ECDSA P-256 with SHA-256 everywhere; payloads of 1 KiB and 1 MiB without a
//! pattern; one key for everybody, loaded before the clock starts unless it says otherwise.
//!
//! | contestant | version and features | key state | what it handles |
//! |---|---|---|---|
//! | bare aws-lc-rs | 1.19, `aws-lc-sys` | verify: point as bytes, parsed by each call (`UnparsedPublicKey`, as rustls' values use it); sign: parsed | the payload; DER signature |
//! | bare p256 | 0.14, `ecdsa` | parsed | the payload; DER signature |
//! | gangplank envelope | this repository, `gangplank-key/aws-lc-rs`, `gangplank-envelope/std` | parsed (`TrustedKey`; `AwsLcKey`, `SoftwareKey`) | bound form with type, created, nonce and audience; verify: text to checked payload, audience and time compared; sign: payload to text; the form is copied each time |
//! | gangplank RFC 9421 | this repository, Margo 1.0's profile | as the envelope's | the body, hashed for `content-digest`; covered are `@method`, `@target-uri`, `@authority`, `content-digest`; with `created`, `keyid`, `nonce`; verify: three fields and the body to the checked body, time compared |
//! | jsonwebtoken | 11.1, `aws_lc_rs`, without `use_pem` | bytes, parsed by each call | JWT: the payload as base64 (`base64` 0.23, `BASE64_STANDARD`) in one claim beside `aud`, `iat`, `exp`, `nonce`; sign and verify include that base64 |
//! | josekit | 0.10, OpenSSL of the system | parsed | JWS compact: the payload itself |
//! | httpsig | 0.0.26, no features (pure Rust inside) | parsed | RFC 9421 over `@method`, `@target-uri`, `@authority`, `content-digest`; the digest made and compared with `sha2` 0.11 |
//! | coset | 0.4, aws-lc-rs 1.19 as its signer, r‖s | verify: point as bytes; sign: parsed | COSE_Sign1, payload inside |
//!
//! "reused" writes the payload or the text into a buffer that the caller keeps; all others allocate.
//! A ratio is a block of at least 15 ms of one contestant by a block of the bare operation just
//! before it; the table gives the median of 31 rounds and the extremes. Times are processor time of the one
//! thread, so that other processes disturb by cold caches only.
//!
//! On a processor with SHA extensions, `OPENSSL_ia32cap=:~0x20000000` hides them from aws-lc.
//!
//! `cargo bench --manifest-path benches/Cargo.toml --bench signing --features josekit`

use gangplank_benches::cases::{
    Buffer, Operation, sign_bare, sign_envelope, sign_message, sign_p256, verify_bare,
    verify_envelope, verify_message, verify_p256,
};
use gangplank_benches::material::Material;
use gangplank_benches::race::{self, Contestant, Hashing};
use gangplank_key::Backend;

mod peers;

fn main() {
    let material = Material::new();
    println!("{MASK}: {:?}", std::env::var(MASK));
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load().trim());
    for size in [1 << 10, 1 << 20] {
        verify(&material, size);
        sign(&material, size);
        pure_rust(&material, size);
    }
    println!("\nload after: {}", load().trim());
}

fn verify(material: &Material, size: usize) {
    let envelope = |buffer| verify_envelope(material, size, Backend::AWS_LC_RS, buffer);
    let (new, reused, message) = if size == 1 << 10 {
        (1.05, 1.05, 1.15)
    } else {
        (1.20, 1.15, 1.05)
    };
    let mut contestants = vec![
        row("bare aws-lc-rs", verify_bare(material, size)),
        row("gangplank envelope", envelope(Buffer::New)).target(new),
        row("gangplank envelope, reused", envelope(Buffer::Reused)).target(reused),
        row(
            "gangplank RFC 9421, Margo",
            verify_message(material, size, Backend::AWS_LC_RS),
        )
        .target(message),
        row("bare p256", verify_p256(material, size)),
    ];
    contestants.extend(peers::verify(material, size));
    let bare = verify_bare(material, size);
    race("Verify", size, aws_lc_hashing(), bare, contestants);
}

fn sign(material: &Material, size: usize) {
    let envelope = |buffer| sign_envelope(material, size, Backend::AWS_LC_RS, buffer);
    let (new, reused) = if size == 1 << 10 {
        (1.10, 1.10)
    } else {
        (1.25, 1.15)
    };
    let mut contestants = vec![
        row("bare aws-lc-rs", sign_bare(material, size)),
        row("gangplank envelope", envelope(Buffer::New)).target(new),
        row("gangplank envelope, reused", envelope(Buffer::Reused)).target(reused),
        row(
            "gangplank RFC 9421, Margo",
            sign_message(material, size, Backend::AWS_LC_RS),
        ),
        row("bare p256", sign_p256(material, size)),
    ];
    contestants.extend(peers::sign(material, size));
    let bare = sign_bare(material, size);
    race("Sign", size, aws_lc_hashing(), bare, contestants);
}

fn pure_rust(material: &Material, size: usize) {
    let verify = |buffer| verify_envelope(material, size, Backend::PURE_RUST, buffer);
    let contestants = vec![
        row("bare p256", verify_p256(material, size)),
        row("gangplank envelope", verify(Buffer::New)).target(1.05),
        row("gangplank envelope, reused", verify(Buffer::Reused)).target(1.05),
    ];
    let bare = verify_p256(material, size);
    let title = "Verify in pure Rust, beside p256";
    race(title, size, hashing(), bare, contestants);
    let sign = |buffer| sign_envelope(material, size, Backend::PURE_RUST, buffer);
    let contestants = vec![
        row("bare p256", sign_p256(material, size)),
        row("gangplank envelope", sign(Buffer::New)).target(1.05),
        row("gangplank envelope, reused", sign(Buffer::Reused)).target(1.05),
    ];
    let bare = sign_p256(material, size);
    let title = "Sign in pure Rust, beside p256";
    race(title, size, hashing(), bare, contestants);
}

/// What this processor has.
fn hashing() -> Hashing {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("sha") {
        return Hashing::Extensions;
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("sha2") {
        return Hashing::Extensions;
    }
    Hashing::Plain
}

/// What aws-lc sees of it.
fn aws_lc_hashing() -> Hashing {
    match std::env::var(MASK) {
        Ok(_) => Hashing::Plain,
        Err(_) => hashing(),
    }
}

fn race(
    title: &str,
    size: usize,
    hashing: Hashing,
    bare: Operation<'_>,
    contestants: Vec<Contestant<'_>>,
) {
    let title = format!("{title}, {size} bytes of payload");
    race::race(&title, size, hashing, bare, contestants);
}

fn row<'m>(name: &'static str, operation: Operation<'m>) -> Contestant<'m> {
    Contestant {
        name,
        target: None,
        operation,
    }
}

/// Hides abilities of the processor from aws-lc.
const MASK: &str = "OPENSSL_ia32cap";
