mod joining;
mod recognition;
mod trace;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use gangplank_key::UnixTime;

use crate::{
    Anchor, AnchorStanding, Known, KnownDevice, Plan, Reason, Standing, Tenant, UnknownDevices,
    VerifiedChain,
};

pub use recognition::{Change, Recognition};
pub(crate) use trace::Trace;
pub use trace::{Rule, TraceEntry};

/// May this device come aboard? A pure function: the same arguments give the same decision.
///
/// Whatever is not expressly allowed is refused, and the first rule that does not pass names the
/// reason. The caller applies the decision in one transaction that checks again what may have changed,
/// such as whether the device is still unknown and whether the quotas still hold.
pub fn decide(
    proof: &Proof<'_>,
    tenant: &Tenant,
    known: Known<'_>,
    source: Source,
    now: UnixTime,
) -> Decision {
    let mut question = Question {
        tenant,
        known,
        source,
        now,
        trace: Trace::default(),
    };
    question.answer(proof)
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

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Unknown => f.write_str("an unknown address"),
        }
    }
}

/// What is to happen, and every rule on the way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to happen.
    pub outcome: Outcome,
    /// The rules in the order they were looked at; after a refusal the last one did not pass.
    pub trace: Vec<TraceEntry>,
}

/// What is to happen to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The known device comes aboard.
    Known(Recognition),
    /// A device joins that nobody registered.
    Provision(Box<Plan>),
    /// It waits for an operator.
    Pending,
    /// It stays out.
    Refuse(Reason),
}

/// One decision while it is made.
pub(crate) struct Question<'q> {
    pub(crate) tenant: &'q Tenant,
    pub(crate) known: Known<'q>,
    pub(crate) source: Source,
    pub(crate) now: UnixTime,
    pub(crate) trace: Trace,
}

impl<'q> Question<'q> {
    fn answer(&mut self, proof: &Proof<'_>) -> Decision {
        let outcome = self
            .tenant_enabled()
            .and_then(|()| self.outcome(proof))
            .unwrap_or_else(Outcome::Refuse);
        Decision {
            outcome,
            trace: core::mem::take(&mut self.trace.0),
        }
    }

    pub(crate) fn tenant_enabled(&mut self) -> Result<(), Reason> {
        let tenant = self.tenant;
        let id = tenant.id.as_str().to_string();
        self.trace
            .require(Rule::TenantEnabled, tenant.enabled, id, || {
                Reason::TenantDisabled
            })
    }

    pub(crate) fn outcome(&mut self, proof: &Proof<'_>) -> Result<Outcome, Reason> {
        if let Some(device) = self.known.device {
            let same = device.tenant == self.tenant.id;
            let saw = device.tenant.as_str().to_string();
            self.trace
                .require(Rule::DeviceOfTenant, same, saw, || Reason::OtherTenant)?;
        }
        match proof {
            Proof::Registered => self.registered(),
            Proof::Chain(chain) => self.chain(chain),
            Proof::Possession => self.possession(),
        }
    }

    fn registered(&mut self) -> Result<Outcome, Reason> {
        let Some(device) = self.known.device else {
            self.trace.note(Rule::DeviceKnown, false, "no device");
            return Err(Reason::UnknownDevice);
        };
        let id = device.device_id.clone();
        self.trace.note(Rule::DeviceKnown, true, id);
        self.standing(device, Recognition::unchanged(device))
    }

    fn chain(&mut self, chain: &VerifiedChain) -> Result<Outcome, Reason> {
        let anchor = self.current_anchor(chain)?;
        let denied = anchor.policy().deny.check(chain);
        self.trace
            .result(Rule::NotDenied, denied, |()| "not listed")?;
        let rules = anchor.policy().leaf.check(chain);
        self.trace.result(Rule::LeafRules, rules, |()| "met")?;
        let auth_id = chain.auth_id_under(anchor);
        let auth_id = self
            .trace
            .result(Rule::AuthId, auth_id, |id| id.as_str().to_string())?;
        match self.known.device {
            Some(device) if device.standing == Standing::Removed => {
                self.tombstoned(device, chain, anchor, &auth_id)?;
            }
            // A stranger that waits has an anchor behind it by now: that is what it waited for.
            Some(device)
                if device.standing != Standing::Pending || !anchor.policy().provisions() =>
            {
                let recognition = self.recognise(device, chain, anchor, &auth_id)?;
                return self.standing(device, recognition);
            }
            Some(device) => {
                self.recognise(device, chain, anchor, &auth_id)?;
            }
            None => self.trace.note(Rule::DeviceKnown, false, "no device"),
        }
        self.join(chain, anchor, auth_id)
    }

    /// The tenant's anchor as it is now: policy is always today's.
    fn current_anchor(&mut self, chain: &VerifiedChain) -> Result<&'q Anchor, Reason> {
        let tenant = chain.tenant();
        let same = *tenant == self.tenant.id;
        let saw = tenant.as_str().to_string();
        self.trace
            .require(Rule::ChainOfTenant, same, saw, || Reason::OtherTenant)?;
        let verified = chain.anchor();
        let same = |anchor: &&Anchor| {
            anchor.id() == verified.id()
                && anchor.spki() == verified.spki()
                && anchor.policy().standing == AnchorStanding::Enabled
        };
        let anchor = self.tenant.anchors.iter().find(same);
        let id = verified.id();
        self.trace
            .note(Rule::AnchorPresent, anchor.is_some(), id.to_string());
        let anchor = anchor.ok_or_else(|| Reason::AnchorWithdrawn { anchor: id.into() })?;
        let valid = chain.check_validity(self.now).map_err(Reason::from);
        let now = self.now.as_secs();
        self.trace
            .result(Rule::Validity, valid, |()| now.to_string())?;
        Ok(anchor)
    }

    fn possession(&mut self) -> Result<Outcome, Reason> {
        if let Some(device) = self.known.device {
            // Possession of a key never admits: who holds a registered key proves that instead.
            let admitted = device.standing == Standing::Admitted;
            self.trace
                .require(Rule::Identity, !admitted, device.device_id.clone(), || {
                    Reason::UnknownDevice
                })?;
            return self.standing(device, Recognition::unchanged(device));
        }
        let queue = self.tenant.unknown == UnknownDevices::Queue;
        let saw = format!("{:?}", self.tenant.unknown).to_lowercase();
        self.trace
            .require(Rule::StrangersQueue, queue, saw, || Reason::UnknownDevice)?;
        Ok(Outcome::Pending)
    }

    fn standing(
        &mut self,
        device: &KnownDevice,
        recognition: Recognition,
    ) -> Result<Outcome, Reason> {
        let outcome = match device.standing {
            Standing::Admitted => Ok(Outcome::Known(recognition)),
            Standing::Pending => Ok(Outcome::Pending),
            Standing::Disabled => Err(Reason::DeviceDisabled),
            Standing::CredentialDisabled => Err(Reason::CredentialDisabled),
            Standing::Rejected => Err(Reason::DeviceRejected),
            Standing::Removed => Err(Reason::Tombstoned),
        };
        let saw = |_: &Outcome| format!("{:?}", device.standing).to_lowercase();
        self.trace.result(Rule::Standing, outcome, saw)
    }
}

#[cfg(test)]
mod tests;
