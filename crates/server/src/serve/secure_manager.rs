//! The listener of the Secure Manager's endpoints.

use std::net::SocketAddr;

use gangplank_allowlist::OptionPolicy;
use tokio::task::JoinHandle;

use crate::Server;
use crate::listen::{ListenError, PlainListener, Shutdown};
use crate::secure_manager::{SecureManager, secure_manager_router};
use crate::store::{Store, has_allowlist};

use super::ServeError;

/// Whether there is the list that they are for: a name that is misspelt would be an error of each call.
pub(super) async fn check(settings: &SecureManager, store: &dyn Store) -> Result<(), ServeError> {
    if has_allowlist(store, &settings.tenant).await? {
        return Ok(());
    }
    Err(ServeError::NoSuchTenant(settings.tenant.clone()))
}

/// Its address is taken, and nothing is answered yet.
pub(super) struct SecureManagerPort {
    listener: PlainListener,
    settings: SecureManager,
}

impl SecureManagerPort {
    pub(super) async fn bind(
        address: SocketAddr,
        settings: SecureManager,
    ) -> Result<Self, ListenError> {
        let listener = PlainListener::bind(address).await?;
        Ok(Self { listener, settings })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    pub(super) fn serve(self, server: Server, shutdown: Shutdown) -> JoinHandle<()> {
        if !self.address().ip().is_loopback() {
            tracing::warn!(
                "the Secure Manager's port has no TLS: the admin token crosses the network in clear"
            );
        }
        if self.settings.options == OptionPolicy::Compat {
            tracing::warn!(
                "the Secure Manager's port judges no options: a permitted image may be given the whole host"
            );
        }
        let router = secure_manager_router(server, self.settings);
        tokio::spawn(self.listener.serve(router, shutdown))
    }
}
