//! Who asks to come aboard, and what was decided about them.

use gangplank_envelope::{Envelope, Expect, PayloadType, Verified, VerifyError};
use gangplank_key::{CertificateId, PublicKey, UnixTime};
use gangplank_onboarding::DeviceId;
use gangplank_trust::{
    ChainError, Decision, Outcome, Proof, Reason, Source, Tenant, TenantHint, TenantId,
    VerifiedChain, decide, verify,
};

use crate::admission::{
    ChainDecision, DeviceIdChoice, LookUp, NotVouched, Refused, Signed, Stranger, by_device,
    look_up, stranger,
};
use crate::api::Refusal;
use crate::random;
use crate::reached::Reached;
use crate::server::{BACKEND, PlainForm, Server};
use crate::store::{AdmissionPlan, Device, DeviceState, NewCertificate, NewDevice, PolicyRevision};
use crate::tenants::Snapshot;

/// An envelope that verified, and the plan that was decided for its sender.
pub(super) struct Found<'e> {
    pub(super) verified: Verified<'e>,
    pub(super) plan: AdmissionPlan,
    pub(super) policy: Option<PolicyRevision>,
    pub(super) device_id: DeviceIdChoice,
    /// The id that the sender proved, or that its registered key stands for.
    pub(super) certificate_id: CertificateId,
}

/// What is to become of a device, or why it is refused.
type Planned = Result<(AdmissionPlan, DeviceIdChoice), Reason>;

/// What every question about one request goes by.
struct Asked<'a> {
    tenants: &'a Snapshot,
    expect: Expect<'a>,
    hint: TenantHint<'a>,
    source: Source,
    now: UnixTime,
}

impl Server {
    /// Finds the sender, verifies, and decides. Nothing is changed yet.
    pub(super) async fn find<'e>(
        &self,
        envelope: &'e Envelope<'e>,
        reached: &Reached,
        source: Source,
        now: UnixTime,
    ) -> Result<Found<'e>, Refusal> {
        // Before anybody is looked up, or the answer would tell which ids exist.
        if !envelope.is_bound() && self.shared.plain_form == PlainForm::Refuse {
            return Err(self.refused(&Refused::Verify(VerifyError::PlainForm)));
        }
        let store = &self.shared.store;
        let asked = &Asked {
            tenants: &*self.tenants().await?,
            expect: self.expect(reached, PayloadType::ONBOARDING_REQUEST, now),
            hint: reached.hint(),
            source,
            now,
        };
        match look_up(envelope).map_err(Refusal::not_admitted)? {
            LookUp::ClaimedId(id) => {
                let mut devices = store.devices_by_certificate_id(&id).await?;
                // Who merely claims the id is no reason to wonder which device it is.
                if devices.iter().any(Device::is_vouched_for) {
                    devices.retain(Device::is_vouched_for);
                }
                self.registered(envelope, &devices, asked).await
            }
            LookUp::Key(key) => match store.device_by_key(&key.spki_sha256()).await? {
                // One that waits is a stranger still: an anchor may stand behind it by now, and
                // what it is told must not depend on which id it claimed before.
                Some(device) if device.state != DeviceState::Pending => {
                    self.registered(envelope, &[device], asked).await
                }
                waiting => {
                    let claimed = Some(envelope.claimed_signer());
                    let waiting = waiting.filter(|one| one.certificate_id.as_ref() == claimed);
                    self.unregistered(envelope, key, waiting, asked).await
                }
            },
        }
    }

    /// A device whose key is registered.
    async fn registered<'e>(
        &self,
        envelope: &'e Envelope<'e>,
        devices: &[Device],
        asked: &Asked<'_>,
    ) -> Result<Found<'e>, Refusal> {
        let signed = by_device(envelope, devices, &asked.expect)
            .map_err(|refused| self.refused(&refused))?;
        let device = signed.device;
        let tenant = asked.tenants.index().get(&device.tenant).ok_or_else(|| {
            Refusal::not_admitted(format!("the tenant {} is not configured", device.tenant))
        })?;
        let certificate_id = signed.verified.signer().clone();
        let planned = match device.comes_by_anchor() {
            true => again_by_anchor(envelope, &signed, tenant, asked),
            false => by_key(device, tenant, asked),
        };
        match planned {
            Ok((plan, device_id)) => Ok(Found {
                verified: signed.verified,
                plan,
                policy: asked.tenants.policy_of(tenant),
                device_id,
                certificate_id,
            }),
            Err(reason) => Err(self.turn_away(&signed.verified, &reason, asked.now).await?),
        }
    }

    /// A device whose key nobody registered. What it is told depends on its certificate alone.
    async fn unregistered<'e>(
        &self,
        envelope: &'e Envelope<'e>,
        key: PublicKey,
        waiting: Option<Device>,
        asked: &Asked<'_>,
    ) -> Result<Found<'e>, Refusal> {
        let Stranger { verified, chain } = stranger(
            envelope,
            key.clone(),
            asked.tenants,
            asked.hint,
            &asked.expect,
            asked.now,
        )
        .map_err(|refused| self.refused(&refused))?;
        let claimed = verified.signer().clone();
        let (planned, tenant) = match &chain {
            Ok((tenant, chain)) => {
                let planned = self.vouched_for(chain, tenant, &claimed, asked).await?;
                (planned, *tenant)
            }
            Err(NotVouched::NotTrusted { named, error }) => {
                let tenant = named
                    .or_else(|| asked.tenants.default_tenant())
                    .ok_or_else(|| {
                        Refusal::not_admitted(format!("no tenant claims it: {error}"))
                    })?;
                let device = new_device(&verified, &key, &tenant.id)?;
                let planned = by_possession(waiting.as_ref(), device, tenant, error, asked);
                (planned, tenant)
            }
            Err(NotVouched::NoTenant(reason)) => {
                return Err(self.turn_away(&verified, reason, asked.now).await?);
            }
        };
        match planned {
            Ok((plan, device_id)) => Ok(Found {
                verified,
                plan,
                policy: asked.tenants.policy_of(tenant),
                device_id,
                certificate_id: claimed,
            }),
            Err(reason) => Err(self.turn_away(&verified, &reason, asked.now).await?),
        }
    }

    /// Refuses, and uses the request up: who recorded it cannot send it when the reason is gone.
    async fn turn_away(
        &self,
        verified: &Verified<'_>,
        reason: &Reason,
        now: UnixTime,
    ) -> Result<Refusal, Refusal> {
        self.use_up(verified, now).await?;
        Ok(Refusal::decided(reason))
    }

    /// Consumes what the request says once.
    pub(super) async fn use_up(
        &self,
        verified: &Verified<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let keys = verified.once_keys();
        if !keys.is_empty() && !self.shared.store.consume_once(keys, now).await? {
            return Err(self.unauthenticated("the request was seen before"));
        }
        Ok(())
    }

    /// A trust anchor stands behind the certificate, which must then yield the id that is claimed.
    async fn vouched_for(
        &self,
        chain: &VerifiedChain,
        tenant: &Tenant,
        claimed: &CertificateId,
        asked: &Asked<'_>,
    ) -> Result<Planned, Refusal> {
        if let Some(reason) = another_id(chain, claimed) {
            return Ok(Err(reason));
        }
        let decided = self.decide_on_chain(chain, tenant, asked.source, asked.now);
        let decided = decided.await?;
        log(&decided.decision, claimed);
        Ok(decided.plan(chain, asked.now))
    }
}

/// No anchor stands behind the certificate: the tenant says what becomes of such strangers.
fn by_possession(
    waiting: Option<&Device>,
    device: NewDevice,
    tenant: &Tenant,
    error: &ChainError,
    asked: &Asked<'_>,
) -> Planned {
    let known = waiting.map(|device| device.known(None, asked.now));
    let known = known.as_ref().into();
    let decision = decide(&Proof::Possession, tenant, known, asked.source, asked.now);
    if let Some(id) = &device.certificate.certificate_id {
        log(&decision, id);
    }
    match decision.outcome {
        Outcome::Pending => {
            let credential = None;
            Ok((
                AdmissionPlan::Queue { device, credential },
                DeviceIdChoice::Random,
            ))
        }
        // That nobody knows it says less than why no anchor stands behind it.
        Outcome::Refuse(Reason::UnknownDevice) | Outcome::Known(_) | Outcome::Provision(_) => {
            Err(Reason::NotTrusted(error.clone()))
        }
        Outcome::Refuse(reason) => Err(reason),
    }
}

/// A device that came by an anchor comes again by one: anchors and their rules hold at every login. It is
/// judged by the certificate of the key that it signed with.
fn again_by_anchor(
    envelope: &Envelope<'_>,
    signed: &Signed<'_, '_>,
    tenant: &Tenant,
    asked: &Asked<'_>,
) -> Planned {
    let device = signed.device;
    let mut newest = device.certificates.iter().rev();
    let stored = newest.find(|one| one.spki_sha256 == signed.key);
    let stored: Vec<_> = stored.iter().map(|one| one.certificate.clone()).collect();
    let certificates = match envelope.claimed_certificates() {
        [] => stored.as_slice(),
        sent => sent,
    };
    let revocation = asked.tenants.revocation(tenant);
    let chain = verify(certificates, tenant, revocation, BACKEND, asked.now)?;
    let decision = on_known(&Proof::Chain(&chain), device, tenant, asked);
    log(&decision, signed.verified.signer());
    match decision.outcome {
        // Its once keys are consumed by the store.
        Outcome::Pending => Ok(known(device)),
        _ => ChainDecision::on(device, decision).plan(&chain, asked.now),
    }
}

/// An operator registered the device with its certificate: it is known by its key.
fn by_key(device: &Device, tenant: &Tenant, asked: &Asked<'_>) -> Planned {
    let decision = on_known(&Proof::Registered, device, tenant, asked);
    if let Some(id) = &device.certificate_id {
        log(&decision, id);
    }
    match decision.outcome {
        // One that waits goes to the store as well: its once keys are consumed there.
        Outcome::Known(_) | Outcome::Pending => Ok(known(device)),
        Outcome::Refuse(reason) => Err(reason),
        Outcome::Provision(_) => Err(Reason::UnknownDevice),
    }
}

fn known(device: &Device) -> (AdmissionPlan, DeviceIdChoice) {
    let plan = AdmissionPlan::Known {
        device_id: device.id.clone(),
        came_with: None,
        revision: None,
    };
    (plan, DeviceIdChoice::Random)
}

/// Decides about a device that was found by its key.
fn on_known(proof: &Proof<'_>, device: &Device, tenant: &Tenant, asked: &Asked<'_>) -> Decision {
    let auth_id = match proof {
        Proof::Chain(chain) => chain.auth_id().ok(),
        _ => None,
    };
    let known = device.known(auth_id, asked.now);
    decide(proof, tenant, Some(&known).into(), asked.source, asked.now)
}

/// Why the certificate is not one of the device that the envelope claims to come from.
fn another_id(chain: &VerifiedChain, claimed: &CertificateId) -> Option<Reason> {
    let yields = match chain.certificate_id() {
        Ok(id) if id == claimed => return None,
        Ok(id) => id.to_string(),
        Err(error) => format!("none: {error}"),
    };
    let claimed = claimed.to_string();
    Some(Reason::CertificateIdMismatch { claimed, yields })
}

fn new_device(
    verified: &Verified<'_>,
    key: &PublicKey,
    tenant: &TenantId,
) -> Result<NewDevice, Refusal> {
    let leaf = verified
        .certificates()
        .first()
        .ok_or_else(|| Refusal::not_admitted("the envelope brought no certificate"))?;
    Ok(NewDevice {
        tenant: tenant.clone(),
        device_id: DeviceId::random(&mut random::system()),
        certificate: NewCertificate {
            certificate_id: Some(verified.signer().clone()),
            certificate: leaf.clone(),
            spki_sha256: key.spki_sha256(),
            fingerprint: key.backend().sha256(&[leaf]),
        },
    })
}

fn log(decision: &Decision, id: &CertificateId) {
    for entry in &decision.trace {
        tracing::debug!(certificate_id = %id, rule = entry.rule.name(), passed = entry.passed, saw = %entry.saw, "decision");
    }
}
