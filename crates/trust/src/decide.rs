use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use gangplank_key::{CertificateId, UnixTime};

use crate::{Anchor, Reason, Tenant, TenantId, UnknownDevices, VerifiedChain};

/// May this device come aboard? A pure function: the same arguments give the same decision.
///
/// Whatever is not expressly allowed is refused. The caller applies the decision in one transaction
/// that checks again what may have changed, such as whether the device is still unknown.
///
/// `known` is the one device that the proof points at: for [`Proof::Registered`] that device; for
/// [`Proof::Chain`] the tenant's device of that certificate id, else the device that holds the
/// leaf's key; for [`Proof::Possession`] the device that holds the key and never one found by the
/// claimed id, or the answer would tell whether that id exists. Tombstones count as devices.
pub fn decide(
    proof: &Proof<'_>,
    tenant: &Tenant,
    known: Option<&KnownDevice>,
    source: Source,
    now: UnixTime,
) -> Decision {
    let mut trace = Trace(Vec::new());
    trace.0.push(TraceEntry {
        check: Check::Source(source),
        passed: true,
    });
    let outcome = trace
        .outcome(proof, tenant, known, now)
        .unwrap_or_else(Outcome::Refuse);
    Decision {
        outcome,
        trace: trace.0,
    }
}

/// What the sender has proved.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// It signed with the key registered for the known device.
    Registered,
    /// It signed with the key of a certificate that a trust anchor stands behind.
    Chain(&'a VerifiedChain),
    /// It signed with the key of the certificate it sent, behind which stands nobody.
    Possession,
}

/// What the server already knows about the device that a proof points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Whose device it is.
    pub tenant: TenantId,
    /// Its certificate id.
    pub certificate_id: CertificateId,
    /// SHA-256 of the SubjectPublicKeyInfo of each of its keys.
    pub spki_sha256: Vec<[u8; 32]>,
    /// How it stands.
    pub standing: Standing,
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
    /// An operator said no.
    Rejected,
    /// Removed; only the tombstone is left.
    Removed,
}

/// Where a request came from, as far as the server can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This address.
    Address(IpAddr),
    /// The server cannot tell; a limit on addresses counts that as outside.
    Unknown,
}

impl From<IpAddr> for Source {
    /// An IPv4 address mapped into IPv6 counts as IPv4.
    fn from(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }
}

/// What is to happen, and every check on the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to happen.
    pub outcome: Outcome,
    /// The checks in the order they were made; after a refusal the last one did not pass.
    pub trace: Vec<TraceEntry>,
}

/// What is to happen to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The known device comes aboard.
    Known,
    /// A device joins that nobody registered.
    Provision(Plan),
    /// It waits for an operator.
    Pending,
    /// It stays out.
    Refuse(Reason),
}

/// Leave to create one device. Only [`decide`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    tenant: TenantId,
    certificate_id: CertificateId,
    anchor_id: String,
    policy_revision: u64,
}

impl Plan {
    /// The tenant it joins.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The certificate id that its verified certificate yields.
    pub fn certificate_id(&self) -> &CertificateId {
        &self.certificate_id
    }

    /// The anchor that allowed it.
    pub fn anchor_id(&self) -> &str {
        &self.anchor_id
    }

    /// The revision of the tenant's policy it was decided under.
    pub fn policy_revision(&self) -> u64 {
        self.policy_revision
    }
}

/// One check of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceEntry {
    /// What was looked at.
    pub check: Check,
    /// Whether it spoke for the device.
    pub passed: bool,
}

/// What a decision looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Where the request came from; recorded, and no reason to refuse yet.
    Source(Source),
    /// The tenant is enabled.
    TenantEnabled,
    /// The chain was verified for this tenant.
    ChainOfTenant,
    /// The anchor is still the tenant's.
    AnchorPresent,
    /// Leaf and anchor are within their windows now.
    Windows,
    /// The device is known.
    DeviceKnown,
    /// The known device is this tenant's.
    DeviceOfTenant,
    /// The known device has the certificate id and the key of the proof.
    Binding,
    /// The known device is welcome.
    Standing,
    /// The anchor lets strangers join.
    ProvisioningEnabled,
    /// The tenant lets strangers wait.
    StrangersQueue,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source(Source::Address(address)) => return write!(f, "sent from {address}"),
            Self::Source(Source::Unknown) => "sent from an unknown address",
            Self::TenantEnabled => "the tenant is enabled",
            Self::ChainOfTenant => "the chain was verified for this tenant",
            Self::AnchorPresent => "the anchor is the tenant's",
            Self::Windows => "leaf and anchor are valid now",
            Self::DeviceKnown => "the device is known",
            Self::DeviceOfTenant => "the known device is this tenant's",
            Self::Binding => "the known device has this certificate id and key",
            Self::Standing => "the known device is welcome",
            Self::ProvisioningEnabled => "the anchor provisions devices",
            Self::StrangersQueue => "the tenant queues strangers",
        })
    }
}

struct Trace(Vec<TraceEntry>);

impl Trace {
    fn note(&mut self, check: Check, passed: bool) -> bool {
        self.0.push(TraceEntry { check, passed });
        passed
    }

    fn require(&mut self, check: Check, passed: bool, reason: Reason) -> Result<(), Reason> {
        if self.note(check, passed) {
            Ok(())
        } else {
            Err(reason)
        }
    }

    fn outcome(
        &mut self,
        proof: &Proof<'_>,
        tenant: &Tenant,
        known: Option<&KnownDevice>,
        now: UnixTime,
    ) -> Result<Outcome, Reason> {
        self.require(Check::TenantEnabled, tenant.enabled, Reason::TenantDisabled)?;
        if let Some(device) = known {
            let same = device.tenant == tenant.id;
            self.require(Check::DeviceOfTenant, same, Reason::OtherTenant)?;
        }
        match proof {
            Proof::Registered => self.registered(known),
            Proof::Chain(chain) => self.chain(chain, tenant, known, now),
            Proof::Possession => self.possession(tenant, known),
        }
    }

    fn registered(&mut self, known: Option<&KnownDevice>) -> Result<Outcome, Reason> {
        self.require(Check::DeviceKnown, known.is_some(), Reason::UnknownDevice)?;
        self.standing(known.ok_or(Reason::UnknownDevice)?)
    }

    fn chain(
        &mut self,
        chain: &VerifiedChain,
        tenant: &Tenant,
        known: Option<&KnownDevice>,
        now: UnixTime,
    ) -> Result<Outcome, Reason> {
        let same_tenant = *chain.tenant() == tenant.id;
        self.require(Check::ChainOfTenant, same_tenant, Reason::OtherTenant)?;
        let anchor = present_anchor(chain, tenant);
        self.note(Check::AnchorPresent, anchor.is_some());
        let id = chain.anchor().id().to_string();
        let anchor = anchor.ok_or(Reason::AnchorWithdrawn { anchor: id })?;
        let windows = chain.check_windows(now);
        self.note(Check::Windows, windows.is_ok());
        windows?;
        if let Some(device) = known {
            let known = device.certificate_id.to_string();
            let conflict = Reason::IdentityConflict { known };
            self.require(Check::Binding, is_bound(device, chain), conflict)?;
            // A stranger that waits has an anchor behind it by now: that is what it waited for.
            if device.standing != Standing::Pending || !anchor.policy().provisions() {
                return self.standing(device);
            }
        }
        let disabled = Reason::ProvisioningDisabled {
            anchor: anchor.id().to_string(),
        };
        let enabled = anchor.policy().provisions();
        self.require(Check::ProvisioningEnabled, enabled, disabled)?;
        Ok(Outcome::Provision(Plan {
            tenant: tenant.id.clone(),
            certificate_id: chain.certificate_id().clone(),
            anchor_id: anchor.id().to_string(),
            policy_revision: tenant.policy_revision,
        }))
    }

    fn possession(
        &mut self,
        tenant: &Tenant,
        known: Option<&KnownDevice>,
    ) -> Result<Outcome, Reason> {
        if let Some(device) = known {
            // Possession of a key never admits: who holds a registered key proves that instead.
            let admitted = device.standing == Standing::Admitted;
            self.require(Check::Binding, !admitted, Reason::UnknownDevice)?;
            return self.standing(device);
        }
        let queue = tenant.unknown == UnknownDevices::Queue;
        self.require(Check::StrangersQueue, queue, Reason::UnknownDevice)?;
        Ok(Outcome::Pending)
    }

    fn standing(&mut self, device: &KnownDevice) -> Result<Outcome, Reason> {
        let outcome = match device.standing {
            Standing::Admitted => Ok(Outcome::Known),
            Standing::Pending => Ok(Outcome::Pending),
            Standing::Disabled => Err(Reason::DeviceDisabled),
            Standing::Rejected => Err(Reason::DeviceRejected),
            Standing::Removed => Err(Reason::Tombstoned),
        };
        self.note(Check::Standing, outcome.is_ok());
        outcome
    }
}

/// The tenant's anchor, as it is now, that verified the chain then: policy is always today's.
fn present_anchor<'t>(chain: &VerifiedChain, tenant: &'t Tenant) -> Option<&'t Anchor> {
    let verified = chain.anchor();
    let same = |anchor: &&Anchor| anchor.id() == verified.id() && anchor.spki() == verified.spki();
    tenant.anchors.iter().find(same)
}

/// A renewed certificate with another key is a conflict, too: whoever can make an authority write an
/// id must not thereby take over a device that an operator registered.
fn is_bound(device: &KnownDevice, chain: &VerifiedChain) -> bool {
    let key = chain.trusted_key().key().spki_sha256();
    device.certificate_id == *chain.certificate_id() && device.spki_sha256.contains(&key)
}

#[cfg(test)]
mod tests;
