use gangplank_onboarding::DeviceId;
use gangplank_trust::{
    DeviceDocument, EdgeOutcome, FreeObject, GatewayLinks, Reason, Tenant, decide_edge,
};

use super::adapter::{AdapterRegistry, corrupt};
use super::error::AdapterError;
use super::saving::content;
use super::{Acquaintance, RegisteredDevice, TRIES};
use crate::store::{
    Actor, DeviceNotSaved, DeviceSave, DeviceSaves, DeviceSavesOutcome, Expected, SavedBy,
};
use crate::tenants::Snapshot;

/// What a protocol adapter is told of a device that may act.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// Which device.
    pub device_id: DeviceId,
    /// The gateways that it may act through by name. Those of its groups are not listed.
    pub via: Vec<String>,
    /// Defaults for what it sends.
    pub defaults: FreeObject,
    /// Whether the device was known before.
    pub acquaintance: Acquaintance,
}

/// An edge device that joins through a gateway.
struct Arrival<'a> {
    device_id: &'a str,
    gateway: RegisteredDevice,
    via: Vec<String>,
    via_groups: Vec<String>,
}

impl AdapterRegistry<'_> {
    /// Whether a device of the tenant (its id or alias) is registered and may act; through this gateway,
    /// if one is given, which brings devices that nobody registered if it has the authority.
    ///
    /// # Errors
    /// [`AdapterError`]: the first rule that refuses.
    pub async fn registration(
        &self,
        tenant: &str,
        device_id: &str,
        gateway_id: Option<&str>,
    ) -> Result<Assertion, AdapterError> {
        for _ in 0..TRIES {
            let tenants = self.server.tenants().await?;
            let tenant = tenants.index().by_name(tenant).map_err(Reason::from)?;
            let device = self.registered(tenant, device_id).await?;
            let Some(gateway_id) = gateway_id else {
                return alone(tenant, device);
            };
            let gateway = self.registered(tenant, gateway_id).await?;
            let (edge, by) = (
                device.as_ref().map(RegisteredDevice::edge_device),
                gateway.as_ref().map(RegisteredDevice::gateway),
            );
            let outcome = decide_edge(device_id, Some(tenant), edge.as_ref(), by.as_ref());
            match (outcome, device, gateway) {
                (EdgeOutcome::Known, Some(device), _) => return Ok(of_known(device)),
                (EdgeOutcome::Provision { via, via_groups }, _, Some(gateway)) => {
                    let arrival = Arrival {
                        device_id,
                        gateway,
                        via,
                        via_groups,
                    };
                    if let Some(assertion) = self.bring(&tenants, tenant, arrival).await? {
                        return Ok(assertion);
                    }
                }
                (EdgeOutcome::Refuse(reason), ..) => return Err(reason.into()),
                (_, _, _) => return Err(Reason::UnknownDevice.into()),
            }
        }
        Err(AdapterError::Busy)
    }

    /// Makes the device; `None` if it has appeared meanwhile, or the policy has changed.
    async fn bring(
        &self,
        tenants: &Snapshot,
        tenant: &Tenant,
        arrival: Arrival<'_>,
    ) -> Result<Option<Assertion>, AdapterError> {
        let id = DeviceId::parse(arrival.device_id).map_err(|_| Reason::DeviceIdInvalid {
            id: arrival.device_id.to_owned(),
        })?;
        let via = arrival.via.clone();
        let document = DeviceDocument::brought(arrival.via, arrival.via_groups);
        let saves = DeviceSaves {
            tenant: tenant.id.clone(),
            devices: vec![DeviceSave {
                device_id: id.clone(),
                expected: Expected::Absent,
                content: Some(content(&document)),
                credentials: None,
                by: SavedBy::Gateway {
                    id: arrival.gateway.id,
                    revision: arrival.gateway.revision,
                },
            }],
            max_devices: tenant.max_devices,
            policy: tenants.policy_of(tenant),
            actor: Actor::Server,
            at: self.server.now(),
        };
        match self.server.save_devices(saves).await? {
            DeviceSavesOutcome::Saved(_) => Ok(Some(Assertion {
                device_id: id,
                via,
                defaults: FreeObject::default(),
                acquaintance: Acquaintance::Provisioned,
            })),
            DeviceSavesOutcome::Outdated => Ok(None),
            DeviceSavesOutcome::NoSuchTenant => Err(Reason::TenantUnknown.into()),
            DeviceSavesOutcome::Refused { reason, .. } => {
                self.not_brought(tenant, &id, reason).await.map(|()| None)
            }
        }
    }

    /// Why a gateway cannot bring a device; or nothing, if it is to be asked for anew.
    async fn not_brought(
        &self,
        tenant: &Tenant,
        id: &DeviceId,
        reason: DeviceNotSaved,
    ) -> Result<(), AdapterError> {
        let reason = match reason {
            // The ordinary rule applies to one that appeared meanwhile. Another tenant's, or a stranger
            // that waits under the id, never becomes this one.
            DeviceNotSaved::DeviceIdTaken => {
                if self.registered(tenant, id.as_str()).await?.is_some() {
                    return Ok(());
                }
                Reason::IdentityConflict {
                    known: id.to_string(),
                }
            }
            DeviceNotSaved::GatewayChanged => return Ok(()),
            DeviceNotSaved::Removed => Reason::Tombstoned,
            DeviceNotSaved::TenantFull => Reason::QuotaTenant {
                max: tenant.max_devices.unwrap_or_default(),
            },
            _ => return Err(AdapterError::Busy),
        };
        Err(reason.into())
    }

    /// The tenant's device of that id, if somebody registered it or it was provisioned.
    async fn registered(
        &self,
        tenant: &Tenant,
        id: &str,
    ) -> Result<Option<RegisteredDevice>, AdapterError> {
        // No device has an id that is none.
        let Ok(id) = DeviceId::parse(id) else {
            return Ok(None);
        };
        let found = self.server.shared.store.device(&id).await?;
        let Some(device) = found.filter(|device| device.tenant == tenant.id) else {
            return Ok(None);
        };
        RegisteredDevice::read(&device).map_err(|error| corrupt(&id, &error))
    }
}

/// It speaks for itself.
fn alone(tenant: &Tenant, device: Option<RegisteredDevice>) -> Result<Assertion, AdapterError> {
    if !tenant.enabled {
        return Err(Reason::TenantDisabled.into());
    }
    let device = device.ok_or(Reason::UnknownDevice)?;
    match device.edge_device().enabled {
        true => Ok(of_known(device)),
        false => Err(Reason::DeviceDisabled.into()),
    }
}

fn of_known(device: RegisteredDevice) -> Assertion {
    Assertion {
        device_id: device.id,
        via: match device.document.gateways {
            GatewayLinks::Through { via, .. } => via,
            GatewayLinks::MemberOf(_) => Vec::new(),
        },
        defaults: device.document.defaults,
        acquaintance: Acquaintance::Known,
    }
}
