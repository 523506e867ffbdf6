//! The registry: devices and their credentials as operators write them, and what protocol adapters ask
//! about the devices that connect to them. The HTTP API of both is a way to these calls and no more.
//!
//! [`Server::adapter`] and [`Server::registry`] lead here.

mod adapter;
mod devices;
mod edge;
mod error;
mod record;
mod removal;
mod saving;

pub use adapter::{AdapterRegistry, DeviceCredential};
pub use devices::{DeviceRegistry, SavedDevice};
pub use edge::Assertion;
pub use error::{AdapterError, RegistryError};
pub use record::RegisteredDevice;

use crate::server::Server;
use crate::store::Actor;

impl Server {
    /// What protocol adapters ask.
    pub fn adapter(&self) -> AdapterRegistry<'_> {
        AdapterRegistry::of(self)
    }

    /// The devices of tenants, for `actor` to read and to change.
    pub fn registry(&self, actor: Actor) -> DeviceRegistry<'_> {
        DeviceRegistry::of(self, actor)
    }
}

/// Whether a device was known before it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquaintance {
    /// It was.
    Known,
    /// It joined just now.
    Provisioned,
}

/// Operators and devices change what is decided on now and then, not five times while one decides.
const TRIES: usize = 5;
