//! What an anchor is trusted with.

use alloc::string::String;
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use ipnet::IpNet;
use rustls_pki_types::CertificateDer;

use crate::{NamePattern, Template, Validity};

/// What becomes of the devices that an anchor vouches for. The default is that of Eclipse Hono: known
/// devices come aboard, and nobody joins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnchorPolicy {
    /// Whether the anchor counts at all.
    pub standing: AnchorStanding,
    /// Whether a device may join that nobody registered.
    pub auto_provisioning: AutoProvisioning,
    /// What it joins as.
    pub provision_as: ProvisionAs,
    /// What becomes of a stranger while auto-provisioning is disabled.
    pub approval: Approval,
    /// Makes the device id of a device that joins; a random one without it.
    pub device_id_template: Option<Template>,
    /// Makes the authentication id from the subject, at every login; the whole subject without it.
    pub auth_id_template: Option<Template>,
    /// What makes a known device the same one when it comes with another certificate.
    pub identity_binding: IdentityBinding,
    /// How many devices may join by this anchor; any number without it.
    pub max_devices: Option<u64>,
    /// When devices may join; always without it. Known devices do not mind.
    pub window: Option<Validity>,
    /// From where devices may join; from anywhere without it. Known devices do not mind.
    pub sources: Option<Vec<IpNet>>,
    /// What is asked of a leaf, at every login.
    pub leaf: LeafRules,
    /// Certificates and keys that never come aboard.
    pub deny: DenyList,
    /// Whether certificates are asked about over OCSP.
    pub ocsp: Ocsp,
}

impl AnchorPolicy {
    /// Whether a device may join that nobody registered.
    pub fn provisions(&self) -> bool {
        self.auto_provisioning == AutoProvisioning::Enabled
    }
}

/// Whether an anchor counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnchorStanding {
    /// It verifies paths.
    #[default]
    Enabled,
    /// It is as good as absent, until an operator enables it.
    Disabled,
}

/// Whether devices under an anchor may join without being registered first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoProvisioning {
    /// They must be registered.
    #[default]
    Disabled,
    /// They may join.
    Enabled,
}

/// What a device joins as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProvisionAs {
    /// For itself.
    #[default]
    Device,
    /// As a gateway that may bring edge devices.
    Gateway,
}

/// What becomes of a stranger under an anchor that does not provision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Approval {
    /// It is refused.
    #[default]
    Refuse,
    /// It waits for an operator.
    Queue,
}

/// What makes a device the same one. A weaker mode accepts more renewals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityBinding {
    /// The authentication id alone: any verified certificate with it, as Eclipse Hono has it.
    #[default]
    Subject,
    /// And the issuer's name, whatever the issuer's key.
    SubjectAndIssuer,
    /// And the device's key.
    PublicKey,
    /// And the certificate itself: an operator adds a new one.
    Certificate,
}

/// What an anchor asks of a leaf beyond a valid path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafRules {
    /// Extended key usages that the leaf has to list, each of them; one without the extension has
    /// none.
    pub purposes: Vec<ObjectIdentifier>,
    /// Kinds of key it may have; any without it.
    pub key_kinds: Option<Vec<KeyKind>>,
    /// What one of its subject alternative names (DNS name, URI or e-mail address) has to match.
    pub alternative_name: Option<NamePattern>,
}

/// Kinds of key that a device's certificate may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA over P-256.
    P256,
    /// ECDSA over P-384.
    P384,
    /// Ed25519.
    Ed25519,
    /// RSA.
    Rsa,
}

/// What never comes aboard, by SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DenyList {
    /// Of the certificate's DER.
    pub certificates: Vec<[u8; 32]>,
    /// Of the DER SubjectPublicKeyInfo.
    pub keys: Vec<[u8; 32]>,
}

/// How the status of a leaf is asked for over OCSP. Asking is the caller's; this crate takes answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ocsp {
    /// Whether a status is needed.
    pub checking: OcspChecking,
    /// Where to ask; the leaf's own authority information access without it.
    pub responder_uri: Option<String>,
    /// Who signs the answers; the anchor without it.
    pub responder_certificate: Option<CertificateDer<'static>>,
    /// Whether a question carries a nonce.
    pub nonce: OcspNonce,
}

/// Whether a question over OCSP carries a nonce (RFC 8954), so that its answer cannot be an old one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OcspNonce {
    /// It does not: responders that answer in advance know none.
    #[default]
    Omitted,
    /// It does.
    Sent,
}

/// Whether a leaf's status is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OcspChecking {
    /// Nobody asks.
    #[default]
    Disabled,
    /// Without a good one the leaf is refused.
    Enabled,
}
