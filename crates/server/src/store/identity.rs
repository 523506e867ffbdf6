use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_trust::{Quotas, StoredAuthId, TenantId};

use super::Device;

/// What a verified certificate yields, to ask who in a tenant has it.
#[derive(Clone, Debug)]
pub struct IdentityQuery {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Its authentication id.
    pub auth_id: StoredAuthId,
    /// Its certificate id, if it yields one.
    pub certificate_id: Option<CertificateId>,
    /// SHA-256 of its SubjectPublicKeyInfo, if a certificate was shown.
    pub spki_sha256: Option<[u8; 32]>,
    /// The device id that the anchor's template makes, if it has one.
    pub device_id: Option<DeviceId>,
    /// The anchor that verified it.
    pub anchor_id: Option<String>,
    /// What is limited, and so has to be counted.
    pub quotas: Quotas,
}

/// Who has an identity, all of it at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The tenant's device that has the authentication id; else the one that has the certificate id,
    /// unless it merely claims it with another key; else the device of whatever tenant that has the key,
    /// unless it waits there, or here under another id.
    pub device: Option<Device>,
    /// If there is no such device, or it waited: what the one was called that had part of the identity and was removed.
    pub removed: Option<DeviceId>,
    /// The device of whatever tenant that has the device id.
    pub holder_of_device_id: Option<Device>,
    /// How many devices the anchor provisioned; 0 if that is not limited.
    pub provisioned_by_anchor: u64,
    /// How many devices the tenant has, waiting strangers left out; 0 if that is not limited.
    pub devices_in_tenant: u64,
}
