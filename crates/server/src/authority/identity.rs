//! The two identities in use: what TLS presents and what signs envelopes. Both can be exchanged
//! while the server runs.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use gangplank_key::{AwsLcKey, CertificateId};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use super::AuthorityError;
use super::leaf::Leaf;

/// A value that readers see whole, old or new, while it is exchanged.
#[derive(Debug)]
pub(super) struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    pub(super) fn new(value: T) -> Self {
        Self(RwLock::new(Arc::new(value)))
    }

    // A poisoned lock still holds a whole value: nothing panics between taking and exchanging it.
    pub(super) fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

/// Presents the TLS certificate of the moment, whatever name the client asks for.
#[derive(Debug)]
pub(super) struct TlsIdentity(pub(super) Current<CertifiedKey>);

impl ResolvesServerCert for TlsIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.get())
    }
}

/// What signs the orchestrator's answers: a key and the certificate under the root that says so.
pub struct Signer {
    certificate: CertificateDer<'static>,
    id: CertificateId,
    key: AwsLcKey,
}

impl Signer {
    /// The signing certificate, to travel in the envelope's `certificates`.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The envelope's `certificateId`: lower-case hex SHA-256 of the signing certificate.
    pub fn id(&self) -> &CertificateId {
        &self.id
    }

    /// The private key.
    pub fn key(&self) -> &AwsLcKey {
        &self.key
    }

    pub(super) fn new(leaf: &Leaf) -> Result<Self, AuthorityError> {
        let make = |error: &dyn fmt::Display| AuthorityError::Make(error.to_string());
        let digest = Sha256::digest(&leaf.certificate);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            id: CertificateId::parse(&hex).map_err(|error| make(&error))?,
            key: AwsLcKey::from_pkcs8_der(leaf.private_key().secret_pkcs8_der())
                .map_err(|error| make(&error))?,
            certificate: leaf.certificate.clone(),
        })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

pub(super) fn tls_key(leaf: &Leaf) -> Result<CertifiedKey, AuthorityError> {
    let key = rustls::crypto::aws_lc_rs::sign::any_ecdsa_type(&leaf.private_key().into())
        .map_err(|error| AuthorityError::Make(error.to_string()))?;
    Ok(CertifiedKey::new(vec![leaf.certificate.clone()], key))
}
