use alloc::string::String;
use alloc::vec::Vec;

use crate::device_id::is_device_id;
use crate::{Reason, Tenant};

/// May this edge device act through this gateway? A pure function, as [`decide`](crate::decide) is.
///
/// A gateway with the authority brings devices that nobody registered; a known device acts through
/// the gateways that its `via` names, or that are in a group of its `viaGroups`. Who finds at creation
/// that the device has appeared meanwhile asks again with it.
pub fn decide_edge(
    device_id: &str,
    tenant: Option<&Tenant>,
    device: Option<&EdgeDevice>,
    gateway: Option<&Gateway>,
) -> EdgeOutcome {
    match outcome(device_id, tenant, device, gateway) {
        Ok(outcome) => outcome,
        Err(reason) => EdgeOutcome::Refuse(reason),
    }
}

/// A device that may act through gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeDevice {
    /// Whether it may act at all.
    pub enabled: bool,
    /// The gateways it may act through.
    pub via: Vec<String>,
    /// Groups of gateways it may act through.
    pub via_groups: Vec<String>,
    /// Whether a gateway brought it.
    pub auto_provisioned: bool,
}

/// A device that others act through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its device id.
    pub device_id: String,
    /// Whether it may act at all.
    pub enabled: bool,
    /// Whether it has the authority `auto-provisioning-enabled`.
    pub may_provision: bool,
    /// The groups it is in.
    pub member_of: Vec<String>,
}

/// What is to happen to an edge device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeOutcome {
    /// The known device acts.
    Known,
    /// The device is created: enabled, auto-provisioned, and without a credential.
    Provision {
        /// Its `via`: the gateway that brings it.
        via: Vec<String>,
        /// Its `viaGroups`: the gateway's.
        via_groups: Vec<String>,
    },
    /// It does not.
    Refuse(Reason),
}

fn outcome(
    device_id: &str,
    tenant: Option<&Tenant>,
    device: Option<&EdgeDevice>,
    gateway: Option<&Gateway>,
) -> Result<EdgeOutcome, Reason> {
    let tenant = tenant.ok_or(Reason::TenantUnknown)?;
    if !tenant.enabled {
        return Err(Reason::TenantDisabled);
    }
    let Some(device) = device else {
        let brings = |gateway: &&Gateway| gateway.enabled && gateway.may_provision;
        let gateway = gateway.filter(brings).ok_or(Reason::UnknownDevice)?;
        if !is_device_id(device_id) {
            let id = String::from(device_id);
            return Err(Reason::DeviceIdInvalid { id });
        }
        return Ok(EdgeOutcome::Provision {
            via: Vec::from([gateway.device_id.clone()]),
            via_groups: gateway.member_of.clone(),
        });
    };
    if !device.enabled {
        return Err(Reason::DeviceDisabled);
    }
    let gateway = gateway.ok_or(Reason::GatewayUnknown)?;
    if !gateway.enabled {
        return Err(Reason::GatewayDisabled);
    }
    match may_act_through(device, gateway) {
        true => Ok(EdgeOutcome::Known),
        false if device.auto_provisioned => Err(Reason::ClaimedByOtherGateway),
        false => Err(Reason::GatewayNotAuthorised),
    }
}

fn may_act_through(device: &EdgeDevice, gateway: &Gateway) -> bool {
    let shares_group = |group| gateway.member_of.contains(group);
    device.via.contains(&gateway.device_id) || device.via_groups.iter().any(shares_group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantId;

    fn tenant() -> Tenant {
        Tenant::new(TenantId::parse("t").unwrap())
    }

    fn gateway() -> Gateway {
        Gateway {
            device_id: "gw1".into(),
            enabled: true,
            may_provision: true,
            member_of: vec!["group".into()],
        }
    }

    fn device() -> EdgeDevice {
        EdgeDevice {
            enabled: true,
            via: vec!["gw1".into()],
            via_groups: Vec::new(),
            auto_provisioned: false,
        }
    }

    fn code(device: Option<&EdgeDevice>, gateway: Option<&Gateway>) -> &'static str {
        match decide_edge("edge1", Some(&tenant()), device, gateway) {
            EdgeOutcome::Known => "known",
            EdgeOutcome::Provision { .. } => "provision",
            EdgeOutcome::Refuse(reason) => reason.code(),
        }
    }

    #[test]
    fn a_gateway_with_the_authority_brings_devices() {
        let expected = EdgeOutcome::Provision {
            via: vec!["gw1".into()],
            via_groups: vec!["group".into()],
        };
        let found = decide_edge("edge1", Some(&tenant()), None, Some(&gateway()));
        assert_eq!(found, expected);
        for change in [
            (|gateway| gateway.enabled = false) as fn(&mut Gateway),
            |gateway| gateway.may_provision = false,
        ] {
            let mut gateway = gateway();
            change(&mut gateway);
            assert_eq!(code(None, Some(&gateway)), "device-unknown");
        }
        assert_eq!(code(None, None), "device-unknown");
    }

    #[test]
    fn a_known_device_acts_through_its_gateways_and_their_groups() {
        assert_eq!(code(Some(&device()), Some(&gateway())), "known");
        let mut other = device();
        other.via = vec!["gw2".into()];
        assert_eq!(
            code(Some(&other), Some(&gateway())),
            "gateway-not-authorised"
        );
        other.auto_provisioned = true;
        assert_eq!(
            code(Some(&other), Some(&gateway())),
            "claimed-by-other-gateway"
        );
        other.via_groups = vec!["group".into()];
        assert_eq!(code(Some(&other), Some(&gateway())), "known");
    }

    #[test]
    fn whoever_is_disabled_or_unknown_is_named_in_order() {
        let mut disabled = device();
        disabled.enabled = false;
        assert_eq!(code(Some(&disabled), None), "device-disabled");
        assert_eq!(code(Some(&device()), None), "gateway-unknown");
        let mut off = gateway();
        off.enabled = false;
        assert_eq!(code(Some(&device()), Some(&off)), "gateway-disabled");
        let found = decide_edge("edge1", None, Some(&device()), Some(&gateway()));
        assert_eq!(found, EdgeOutcome::Refuse(Reason::TenantUnknown));
        let mut off = tenant();
        off.enabled = false;
        let found = decide_edge("edge1", Some(&off), None, Some(&gateway()));
        assert_eq!(found, EdgeOutcome::Refuse(Reason::TenantDisabled));
    }
}
