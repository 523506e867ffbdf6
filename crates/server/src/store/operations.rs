use std::net::IpAddr;

use gangplank_envelope::OnceKey;
use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_token::{ClientId, StoredSecret};
use gangplank_trust::{Origin, Quotas, TenantId};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{Actor, Credential, Described, Device, DeviceState, Expected};

/// A device that the store may not know yet. The store compares these values and believes them:
/// that they belong together is the caller's finding.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Whose device it is.
    pub tenant: TenantId,
    /// Its name if it is new; a device that the key already has keeps its own.
    pub device_id: DeviceId,
    /// What it came with.
    pub certificate: NewCertificate,
}

/// A certificate that the store may not know yet, and what it is found by.
#[derive(Clone, Debug)]
pub struct NewCertificate {
    /// The GUID that the certificate yields, or the operator gave; none if it yields none.
    pub certificate_id: Option<CertificateId>,
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// SHA-256 of the whole certificate.
    pub fingerprint: [u8; 32],
}

/// An operator vouches for a certificate.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The certificate and whose it is.
    pub device: NewDevice,
    /// How many devices the tenant may have; any number without a limit.
    pub max_devices: Option<u64>,
    /// Who vouches.
    pub actor: Actor,
    /// Now.
    pub at: UnixTime,
}

/// The answer to a [`Registration`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// A new device; it may come aboard.
    Created(Device),
    /// The key waited for an operator, or had been rejected, under the same certificate id: it may
    /// come aboard now.
    Approved(Device),
    /// The key is registered under the same certificate id. A certificate not seen before was
    /// added; else nothing changed.
    Same(Device),
    /// Nothing changed.
    Conflict(Conflict),
    /// There is no such tenant; nothing changed.
    NoSuchTenant,
    /// The tenant has as many devices as it may; nothing changed.
    TenantFull,
}

/// Which identity two devices cannot share.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// The tenant has another device of this certificate id, with another key.
    CertificateIdTaken {
        /// That device.
        holder: DeviceId,
    },
    /// The key belongs to a device of another certificate id or tenant.
    KeyTaken {
        /// That device.
        holder: DeviceId,
    },
    /// The device has another certificate id than the certificate that it came with.
    OtherCertificateId {
        /// That device.
        holder: DeviceId,
    },
    /// The certificate id was removed, and whoever asks has proven no right to it.
    CertificateIdRemoved,
    /// A device has the proposed device id; propose another.
    DeviceIdTaken,
    /// A device has the proposed client id; propose another.
    ClientIdTaken,
}

/// A device that asks to come aboard, after everything was verified and decided.
#[derive(Clone, Debug)]
pub struct Admission {
    /// What was decided.
    pub plan: AdmissionPlan,
    /// The policy that it was decided by, where that is the stored one.
    pub policy: Option<PolicyRevision>,
    /// What may be seen once only; consumed whatever the outcome, except
    /// [`AdmissionOutcome::Replayed`], [`AdmissionOutcome::Outdated`] and a proposed name that is
    /// taken ([`Conflict::DeviceIdTaken`], [`Conflict::ClientIdTaken`]).
    pub once: Vec<OnceKey>,
    /// What the device gets if it comes aboard. Without them it does not: a protocol adapter asks for
    /// it, and it is made known and no more.
    pub credentials: Option<Credentials>,
    /// What it says about itself; a member that is absent changes nothing.
    pub described: Described,
    /// The address it came from, for the audit.
    pub source: Option<IpAddr>,
    /// Now.
    pub at: UnixTime,
}

/// A tenant's policy as it is or was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRevision {
    /// Whose policy.
    pub tenant: TenantId,
    /// See [`TenantRecord::policy_revision`](super::TenantRecord::policy_revision).
    pub revision: u64,
}

/// On what ground a device asks to come aboard.
#[derive(Clone, Debug)]
pub enum AdmissionPlan {
    /// It is known: by a registered key, or by its credential and a proven chain.
    Known {
        /// Which device.
        device_id: DeviceId,
        /// The certificate that heads the chain, if it proved one: from now on one of the device's.
        came_with: Option<NewCertificate>,
        /// The revision of the device that was decided on; any, where the key alone decided.
        revision: Option<u64>,
    },
    /// It proved a chain to an anchor that lets unknown devices aboard.
    Provision {
        /// The device; its certificate id must be the one that the verified certificate yields.
        device: NewDevice,
        /// How, and how many others.
        provisioning: Box<Provisioning>,
    },
    /// It is to wait for an operator.
    Queue {
        /// The device.
        device: NewDevice,
        /// The credential that it gets if it proved a chain; without, possession of its key is all that
        /// it proved.
        credential: Option<Credential>,
    },
}

/// How a device joins by an anchor that lets strangers join.
#[derive(Clone, Debug)]
pub struct Provisioning {
    /// How it came: recorded on the device.
    pub origin: Origin,
    /// The credential it gets.
    pub credential: Credential,
    /// As in [`Device`].
    pub device_id_values: Vec<String>,
    /// As in [`Device`].
    pub registration: String,
    /// How many devices there may be with it.
    pub quotas: Quotas,
}

/// What a device gets when it comes aboard: machine-made secrets as their keyed hashes.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its client id if it has none yet; a device keeps the one it has.
    pub client_id: ClientId,
    /// Its new client secret.
    pub secret: StoredSecret,
    /// Its new Git token.
    pub git_token: StoredSecret,
    /// The first second in which the Git token is dead.
    pub git_expires_at: UnixTime,
}

/// The answer to an [`Admission`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmissionOutcome {
    /// Aboard for the first time, under this client id. Of racing first calls exactly one gets
    /// this answer.
    Created(Device, ClientId),
    /// Aboard once more, with the new credentials beside the old.
    Again(Device, ClientId),
    /// Made known, by exactly one of racing calls; there were no credentials to give.
    Provisioned(Device),
    /// Known; there were no credentials to give.
    Recognised(Device),
    /// An operator has to decide.
    Pending(Device),
    /// One of the once keys was seen before or is out of date; nothing at all changed.
    Replayed,
    /// The tenant's policy or the device is no longer the one that was decided on, or another has the
    /// identity that was free; nothing at all changed. Decide again.
    Outdated,
    /// No, whoever asks.
    NotAdmissible(Inadmissible),
    /// The identity is another device's. To an unregistered certificate this must not be told
    /// apart from what it would be told otherwise.
    Conflict(Conflict),
}

/// Why a device may not act. For the operator's log; the wire says less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inadmissible {
    /// There is no such device, or it was removed and not registered since.
    #[error("the device was removed or never existed")]
    Removed,
    /// An operator rejected it.
    #[error("the device was rejected")]
    Rejected,
    /// An operator disabled it.
    #[error("the device is disabled")]
    Disabled,
    /// It has not come aboard yet.
    #[error("the device has not come aboard")]
    NotAboard,
    /// Its tenant is disabled or does not exist.
    #[error("the tenant is disabled or does not exist")]
    Tenant,
    /// The anchor that vouches for it has provisioned as many devices as it may.
    #[error("quota-anchor: the trust anchor has provisioned as many devices as it may")]
    AnchorQuota,
    /// The tenant has as many devices as it may.
    #[error("quota-tenant: the tenant has as many devices as it may")]
    TenantQuota,
}

/// A client asks for an access token (RFC 6749 §4.4).
#[derive(Clone, Debug)]
pub struct ClientAuthentication {
    /// Who it says it is.
    pub client_id: ClientId,
    /// The keyed hash of the secret it showed.
    pub presented: StoredSecret,
    /// The token it gets.
    pub access_token: StoredSecret,
    /// The first second in which the token is dead.
    pub expires_at: UnixTime,
    /// Now.
    pub at: UnixTime,
}

/// The answer to a [`ClientAuthentication`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthenticationOutcome {
    /// The token is live and opens this device's API. If the secret was the newest, the older
    /// ones have ended.
    Issued(DeviceId),
    /// Unknown client, wrong secret, or a device that may not act; nothing changed.
    InvalidClient,
}

/// A device gets a new Git token.
#[derive(Clone, Debug)]
pub struct GitTokenIssue {
    /// Which device.
    pub device_id: DeviceId,
    /// The token.
    pub token: StoredSecret,
    /// The first second in which it is dead.
    pub expires_at: UnixTime,
    /// Now.
    pub at: UnixTime,
}

/// The answer to a [`GitTokenIssue`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueOutcome {
    /// The token is live.
    Issued,
    /// Nothing changed.
    NotAdmissible(Inadmissible),
}

/// A device says what it can do.
#[derive(Clone, Debug)]
pub struct CapabilitiesReport {
    /// Which device.
    pub device_id: DeviceId,
    /// The verified payload.
    pub body: Vec<u8>,
    /// What may be seen once only.
    pub once: Vec<OnceKey>,
    /// Now.
    pub at: UnixTime,
}

/// A device says how a deployment goes.
#[derive(Clone, Debug)]
pub struct StatusReport {
    /// Which device.
    pub device_id: DeviceId,
    /// Which deployment.
    pub deployment_id: String,
    /// The verified payload.
    pub body: Vec<u8>,
    /// What may be seen once only.
    pub once: Vec<OnceKey>,
    /// Now.
    pub at: UnixTime,
}

/// The answer to a [`CapabilitiesReport`] or [`StatusReport`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The first of its kind.
    Created,
    /// It took the place of an earlier one.
    Updated,
    /// One of the once keys was seen before or is out of date; nothing at all changed.
    Replayed,
    /// Nothing was stored, though the once keys are consumed.
    NotAdmissible(Inadmissible),
}

/// What an operator does to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Let a waiting device come aboard. Only from [`DeviceState::Pending`].
    Approve {
        /// How many devices its tenant may have; any number without a limit.
        max_devices: Option<u64>,
    },
    /// Turn it away for good: its tokens and secrets end.
    Reject,
    /// Refuse it until it is enabled again: its tokens end, its secrets rest.
    Disable,
    /// Take it in again.
    Enable,
    /// Forget it and all it has. Its certificate id, keys and authentication ids are remembered as
    /// removed: they neither come aboard nor queue in this tenant until they are registered anew, or
    /// the device is readmitted.
    Remove {
        /// What has to be stored of it.
        expected: Expected,
    },
}

/// The answer to a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one answer at a time is looked at and dropped"
)]
pub enum ChangeOutcome {
    /// The device as it is now; as it last was if it was removed. If it already was so, nothing
    /// changed.
    Done(Device),
    /// There is no such device.
    NotFound,
    /// The change is not possible from this state; nothing changed.
    WrongState(DeviceState),
    /// The tenant has as many devices as it may; nothing changed.
    TenantFull,
    /// Another revision is stored than is expected; nothing changed.
    Changed {
        /// The one that is.
        current: u64,
    },
}

/// What [`Store::purge`](super::Store::purge) deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Once keys.
    pub once: u64,
    /// Tokens.
    pub tokens: u64,
}
