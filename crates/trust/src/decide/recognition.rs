use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Question, Rule};
use crate::auth_id::Sameness;
use crate::{Anchor, AuthId, IdentityBinding, KnownDevice, Reason, VerifiedChain};

/// A known device, and what is new about the certificate it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognition {
    /// Its device id.
    pub device_id: String,
    /// What is new about what it came with, to explain. Whoever applies the decision records the
    /// certificate: both the old and the new count until the new one has been used.
    pub changes: Vec<Change>,
}

/// What a known device came with for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Another certificate.
    Certificate,
    /// Another key.
    Key,
    /// A certificate of another issuer.
    Issuer,
}

impl Recognition {
    pub(super) fn unchanged(device: &KnownDevice) -> Self {
        Self {
            device_id: device.device_id.clone(),
            changes: Vec::new(),
        }
    }
}

impl Question<'_> {
    /// Whether this is the device that the certificate names, and it may come with the certificate.
    pub(super) fn recognise(
        &mut self,
        device: &KnownDevice,
        chain: &VerifiedChain,
        anchor: &Anchor,
        auth_id: &AuthId,
    ) -> Result<Recognition, Reason> {
        let same = is_same(device, chain, auth_id);
        self.trace
            .require(Rule::Identity, same, device.device_id.clone(), || {
                conflict_with(device)
            })?;
        self.certificate_id(device, chain)?;
        let changes = changes(device, chain);
        let mode = anchor.policy().identity_binding;
        let broken = changes.iter().find_map(|change| holds_to(mode, *change));
        let binding = match broken {
            None => Ok(()),
            Some(bound_to) => Err(Reason::BindingMismatch {
                known: device.device_id.clone(),
                bound_to,
                anchor: anchor.id().to_string(),
            }),
        };
        let saw = |_: &()| format!("{}, changed: {changes:?}", name(mode)).to_lowercase();
        self.trace.result(Rule::Binding, binding, saw)?;
        Ok(Recognition {
            device_id: device.device_id.clone(),
            changes,
        })
    }

    /// A device keeps its certificate id, which its envelopes are verified by. Letter case counts, unlike
    /// in a subject's comparison.
    fn certificate_id(
        &mut self,
        device: &KnownDevice,
        chain: &VerifiedChain,
    ) -> Result<(), Reason> {
        let Some((known, yields)) = device
            .certificate_id
            .as_ref()
            .zip(chain.certificate_id().ok())
        else {
            return Ok(());
        };
        self.trace.require(
            Rule::CertificateId,
            known == yields,
            yields.to_string(),
            || Reason::CertificateIdMismatch {
                claimed: known.to_string(),
                yields: yields.to_string(),
            },
        )
    }

    /// A removed device stays out by its identity; a key in the mode that binds to keys as well.
    pub(super) fn tombstoned(
        &mut self,
        device: &KnownDevice,
        chain: &VerifiedChain,
        anchor: &Anchor,
        auth_id: &AuthId,
    ) -> Result<(), Reason> {
        let by_key = anchor.policy().identity_binding == IdentityBinding::PublicKey
            && device.bound.spki_sha256.contains(&chain.spki_sha256());
        let same = match &device.auth_id {
            Some(stored) => auth_id.compare(stored) == Sameness::Same,
            // Found by its certificate id or key, which is all that is left of it.
            None => true,
        };
        let lifted = !(same || by_key);
        self.trace
            .require(Rule::Tombstone, lifted, device.device_id.clone(), || {
                Reason::Tombstoned
            })
    }
}

pub(super) fn conflict_with(device: &KnownDevice) -> Reason {
    Reason::IdentityConflict {
        known: device.device_id.clone(),
    }
}

/// A device with a credential is known by that. One that an operator registered by certificate id
/// alone has to come with its key, too: whoever can make an authority write an id must not thereby
/// take the device over.
fn is_same(device: &KnownDevice, chain: &VerifiedChain, auth_id: &AuthId) -> bool {
    match &device.auth_id {
        Some(stored) => auth_id.compare(stored) == Sameness::Same,
        None => {
            let id = chain.certificate_id().ok();
            let key = chain.spki_sha256();
            id.is_some()
                && id == device.certificate_id.as_ref()
                && device.bound.spki_sha256.contains(&key)
        }
    }
}

/// What is recorded, and the certificate does not have.
fn changes(device: &KnownDevice, chain: &VerifiedChain) -> Vec<Change> {
    let bound = &device.bound;
    let lacks = |recorded: &[[u8; 32]], found| !recorded.is_empty() && !recorded.contains(&found);
    let found = [
        (
            Change::Certificate,
            lacks(&bound.certificate_sha256, chain.certificate_sha256()),
        ),
        (Change::Key, lacks(&bound.spki_sha256, chain.spki_sha256())),
        (
            Change::Issuer,
            !bound.issuers.is_empty() && !bound.issuers.contains(&chain.issuer().prepared()),
        ),
    ];
    let found = found.into_iter().filter(|(_, changed)| *changed);
    found.map(|(change, _)| change).collect()
}

/// What a mode holds a device to that this change gives up, if it does.
fn holds_to(mode: IdentityBinding, change: Change) -> Option<&'static str> {
    match (mode, change) {
        (IdentityBinding::SubjectAndIssuer, Change::Issuer) => Some("issuer"),
        (IdentityBinding::PublicKey, Change::Key) => Some("key"),
        (IdentityBinding::Certificate, Change::Certificate) => Some("certificate"),
        _ => None,
    }
}

fn name(mode: IdentityBinding) -> &'static str {
    match mode {
        IdentityBinding::Subject => "subject",
        IdentityBinding::SubjectAndIssuer => "subject+issuer",
        IdentityBinding::PublicKey => "public-key",
        IdentityBinding::Certificate => "certificate",
    }
}
