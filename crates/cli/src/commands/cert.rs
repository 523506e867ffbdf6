use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use rcgen::{
    Certificate, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SignatureAlgorithm,
};
use spki::SubjectPublicKeyInfoRef;

use crate::key::{Algorithm, CertificateId, SigningKey};
use crate::signing_key::KeyArguments;
use crate::{Exit, Failure, files, output};

#[derive(Debug, Subcommand)]
pub(crate) enum CertCommand {
    /// Make a device certificate that its own key signs: the operator uploads it with `device add`
    SelfSigned(SelfSigned),
}

#[derive(Debug, Args)]
pub(crate) struct SelfSigned {
    #[command(flatten)]
    key: KeyArguments,
    /// The GUID that the manufacturer gave the device
    #[arg(long, value_name = "GUID", value_parser = CertificateId::parse)]
    id: CertificateId,
    /// How long it is valid
    #[arg(long, value_name = "DAYS", default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// The file to make; one that exists is not overwritten. Without it: PEM on standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(command: CertCommand) -> Result<Exit, Failure> {
    let CertCommand::SelfSigned(arguments) = command;
    let key = arguments.key.open()?;
    let certificate = parameters(&arguments.id, arguments.days)
        .and_then(|parameters| parameters.self_signed(&Signer::new(key.as_ref())))
        .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    match &arguments.out {
        Some(path) => files::create_public(path, certificate.pem().as_bytes())?,
        None => output::write(certificate.pem().as_bytes())?,
    }
    Ok(Exit::Done)
}

/// A device certificate under an authority.
pub(crate) fn issue(
    id: &CertificateId,
    key: &dyn SigningKey,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Certificate, rcgen::Error> {
    parameters(id, DAYS)?.signed_by(&Signer::new(key), issuer)
}

/// A leaf: an authority's rights in a device's hands would serve only a thief.
fn parameters(id: &CertificateId, days: u32) -> Result<CertificateParams, rcgen::Error> {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, id.as_str());
    subject.push(
        DnType::CustomDnType(SERIAL_NUMBER.to_vec()),
        serial_number(id),
    );
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name = subject;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let now = std::time::SystemTime::now();
    // The orchestrator's clock may be a little behind.
    let begins = now.checked_sub(BACKDATED).unwrap_or(now);
    parameters.not_before = begins.into();
    parameters.not_after = (now + Duration::from_secs(u64::from(days) * 86_400)).into();
    Ok(parameters)
}

/// X.520 makes `serialNumber` a PrintableString; `_` and `~` are not among its characters.
fn serial_number(id: &CertificateId) -> DnValue {
    match id.as_str().try_into() {
        Ok(printable) => DnValue::PrintableString(printable),
        Err(_) => DnValue::Utf8String(id.as_str().to_owned()),
    }
}

/// A key of gangplank's as rcgen wants it.
struct Signer<'k> {
    key: &'k dyn SigningKey,
    public: &'k [u8],
}

impl<'k> Signer<'k> {
    fn new(key: &'k dyn SigningKey) -> Self {
        let info = SubjectPublicKeyInfoRef::try_from(key.public_key().spki());
        let bytes = info
            .ok()
            .and_then(|info| info.subject_public_key.as_bytes());
        Self {
            key,
            public: bytes.unwrap_or_default(),
        }
    }
}

impl PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.key.public_key().algorithm() {
            Algorithm::Ed25519 => &rcgen::PKCS_ED25519,
            Algorithm::EcdsaP384Sha384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Algorithm::RsaPkcs1Sha256 => &rcgen::PKCS_RSA_SHA256,
            _ => &rcgen::PKCS_ECDSA_P256_SHA256,
        }
    }
}

impl rcgen::SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature =
            SigningKey::sign(self.key, message).map_err(|_| rcgen::Error::RemoteKeyError)?;
        Ok(signature.to_wire())
    }
}

/// id-at-serialNumber.
const SERIAL_NUMBER: [u64; 4] = [2, 5, 4, 5];
/// Ten years.
const DAYS: u32 = 3650;
const BACKDATED: Duration = Duration::from_secs(3600);
