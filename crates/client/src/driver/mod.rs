//! A ready driver: sockets, TLS, files and the system's clock around the state machines.
//!
//! [`Device`] is what an agent uses. It keeps its state in a [`StateDirectory`], waits as its
//! [`Patience`] allows, and shows each exchange to an observer with the secrets left out.
//!
//! ```no_run
//! use gangplank_client::driver::{Device, DeviceConfig};
//!
//! # async fn example() -> Result<(), gangplank_client::driver::ClientError> {
//! let config = DeviceConfig::read("/etc/gangplank/device.json".as_ref())?;
//! let mut device = Device::open(&config)?;
//! let aboard = device.onboard().await?;
//! println!("aboard as {}", aboard.device_id);
//! # Ok(())
//! # }
//! ```

mod clock;
mod config;
mod device;
mod disk;
mod error;
mod key_location;
mod observe;
mod run;
mod tls;
mod transport;

pub use clock::build_time;
pub use config::{ConfigError, DeviceConfig};
pub use device::Device;
pub use disk::{StateDirectory, StateError, StateLock};
pub use error::ClientError;
pub use key_location::KeyLocation;
pub use observe::{Exchange, Observer};
pub use run::Patience;
pub use transport::{Proxy, TransportError};

#[cfg(test)]
mod tests;
