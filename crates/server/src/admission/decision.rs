use gangplank_key::UnixTime;
use gangplank_onboarding::{DeviceId, IdentifierError};
use gangplank_trust::{
    Bound, CredentialDocument, Decision, DeviceDocument, Known, KnownDevice, Plan, PlannedDeviceId,
    Proof, ProvisionAs, Quotas, Source, Standing, StoredAuthId, Tenant, VerifiedChain, decide,
};

use crate::random;
use crate::server::Server;
use crate::store::{
    Credential, Identity, IdentityQuery, NewCertificate, NewDevice, Provisioning, StoreError,
};

impl Server {
    /// Decides about a device with a proven chain, whoever in the tenant has its identity.
    pub(crate) async fn decide_on_chain(
        &self,
        chain: &VerifiedChain,
        tenant: &Tenant,
        source: Source,
        now: UnixTime,
    ) -> Result<Decision, StoreError> {
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
        Ok(decide(&Proof::Chain(chain), tenant, known, source, now))
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

/// A plan as the store applies it.
pub(crate) struct Newcomer {
    pub(crate) device: NewDevice,
    pub(crate) provisioning: Provisioning,
    pub(crate) id_choice: DeviceIdChoice,
}

/// Where a new device's id comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceIdChoice {
    /// It is random: if it is taken, so may be another.
    Random,
    /// The anchor's template makes it of the subject: there is no other.
    Template,
}

impl Newcomer {
    pub(crate) fn of(
        plan: &Plan,
        chain: &VerifiedChain,
        now: UnixTime,
    ) -> Result<Self, IdentifierError> {
        let (device_id, id_choice, values) = match plan.device_id() {
            PlannedDeviceId::Random => {
                let id = DeviceId::random(&mut random::system());
                (id, DeviceIdChoice::Random, Vec::new())
            }
            PlannedDeviceId::Template { id, values } => {
                let id = DeviceId::parse(id)?;
                (id, DeviceIdChoice::Template, values.clone())
            }
        };
        Ok(Self {
            device: NewDevice {
                tenant: plan.tenant().clone(),
                device_id,
                certificate: new_certificate(chain),
            },
            provisioning: Provisioning {
                origin: plan.origin().clone(),
                credential: Credential {
                    auth_id: plan.auth_id().into(),
                    document: CredentialDocument::provisioned(plan.auth_id(), now).to_stored(),
                },
                device_id_values: values,
                registration: DeviceDocument::provisioned(plan.provision_as(), now).to_stored(),
                quotas: plan.quotas(),
            },
            id_choice,
        })
    }
}

/// The certificate that heads a chain.
pub(crate) fn new_certificate(chain: &VerifiedChain) -> NewCertificate {
    NewCertificate {
        certificate_id: chain.certificate_id().ok().cloned(),
        certificate: chain.leaf().clone(),
        spki_sha256: chain.spki_sha256(),
        fingerprint: chain.certificate_sha256(),
    }
}
