use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde::Serialize;

use crate::Reason;

/// One rule of a decision, and what it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceEntry {
    /// What was looked at.
    pub rule: Rule,
    /// Whether it spoke for the device.
    pub passed: bool,
    /// The value that was there, for people.
    pub saw: Cow<'static, str>,
}

/// What a decision looks at, in this order where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// The tenant is enabled.
    TenantEnabled,
    /// The anchor counts: it is enabled and within its validity. An entry for each anchor of the
    /// tenant, for information.
    Anchor,
    /// A path leads from the leaf to an anchor.
    Path,
    /// The known device is this tenant's.
    DeviceOfTenant,
    /// The chain was verified for this tenant.
    ChainOfTenant,
    /// The anchor is still the tenant's.
    AnchorPresent,
    /// Leaf and anchor are valid now.
    Validity,
    /// Neither the certificate nor its key is on the anchor's list of denied ones.
    NotDenied,
    /// The leaf has what the anchor asks of it.
    LeafRules,
    /// The subject yields an authentication id.
    AuthId,
    /// The device is known.
    DeviceKnown,
    /// The known device is the one that the certificate names.
    Identity,
    /// The certificate yields the certificate id that the known device has.
    CertificateId,
    /// The certificate is one that the device may come with.
    Binding,
    /// The known device is welcome.
    Standing,
    /// No tombstone keeps the device out.
    Tombstone,
    /// The anchor lets strangers join.
    AutoProvisioning,
    /// The anchor lets strangers join at this time.
    Window,
    /// The anchor lets strangers join from this address.
    Source,
    /// A new identity can be made from the subject.
    Subject,
    /// The device gets a device id, and nobody else has it.
    DeviceId,
    /// The anchor has provisioned fewer devices than it may.
    AnchorQuota,
    /// The tenant has fewer devices than it may.
    TenantQuota,
    /// The tenant lets strangers wait that no anchor vouches for.
    StrangersQueue,
}

impl Rule {
    /// Its stable name, in kebab-case.
    pub fn name(self) -> &'static str {
        match self {
            Self::TenantEnabled => "tenant-enabled",
            Self::Anchor => "anchor",
            Self::Path => "path",
            Self::DeviceOfTenant => "device-of-tenant",
            Self::ChainOfTenant => "chain-of-tenant",
            Self::AnchorPresent => "anchor-present",
            Self::Validity => "validity",
            Self::NotDenied => "not-denied",
            Self::LeafRules => "leaf-rules",
            Self::AuthId => "auth-id",
            Self::DeviceKnown => "device-known",
            Self::Identity => "identity",
            Self::CertificateId => "certificate-id",
            Self::Binding => "binding",
            Self::Standing => "standing",
            Self::Tombstone => "tombstone",
            Self::AutoProvisioning => "auto-provisioning",
            Self::Window => "window",
            Self::Source => "source",
            Self::Subject => "subject",
            Self::DeviceId => "device-id",
            Self::AnchorQuota => "anchor-quota",
            Self::TenantQuota => "tenant-quota",
            Self::StrangersQueue => "strangers-queue",
        }
    }
}

/// The entries so far.
#[derive(Default)]
pub(crate) struct Trace(pub(crate) Vec<TraceEntry>);

impl Trace {
    pub(crate) fn note(&mut self, rule: Rule, passed: bool, saw: impl Into<Cow<'static, str>>) {
        let saw = saw.into();
        if self.0.is_empty() {
            // As many as most decisions have.
            self.0.reserve(16);
        }
        self.0.push(TraceEntry { rule, passed, saw });
    }

    /// Notes a rule; one that does not pass ends the decision.
    pub(crate) fn require(
        &mut self,
        rule: Rule,
        passed: bool,
        saw: impl Into<Cow<'static, str>>,
        reason: impl FnOnce() -> Reason,
    ) -> Result<(), Reason> {
        self.note(rule, passed, saw);
        match passed {
            true => Ok(()),
            false => Err(reason()),
        }
    }

    /// Notes a rule by its result: a reason is its own account of what it saw.
    pub(crate) fn result<T, S: Into<Cow<'static, str>>>(
        &mut self,
        rule: Rule,
        result: Result<T, Reason>,
        saw: impl FnOnce(&T) -> S,
    ) -> Result<T, Reason> {
        match &result {
            Ok(value) => self.note(rule, true, saw(value)),
            Err(reason) => self.note(rule, false, reason.to_string()),
        }
        result
    }
}
