use core::fmt;
use std::borrow::Cow;

use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_token::ClientId;
use gangplank_trust::{Origin, StoredAuthId, TenantId};
use rustls_pki_types::{CertificateDer, UnixTime};

/// A device as the store knows it. It has no secret: hashes of secrets never leave the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The server's name for the device; unique over all tenants, never given out twice while the
    /// device exists.
    pub id: DeviceId,
    /// Whose device it is.
    pub tenant: TenantId,
    /// The GUID the manufacturer gave; unique within the tenant. A device without one sends no
    /// envelopes: protocol adapters speak for it.
    pub certificate_id: Option<CertificateId>,
    /// How far it has come.
    pub state: DeviceState,
    /// Set by an operator: the device is refused everywhere until it is enabled again.
    pub disabled: bool,
    /// Who vouches for it.
    pub voucher: Voucher,
    /// Grows by at least one with each change of the device's record.
    pub revision: u64,
    /// The name under which it asks for tokens; from its first onboarding until it is removed.
    pub client_id: Option<ClientId>,
    /// The anchor that vouched for it, if it came aboard by auto-provisioning.
    pub anchor_id: Option<String>,
    /// The revision of the tenant's policy under which it was provisioned.
    pub policy_revision: Option<u64>,
    /// All that is recorded of its way in, if it came aboard by auto-provisioning.
    pub origin: Option<Origin>,
    /// What it is recognised by when a trust anchor stands behind its certificate. One that an operator
    /// registered with its certificate has none.
    pub credentials: Vec<Credential>,
    /// The values that a template put into its device id, if a template made it.
    pub device_id_values: Vec<String>,
    /// What protocol adapters know of it, as JSON. The store gives no meaning to it.
    pub registration: String,
    /// What it says about itself; no fact.
    pub described: Described,
    /// Its certificates, oldest first.
    pub certificates: Vec<DeviceCertificate>,
    /// When the record was made.
    pub created_at: UnixTime,
    /// When the record was last changed.
    pub updated_at: UnixTime,
    /// When it first came aboard.
    pub aboard_at: Option<UnixTime>,
}

impl Device {
    /// Whether anybody vouches for it. Else it merely claims its certificate id, and gives way to a device
    /// that somebody vouches for.
    pub fn is_vouched_for(&self) -> bool {
        self.voucher != Voucher::Nobody
    }
}

/// Who says that a device is what it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Voucher {
    /// Nobody: it proved possession of a key.
    Nobody,
    /// An operator registered or approved its key: by that it is known.
    Operator,
    /// The trust anchor that stands behind its certificate, and has to whenever it comes.
    Anchor,
}

impl Voucher {
    const ALL: [Self; 3] = [Self::Nobody, Self::Operator, Self::Anchor];

    /// The name in storage: `nobody`, `operator` or `anchor`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Operator => "operator",
            Self::Anchor => "anchor",
        }
    }

    /// The one of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// How far a device has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceState {
    /// An operator vouched for its certificate; it has not come aboard yet.
    Registered,
    /// A stranger that waits for an operator.
    Pending,
    /// It has credentials.
    Aboard,
    /// An operator said no. Only registering its certificate anew changes that.
    Rejected,
}

impl DeviceState {
    /// Each state, in the order in which a device usually meets them.
    pub const ALL: [Self; 4] = [
        Self::Registered,
        Self::Pending,
        Self::Aboard,
        Self::Rejected,
    ];

    /// The state's name in storage and in the admin API: `registered`, `pending`, `aboard`,
    /// `rejected`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Pending => "pending",
            Self::Aboard => "aboard",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for DeviceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One certificate of a device. A device may have several, over the same or over different keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCertificate {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// SHA-256 of its SubjectPublicKeyInfo. A key belongs to at most one device.
    pub spki_sha256: [u8; 32],
    /// SHA-256 of the whole certificate.
    pub fingerprint: [u8; 32],
    /// When the store first saw it.
    pub added_at: UnixTime,
}

/// What a device is recognised by, whatever certificate it comes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Found by its text, or by its name; neither is another credential's in the tenant.
    pub auth_id: StoredAuthId,
    /// All of it, as JSON. The store gives no meaning to it.
    pub document: String,
}

/// What a device says about itself in its onboarding request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Member `vendor`.
    pub vendor: Option<String>,
    /// Member `modelNumber`.
    pub model_number: Option<String>,
    /// Member `serialNumber`.
    pub serial_number: Option<String>,
}

/// Which devices [`Store::devices`](super::Store::devices) lists. The default is the first page of
/// all.
#[derive(Clone, Debug, Default)]
pub struct DeviceQuery {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only those with this certificate id.
    pub certificate_id: Option<CertificateId>,
    /// Only those in this state.
    pub state: Option<DeviceState>,
    /// Only those whose device id is greater, byte by byte: the last one of the page before.
    pub after: Option<DeviceId>,
    /// At most so many; none or more than [`MAX_PAGE`](super::MAX_PAGE) means that many.
    pub limit: Option<usize>,
}

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The device's API (RFC 6750).
    Access,
    /// The device's Git repository.
    Git,
}

impl TokenKind {
    /// The kind's name in storage: `access` or `git`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Git => "git",
        }
    }
}

/// A token that opens something now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveToken {
    /// Whose it is: aboard, not disabled, of an enabled tenant.
    pub device: Device,
    /// The first second in which it opens nothing any more.
    pub expires_at: UnixTime,
}

/// A document that a device sent, kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The verified payload, byte for byte.
    pub body: Vec<u8>,
    /// When it was accepted.
    pub received_at: UnixTime,
}

/// The last status that a device sent about one deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentDocument {
    /// Which deployment.
    pub deployment_id: String,
    /// What the device said.
    pub document: Document,
}

/// Who caused a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The device that the entry is about.
    Device,
    /// An operator, by name.
    Operator(String),
    /// The server itself.
    Server,
}

impl Actor {
    /// The actor in one text: `device`, `server` or `operator:NAME`.
    pub fn to_text(&self) -> Cow<'static, str> {
        match self {
            Self::Device => Cow::Borrowed("device"),
            Self::Server => Cow::Borrowed("server"),
            Self::Operator(name) => Cow::Owned(format!("operator:{name}")),
        }
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "device" => Some(Self::Device),
            "server" => Some(Self::Server),
            _ => text
                .strip_prefix("operator:")
                .map(|name| Self::Operator(name.to_owned())),
        }
    }
}

/// Something that happened, to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, by the server's clock. The order of entries is that of [`AuditRecord::seq`], not of
    /// this.
    pub at: UnixTime,
    /// Who did it.
    pub actor: Actor,
    /// What was done; those that a store writes itself are in [`action`].
    pub action: Cow<'static, str>,
    /// In whose realm, where that is known.
    pub tenant: Option<TenantId>,
    /// About which device; the entry outlives it.
    pub device: Option<DeviceId>,
    /// More about it, as a JSON object, or empty. Never a secret.
    pub detail: String,
}

/// An entry with its place in the one order of all entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Greater than that of every entry committed before; there may be gaps.
    pub seq: u64,
    /// What happened.
    pub entry: AuditEntry,
}

/// The names of what a store writes into the audit by itself.
pub mod action {
    /// A certificate was registered, and the device made.
    pub const REGISTERED: &str = "device.registered";
    /// A known device has a further certificate, of a known or another key.
    pub const CERTIFICATE_ADDED: &str = "device.certificate-added";
    /// A newer certificate was used, so the older ones ended.
    pub const CERTIFICATES_ENDED: &str = "device.certificates-ended";
    /// A device was provisioned by a protocol adapter, or brought by a gateway.
    pub const PROVISIONED: &str = "device.provisioned";
    /// An operator wrote a device, or its credentials.
    pub const SAVED: &str = "device.saved";
    /// An operator lets a removed device return.
    pub const READMITTED: &str = "device.readmitted";
    /// A waiting or rejected device was let in by an operator.
    pub const APPROVED: &str = "device.approved";
    /// A device was turned away by an operator.
    pub const REJECTED: &str = "device.rejected";
    /// A device was disabled.
    pub const DISABLED: &str = "device.disabled";
    /// A device was enabled again.
    pub const ENABLED: &str = "device.enabled";
    /// A device was removed.
    pub const REMOVED: &str = "device.removed";
    /// A stranger waits for an operator.
    pub const QUEUED: &str = "device.queued";
    /// A waiting stranger gave way to a device that proved the same certificate id.
    pub const DISPLACED: &str = "device.displaced";
    /// A device came aboard for the first time.
    pub const ABOARD: &str = "device.aboard";
    /// A device came aboard again and has a new secret.
    pub const ABOARD_AGAIN: &str = "device.aboard-again";
    /// A client authenticated and has an access token.
    pub const ACCESS_TOKEN: &str = "token.access";
    /// A device has a new Git token.
    pub const GIT_TOKEN: &str = "token.git";
    /// A device sent its capabilities.
    pub const CAPABILITIES: &str = "device.capabilities";
    /// A device sent a deployment's status.
    pub const STATUS: &str = "device.status";
    /// It was said where a tenant's events go.
    pub const NOTIFICATION: &str = "tenant.notification-changed";
    /// A tenant was made.
    pub const TENANT_CREATED: &str = "tenant.created";
    /// A tenant was changed.
    pub const TENANT_CHANGED: &str = "tenant.changed";
    /// A tenant's revocation lists were changed.
    pub const REVOCATION_LISTS: &str = "tenant.revocation-lists-changed";
    /// An image may run, and is started.
    pub const IMAGE_PERMITTED: &str = "image.permitted";
    /// An image, or a command line, was not started.
    pub const IMAGE_DENIED: &str = "image.denied";
    /// A tenant's allowlist was changed.
    pub const ALLOWLIST: &str = "allowlist.changed";
    /// A tenant was removed.
    pub const TENANT_REMOVED: &str = "tenant.removed";
}

/// What an embedding service may want to act upon, written in the transaction that caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutboxEvent {
    /// A device came aboard for the first time.
    DeviceAboard,
    /// A device was provisioned by a protocol adapter, or brought by a gateway.
    DeviceProvisioned,
    /// A device was removed.
    DeviceRemoved,
}

impl OutboxEvent {
    /// The event's name in storage: `device.aboard`, `device.provisioned` or `device.removed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceAboard => "device.aboard",
            Self::DeviceProvisioned => "device.provisioned",
            Self::DeviceRemoved => "device.removed",
        }
    }

    /// The event of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::DeviceAboard,
            Self::DeviceProvisioned,
            Self::DeviceRemoved,
        ]
        .into_iter()
        .find(|event| event.as_str() == name)
    }
}

/// An event that nobody has acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    /// Greater than that of every event committed before; there may be gaps.
    pub seq: u64,
    /// When, by the server's clock.
    pub at: UnixTime,
    /// What happened.
    pub event: OutboxEvent,
    /// In whose realm.
    pub tenant: TenantId,
    /// To which device.
    pub device: DeviceId,
    /// More about it, as a JSON object: what held when it happened. Never a secret.
    pub detail: String,
}
