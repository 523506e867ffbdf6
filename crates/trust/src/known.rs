use alloc::string::String;
use alloc::vec::Vec;

use gangplank_key::CertificateId;

use crate::{PreparedName, ProvisionAs, StoredAuthId, TenantId};

/// What the server already knows that bears on a decision. The default is a server that knows nothing.
///
/// The counts are looked at to explain; whoever applies a plan counts again in its transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'k> {
    /// The one device that the proof points at: for [`Proof::Registered`](crate::Proof) that device;
    /// for a chain the tenant's device of its authentication id, else of its certificate id, else the
    /// device that holds the leaf's key; for bare possession the device that holds the key and never
    /// one found by the claimed id, or the answer would tell whether that id exists. Tombstones count
    /// as devices.
    pub device: Option<&'k KnownDevice>,
    /// The device that has the device id which a template makes for the newcomer, if there is one: see
    /// [`VerifiedChain::device_id`](crate::VerifiedChain::device_id). One with another id is no matter.
    pub holder_of_device_id: Option<&'k KnownDevice>,
    /// How many devices the chain's anchor has provisioned.
    pub provisioned_by_anchor: u64,
    /// How many devices the tenant has.
    pub devices_in_tenant: u64,
}

impl<'k> From<Option<&'k KnownDevice>> for Known<'k> {
    fn from(device: Option<&'k KnownDevice>) -> Self {
        Self {
            device,
            ..Self::default()
        }
    }
}

/// A device that the server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Whose device it is.
    pub tenant: TenantId,
    /// Its name.
    pub device_id: String,
    /// The certificate id it was registered by, if it was by one.
    pub certificate_id: Option<CertificateId>,
    /// The authentication id of its credential, if it has one. A device without one is known by its
    /// certificate id and key together.
    pub auth_id: Option<StoredAuthId>,
    /// What it has come aboard with.
    pub bound: Bound,
    /// What it joined as.
    pub joined_as: ProvisionAs,
    /// How it stands.
    pub standing: Standing,
}

/// What is recorded of the certificates that a device has come aboard with. Where nothing is
/// recorded of a kind, its next certificate decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// The name of the issuer of each of them.
    pub issuers: Vec<PreparedName>,
    /// SHA-256 of the SubjectPublicKeyInfo of each of its keys.
    pub spki_sha256: Vec<[u8; 32]>,
    /// SHA-256 of each of its certificates.
    pub certificate_sha256: Vec<[u8; 32]>,
}

/// How a known device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Registered or already aboard, and welcome.
    Admitted,
    /// A stranger that waits for an operator.
    Pending,
    /// Switched off for the time being.
    Disabled,
    /// The device is not, but this credential of it is.
    CredentialDisabled,
    /// An operator said no.
    Rejected,
    /// Removed; only the tombstone is left.
    Removed,
}
