//! Tenants, devices and credentials as JSON documents, as Eclipse Hono has them.

mod adapter_view;
mod anchor;
mod credential;
mod credentials_lookup;
mod device;
mod error;
mod free_object;
mod import;
mod json;
mod key_algorithm;
mod lookup;
mod object;
mod policy;
mod stored;
mod tenant;
mod time;
mod values;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rustls_pki_types::UnixTime;

pub use adapter_view::{AdapterAnchor, AdapterView};
pub use credential::{CertificateSecret, CredentialDocument};
pub use credentials_lookup::CredentialsLookup;
pub use device::{Authority, DeviceDocument, DeviceStatus, GatewayLinks};
pub use error::DocumentError;
pub use free_object::FreeObject;
pub use import::{ImportDocument, ImportedDevice};
pub use key_algorithm::KeyAlgorithm;
pub use lookup::TenantLookup;

use crate::{Adapters, Alias, Anchor, Tenant, TenantId};
use anchor::Entry;
use json::Json;

/// A tenant as an operator manages it: Eclipse Hono's management view, and what gangplank adds to it.
///
/// What is read is right: ids of anchors are unique, every anchor has a name, a key of a known family
/// and a window, and nothing is there that is not known. `docs/trust.md` lists the members.
///
/// ```
/// use gangplank_trust::TenantDocument;
///
/// # fn main() -> Result<(), gangplank_trust::DocumentError> {
/// let mut no_ids = || String::new();
/// let document = TenantDocument::decode(br#"{"alias": "plant-7"}"#, &mut no_ids)?;
/// assert_eq!(document.encode(), r#"{"alias":"plant-7"}"#);
///
/// let error = TenantDocument::decode(br#"{"trusted-ca": [{"colour": 1}]}"#, &mut no_ids);
/// assert_eq!(error.unwrap_err().pointer(), "/trusted-ca/0/colour");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TenantDocument {
    /// Whether devices are admitted; they are if nothing is said.
    pub enabled: Option<bool>,
    /// Another name of the tenant.
    pub alias: Option<Alias>,
    /// Tenants of one group may trust anchors of one name.
    pub trust_anchor_group: Option<String>,
    /// The operator's own data.
    pub ext: FreeObject,
    /// Defaults for what its devices send.
    pub defaults: FreeObject,
    /// The protocol adapters that its devices may use.
    pub adapters: Adapters,
    /// Bytes that the smallest message is counted as.
    pub minimum_message_size: u32,
    /// What its devices may use up, for adapters to enforce.
    pub resource_limits: Option<FreeObject>,
    /// How many devices and credentials it may have.
    pub registration_limits: Option<RegistrationLimits>,
    /// How requests of its devices are traced, for adapters.
    pub tracing: Option<FreeObject>,
    anchors: Vec<Entry>,
}

/// How many devices and credentials a tenant may have; any number where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegistrationLimits {
    /// Devices.
    pub max_devices: Option<u32>,
    /// Credentials of one device.
    pub max_credentials_per_device: Option<u32>,
}

impl TenantDocument {
    /// Reads what an operator wrote. `new_id` makes the id of each anchor that has none: give it
    /// something random.
    ///
    /// # Errors
    /// [`DocumentError`]: the first thing that is wrong, and where.
    pub fn decode(json: &[u8], new_id: &mut dyn FnMut() -> String) -> Result<Self, DocumentError> {
        tenant::read(Json::read(json)?, "", &mut |_| None, new_id)
    }

    /// Writes what an operator is shown, as compact JSON.
    ///
    /// It never has a certificate of an anchor. Whoever gives it back to [`TenantDocument::decode`] has
    /// bare anchors then: see [`TenantDocument::with_certificates_of`].
    pub fn encode(&self) -> String {
        tenant::write(self).to_string()
    }

    /// Writes what a database keeps: all of it, the certificates included. Only
    /// [`TenantDocument::from_stored`] reads it; it is never sent to anybody.
    pub fn to_stored(&self) -> String {
        stored::write(self).to_string()
    }

    /// Reads what [`TenantDocument::to_stored`] wrote.
    ///
    /// # Errors
    /// [`DocumentError`]: it is something else.
    pub fn from_stored(json: &[u8]) -> Result<Self, DocumentError> {
        stored::read(Json::read(json)?)
    }

    /// The same document, where each anchor without a certificate that `stored` has with one, by the
    /// same id and with the same name, key and window, keeps that certificate.
    ///
    /// Anything else in an update would lose what only the certificate says: that it is no authority
    /// but a pinned device, its name constraints and the length of its paths.
    #[must_use]
    pub fn with_certificates_of(mut self, stored: &Self) -> Self {
        for entry in &mut self.anchors {
            let former = stored
                .anchors()
                .find(|former| former.id() == entry.anchor.id());
            let certified = former.and_then(|former| certified(&entry.anchor, former));
            if let Some(anchor) = certified {
                *entry = Entry::of(anchor);
            }
        }
        self
    }

    /// The anchors, in the order they were written in.
    pub fn anchors(&self) -> impl ExactSizeIterator<Item = &Anchor> {
        self.anchors.iter().map(|entry| &entry.anchor)
    }

    /// Adds an anchor, or puts it in place of the one with its id.
    ///
    /// # Errors
    /// [`DocumentError`]: it cannot be written, or there are [`MAX_ANCHORS`].
    pub fn set_anchor(&mut self, anchor: Anchor) -> Result<(), DocumentError> {
        let at = self.anchors().position(|found| found.id() == anchor.id());
        let at = at.unwrap_or(self.anchors.len());
        let entry = Entry::of(anchor);
        entry.check(&alloc::format!("/trusted-ca/{at}"))?;
        match self.anchors.get_mut(at) {
            Some(former) => *former = entry,
            None if at < MAX_ANCHORS => self.anchors.push(entry),
            None => {
                return Err(DocumentError::TooMany {
                    pointer: "/trusted-ca".to_string(),
                    limit: MAX_ANCHORS,
                    found: at + 1,
                });
            }
        }
        Ok(())
    }

    /// Takes the anchor of this id out.
    pub fn remove_anchor(&mut self, id: &str) -> Option<Anchor> {
        let at = self.anchors().position(|found| found.id() == id)?;
        Some(self.anchors.remove(at).anchor)
    }

    /// The tenant that the document describes, under this name and revision.
    pub fn tenant(&self, id: TenantId, policy_revision: u64) -> Tenant {
        let limits = self.registration_limits.unwrap_or_default();
        Tenant {
            enabled: self.enabled.unwrap_or(true),
            policy_revision,
            anchors: self.anchors().cloned().collect(),
            max_devices: limits.max_devices.map(u64::from),
            max_credentials_per_device: limits.max_credentials_per_device.map(u64::from),
            alias: self.alias.clone(),
            trust_anchor_group: self.trust_anchor_group.clone(),
            adapters: self.adapters.clone(),
            ..Tenant::new(id)
        }
    }

    /// What protocol adapters are shown at `now`: no anchor that is disabled or outside of its window.
    pub fn adapter_view(&self, id: TenantId, now: UnixTime) -> AdapterView {
        adapter_view::of(self, id, now)
    }
}

fn certified(anchor: &Anchor, former: &Anchor) -> Option<Anchor> {
    let certificate = former.certificate()?;
    let same = anchor.certificate().is_none()
        && anchor.spki() == former.spki()
        && anchor.validity() == former.validity()
        && anchor.name().matches(former.name());
    let with_certificate = same.then(|| Anchor::from_certificate(anchor.id(), certificate.clone()));
    let with_certificate = with_certificate?.ok()?;
    Some(with_certificate.with_policy(anchor.policy().clone()))
}

/// Bytes of one document: room for [`MAX_ANCHORS`] with a certificate of 4 KiB each, in base64.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// Lists and objects inside of each other: a tenant needs five, the operator's own data gets the rest.
/// It bounds the stack.
pub const MAX_NESTING: usize = 32;

/// Anchors of one tenant: a path may end at each of those that have its name, and each costs a
/// verification.
pub const MAX_ANCHORS: usize = 128;

/// Ranges of addresses in one anchor's `source-cidrs`, all compared at each provisioning.
pub const MAX_SOURCES: usize = 256;

/// Purposes in one anchor's `extended-key-usage`; certificates met in the field have at most five.
pub const MAX_PURPOSES: usize = 16;

/// Hashes in each list of one anchor's `deny`, all compared at each login; more are the business of a
/// revocation list.
pub const MAX_DENIED: usize = 1024;

/// Names in each of a device's `via`, `viaGroups` and `memberOf`, all compared at each of its messages.
pub const MAX_GATEWAYS: usize = 256;

/// Credentials of one device: it has one for each name that its certificates bear.
pub const MAX_CREDENTIALS: usize = 64;

/// Devices of one import, all saved in one transaction; with a certificate of 700 bytes each they fit
/// into [`MAX_DOCUMENT_BYTES`].
pub const MAX_IMPORTED: usize = 1000;

#[cfg(test)]
mod tests;
