use alloc::format;
use alloc::string::{String, ToString};

use gangplank_key::{Backend, UnixTime};
use rustls_pki_types::CertificateDer;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::decide::{Question, Trace};
use crate::path::check_anchor_window;
use crate::{
    Anchor, AnchorStanding, AuthId, Decision, Known, KnownDevice, Outcome, Plan, PlannedDeviceId,
    Proof, ProvisionAs, Reason, Revocation, Rule, Source, Tenant, VerifiedChain, verify,
};

/// What would become of a device with this certificate, and why: [`verify`] and
/// [`decide`](crate::decide) in one, without any effect.
///
/// `find` looks up what is known once the certificate has been verified; it gets the chain and the
/// authentication id that the certificate yields, if it yields one.
pub fn explain<'k>(
    arrival: &Arrival<'_>,
    tenant: &Tenant,
    find: impl FnOnce(&VerifiedChain, Option<&AuthId>) -> Known<'k>,
    backend: Backend,
) -> Explanation {
    let now = arrival.now;
    let mut question = Question {
        tenant,
        known: Known::default(),
        source: arrival.source,
        now,
        trace: Trace::default(),
    };
    let mut anchor = None;
    let mut recognised = None;
    let outcome = question.tenant_enabled().and_then(|()| {
        for anchor in &tenant.anchors {
            let (counts, saw) = standing(anchor, now);
            question.trace.note(Rule::Anchor, counts, saw);
        }
        let (certificates, revocation) = (arrival.certificates, arrival.revocation);
        let chain = verify(certificates, tenant, revocation, backend, now).map_err(Reason::from);
        let by = |chain: &VerifiedChain| format!("verified by {}", chain.anchor().id());
        let chain = question.trace.result(Rule::Path, chain, by)?;
        anchor = Some(chain.anchor().id().to_string());
        let auth_id = chain.auth_id().ok();
        question.known = find(&chain, auth_id);
        recognised = question.known.device.cloned().zip(auth_id.cloned());
        question.outcome(&Proof::Chain(&chain))
    });
    Explanation {
        decision: Decision {
            outcome: outcome.unwrap_or_else(Outcome::Refuse),
            trace: question.trace.0,
        },
        anchor,
        recognised,
    }
}

/// A device at the door.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Its certificates, the leaf first.
    pub certificates: &'a [CertificateDer<'a>],
    /// What is known about their revocation.
    pub revocation: Revocation<'a>,
    /// Where it comes from.
    pub source: Source,
    /// The time.
    pub now: UnixTime,
}

fn standing(anchor: &Anchor, now: UnixTime) -> (bool, String) {
    let id = anchor.id();
    match check_anchor_window(anchor, now) {
        Err(error) => (false, error.to_string()),
        Ok(()) if anchor.policy().standing == AnchorStanding::Disabled => {
            (false, format!("{id} is disabled"))
        }
        Ok(()) => (true, format!("{id}, {}", anchor.name())),
    }
}

/// A decision as `explain` tells it, for people and programs.
///
/// It serialises to one object: `outcome` (`known`, `provision`, `pending`, `refuse`), `status` (HTTP),
/// `reason` (its code), `anchor` (id of the one that verified the path), `plan` (`device-id`,
/// `auth-id`, `gateway`; for a known device what it has) and `trace` (`rule`, `passed`, `saw`). What
/// does not apply is null, as is the device id where a random one would be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    decision: Decision,
    anchor: Option<String>,
    recognised: Option<(KnownDevice, AuthId)>,
}

impl Explanation {
    /// The decision.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The id of the anchor that verified the path, if one did.
    pub fn anchor(&self) -> Option<&str> {
        self.anchor.as_deref()
    }

    /// The HTTP status at the surface for protocol adapters.
    pub fn http_status(&self) -> u16 {
        match &self.decision.outcome {
            Outcome::Known(_) => 200,
            Outcome::Provision(_) => 201,
            Outcome::Pending => 202,
            Outcome::Refuse(reason) => reason.http_status(),
        }
    }

    fn named(&self) -> Option<Named<'_>> {
        match (&self.decision.outcome, &self.recognised) {
            (Outcome::Provision(plan), _) => Some(Named::of(plan)),
            (Outcome::Known(_), Some((device, auth_id))) => Some(Named {
                device_id: Some(&device.device_id),
                auth_id: auth_id.as_str(),
                gateway: device.joined_as == ProvisionAs::Gateway,
            }),
            _ => None,
        }
    }
}

/// The plan, or what a known device has of one.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Named<'e> {
    device_id: Option<&'e str>,
    auth_id: &'e str,
    gateway: bool,
}

impl<'e> Named<'e> {
    fn of(plan: &'e Plan) -> Self {
        Self {
            device_id: match plan.device_id() {
                PlannedDeviceId::Random => None,
                PlannedDeviceId::Template { id, .. } => Some(id),
            },
            auth_id: plan.auth_id().as_str(),
            gateway: plan.provision_as() == ProvisionAs::Gateway,
        }
    }
}

impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (outcome, reason) = match &self.decision.outcome {
            Outcome::Known(_) => ("known", None),
            Outcome::Provision(_) => ("provision", None),
            Outcome::Pending => ("pending", None),
            Outcome::Refuse(reason) => ("refuse", Some(reason.code())),
        };
        let mut object = serializer.serialize_struct("Explanation", 6)?;
        object.serialize_field("outcome", outcome)?;
        object.serialize_field("status", &self.http_status())?;
        object.serialize_field("reason", &reason)?;
        object.serialize_field("anchor", &self.anchor)?;
        object.serialize_field("plan", &self.named())?;
        object.serialize_field("trace", &self.decision.trace)?;
        object.end()
    }
}

#[cfg(test)]
mod tests;
