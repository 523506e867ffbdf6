use gangplank_key::UnixTime;
use gangplank_onboarding::DeviceId;
use gangplank_trust::{
    Bound, CredentialDocument, Decision, DeviceDocument, Known, KnownDevice, Outcome, Plan,
    PlannedDeviceId, Proof, ProvisionAs, Quotas, Reason, Source, Standing, StoredAuthId, Tenant,
    VerifiedChain, decide,
};

use crate::random;
use crate::server::Server;
use crate::store::{
    AdmissionPlan, Credential, Device, Identity, IdentityQuery, NewCertificate, NewDevice,
    Provisioning, StoreError,
};

impl Server {
    /// Decides about a device with a proven chain, whoever in the tenant has its identity.
    pub(crate) async fn decide_on_chain(
        &self,
        chain: &VerifiedChain,
        tenant: &Tenant,
        source: Source,
        now: UnixTime,
    ) -> Result<ChainDecision, StoreError> {
        let identity = match chain.auth_id() {
            Ok(auth_id) => {
                let query = query(chain, tenant, auth_id.into());
                self.shared.store.identity(query).await?
            }
            // Nobody is looked for: the decision says why.
            Err(_) => Identity::default(),
        };
        let auth_id = chain.auth_id().ok();
        let known = identity
            .device
            .as_ref()
            .map(|device| device.known(auth_id, now));
        let removed = identity.removed.map(|id| removed(tenant, &id));
        let holder = identity.holder_of_device_id;
        let holder = holder.map(|device| device.known(None, now));
        let known = Known {
            device: known.as_ref().or(removed.as_ref()),
            holder_of_device_id: holder.as_ref(),
            provisioned_by_anchor: identity.provisioned_by_anchor,
            devices_in_tenant: identity.devices_in_tenant,
        };
        Ok(ChainDecision {
            decision: decide(&Proof::Chain(chain), tenant, known, source, now),
            revision: identity.device.as_ref().map(|device| device.revision),
        })
    }
}

/// What was decided about a device with a proven chain.
pub(crate) struct ChainDecision {
    pub(crate) decision: Decision,
    /// That of the device that it was decided on.
    revision: Option<u64>,
}

impl ChainDecision {
    /// About a device that was found by its key.
    pub(crate) fn on(device: &Device, decision: Decision) -> Self {
        Self {
            decision,
            revision: Some(device.revision),
        }
    }

    /// What the store is to make true, and where a new device's id comes from.
    ///
    /// # Errors
    /// The [`Reason`] for refusing the device.
    pub(crate) fn plan(
        self,
        chain: &VerifiedChain,
        now: UnixTime,
    ) -> Result<(AdmissionPlan, DeviceIdChoice), Reason> {
        match self.decision.outcome {
            Outcome::Known(recognition) => {
                let plan = AdmissionPlan::Known {
                    device_id: device_id(&recognition.device_id)?,
                    came_with: Some(new_certificate(chain)),
                    revision: self.revision,
                };
                Ok((plan, DeviceIdChoice::Random))
            }
            Outcome::Provision(plan) => newcomer(&plan, chain, now),
            Outcome::Pending => {
                let auth_id = chain.auth_id().map_err(Clone::clone)?;
                let plan = AdmissionPlan::Queue {
                    device: NewDevice {
                        tenant: chain.tenant().clone(),
                        device_id: DeviceId::random(&mut random::system()),
                        certificate: new_certificate(chain),
                    },
                    credential: Some(credential(CredentialDocument::new(auth_id.into()))),
                };
                Ok((plan, DeviceIdChoice::Random))
            }
            Outcome::Refuse(reason) => Err(reason),
        }
    }
}

fn query(chain: &VerifiedChain, tenant: &Tenant, auth_id: StoredAuthId) -> IdentityQuery {
    let anchor = chain.anchor();
    let made = chain.device_id();
    IdentityQuery {
        tenant: tenant.id.clone(),
        auth_id,
        certificate_id: chain.certificate_id().ok().cloned(),
        spki_sha256: Some(chain.spki_sha256()),
        device_id: made.and_then(|made| DeviceId::parse(made.as_str()).ok()),
        anchor_id: Some(anchor.id().to_owned()),
        quotas: Quotas {
            of_anchor: anchor.policy().max_devices,
            of_tenant: tenant.max_devices,
        },
    }
}

/// What is left of a removed device.
fn removed(tenant: &Tenant, id: &DeviceId) -> KnownDevice {
    KnownDevice {
        tenant: tenant.id.clone(),
        device_id: id.to_string(),
        certificate_id: None,
        auth_id: None,
        bound: Bound::default(),
        joined_as: ProvisionAs::Device,
        standing: Standing::Removed,
    }
}

/// Where a new device's id comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceIdChoice {
    /// It is random: if it is taken, so may be another.
    Random,
    /// The anchor's template makes it of the subject: there is no other.
    Template,
}

fn newcomer(
    plan: &Plan,
    chain: &VerifiedChain,
    now: UnixTime,
) -> Result<(AdmissionPlan, DeviceIdChoice), Reason> {
    let (device_id, choice, values) = match plan.device_id() {
        PlannedDeviceId::Random => {
            let id = DeviceId::random(&mut random::system());
            (id, DeviceIdChoice::Random, Vec::new())
        }
        PlannedDeviceId::Template { id, values } => {
            (device_id(id)?, DeviceIdChoice::Template, values.clone())
        }
    };
    let provisioning = Provisioning {
        origin: plan.origin().clone(),
        credential: credential(CredentialDocument::provisioned(plan.auth_id(), now)),
        device_id_values: values,
        registration: DeviceDocument::provisioned(plan.provision_as(), now).to_stored(),
        quotas: plan.quotas(),
    };
    let plan = AdmissionPlan::Provision {
        device: NewDevice {
            tenant: plan.tenant().clone(),
            device_id,
            certificate: new_certificate(chain),
        },
        provisioning: Box::new(provisioning),
    };
    Ok((plan, choice))
}

/// Most ids that the device-id rules of a registry allow.
fn device_id(text: &str) -> Result<DeviceId, Reason> {
    DeviceId::parse(text).map_err(|_| Reason::DeviceIdInvalid {
        id: text.to_owned(),
    })
}

fn credential(document: CredentialDocument) -> Credential {
    Credential {
        auth_id: document.auth_id().clone(),
        document: document.to_stored(),
    }
}

/// The certificate that heads a chain.
fn new_certificate(chain: &VerifiedChain) -> NewCertificate {
    NewCertificate {
        certificate_id: chain.certificate_id().ok().cloned(),
        certificate: chain.leaf().clone(),
        spki_sha256: chain.spki_sha256(),
        fingerprint: chain.certificate_sha256(),
    }
}
