use gangplank_key::UnixTime;
use gangplank_onboarding::DeviceId;
use gangplank_trust::{
    AdapterView, ChainError, CredentialDocument, CredentialsLookup, Decision, DocumentError,
    Outcome, Proof, Quotas, Reason, Source, StoredAuthId, Tenant, TenantLookup, VerifiedChain,
    decide, verify,
};

use super::error::AdapterError;
use super::{Acquaintance, TRIES, record};
use crate::admission::DeviceIdChoice;
use crate::random;
use crate::server::{BACKEND, Server};
use crate::store::{
    Admission, AdmissionOutcome, AdmissionPlan, Conflict, Credential, Described, Device,
    IdentityQuery, Inadmissible, PolicyRevision,
};
use crate::tenants::{self, Source as TenantSource};

/// What protocol adapters ask. They are parts of the operator's own system: whoever may ask here learns
/// why a device is refused, and must not tell the device.
#[derive(Clone, Copy, Debug)]
pub struct AdapterRegistry<'s> {
    pub(super) server: &'s Server,
}

/// The credential that a device is recognised by.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceCredential {
    /// Whose it is.
    pub device_id: DeviceId,
    /// The credential. Whether it is enabled has been looked at.
    pub credential: CredentialDocument,
    /// Whether the device was known before.
    pub acquaintance: Acquaintance,
}

/// A decision that is to be applied, and what it was decided on.
struct Decided<'a> {
    chain: &'a VerifiedChain,
    tenant: &'a Tenant,
    policy: Option<PolicyRevision>,
    source: Source,
    now: UnixTime,
}

impl<'s> AdapterRegistry<'s> {
    pub(super) fn of(server: &'s Server) -> Self {
        Self { server }
    }

    /// The tenant of that name, or that trusts an issuer of that name, as adapters see it. A disabled
    /// one is shown as such.
    ///
    /// # Errors
    /// [`AdapterError`]: `tenant-unknown` or `tenant-ambiguous`, or there are no documents of tenants.
    pub async fn tenant(&self, asked: &TenantLookup) -> Result<AdapterView, AdapterError> {
        if self.server.shared.tenants.source() == TenantSource::Fixed {
            return Err(AdapterError::TenantsFixed);
        }
        let tenants = self.server.tenants().await?;
        let id = &asked.find(tenants.index()).map_err(Reason::from)?.id;
        let stored = self.server.shared.store.tenant(id).await?;
        // It may have been removed since.
        let stored = stored.ok_or(Reason::TenantUnknown)?;
        let document = tenants::document(&stored).map_err(|error| corrupt(id, &error))?;
        Ok(document.adapter_view(id.clone(), self.server.now()))
    }

    /// The credential of a device, which is provisioned if the tenant (its id or alias) lets strangers
    /// of its anchor join. The certificates are verified here: an adapter's word for them is not taken.
    /// Without any, only a device that is known is found.
    ///
    /// # Errors
    /// [`AdapterError`]: the first rule that refuses, or that an operator has to approve.
    pub async fn credentials(
        &self,
        tenant: &str,
        asked: &CredentialsLookup,
    ) -> Result<DeviceCredential, AdapterError> {
        for _ in 0..TRIES {
            let now = self.server.now();
            let tenants = self.server.tenants().await?;
            let tenant = tenants.index().by_name(tenant).map_err(Reason::from)?;
            check_adapter(tenant, asked)?;
            if asked.certificates.is_empty() {
                return self.by_auth_id(tenant, asked, now).await;
            }
            let revocation = tenants.revocation(tenant);
            let chain = verify(&asked.certificates, tenant, revocation, BACKEND, now);
            let chain = chain.map_err(Reason::from)?;
            chain.expect_auth_id(asked.auth_id.as_str())?;
            let decided = Decided {
                chain: &chain,
                tenant,
                policy: tenants.policy_of(tenant),
                source: asked.source,
                now,
            };
            let decision = self
                .server
                .decide_on_chain(&chain, tenant, asked.source, now);
            let decided_on = decision.await?;
            log(&decided_on.decision, &asked.auth_id);
            let plan = decided_on.plan(&chain, now)?;
            if let Some(found) = self.apply(plan, &decided).await? {
                return Ok(found);
            }
        }
        Err(AdapterError::Busy)
    }

    /// The adapter keeps the certificate back: whoever is known is found, and nobody joins.
    async fn by_auth_id(
        &self,
        tenant: &Tenant,
        asked: &CredentialsLookup,
        now: UnixTime,
    ) -> Result<DeviceCredential, AdapterError> {
        let query = IdentityQuery {
            tenant: tenant.id.clone(),
            auth_id: asked.auth_id.clone(),
            certificate_id: None,
            spki_sha256: None,
            device_id: None,
            anchor_id: None,
            quotas: Quotas::default(),
        };
        let found = self.server.shared.store.identity(query).await?.device;
        let device = found.ok_or(Reason::NotTrusted(ChainError::Empty))?;
        let credential = credential_of(&device, &asked.auth_id);
        let known = device.known_by(credential, now);
        let decision = decide(
            &Proof::Registered,
            tenant,
            Some(&known).into(),
            asked.source,
            now,
        );
        match decision.outcome {
            Outcome::Known(_) => of_device(&device, &asked.auth_id, Acquaintance::Known),
            Outcome::Refuse(reason) => Err(reason.into()),
            Outcome::Pending => Err(AdapterError::Pending),
            // Nothing joins without a chain.
            Outcome::Provision(_) => Err(Reason::UnknownDevice.into()),
        }
    }

    /// Makes a decision true; `None` if what it was decided on has changed.
    async fn apply(
        &self,
        (plan, id_choice): (AdmissionPlan, DeviceIdChoice),
        decided: &Decided<'_>,
    ) -> Result<Option<DeviceCredential>, AdapterError> {
        let mut admission = Admission {
            plan,
            policy: decided.policy.clone(),
            once: Vec::new(),
            credentials: None,
            described: Described::default(),
            source: match decided.source {
                Source::Address(address) => Some(address),
                Source::Unknown => None,
            },
            at: decided.now,
        };
        for _ in 0..TRIES {
            let outcome = self.server.create_or_adopt(admission.clone());
            match (outcome.await?, &mut admission.plan) {
                (
                    AdmissionOutcome::Conflict(Conflict::DeviceIdTaken),
                    AdmissionPlan::Provision { device, .. } | AdmissionPlan::Queue { device, .. },
                ) if id_choice == DeviceIdChoice::Random => {
                    device.device_id = DeviceId::random(&mut random::system());
                }
                (AdmissionOutcome::Outdated, _) => return Ok(None),
                (outcome, plan) => return answer(outcome, plan, decided).map(Some),
            }
        }
        Err(AdapterError::Busy)
    }
}

fn log(decision: &Decision, auth_id: &StoredAuthId) {
    for entry in &decision.trace {
        tracing::debug!(auth_id = %auth_id.as_str(), rule = entry.rule.name(), passed = entry.passed, saw = %entry.saw, "decision");
    }
}

fn check_adapter(tenant: &Tenant, asked: &CredentialsLookup) -> Result<(), Reason> {
    if !tenant.enabled {
        return Err(Reason::TenantDisabled);
    }
    match &asked.adapter_type {
        Some(adapter) if !tenant.adapters.allows(adapter) => Err(Reason::AdapterDisabled {
            adapter: adapter.clone(),
        }),
        _ => Ok(()),
    }
}

fn answer(
    outcome: AdmissionOutcome,
    plan: &AdmissionPlan,
    decided: &Decided<'_>,
) -> Result<DeviceCredential, AdapterError> {
    let auth_id = decided.chain.auth_id();
    let auth_id = auth_id.map(StoredAuthId::from).map_err(Clone::clone)?;
    match outcome {
        AdmissionOutcome::Provisioned(device) => {
            of_device(&device, &auth_id, Acquaintance::Provisioned)
        }
        AdmissionOutcome::Recognised(device)
        | AdmissionOutcome::Created(device, _)
        | AdmissionOutcome::Again(device, _) => of_device(&device, &auth_id, Acquaintance::Known),
        AdmissionOutcome::Pending(_) => Err(AdapterError::Pending),
        AdmissionOutcome::NotAdmissible(reason) => Err(inadmissible(reason, decided).into()),
        AdmissionOutcome::Conflict(conflict) => Err(conflicting(&conflict, plan).into()),
        AdmissionOutcome::Replayed | AdmissionOutcome::Outdated => Err(AdapterError::Busy),
    }
}

/// The device's credential of this authentication id; one that an operator registered with its
/// certificate has none, and is known by its key.
fn of_device(
    device: &Device,
    auth_id: &StoredAuthId,
    acquaintance: Acquaintance,
) -> Result<DeviceCredential, AdapterError> {
    let credential = match credential_of(device, auth_id) {
        Some(found) => record::credential(found).map_err(|error| corrupt(&device.id, &error))?,
        None => CredentialDocument::new(auth_id.clone()),
    };
    Ok(DeviceCredential {
        device_id: device.id.clone(),
        credential,
        acquaintance,
    })
}

fn credential_of<'d>(device: &'d Device, auth_id: &StoredAuthId) -> Option<&'d Credential> {
    let mut all = device.credentials.iter();
    all.find(|one| one.auth_id.clashes_with(auth_id))
}

/// What the store found in its transaction, in the words of a decision.
fn inadmissible(reason: Inadmissible, decided: &Decided<'_>) -> Reason {
    let anchor = decided.chain.anchor();
    match reason {
        Inadmissible::Removed => Reason::Tombstoned,
        Inadmissible::Rejected => Reason::DeviceRejected,
        Inadmissible::Disabled => Reason::DeviceDisabled,
        Inadmissible::Tenant => Reason::TenantDisabled,
        Inadmissible::AnchorQuota => Reason::QuotaAnchor {
            anchor: anchor.id().to_owned(),
            max: anchor.policy().max_devices.unwrap_or_default(),
        },
        Inadmissible::TenantQuota => Reason::QuotaTenant {
            max: decided.tenant.max_devices.unwrap_or_default(),
        },
        Inadmissible::NotAboard => Reason::UnknownDevice,
    }
}

fn conflicting(conflict: &Conflict, plan: &AdmissionPlan) -> Reason {
    let known = match (conflict, plan) {
        (
            Conflict::CertificateIdTaken { holder }
            | Conflict::KeyTaken { holder }
            | Conflict::OtherCertificateId { holder },
            _,
        ) => holder.to_string(),
        (Conflict::CertificateIdRemoved, _) => return Reason::Tombstoned,
        (_, AdmissionPlan::Provision { device, .. } | AdmissionPlan::Queue { device, .. }) => {
            device.device_id.to_string()
        }
        (_, AdmissionPlan::Known { device_id, .. }) => device_id.to_string(),
    };
    Reason::IdentityConflict { known }
}

pub(super) fn corrupt(of: &dyn core::fmt::Display, error: &DocumentError) -> AdapterError {
    AdapterError::Corrupt {
        of: of.to_string(),
        what: error.to_string(),
    }
}
