use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;

use crate::key::{Algorithm, Backend, PublicKey};
use crate::message::SignatureParams;
use crate::{Exit, Failure, files};

/// The key to verify with, which the caller trusts; never one out of the message.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Trusted {
    /// The signer's certificate, PEM or DER; its validity dates are not looked at
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The signer's public key: PEM (`PUBLIC KEY`) or DER SubjectPublicKeyInfo
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
}

/// How an RSA key signs, by the names of the registry of RFC 9421 (`rsa-pss-sha256` is Margo's).
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RsaPadding {
    #[value(name = "rsa-pss-sha512")]
    PssSha512,
    #[value(name = "rsa-v1_5-sha256")]
    Pkcs1Sha256,
    #[value(name = "rsa-pss-sha256")]
    PssSha256,
}

impl Trusted {
    pub(super) fn read(&self) -> Result<PublicKey, Failure> {
        match (&self.cert, &self.public_key) {
            (Some(path), _) => {
                let certificate = files::certificate(path)?;
                PublicKey::from_certificate(&certificate, Backend::AWS_LC_RS)
                    .map_err(|error| Failure::of(Exit::No, &error).while_doing(path.display()))
            }
            (None, Some(path)) => public_key(path),
            (None, None) => Err(Failure::new(Exit::CannotTell, "no key to verify with")),
        }
    }
}

impl RsaPadding {
    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::PssSha512 => Algorithm::RsaPssSha512,
            Self::Pkcs1Sha256 => Algorithm::RsaPkcs1Sha256,
            Self::PssSha256 => Algorithm::RsaPssSha256,
        }
    }
}

/// The key under each algorithm that the signature may have: the given padding, the one that the
/// message names, or all of them. Whoever debugs wants to know which one it was.
pub(super) fn candidates(
    key: &PublicKey,
    padding: Option<RsaPadding>,
    params: &SignatureParams<'_>,
) -> Result<Vec<PublicKey>, Failure> {
    let using = |algorithm| {
        key.using(algorithm)
            .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing("--rsa-padding"))
    };
    if let Some(padding) = padding {
        return Ok(vec![using(padding.algorithm())?]);
    }
    if key.algorithm() != Algorithm::RsaPkcs1Sha256 {
        return Ok(vec![key.clone()]);
    }
    let named = |padding: &&RsaPadding| params.alg() == Some(padding.algorithm().name());
    match RsaPadding::value_variants().iter().find(named) {
        Some(padding) => Ok(vec![using(padding.algorithm())?]),
        None => RsaPadding::value_variants()
            .iter()
            .map(|padding| using(padding.algorithm()))
            .collect(),
    }
}

fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = files::read(path)?;
    let spki = match std::str::from_utf8(&bytes) {
        Ok(_) => SubjectPublicKeyInfoDer::from_pem_slice(&bytes).map_err(|_| {
            Failure::new(Exit::No, "no `PUBLIC KEY` in PEM").while_doing(path.display())
        })?,
        Err(_) => SubjectPublicKeyInfoDer::from(bytes.to_vec()),
    };
    PublicKey::from_spki(&spki, Backend::AWS_LC_RS)
        .map_err(|error| Failure::of(Exit::No, &error).while_doing(path.display()))
}
