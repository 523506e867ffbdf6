//! Which certificates are believed, whose key that proves, and whether a stranger may join.
//!
//! Three questions, three places. [`verify`] is cryptography: does a certificate path lead from
//! this leaf to a trust anchor of this tenant? [`decide`] is a pure function: given that proof, the
//! tenant's policy and what is already known, may the device come aboard, and if not, why?
//! [`orchestrator::verify_orchestrator`] is the device's side: was this answer's certificate issued
//! by the root it holds, for signing answers and for nothing else?
//!
//! What this crate does not do: it reads no clock and no file, asks no revocation service, keeps no
//! state, and applies no decision. It does not match host names; that is TLS's business.
//! [`DistinguishedName`] compares names by the rules of RFC 5280 §7.1, and [`Template`] makes ids of
//! them, for tenants and devices.
//!
//! ```
//! use gangplank_key::Backend;
//! use gangplank_testkit::{Leaf, NOW, TestCa};
//! use gangplank_trust::{
//!     Anchor, AnchorPolicy, AutoProvisioning, Known, Outcome, Proof, Revocation, Source, Tenant,
//!     TenantId, decide, verify,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ca = TestCa::new("Acme Device CA");
//! let device = ca.issue(&Leaf::new("pump").serial_number("SN-1"));
//!
//! let anchor = Anchor::from_certificate("acme", ca.certificate.clone())?;
//! let policy = AnchorPolicy { auto_provisioning: AutoProvisioning::Enabled, ..AnchorPolicy::default() };
//! let mut tenant = Tenant::new(TenantId::parse("plant-7")?);
//! tenant.anchors.push(anchor.with_policy(policy));
//!
//! let revocation = Revocation::NotChecked;
//! let chain = verify(&[device.certificate], &tenant, revocation, Backend::PURE_RUST, NOW)?;
//! assert_eq!(chain.certificate_id().map(|id| id.as_str()), Ok("SN-1"));
//!
//! let decision = decide(&Proof::Chain(&chain), &tenant, Known::default(), Source::Unknown, NOW);
//! assert!(matches!(decision.outcome, Outcome::Provision(_)));
//! # Ok(())
//! # }
//! ```

#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod adapter;
mod adapters;
mod alias;
mod anchor;
mod auth_id;
mod certificate;
mod chain;
mod chain_error;
mod decide;
mod device_id;
mod distinguished_name;
mod document;
mod edge;
mod elements;
mod explain;
mod index;
mod known;
mod leaf_rules;
mod lint;
mod name_pattern;
mod path;
mod plan;
mod policy;
mod reason;
mod revocation;
mod subject;
mod template;
mod tenant;
mod tenant_id;

pub mod orchestrator;
pub mod roots;

pub use adapter::{AuthInfo, CredentialsRequest};
pub use adapters::{Adapter, AdapterList, Adapters};
pub use alias::{Alias, AliasError};
pub use anchor::{Anchor, AnchorError, Validity, ValidityInverted};
pub use auth_id::{AuthId, StoredAuthId};
pub use chain::{VerifiedChain, verify};
pub use chain_error::ChainError;
pub use decide::{Change, Decision, Outcome, Proof, Recognition, Rule, Source, TraceEntry, decide};
pub use device_id::is_device_id;
pub use distinguished_name::{
    DistinguishedName, MAX_ATTRIBUTES, MAX_NAME_BYTES, MAX_RELATIVE_NAMES, NameError,
    NameTextError, PreparedName, UnusableSubject,
};
pub use document::{
    AdapterAnchor, AdapterView, Authority, CertificateSecret, CredentialDocument,
    CredentialsLookup, DeviceDocument, DeviceStatus, DocumentError, FreeObject, GatewayLinks,
    ImportDocument, ImportedDevice, KeyAlgorithm, MAX_ANCHORS, MAX_CREDENTIALS, MAX_DENIED,
    MAX_DOCUMENT_BYTES, MAX_GATEWAYS, MAX_IMPORTED, MAX_NESTING, MAX_PURPOSES, MAX_SOURCES,
    RegistrationLimits, TenantDocument, TenantLookup,
};
pub use edge::{EdgeDevice, EdgeOutcome, Gateway, decide_edge};
pub use explain::{Arrival, Explanation, explain};
pub use index::{Found, FoundBy, SaveError, TenantHint, TenantIndex, TenantNotFound};
pub use known::{Bound, Known, KnownDevice, Standing};
pub use lint::{Lint, LintCode, Severity, lint};
pub use name_pattern::{NamePattern, NamePatternError};
pub use path::{
    CertificateFault, MAX_CERTIFICATE_BYTES, MAX_CERTIFICATES, MAX_INTERMEDIATES, PathProfile,
    Purpose, VerifiedPath, verify_path,
};
pub use plan::{Origin, Plan, PlannedDeviceId, Quotas};
pub use policy::{
    AnchorPolicy, AnchorStanding, Approval, AutoProvisioning, DenyList, IdentityBinding, KeyKind,
    LeafRules, Ocsp, OcspChecking, OcspNonce, ProvisionAs,
};
pub use reason::{Reason, Retry};
pub use revocation::{
    LeafStatus, MAX_REVOCATION_LIST_BYTES, MAX_REVOCATION_LISTS, NoStatus, Revocation,
    RevocationListError, RevocationListOutline, RevocationLists,
};
pub use subject::{SubjectError, claimed_certificate_id, claimed_issuer};
pub use template::{
    FillError, Filled, MAX_FILLED_BYTES, Placeholder, Template, TemplateError, TemplateLint,
    TemplateUse,
};
pub use tenant::{Tenant, UnknownDevices};
pub use tenant_id::{TenantId, TenantIdError};
