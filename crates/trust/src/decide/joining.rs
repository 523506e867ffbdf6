use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use super::recognition::conflict_with;
use super::{Outcome, Question, Rule};
use crate::auth_id::values;
use crate::device_id::is_device_id;
use crate::plan::{Origin, Plan, PlannedDeviceId, Quotas};
use crate::{
    Anchor, AnchorPolicy, Approval, AuthId, Filled, KnownDevice, Reason, Source, TemplateUse,
    VerifiedChain,
};

impl Question<'_> {
    /// Whether a device may join that nobody registered.
    pub(super) fn join(
        &mut self,
        chain: &VerifiedChain,
        anchor: &Anchor,
        auth_id: AuthId,
    ) -> Result<Outcome, Reason> {
        let policy = anchor.policy();
        if !self.provisions(anchor)? {
            return Ok(Outcome::Pending);
        }
        self.within_window(anchor)?;
        self.source_is_allowed(anchor)?;
        let usable = chain.subject().check_usable();
        let usable = usable.map_err(Reason::SubjectUnusable);
        self.trace.result(Rule::Subject, usable, |()| "usable")?;
        let device_id = self.device_id(chain, policy)?;
        let quotas = Quotas {
            of_anchor: policy.max_devices,
            of_tenant: self.tenant.max_devices,
        };
        self.within_quotas(anchor, quotas)?;
        Ok(Outcome::Provision(Box::new(Plan {
            tenant: self.tenant.id.clone(),
            certificate_id: chain.certificate_id().ok().cloned(),
            auth_id,
            device_id,
            provision_as: policy.provision_as,
            quotas,
            origin: Origin::of(chain, anchor, self.tenant.policy_revision),
        })))
    }

    /// Whether strangers may join; `false` if they wait for an operator.
    fn provisions(&mut self, anchor: &Anchor) -> Result<bool, Reason> {
        let policy = anchor.policy();
        let saw = match (policy.provisions(), policy.approval) {
            (true, _) => "enabled",
            (false, Approval::Queue) => "disabled, strangers wait for approval",
            (false, Approval::Refuse) => "disabled",
        };
        let waits = policy.approval == Approval::Queue;
        self.trace.require(
            Rule::AutoProvisioning,
            policy.provisions() || waits,
            saw,
            || Reason::ProvisioningDisabled {
                anchor: anchor.id().to_string(),
            },
        )?;
        Ok(policy.provisions())
    }

    fn within_window(&mut self, anchor: &Anchor) -> Result<(), Reason> {
        let now = self.now;
        let Some(window) = anchor.policy().window else {
            self.trace.note(Rule::Window, true, "no limit");
            return Ok(());
        };
        let inside = window.contains(now);
        self.trace
            .require(Rule::Window, inside, now.as_secs().to_string(), || {
                Reason::OutsideWindow {
                    anchor: anchor.id().to_string(),
                    window: (window.not_before().as_secs(), window.not_after().as_secs()),
                }
            })
    }

    fn source_is_allowed(&mut self, anchor: &Anchor) -> Result<(), Reason> {
        let source = self.source;
        let allowed = match (&anchor.policy().sources, source) {
            (None, _) => true,
            (Some(ranges), Source::Address(address)) => {
                ranges.iter().any(|range| range.contains(&address))
            }
            (Some(_), Source::Unknown) => false,
        };
        let saw = match source {
            Source::Unknown => Cow::Borrowed("an unknown address"),
            Source::Address(address) => Cow::Owned(address.to_string()),
        };
        self.trace
            .require(Rule::Source, allowed, saw, || Reason::SourceNotAllowed {
                anchor: anchor.id().to_string(),
                source_address: source,
            })
    }

    fn device_id(
        &mut self,
        chain: &VerifiedChain,
        policy: &AnchorPolicy,
    ) -> Result<PlannedDeviceId, Reason> {
        let Some(template) = &policy.device_id_template else {
            self.trace.note(Rule::DeviceId, true, "a random one");
            return Ok(PlannedDeviceId::Random);
        };
        let filled = template
            .fill(chain.subject())
            .map_err(|error| Reason::unfilled(error, TemplateUse::DeviceId))
            .and_then(|filled| match is_device_id(filled.as_str()) {
                true => Ok(filled),
                false => Err(Reason::DeviceIdInvalid {
                    id: String::from(filled.as_str()),
                }),
            })
            .and_then(|filled| match self.holder(filled.as_str()) {
                Some(holder) => Err(conflict_with(holder)),
                None => Ok(filled),
            });
        let saw = |filled: &Filled| String::from(filled.as_str());
        let filled = self.trace.result(Rule::DeviceId, filled, saw)?;
        Ok(PlannedDeviceId::Template {
            id: String::from(filled.as_str()),
            values: values(&filled),
        })
    }

    /// Who else has the device id. The stranger that waits may have it: it is its own.
    fn holder(&self, device_id: &str) -> Option<&KnownDevice> {
        let is_newcomer = |holder: &KnownDevice| {
            let newcomer = self.known.device;
            newcomer.is_some_and(|device| device.device_id == holder.device_id)
        };
        let holder = self.known.holder_of_device_id?;
        (holder.device_id == device_id && !is_newcomer(holder)).then_some(holder)
    }

    fn within_quotas(&mut self, anchor: &Anchor, quotas: Quotas) -> Result<(), Reason> {
        let has = self.known.provisioned_by_anchor;
        let max = quotas.of_anchor;
        self.trace.require(
            Rule::AnchorQuota,
            max.is_none_or(|max| has < max),
            of(has, max),
            || Reason::QuotaAnchor {
                anchor: anchor.id().to_string(),
                max: max.unwrap_or_default(),
            },
        )?;
        let has = self.known.devices_in_tenant;
        let max = quotas.of_tenant;
        self.trace.require(
            Rule::TenantQuota,
            max.is_none_or(|max| has < max),
            of(has, max),
            || Reason::QuotaTenant {
                max: max.unwrap_or_default(),
            },
        )
    }
}

fn of(has: u64, max: Option<u64>) -> Cow<'static, str> {
    match max {
        Some(max) => Cow::Owned(format!("{has} of {max}")),
        None => Cow::Borrowed("no limit"),
    }
}
