use std::path::Path;

use gangplank_server::key::CertificateId;
use gangplank_server::trust::{
    Bound, DistinguishedName, KnownDevice, ProvisionAs, Standing, StoredAuthId, TenantId,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{Exit, Failure, files};

/// A device as a file tells of it: the members that bear on a decision, and those of Eclipse Hono's
/// devices that do not.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Document {
    device_id: String,
    auth_id: Option<String>,
    certificate_id: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default = "yes")]
    credential_enabled: bool,
    #[serde(default)]
    pending: bool,
    #[serde(default)]
    removed: bool,
    bound_key: Option<Hash>,
    bound_certificate: Option<Hash>,
    bound_issuer: Option<String>,
    #[serde(default)]
    authorities: Vec<String>,
    #[serde(rename = "auto-provisioned")]
    _auto_provisioned: Option<IgnoredAny>,
    #[serde(rename = "notification-sent")]
    _notification_sent: Option<IgnoredAny>,
    #[serde(rename = "credentials")]
    _credentials: Option<IgnoredAny>,
    #[serde(rename = "status")]
    _status: Option<IgnoredAny>,
    #[serde(rename = "ext")]
    _ext: Option<IgnoredAny>,
    #[serde(rename = "defaults")]
    _defaults: Option<IgnoredAny>,
    #[serde(rename = "via")]
    _via: Option<IgnoredAny>,
    #[serde(rename = "viaGroups")]
    _via_groups: Option<IgnoredAny>,
    #[serde(rename = "memberOf")]
    _member_of: Option<IgnoredAny>,
}

/// Reads a device.
pub(super) fn read(path: &Path, tenant: &TenantId) -> Result<KnownDevice, Failure> {
    let at = |failure: Failure| failure.while_doing(path.display());
    let text = files::read(path)?;
    let document: Document =
        serde_json::from_slice(&text).map_err(|error| at(Failure::of(Exit::No, &error)))?;
    known(document, tenant).map_err(at)
}

fn known(document: Document, tenant: &TenantId) -> Result<KnownDevice, Failure> {
    let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
    let certificate_id = document.certificate_id.as_deref().map(CertificateId::parse);
    let issuer = document
        .bound_issuer
        .as_deref()
        .map(DistinguishedName::parse);
    let issuer = issuer.transpose().map_err(|error| refused(&error))?;
    Ok(KnownDevice {
        tenant: tenant.clone(),
        standing: standing(&document),
        certificate_id: certificate_id
            .transpose()
            .map_err(|error| refused(&error))?,
        auth_id: document.auth_id.as_deref().map(StoredAuthId::new),
        bound: Bound {
            issuers: issuer.map(|name| name.prepared()).into_iter().collect(),
            spki_sha256: hashes(document.bound_key)?,
            certificate_sha256: hashes(document.bound_certificate)?,
        },
        joined_as: match document.authorities.iter().any(|one| one == GATEWAY) {
            true => ProvisionAs::Gateway,
            false => ProvisionAs::Device,
        },
        device_id: document.device_id,
    })
}

fn standing(document: &Document) -> Standing {
    match document {
        Document { removed: true, .. } => Standing::Removed,
        Document { enabled: false, .. } => Standing::Disabled,
        Document {
            credential_enabled: false,
            ..
        } => Standing::CredentialDisabled,
        Document { pending: true, .. } => Standing::Pending,
        _ => Standing::Admitted,
    }
}

/// One SHA-256 or several, in hexadecimal digits.
#[derive(Deserialize)]
#[serde(untagged)]
enum Hash {
    One(String),
    Several(Vec<String>),
}

fn hashes(found: Option<Hash>) -> Result<Vec<[u8; 32]>, Failure> {
    let texts = match found {
        None => Vec::new(),
        Some(Hash::One(text)) => vec![text],
        Some(Hash::Several(texts)) => texts,
    };
    texts.iter().map(|text| hash(text)).collect()
}

fn hash(text: &str) -> Result<[u8; 32], Failure> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let octets: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let hash = octets.and_then(|octets| <[u8; 32]>::try_from(octets).ok());
    hash.filter(|_| digits.len() == 64).ok_or_else(|| {
        Failure::new(
            Exit::No,
            format!("{text:?} is no SHA-256 in 64 hexadecimal digits"),
        )
    })
}

fn yes() -> bool {
    true
}

const GATEWAY: &str = "auto-provisioning-enabled";
