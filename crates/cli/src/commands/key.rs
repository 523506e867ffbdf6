use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::key::{Algorithm, SoftwareKey};
use crate::{Exit, Failure, files, output};

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a private key: PKCS#8 in PEM, to standard output or to a new file of mode 0600
    Generate(Generate),
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// What kind of key
    #[arg(long, value_enum, default_value = "p256")]
    algorithm: Kind,
    /// The file to make; one that exists is not overwritten
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// ECDSA on P-256 with SHA-256
    P256,
    /// ECDSA on P-384 with SHA-384
    P384,
    /// Ed25519
    Ed25519,
}

pub(crate) fn run(command: KeyCommand) -> Result<Exit, Failure> {
    let KeyCommand::Generate(generate) = command;
    let algorithm = match generate.algorithm {
        Kind::P256 => Algorithm::EcdsaP256Sha256,
        Kind::P384 => Algorithm::EcdsaP384Sha384,
        Kind::Ed25519 => Algorithm::Ed25519,
    };
    let failed = |error: &dyn std::error::Error| Failure::of(Exit::CannotTell, error);
    let key = SoftwareKey::generate(algorithm, &mut crate::random::system())
        .map_err(|error| failed(&error))?;
    let pem = key.to_pkcs8_pem().map_err(|error| failed(&error))?;
    match &generate.out {
        Some(path) => files::create_private(path, pem.as_bytes())?,
        None => output::write(pem.as_bytes())?,
    }
    Ok(Exit::Done)
}
