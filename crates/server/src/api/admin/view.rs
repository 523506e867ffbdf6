//! How devices and audit entries read in the operator's API.

use gangplank_key::UnixTime;
use gangplank_trust::Origin;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::store::{AuditRecord, DeploymentDocument, Device, Document};

/// A device.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceView {
    device_id: String,
    tenant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_id: Option<String>,
    state: &'static str,
    disabled: bool,
    revision: u64,
    created_at: u64,
    updated_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    onboarded_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<OriginView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    auth_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    certificates: Vec<CertificateView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deployments: Vec<DeploymentView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateView {
    sha256: String,
    spki_sha256: String,
}

/// How a device came by an anchor.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OriginView {
    anchor_spki_sha256: String,
    policy_revision: u64,
    certificate_sha256: String,
    serial_number: String,
    issuer: String,
}

impl OriginView {
    fn of(origin: &Origin) -> Self {
        Self {
            anchor_spki_sha256: hex(&origin.anchor_spki_sha256),
            policy_revision: origin.policy_revision,
            certificate_sha256: hex(&origin.certificate_sha256),
            serial_number: hex(&origin.serial_number),
            issuer: origin.issuer.clone(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentView {
    deployment_id: String,
    received_at: u64,
    status: Option<Box<RawValue>>,
}

impl DeviceView {
    pub(super) fn new(device: Device) -> Self {
        Self {
            device_id: device.id.as_str().to_owned(),
            tenant: device.tenant.as_str().to_owned(),
            certificate_id: device.certificate_id.map(|id| id.as_str().to_owned()),
            state: device.state.as_str(),
            disabled: device.disabled,
            revision: device.revision,
            created_at: device.created_at.as_secs(),
            updated_at: device.updated_at.as_secs(),
            onboarded_at: device.aboard_at.map(|at: UnixTime| at.as_secs()),
            client_id: device.client_id.map(|id| id.as_str().to_owned()),
            anchor_id: device.anchor_id,
            origin: device.origin.as_ref().map(OriginView::of),
            auth_ids: device
                .credentials
                .iter()
                .map(|one| one.auth_id.as_str().to_owned())
                .collect(),
            vendor: device.described.vendor,
            model_number: device.described.model_number,
            serial_number: device.described.serial_number,
            certificates: device
                .certificates
                .iter()
                .map(|certificate| CertificateView {
                    sha256: hex(&certificate.fingerprint),
                    spki_sha256: hex(&certificate.spki_sha256),
                })
                .collect(),
            capabilities: None,
            deployments: Vec::new(),
        }
    }

    /// Adds what the device sent, exactly as it sent it.
    pub(super) fn with_documents(
        mut self,
        capabilities: Option<Document>,
        deployments: Vec<DeploymentDocument>,
    ) -> Self {
        self.capabilities = capabilities.and_then(|document| raw(document.body));
        self.deployments = deployments
            .into_iter()
            .map(|deployment| DeploymentView {
                deployment_id: deployment.deployment_id,
                received_at: deployment.document.received_at.as_secs(),
                status: raw(deployment.document.body),
            })
            .collect();
        self
    }
}

/// An entry of the audit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditView {
    seq: u64,
    at: u64,
    actor: String,
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Box<RawValue>>,
}

impl AuditView {
    pub(super) fn new(record: AuditRecord) -> Self {
        let entry = record.entry;
        Self {
            seq: record.seq,
            at: entry.at.as_secs(),
            actor: entry.actor.to_text().into_owned(),
            action: entry.action.into_owned(),
            tenant: entry.tenant.map(|id| id.as_str().to_owned()),
            device_id: entry.device.map(|id| id.as_str().to_owned()),
            detail: raw(entry.detail.into_bytes()),
        }
    }
}

fn raw(json: Vec<u8>) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(json).ok()?).ok()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
