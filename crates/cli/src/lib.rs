//! The command line of gangplank: it brings edge devices aboard workload orchestrators.
//!
//! This library is the inside of the program `gangplank` and no interface: its names may change at
//! any time. To build on gangplank, depend on `gangplank-client` or `gangplank-server`.
//!
//! One verb, one file under `commands`; every verb returns a [`Failure`] that knows its
//! [`Exit`] code and one sentence for a person.
#![doc(hidden)]

mod admin;
mod arguments;
mod commands;
mod device;
mod exit;
mod files;
#[cfg(unix)]
mod image_verifier;
mod json;
#[cfg(unix)]
mod local_list;
mod output;
mod pinned;
mod random;
mod runtime;
mod signing_key;
mod tenant;
#[cfg(all(unix, feature = "pkcs11"))]
mod terminal;
mod times;

pub use arguments::Cli;
pub use exit::{Exit, Failure};

use std::process::ExitCode;

use clap::Parser as _;

pub(crate) use gangplank_client::{envelope, key, onboarding};
pub(crate) use gangplank_message as message;

/// Runs the program with this process's arguments.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    {
        let mut arguments = std::env::args_os();
        if image_verifier::is_meant(arguments.next().as_deref()) {
            return image_verifier::main(arguments);
        }
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && commands::is_exec(std::env::args_os().skip(1)) => {
            drop(error.print());
            return Exit::NotRun.into();
        }
        Err(error) => error.exit(),
    };
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

/// The pages' examples are compiled, and run where they can be, with this crate's tests: it is the
/// one that depends on both sides.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    mod readme {}
    #[doc = include_str!("../../../docs/guide-device-vendor.md")]
    mod guide_device_vendor {}
    #[doc = include_str!("../../../docs/guide-orchestrator-vendor.md")]
    mod guide_orchestrator_vendor {}
}
