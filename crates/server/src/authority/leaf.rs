//! The two certificates under the root: one for TLS, one for signing envelopes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gangplank_trust::orchestrator::SIGNING_EKU_EXTENSION;
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};

use super::AuthorityError;
use super::certificate::{Facts, Validity};
use super::files::DataDirectory;
use super::root::{Root, make_failed, make_key, parse_key};

/// What a certificate under the root is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// TLS for these names and addresses.
    Tls(Vec<SanType>),
    /// Signing envelopes.
    Signing,
}

impl Purpose {
    /// TLS for the public URL's host, for the hosts one label below it, by which tenants are told apart,
    /// and, for an operator on the same machine, for the local names.
    pub(super) fn tls(public_host: &str) -> Result<Self, AuthorityError> {
        let mut names = vec![
            name("localhost")?,
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ];
        let public = name(public_host)?;
        if !names.contains(&public) {
            names.insert(0, public);
        }
        names.extend(below(public_host));
        Ok(Self::Tls(names))
    }

    fn files(&self) -> (&'static str, &'static str) {
        match self {
            Self::Tls(_) => ("tls.key", "tls.pem"),
            Self::Signing => ("signing.key", "signing.pem"),
        }
    }

    fn parameters(&self) -> CertificateParams {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        parameters.is_ca = IsCa::ExplicitNoCa;
        parameters.use_authority_key_identifier_extension = true;
        // Enough for both: TLS with ECDSA only ever signs the handshake (RFC 8446 §4.4.2.2).
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let subject = match self {
            Self::Tls(names) => {
                parameters.subject_alt_names.clone_from(names);
                parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
                "gangplank orchestrator TLS"
            }
            Self::Signing => {
                parameters.custom_extensions = vec![signing_purpose()];
                "gangplank orchestrator signing"
            }
        };
        parameters
            .distinguished_name
            .push(DnType::CommonName, subject);
        parameters
    }

    /// Whether a certificate still does what a new one would, its age aside.
    fn served_by(&self, facts: &Facts) -> bool {
        match self {
            Self::Tls(names) => names.iter().all(|name| facts.names(name)),
            Self::Signing => facts.purposes == SIGNING_EKU_EXTENSION,
        }
    }
}

/// A certificate under the root with its key.
pub(super) struct Leaf {
    pub(super) key: KeyPair,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) validity: Validity,
}

impl Leaf {
    /// Loads the certificate, or issues one over the same key if it is absent, garbled, of another
    /// key, root or host, or due for renewal.
    pub(super) fn open(
        directory: &DataDirectory,
        purpose: &Purpose,
        root: &Root,
        now: UnixTime,
    ) -> Result<Self, AuthorityError> {
        let (key_file, certificate_file) = purpose.files();
        let key = match directory.read_secret(key_file)? {
            Some(text) => parse_key(directory, key_file, &text)?,
            None => make_key(directory, key_file)?,
        };
        let kept = directory
            .read_public(certificate_file)?
            .and_then(|text| Facts::from_pem(&text))
            .filter(|facts| {
                facts.spki == key.subject_public_key_info()
                    && facts.issuer == root.name()
                    && purpose.served_by(facts)
                    && !facts.validity.renewal_due(now)
            });
        let facts = match kept {
            Some(facts) => facts,
            None => {
                let text = root.issue(purpose.parameters(), &key, now, LEAF_LIFETIME)?;
                directory.replace(certificate_file, &text)?;
                tracing::info!(file = certificate_file, "issued a certificate");
                Facts::from_pem(&text)
                    .ok_or_else(|| make_failed(rcgen::Error::CouldNotParseCertificate))?
            }
        };
        Ok(Self {
            key,
            certificate: facts.der,
            validity: facts.validity,
        })
    }

    pub(super) fn private_key(&self) -> PrivatePkcs8KeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der())
    }
}

/// A host as it stands in a URL: a DNS name, an IPv4 address, an IPv6 address with or without
/// brackets.
fn name(host: &str) -> Result<SanType, AuthorityError> {
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = address.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let refused = || AuthorityError::Host(host.to_owned());
    let lower = host.to_ascii_lowercase();
    rustls_pki_types::DnsName::try_from(lower.as_str()).map_err(|_| refused())?;
    lower
        .try_into()
        .map(SanType::DnsName)
        .map_err(|_| refused())
}

/// All hosts one label below. Verifiers take a wildcard only before two labels or more.
fn below(host: &str) -> Option<SanType> {
    match name(host).ok()? {
        SanType::DnsName(host) if host.as_str().contains('.') => {
            let wildcard = format!("*.{}", host.as_str());
            wildcard.try_into().map(SanType::DnsName).ok()
        }
        _ => None,
    }
}

/// gangplank's own extended key usage (RFC 5280 §4.2.1.12), which tells a signing certificate from
/// a TLS certificate of the same root.
fn signing_purpose() -> CustomExtension {
    CustomExtension::from_oid_content(EXTENDED_KEY_USAGE, SIGNING_EKU_EXTENSION.to_vec())
}

/// id-ce-extKeyUsage
const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
/// Ninety days.
const LEAF_LIFETIME: u64 = 90 * 24 * 60 * 60;
