//! The root: the one key every device of this orchestrator comes to trust.

use std::fmt::Write as _;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PublicKeyData, SerialNumber,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::AuthorityError;
use super::certificate::{Facts, Validity};
use super::files::DataDirectory;
use super::secrets::SERVER_KEY;

/// The root's private key and certificate. It lives only while something is issued: a running
/// server does not hold the root's key in memory.
pub(super) struct Root {
    issuer: Issuer<'static, KeyPair>,
    facts: Facts,
}

impl Root {
    /// Loads the root, or makes it on the first start.
    pub(super) fn open(directory: &DataDirectory, now: UnixTime) -> Result<Self, AuthorityError> {
        let known = directory.read_public(CERTIFICATE)?;
        let key = match (directory.read_secret(KEY)?, &known) {
            (Some(text), _) => parse_key(directory, KEY, &text)?,
            (None, Some(_)) => {
                return Err(AuthorityError::Lost {
                    path: directory.path(KEY),
                    sibling: directory.path(CERTIFICATE),
                });
            }
            (None, None) => make_key(directory, KEY)?,
        };
        let mut parameters = parameters(&key);
        let facts = match known {
            Some(text) => Facts::from_pem(&text),
            None => Facts::from_pem(&make_certificate(directory, &mut parameters, &key, now)?),
        };
        let facts = facts.ok_or_else(|| unusable(directory, "is not one PEM certificate"))?;
        if facts.spki != key.subject_public_key_info() {
            return Err(unusable(directory, "does not belong to root.key"));
        }
        if facts.subject != format!("CN={}", common_name(&key)) {
            return Err(unusable(directory, "was not made by gangplank"));
        }
        if !facts.validity.contains(now) {
            let path = directory.path(CERTIFICATE);
            return Err(AuthorityError::RootNotValid {
                path,
                now: now.as_secs(),
            });
        }
        Ok(Self {
            issuer: Issuer::new(parameters, key),
            facts,
        })
    }

    /// Whether an identity was begun here before: a secret that is absent now has been lost.
    pub(super) fn refuse_lost_server_key(directory: &DataDirectory) -> Result<(), AuthorityError> {
        if directory.read_secret(SERVER_KEY)?.is_some() || directory.read_secret(KEY)?.is_none() {
            return Ok(());
        }
        let (path, sibling) = (directory.path(SERVER_KEY), directory.path(KEY));
        Err(AuthorityError::Lost { path, sibling })
    }

    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.facts.der
    }

    /// The name its certificates carry as their issuer.
    pub(super) fn name(&self) -> &str {
        &self.facts.subject
    }

    /// Issues a certificate over `key`, valid from an hour ago (devices' clocks differ) for
    /// `lifetime` seconds, but not longer than the root.
    pub(super) fn issue(
        &self,
        mut parameters: CertificateParams,
        key: &KeyPair,
        now: UnixTime,
        lifetime: u64,
    ) -> Result<String, AuthorityError> {
        let root = self.facts.validity;
        let validity = Validity {
            not_before: now.as_secs().saturating_sub(LEAF_LEAD).max(root.not_before),
            not_after: now.as_secs().saturating_add(lifetime).min(root.not_after),
        };
        set_serial_and_validity(&mut parameters, validity)?;
        let certificate = parameters
            .signed_by(key, &self.issuer)
            .map_err(make_failed)?;
        Ok(certificate.pem())
    }
}

/// Reads a PKCS#8 PEM private key (P-256) that this module wrote.
pub(super) fn parse_key(
    directory: &DataDirectory,
    name: &str,
    text: &str,
) -> Result<KeyPair, AuthorityError> {
    KeyPair::from_pkcs8_pem_and_sign_algo(text, &rcgen::PKCS_ECDSA_P256_SHA256).map_err(|_| {
        AuthorityError::Unusable {
            path: directory.path(name),
            problem: "is not a PEM private key (PKCS#8, P-256)",
            remedy: if name == KEY {
                "restore it from a backup"
            } else {
                "restore it from a backup, or move it away to have a new key made at the next start"
            },
        }
    })
}

/// Makes a P-256 key, stores it and returns what is then in the file: this process's key, or that
/// of another which started at the same moment and was first.
pub(super) fn make_key(directory: &DataDirectory, name: &str) -> Result<KeyPair, AuthorityError> {
    let key = KeyPair::generate().map_err(make_failed)?;
    if directory.create(name, &Zeroizing::new(key.serialize_pem()))? {
        return Ok(key);
    }
    let text = directory.read_secret(name)?.unwrap_or_default();
    parse_key(directory, name, &text)
}

pub(super) fn make_failed(error: rcgen::Error) -> AuthorityError {
    AuthorityError::Make(error.to_string())
}

fn make_certificate(
    directory: &DataDirectory,
    parameters: &mut CertificateParams,
    key: &KeyPair,
    now: UnixTime,
) -> Result<String, AuthorityError> {
    let validity = Validity {
        not_before: now.as_secs().saturating_sub(ROOT_LEAD),
        not_after: now.as_secs().saturating_add(ROOT_LIFETIME),
    };
    set_serial_and_validity(parameters, validity)?;
    let text = parameters.self_signed(key).map_err(make_failed)?.pem();
    if directory.create(CERTIFICATE, &text)? {
        return Ok(text);
    }
    Ok(directory.read_public(CERTIFICATE)?.unwrap_or_default())
}

/// Everything about the root but its serial number and dates follows from its key, so that a root
/// certificate made again from the key is the same issuer to everybody who trusts that key.
fn parameters(key: &KeyPair) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name(key));
    // pathLenConstraint 0 (RFC 5280 §4.2.1.9): the root signs leaves, never another authority.
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.key_identifier_method = KeyIdMethod::Sha256;
    parameters
}

fn common_name(key: &KeyPair) -> String {
    let digest = Sha256::digest(key.subject_public_key_info());
    let mut name = String::from("gangplank orchestrator root ");
    for byte in digest.iter().take(4) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

fn set_serial_and_validity(
    parameters: &mut CertificateParams,
    validity: Validity,
) -> Result<(), AuthorityError> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|error| AuthorityError::Make(error.to_string()))?;
    // RFC 5280 §4.1.2.2: positive and at most 20 octets; random, so that no two are the same.
    serial[0] = serial[0] & 0x7F | 0x40;
    parameters.serial_number = Some(SerialNumber::from_slice(&serial));
    parameters.not_before = date(validity.not_before)?;
    parameters.not_after = date(validity.not_after)?;
    Ok(())
}

fn date(seconds: u64) -> Result<OffsetDateTime, AuthorityError> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .ok_or(AuthorityError::Time(seconds))
}

fn unusable(directory: &DataDirectory, problem: &'static str) -> AuthorityError {
    AuthorityError::Unusable {
        path: directory.path(CERTIFICATE),
        problem,
        remedy: "restore root.key and root.pem together from a backup",
    }
}

const KEY: &str = "root.key";
const CERTIFICATE: &str = "root.pem";
const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
/// Twenty years: longer than the devices it admits are in service.
const ROOT_LIFETIME: u64 = 20 * 365 * DAY;
/// A device whose clock is a day behind can still be onboarded on the first day.
const ROOT_LEAD: u64 = DAY;
const LEAF_LEAD: u64 = HOUR;
