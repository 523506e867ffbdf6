//! Validating a certificate path, as ratios to rustls-webpki on the same chain in the same run: root,
//! one intermediate, leaf, with `clientAuth` asked for. The root is loaded before the clock starts, the
//! two others come as DER and are parsed each time, as a device's have to be.
//!
//! | contestant | version and features | what it handles |
//! |---|---|---|
//! | rustls-webpki | 0.103, aws-lc-rs 1.19 | `EndEntityCert::try_from`, `verify_for_usage` |
//! | gangplank `verify_path` | this repository, `gangplank-key/aws-lc-rs` | the path alone |
//! | gangplank `verify` | the same | the path under a tenant, the leaf's key and names as values |
//! | OpenSSL | the system's, crate `openssl` 0.10 | `X509::from_der` twice, `X509_verify_cert` with the purpose of TLS clients |
//!
//! How a ratio is taken, `benches/src/race.rs` says.
//!
//! `cargo bench --manifest-path benches/Cargo.toml --bench path --features josekit`

use std::time::Duration;

use gangplank_benches::cases::Operation;
use gangplank_benches::race::{Contestant, Hashing, race};
use gangplank_key::{Backend, CertificateDer, UnixTime};
use gangplank_trust::{
    Anchor, PathProfile, Purpose, Revocation, Tenant, TenantId, verify, verify_path,
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm, date_time_ymd,
};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

#[cfg(feature = "josekit")]
mod openssl_peer;

fn main() {
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load before: {}", load().trim());
    for (kind, algorithm) in [
        ("P-256", &PKCS_ECDSA_P256_SHA256),
        ("RSA with 2048 bits", &PKCS_RSA_SHA256),
    ] {
        let chain = Chain::new(algorithm);
        let mut contestants = vec![
            row("rustls-webpki", by_webpki(&chain)),
            Contestant {
                target: Some(1.15),
                ..row(
                    "gangplank `verify_path`",
                    by_path(&chain, Backend::AWS_LC_RS),
                )
            },
            row("gangplank `verify`", by_tenant(&chain)),
            row(
                "gangplank `verify_path`, pure Rust",
                by_path(&chain, Backend::PURE_RUST),
            ),
        ];
        contestants.extend(by_openssl(&chain));
        let title = format!("Leaf and one intermediate, {kind}");
        race(&title, 0, Hashing::Plain, by_webpki(&chain), contestants);
    }
    println!("\nload after: {}", load().trim());
}

/// Three certificates of one kind of key.
struct Chain {
    root: CertificateDer<'static>,
    intermediate: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
}

impl Chain {
    fn new(algorithm: &'static SignatureAlgorithm) -> Self {
        let key = || KeyPair::generate_for(algorithm).unwrap();
        let (root_key, middle_key, leaf_key) = (key(), key(), key());
        let root = authority("Acme Root CA");
        let root_certificate = root.self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(root, root_key);
        let middle = authority("Acme Device CA 7");
        let middle_certificate = middle.signed_by(&middle_key, &root_issuer).unwrap();
        let mut leaf = parameters("press-7");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf = leaf.signed_by(&leaf_key, &Issuer::new(middle, middle_key));
        Self {
            root: root_certificate.der().clone(),
            intermediate: middle_certificate.der().clone(),
            leaf: leaf.unwrap().der().clone(),
        }
    }

    fn anchor(&self) -> Anchor {
        Anchor::from_certificate("acme", self.root.clone()).unwrap()
    }
}

fn parameters(common_name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let name = &mut parameters.distinguished_name;
    name.push(DnType::CountryName, "DE");
    name.push(DnType::OrganizationName, "Acme Machines");
    name.push(DnType::CommonName, common_name);
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2045, 1, 1);
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

fn authority(common_name: &str) -> CertificateParams {
    let mut parameters = parameters(common_name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

#[cfg(feature = "josekit")]
fn by_openssl(chain: &Chain) -> Option<Contestant<'_>> {
    Some(row("OpenSSL", openssl_peer::verify(chain)))
}

#[cfg(not(feature = "josekit"))]
fn by_openssl(_: &Chain) -> Option<Contestant<'_>> {
    None
}

fn by_webpki(chain: &Chain) -> Operation<'_> {
    let anchors = [anchor_from_trusted_cert(&chain.root).unwrap()];
    let intermediates = [chain.intermediate.clone()];
    Box::new(move || {
        let leaf = EndEntityCert::try_from(&chain.leaf).unwrap();
        let usage = KeyUsage::client_auth();
        leaf.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &anchors,
            &intermediates,
            NOW,
            usage,
            None,
            None,
        )
        .unwrap();
    })
}

fn by_path(chain: &Chain, backend: Backend) -> Operation<'_> {
    let anchor = chain.anchor();
    let intermediates = [chain.intermediate.clone()];
    let profile = PathProfile::new(Purpose::Client);
    let revocation = Revocation::NotChecked;
    Box::new(move || {
        let anchors = [&anchor];
        verify_path(
            &chain.leaf,
            &intermediates,
            anchors,
            profile,
            revocation,
            backend,
            NOW,
        )
        .unwrap();
    })
}

fn by_tenant(chain: &Chain) -> Operation<'_> {
    let mut tenant = Tenant::new(TenantId::parse("plant-7").unwrap());
    tenant.anchors.push(chain.anchor());
    let sent = [chain.leaf.clone(), chain.intermediate.clone()];
    let (revocation, backend) = (Revocation::NotChecked, Backend::AWS_LC_RS);
    Box::new(move || {
        verify(&sent, &tenant, revocation, backend, NOW).unwrap();
    })
}

fn row<'m>(name: &'static str, operation: Operation<'m>) -> Contestant<'m> {
    Contestant {
        name,
        target: None,
        operation,
    }
}

/// 2026-11-22.
const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_795_305_600));
