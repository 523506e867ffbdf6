use alloc::string::String;

use crate::{ChainError, FillError, Source, TemplateError, TemplateUse, UnusableSubject};

/// Why a device is refused: for the operator's log. The device learns only that it was.
///
/// Every reason has a stable code; the codes and the statuses are those of Eclipse Hono's surface
/// where it has them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The device's certificate is not believed.
    #[error("the certificate is not trusted: {0}")]
    NotTrusted(ChainError),
    /// No tenant is the device's.
    #[error("no tenant trusts the certificate's issuer or has the name that is given")]
    TenantUnknown,
    /// Several tenants trust the issuer, and nothing says whose device it is.
    #[error("several tenants trust the certificate's issuer; name one by host name or path")]
    TenantAmbiguous,
    /// The host name or path that should name the tenant cannot.
    #[error(
        "{hint:?} does not name a tenant: it is no id or alias, nor a host name that begins with one"
    )]
    TenantHintMalformed {
        /// What is there.
        hint: String,
    },
    /// The tenant is switched off.
    #[error("the tenant is disabled; enable it to admit its devices")]
    TenantDisabled,
    /// The tenant's devices may not use this protocol adapter.
    #[error("the tenant's devices may not use adapters of the type {adapter:?}; enable it there")]
    AdapterDisabled {
        /// The adapter's type.
        adapter: String,
    },
    /// The proof or the known device is another tenant's.
    #[error("the proof or the known device belongs to another tenant")]
    OtherTenant,
    /// The anchor that verified the path is no longer one of the tenant's.
    #[error("the trust anchor {anchor} was withdrawn or changed since the path was verified")]
    AnchorWithdrawn {
        /// The anchor's id.
        anchor: String,
    },
    /// The certificate or its key is on the anchor's list of denied ones.
    #[error("the {what} is on the anchor's list of denied ones")]
    Denied {
        /// `certificate` or `key`.
        what: &'static str,
    },
    /// The anchor asks for an extended key usage that the leaf does not list.
    #[error("the anchor asks for the extended key usage {needed}, and the leaf does not list it")]
    LeafPurposeMissing {
        /// Its object identifier.
        needed: String,
    },
    /// The anchor does not take the leaf's kind of key.
    #[error("the anchor takes no {found} keys")]
    KeyNotAllowed {
        /// The name of the key's algorithm.
        found: String,
    },
    /// No subject alternative name matches the anchor's pattern.
    #[error("no subject alternative name matches the anchor's pattern {pattern}: {found}")]
    AlternativeNameNotAllowed {
        /// The pattern.
        pattern: String,
        /// The names there are.
        found: String,
    },
    /// The subject does not have what a template asks for.
    #[error("the {used_for} template cannot be filled: {error}")]
    TemplateAttributeMissing {
        /// Which template.
        used_for: TemplateUse,
        /// What is missing.
        error: FillError,
    },
    /// A template that another program passed on is none.
    #[error("the template of authentication ids cannot be used: {0}")]
    TemplateUnusable(TemplateError),
    /// No identity can be made from the subject.
    #[error("the subject cannot be used: {0}")]
    SubjectUnusable(UnusableSubject),
    /// Another authentication id was given than the certificate yields.
    #[error("the certificate yields the authentication id {yields}, and {given} was given")]
    AuthIdMismatch {
        /// What was given.
        given: String,
        /// What the certificate yields.
        yields: String,
    },
    /// Another certificate id was claimed than the certificate yields.
    #[error("the certificate yields the certificate id {yields}, and {claimed} is claimed")]
    CertificateIdMismatch {
        /// What is claimed.
        claimed: String,
        /// What the certificate yields.
        yields: String,
    },
    /// Nobody registered the device and no trust anchor stands behind it.
    #[error("the device is not registered; register its certificate or trust its issuer")]
    UnknownDevice,
    /// The identity belongs to a device that this certificate does not name.
    #[error("the identity already belongs to the device {known}")]
    IdentityConflict {
        /// The device id of the device that is known.
        known: String,
    },
    /// The known device may not come with this certificate.
    #[error(
        "the device {known} is bound to another {bound_to}, and anchor {anchor} holds it to that"
    )]
    BindingMismatch {
        /// Its device id.
        known: String,
        /// What it is bound to: `issuer`, `key` or `certificate`.
        bound_to: &'static str,
        /// The anchor's id.
        anchor: String,
    },
    /// An operator disabled the device.
    #[error("the device is disabled; enable it to let it back in")]
    DeviceDisabled,
    /// An operator disabled the credential.
    #[error("the device's credential is disabled; enable it to let it back in")]
    CredentialDisabled,
    /// An operator rejected the device.
    #[error("the device was rejected by an operator")]
    DeviceRejected,
    /// An operator removed the device; it stays out until somebody registers it again.
    #[error("the device was removed by an operator; register it again to let it back in")]
    Tombstoned,
    /// An anchor stands behind the device, but strangers under it may not join.
    #[error("the device is not registered and anchor {anchor} does not provision devices")]
    ProvisioningDisabled {
        /// The anchor's id.
        anchor: String,
    },
    /// Strangers may join at another time.
    #[error("anchor {anchor} provisions devices from {} to {}", window.0, window.1)]
    OutsideWindow {
        /// The anchor's id.
        anchor: String,
        /// First and last second, Unix time.
        window: (u64, u64),
    },
    /// Strangers may join from elsewhere.
    #[error("anchor {anchor} does not provision devices from {source_address}")]
    SourceNotAllowed {
        /// The anchor's id.
        anchor: String,
        /// Where the request came from.
        source_address: Source,
    },
    /// A template makes a device id that is none.
    #[error("{id:?} is no device id: it has letters, digits and _ . : = - only")]
    DeviceIdInvalid {
        /// What the template makes.
        id: String,
    },
    /// There is no such gateway.
    #[error("the gateway is not registered")]
    GatewayUnknown,
    /// An operator disabled the gateway.
    #[error("the gateway is disabled; enable it to let devices act through it")]
    GatewayDisabled,
    /// The device may act through other gateways only.
    #[error("the device may not act through this gateway; add the gateway to its via")]
    GatewayNotAuthorised,
    /// Another gateway brought the device.
    #[error("the device was already auto-provisioned for another gateway")]
    ClaimedByOtherGateway,
    /// The anchor has provisioned as many devices as it may.
    #[error("anchor {anchor} has provisioned the {max} devices that it may")]
    QuotaAnchor {
        /// The anchor's id.
        anchor: String,
        /// How many it may provision.
        max: u64,
    },
    /// The tenant has as many devices as it may.
    #[error("the tenant has the {max} devices that it may")]
    QuotaTenant {
        /// How many it may have.
        max: u64,
    },
}

impl Reason {
    /// A stable name for logs and tests, in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotTrusted(error) => code_of_chain(error),
            Self::TenantUnknown => "tenant-unknown",
            Self::TenantAmbiguous => "tenant-ambiguous",
            Self::TenantHintMalformed { .. } => "tenant-hint-malformed",
            Self::TenantDisabled => "tenant-disabled",
            Self::AdapterDisabled { .. } => "adapter-disabled",
            Self::OtherTenant => "other-tenant",
            Self::AnchorWithdrawn { .. } => "anchor-withdrawn",
            Self::Denied { .. } => "denied",
            Self::LeafPurposeMissing { .. } => "purpose-not-allowed",
            Self::KeyNotAllowed { .. } => "key-not-allowed",
            Self::AlternativeNameNotAllowed { .. } => "alternative-name-not-allowed",
            Self::TemplateAttributeMissing { .. } => "template-attribute-missing",
            Self::TemplateUnusable(_) => "template-unusable",
            Self::SubjectUnusable(_) => "subject-unusable",
            Self::AuthIdMismatch { .. } => "auth-id-mismatch",
            Self::CertificateIdMismatch { .. } => "certificate-id-mismatch",
            Self::UnknownDevice => "device-unknown",
            Self::IdentityConflict { .. } => "identity-conflict",
            Self::BindingMismatch { .. } => "binding-mismatch",
            Self::DeviceDisabled => "device-disabled",
            Self::CredentialDisabled => "credential-disabled",
            Self::DeviceRejected => "device-rejected",
            Self::Tombstoned => "tombstoned",
            Self::ProvisioningDisabled { .. } => "provisioning-disabled",
            Self::OutsideWindow { .. } => "outside-window",
            Self::SourceNotAllowed { .. } => "source-not-allowed",
            Self::DeviceIdInvalid { .. } => "device-id-invalid",
            Self::GatewayUnknown => "gateway-unknown",
            Self::GatewayDisabled => "gateway-disabled",
            Self::GatewayNotAuthorised => "gateway-not-authorised",
            Self::ClaimedByOtherGateway => "claimed-by-other-gateway",
            Self::QuotaAnchor { .. } => "quota-anchor",
            Self::QuotaTenant { .. } => "quota-tenant",
        }
    }

    /// The HTTP status at the surface for protocol adapters. The onboarding API has statuses of its
    /// own, which tell a stranger less.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::NotTrusted(ChainError::Malformed { position: 0 })
            | Self::TenantHintMalformed { .. }
            | Self::AuthIdMismatch { .. }
            | Self::CertificateIdMismatch { .. }
            | Self::DeviceIdInvalid { .. }
            | Self::TemplateAttributeMissing {
                used_for: TemplateUse::DeviceId,
                ..
            } => 400,
            Self::NotTrusted(ChainError::Empty)
            | Self::TenantUnknown
            | Self::TenantAmbiguous
            | Self::UnknownDevice
            | Self::DeviceDisabled
            | Self::ProvisioningDisabled { .. } => 404,
            Self::TenantDisabled
            | Self::AdapterDisabled { .. }
            | Self::Denied { .. }
            | Self::DeviceRejected
            | Self::Tombstoned
            | Self::OutsideWindow { .. }
            | Self::SourceNotAllowed { .. }
            | Self::GatewayUnknown
            | Self::GatewayDisabled
            | Self::GatewayNotAuthorised
            | Self::ClaimedByOtherGateway
            | Self::QuotaAnchor { .. }
            | Self::QuotaTenant { .. } => 403,
            Self::IdentityConflict { .. } => 409,
            _ => 401,
        }
    }

    /// The name of the problem type (RFC 9457) that the onboarding API answers with: it tells a
    /// stranger nothing but that its identity is taken, which it has to know to be given another.
    pub fn problem(&self) -> &'static str {
        match self {
            Self::IdentityConflict { .. } => "identity-conflict",
            _ => "not-admitted",
        }
    }

    /// Whether the device should try again by itself.
    pub fn retry(&self) -> Retry {
        match self {
            Self::NotTrusted(error) => error.retry(),
            // Switched off or full for a while: the device comes back when that changes.
            Self::TenantDisabled
            | Self::AdapterDisabled { .. }
            | Self::DeviceDisabled
            | Self::CredentialDisabled
            | Self::OutsideWindow { .. }
            | Self::GatewayDisabled
            | Self::QuotaAnchor { .. }
            | Self::QuotaTenant { .. } => Retry::Later,
            _ => Retry::Never,
        }
    }

    pub(crate) fn unfilled(error: FillError, used_for: TemplateUse) -> Self {
        match error {
            FillError::DoubledAttribute { position } => {
                Self::SubjectUnusable(UnusableSubject::DoubledAttribute { position })
            }
            error => Self::TemplateAttributeMissing { used_for, error },
        }
    }
}

impl From<ChainError> for Reason {
    fn from(error: ChainError) -> Self {
        Self::NotTrusted(error)
    }
}

/// Most of what can be wrong with a path is one code here; the sentence says the rest.
fn code_of_chain(error: &ChainError) -> &'static str {
    match error {
        ChainError::Empty
        | ChainError::NoUsableAnchor
        | ChainError::NoAnchorForIssuer
        | ChainError::BadSignature
        | ChainError::AnchorExpired { .. }
        | ChainError::AnchorNotYetValid { .. }
        | ChainError::LeafExpired { .. }
        | ChainError::LeafNotYetValid { .. }
        | ChainError::UnknownCriticalExtension
        | ChainError::LeafIsCa
        | ChainError::PurposeNotAllowed { .. }
        | ChainError::Revoked { .. }
        | ChainError::RevocationUnknown { .. }
        | ChainError::SubjectUnusable(_)
        | ChainError::Malformed { position: 0 } => error.code(),
        _ => "path-invalid",
    }
}

/// Whether a refused device should try again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request can succeed later without a change on the device.
    Later,
    /// Somebody has to act first: the refusal is terminal.
    Never,
}
