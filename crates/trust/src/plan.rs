use alloc::string::{String, ToString};
use alloc::vec::Vec;

use gangplank_key::CertificateId;

use crate::{Anchor, AuthId, ProvisionAs, TenantId, VerifiedChain};

/// Leave to create one device, and what to record of how it came. Only [`decide`](crate::decide)
/// makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(crate) tenant: TenantId,
    pub(crate) certificate_id: Option<CertificateId>,
    pub(crate) auth_id: AuthId,
    pub(crate) device_id: PlannedDeviceId,
    pub(crate) provision_as: ProvisionAs,
    pub(crate) quotas: Quotas,
    pub(crate) origin: Origin,
}

/// The device id that a plan gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlannedDeviceId {
    /// A random one, which whoever applies the plan makes.
    Random,
    /// One made by the anchor's template.
    Template {
        /// The id.
        id: String,
        /// The values that the template put into it.
        values: Vec<String>,
    },
}

/// How many devices there may be once the plan is applied; any number without a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Provisioned by the anchor.
    pub of_anchor: Option<u64>,
    /// In the tenant.
    pub of_tenant: Option<u64>,
}

/// What is recorded on a device about its way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The anchor that verified the path.
    pub anchor_id: String,
    /// SHA-256 of the anchor's SubjectPublicKeyInfo.
    pub anchor_spki_sha256: [u8; 32],
    /// The revision of the tenant's policy that it was decided under.
    pub policy_revision: u64,
    /// SHA-256 of the leaf's DER.
    pub certificate_sha256: [u8; 32],
    /// SHA-256 of the leaf's SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// The leaf's serial number, big-endian (RFC 5280 §4.1.2.2).
    pub serial_number: Vec<u8>,
    /// The printed name of the leaf's issuer, see [`DistinguishedName`](crate::DistinguishedName).
    pub issuer: String,
}

impl Origin {
    pub(crate) fn of(chain: &VerifiedChain, anchor: &Anchor, policy_revision: u64) -> Self {
        Self {
            anchor_id: String::from(anchor.id()),
            // The anchor of the same key: it was compared.
            anchor_spki_sha256: chain.anchor_spki_sha256(),
            policy_revision,
            certificate_sha256: chain.certificate_sha256(),
            spki_sha256: chain.spki_sha256(),
            serial_number: chain.serial_number().to_vec(),
            issuer: chain.issuer().to_string(),
        }
    }
}

impl Plan {
    /// The tenant it joins.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The certificate id that its verified certificate yields, if it yields one.
    pub fn certificate_id(&self) -> Option<&CertificateId> {
        self.certificate_id.as_ref()
    }

    /// The authentication id of its credential.
    pub fn auth_id(&self) -> &AuthId {
        &self.auth_id
    }

    /// Its device id.
    pub fn device_id(&self) -> &PlannedDeviceId {
        &self.device_id
    }

    /// What it joins as.
    pub fn provision_as(&self) -> ProvisionAs {
        self.provision_as
    }

    /// The limits that whoever applies the plan counts against, in the same transaction.
    pub fn quotas(&self) -> Quotas {
        self.quotas
    }

    /// How it came: recorded on the device.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The anchor that allowed it.
    pub fn anchor_id(&self) -> &str {
        &self.origin.anchor_id
    }

    /// The revision of the tenant's policy it was decided under.
    pub fn policy_revision(&self) -> u64 {
        self.origin.policy_revision
    }
}
