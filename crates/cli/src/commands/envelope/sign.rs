use std::path::PathBuf;

use clap::{ArgGroup, Args};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{MaxPayload, audience};
use crate::envelope::{Audience, Binding, Envelope, Form, Limits, Nonce, PayloadType};
use crate::key::{Backend, CertificateId};
use crate::signing_key::KeyArguments;
use crate::times::Moment;
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("form").required(true).args(["plain", "payload_type"]))]
pub(crate) struct Sign {
    #[command(flatten)]
    key: KeyArguments,
    /// The signer's GUID (member certificateId)
    #[arg(long, value_name = "GUID", value_parser = CertificateId::parse)]
    id: CertificateId,
    /// The plain form: the payload must be one JSON object, and is bound to nothing
    #[arg(long)]
    plain: bool,
    /// The bound form, and what the payload is
    #[arg(long = "type", id = "payload_type", value_name = "TYPE", value_parser = PayloadType::parse)]
    payload_type: Option<PayloadType>,
    /// When it is signed. Without --created and --nonce: now
    #[arg(long, value_name = "UNIX|now", value_parser = Moment::parse, conflicts_with = "plain")]
    created: Option<Moment>,
    /// A nonce: base64url without padding, of 16 to 64 bytes
    #[arg(long, value_name = "NONCE", value_parser = Nonce::parse, conflicts_with = "plain")]
    nonce: Option<Nonce>,
    /// For whom it is: a root URL in canonical form
    #[arg(long, value_name = "URL", value_parser = audience, conflicts_with = "plain")]
    audience: Option<Audience>,
    /// The signer's certificate, then its intermediates: PEM with one or more, or DER; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "plain")]
    certificate: Vec<PathBuf>,
    #[command(flatten)]
    max_payload: MaxPayload,
}

pub(crate) fn run(arguments: Sign) -> Result<Exit, Failure> {
    let key = arguments.key.open()?;
    let mut certificates = Vec::new();
    for path in &arguments.certificate {
        certificates.extend(certificates_of(path)?);
    }
    let limit = arguments.max_payload.limits().payload;
    let payload = files::stdin(limit)?;
    if payload.len() > limit {
        return Err(Failure::new(
            Exit::No,
            format_args!("the payload is longer than {limit} bytes"),
        ));
    }
    let id = arguments.id.clone();
    let form = form(arguments, certificates);
    let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
    let mut envelope = Envelope::prepare_with(payload, form, &id, Backend::AWS_LC_RS)
        .map_err(|error| refused(&error))?
        .sign_with(key.as_ref())
        .map_err(|error| refused(&error))?;
    envelope.push(b'\n');
    output::write(&envelope)?;
    Ok(Exit::Done)
}

fn form(arguments: Sign, certificates: Vec<CertificateDer<'static>>) -> Form {
    let Some(payload_type) = arguments.payload_type else {
        return Form::Plain;
    };
    let mut binding = Binding::new(payload_type).certificates(certificates);
    let created = match (arguments.created, &arguments.nonce) {
        (Some(moment), _) => Some(moment.time()),
        // An envelope with neither would be good for ever.
        (None, None) => Some(UnixTime::now()),
        (None, Some(_)) => None,
    };
    if let Some(time) = created {
        binding = binding.created(time);
    }
    if let Some(nonce) = arguments.nonce {
        binding = binding.nonce(nonce);
    }
    if let Some(audience) = arguments.audience {
        binding = binding.audience(audience);
    }
    Form::Bound(binding)
}

/// Those of one file, none of them larger than a verifier accepts.
fn certificates_of(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let certificates = files::certificates(path)?;
    let limit = Limits::DEFAULT.certificate;
    if certificates
        .iter()
        .any(|certificate| certificate.len() > limit)
    {
        let sentence = format_args!(
            "{}: a certificate is longer than {limit} bytes",
            path.display()
        );
        return Err(Failure::new(Exit::No, sentence));
    }
    Ok(certificates)
}
