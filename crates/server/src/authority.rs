//! The orchestrator's own identity: a root, and under it a TLS and a signing certificate, kept as
//! files in a data directory.
//!
//! ```no_run
//! use gangplank_server::authority::Authority;
//! use rustls_pki_types::UnixTime;
//!
//! let authority = Authority::open("data".as_ref(), "orchestrator.example", UnixTime::now())?;
//! println!("root certificate, {} bytes", authority.root_certificate().len());
//! # Ok::<(), gangplank_server::authority::AuthorityError>(())
//! ```
//!
//! The first start makes everything. A key is never overwritten, and a certificate that is missing
//! is made again from its key; so being killed at any moment costs nothing, and restoring the files
//! from a backup restores the identity. Files under the directory (mode 0700, each file 0600):
//!
//! | file | holds |
//! |---|---|
//! | `server.key` | 32 random bytes in hex, from which every secret of the server is derived |
//! | `root.key`, `root.pem` | the root; 20 years, may sign leaves only |
//! | `signing.key`, `signing.pem` | signs envelopes; 90 days, renewed by itself |
//! | `tls.key`, `tls.pem` | TLS; 90 days, renewed by itself |
//! | `admin.token` | the operator's bearer token |
//!
//! Removing `tls.key`, `signing.key` or `admin.token` and starting again replaces that secret.
//! This module reads no clock: the time comes in. It does not issue certificates to devices.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::ResolvesServerCert;
use rustls_pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256};

mod certificate;
mod error;
mod files;
mod identity;
mod leaf;
mod root;
mod secrets;
#[cfg(test)]
mod tests;

pub use error::AuthorityError;
pub use identity::Signer;
pub use secrets::{AdminToken, ServerKey};

use crate::listen::Shutdown;
use certificate::Validity;
use files::DataDirectory;
use identity::{Current, TlsIdentity, tls_key};
use leaf::{Leaf, Purpose};
use root::Root;

/// The orchestrator's identity, open and in use.
#[derive(Debug)]
pub struct Authority {
    directory: DataDirectory,
    tls_purpose: Purpose,
    root: CertificateDer<'static>,
    tls: Arc<TlsIdentity>,
    signer: Current<Signer>,
    validity: Current<[Validity; 2]>,
    server_key: ServerKey,
    admin_token: AdminToken,
}

impl Authority {
    /// Opens the identity in `directory`, making what is absent and renewing what is due.
    ///
    /// `public_host` is the host of the server's public URL: a DNS name or an IP address. The TLS
    /// certificate carries it beside `localhost`, `127.0.0.1` and `::1`, and is issued anew when it
    /// changes.
    ///
    /// # Errors
    /// [`AuthorityError`], naming the file and what the operator can do.
    pub fn open(
        directory: &Path,
        public_host: &str,
        now: UnixTime,
    ) -> Result<Self, AuthorityError> {
        let tls_purpose = Purpose::tls(public_host)?;
        let directory = DataDirectory::open(directory)?;
        // The server's key is made before the root, so that a root without it tells of a loss.
        Root::refuse_lost_server_key(&directory)?;
        let server_key = ServerKey::open(&directory)?;
        let root = Root::open(&directory, now)?;
        let signing = Leaf::open(&directory, &Purpose::Signing, &root, now)?;
        let tls = Leaf::open(&directory, &tls_purpose, &root, now)?;
        Ok(Self {
            root: root.certificate().clone(),
            tls: Arc::new(TlsIdentity(Current::new(tls_key(&tls)?))),
            signer: Current::new(Signer::new(&signing)?),
            validity: Current::new([signing.validity, tls.validity]),
            server_key,
            admin_token: AdminToken::open(&directory)?,
            tls_purpose,
            directory,
        })
    }

    /// The root certificate, which devices come to trust.
    pub fn root_certificate(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// SHA-256 of the root certificate, as it stands in the join string.
    pub fn root_fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.root).into()
    }

    /// Presents the TLS certificate of the moment; for
    /// [`ListenConfig`](crate::listen::ListenConfig) or a rustls `ServerConfig` of one's own.
    pub fn tls_resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.tls) as Arc<dyn ResolvesServerCert>
    }

    /// What signs answers at this moment. Ask for each answer anew: it changes on renewal.
    pub fn signer(&self) -> Arc<Signer> {
        self.signer.get()
    }

    /// The key from which the server's other secrets are derived.
    pub fn server_key(&self) -> &ServerKey {
        &self.server_key
    }

    /// The operator's token.
    pub fn admin_token(&self) -> &AdminToken {
        &self.admin_token
    }

    /// Whether a certificate has less than a third of its lifetime left.
    pub fn renew_due(&self, now: UnixTime) -> bool {
        self.validity
            .get()
            .iter()
            .any(|validity| validity.renewal_due(now))
    }

    /// Issues anew what is due, over the same keys, and puts it to use at once. Does file I/O and
    /// blocks for it.
    ///
    /// # Errors
    /// [`AuthorityError`]; the certificates in use stay in use.
    pub fn renew(&self, now: UnixTime) -> Result<(), AuthorityError> {
        if !self.renew_due(now) {
            return Ok(());
        }
        let root = Root::open(&self.directory, now)?;
        if *root.certificate() != self.root {
            return Err(AuthorityError::Unusable {
                path: self.directory.path("root.pem"),
                problem: "is not the root certificate this server started with",
                remedy: "restore it, or restart the server",
            });
        }
        let signing = Leaf::open(&self.directory, &Purpose::Signing, &root, now)?;
        let tls = Leaf::open(&self.directory, &self.tls_purpose, &root, now)?;
        let (signer, certified) = (Signer::new(&signing)?, tls_key(&tls)?);
        self.signer.set(signer);
        self.tls.0.set(certified);
        self.validity.set([signing.validity, tls.validity]);
        Ok(())
    }

    /// Renews until `shutdown`, looking every `interval`; an hour is plenty. A failure is logged and
    /// tried again at the next turn.
    pub async fn keep_renewed(
        self: Arc<Self>,
        clock: impl Fn() -> UnixTime + Send,
        interval: Duration,
        mut shutdown: Shutdown,
    ) {
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                () = tokio::time::sleep(interval) => {}
            }
            let (authority, now) = (Arc::clone(&self), clock());
            match tokio::task::spawn_blocking(move || authority.renew(now)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot renew the certificates"
                ),
                Err(error) => tracing::error!(%error, "renewing the certificates failed"),
            }
        }
    }
}
