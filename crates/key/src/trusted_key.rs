use crate::{CertificateId, PublicKey};

/// A public key and whose it is.
///
/// It can come only from somebody who vouches for the binding: a registry that holds the device's
/// certificate, a verified certificate path, or the caller itself. It cannot be deserialised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    id: CertificateId,
    key: PublicKey,
}

impl TrustedKey {
    /// Binds `key` to `id` because the caller says so.
    ///
    /// Call it only where the binding has been established: the certificate was registered under
    /// this id, or a validated certificate path yields it. Never with a key that arrived in the
    /// message it is to verify, unless all that is wanted is proof of possession.
    pub fn vouch(id: CertificateId, key: PublicKey) -> Self {
        Self { id, key }
    }

    /// Whose key it is.
    pub fn id(&self) -> &CertificateId {
        &self.id
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}
