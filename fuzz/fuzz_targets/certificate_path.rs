//! Arbitrary bytes as certificates and revocation lists: reading and searching never panic, and no path
//! leads to an anchor whose key was made a moment ago, whatever its name.
//!
//! The input is a row of parts, each with its length before it in two bytes, big-endian: the leaf, then
//! intermediates and lists by turns, of which a part of no length is none.

#![no_main]

use std::sync::LazyLock;

use gangplank_key::{Algorithm, Backend, CertificateDer, SigningKey, SoftwareKey, UnixTime};
use gangplank_trust::{
    Anchor, DistinguishedName, PathProfile, Purpose, Revocation, RevocationLists, Validity,
    verify_path,
};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use libfuzzer_sys::fuzz_target;

static FRESH: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let algorithm = Algorithm::EcdsaP256Sha256;
    let key = SoftwareKey::generate(algorithm, &mut UnwrapErr(SysRng)).expect("a key");
    key.public_key().spki().to_vec()
});

fuzz_target!(|input: &[u8]| {
    let parts = parts(input);
    let Some((leaf, rest)) = parts.split_first() else {
        return;
    };
    let leaf = CertificateDer::from(*leaf);
    let turns = |turn| {
        rest.iter()
            .copied()
            .skip(turn)
            .step_by(2)
            .filter(|part| !part.is_empty())
    };
    let intermediates: Vec<CertificateDer<'_>> = turns(0).map(CertificateDer::from).collect();
    let lists: Vec<RevocationLists> = turns(1)
        .filter_map(|list| RevocationLists::read([list]).ok())
        .collect();
    // Whatever was sent may be trusted as well; then a path may be found, and nothing is claimed.
    let sent = intermediates
        .iter()
        .cloned()
        .map(CertificateDer::into_owned);
    let trusted: Vec<Anchor> = sent
        .filter_map(|certificate| Anchor::from_certificate("sent", certificate).ok())
        .collect();
    let now = trusted
        .first()
        .map_or(UnixTime::since_unix_epoch(HALF_LIFE), |anchor| {
            anchor.validity().not_before()
        });
    let always = Validity::new(now, now).expect("a moment");
    let named = |name: &DistinguishedName| {
        let key = FRESH.clone();
        Anchor::bare("fresh", name.clone(), key, always).ok()
    };
    let fresh: Vec<Anchor> = trusted
        .iter()
        .filter_map(|anchor| named(anchor.name()))
        .collect();
    for purpose in [Purpose::Client, Purpose::Any] {
        let profile = PathProfile::new(purpose);
        let revocation = lists
            .first()
            .map_or(Revocation::NotChecked, Revocation::Lists);
        let verify = |anchors, revocation| {
            let backend = Backend::PURE_RUST;
            verify_path(
                &leaf,
                &intermediates,
                anchors,
                profile,
                revocation,
                backend,
                now,
            )
        };
        assert!(verify(&fresh, Revocation::NotChecked).is_err());
        // Lists only take away.
        if verify(&trusted, revocation).is_ok() {
            assert!(verify(&trusted, Revocation::NotChecked).is_ok());
        }
    }
});

fn parts(mut input: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = input.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (part, rest) = rest.split_at(length);
        parts.push(part);
        input = rest;
    }
    parts
}

/// 2026-01-01, in most certificates' lives.
const HALF_LIFE: core::time::Duration = core::time::Duration::from_secs(1_767_225_600);
