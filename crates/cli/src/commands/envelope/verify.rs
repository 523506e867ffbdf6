use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rustls_pki_types::UnixTime;

use super::{MaxPayload, audience};
use crate::envelope::{
    Audience, Envelope, Expect, ExpectedAudience, ExpectedForm, Freshness, PayloadType, Window,
};
use crate::key::{Backend, CertificateId, PublicKey, TrustedKey};
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The signer's certificate, PEM or DER; its validity dates are not looked at
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The GUID that must have signed
    #[arg(long, value_name = "GUID", value_parser = CertificateId::parse)]
    id: Option<CertificateId>,
    /// What the payload must be; refuses the plain form
    #[arg(long = "type", id = "payload_type", value_name = "TYPE", value_parser = PayloadType::parse)]
    payload_type: Option<PayloadType>,
    /// For whom it must be; refuses an envelope without an audience
    #[arg(long, value_name = "URL", value_parser = audience)]
    audience: Option<Audience>,
    /// How old it may be; it may also be that much ahead, but at most 60 s. Refuses an envelope
    /// without a time
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// Also accept the plain form, which says neither for whom, nor when, nor what it is
    #[arg(long)]
    allow_plain: bool,
    #[command(flatten)]
    max_payload: MaxPayload,
}

pub(crate) fn run(arguments: &Verify) -> Result<Exit, Failure> {
    let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
    let certificate = files::certificate(&arguments.cert)?;
    let key = PublicKey::from_certificate(&certificate, Backend::AWS_LC_RS)
        .map_err(|error| refused(&error).while_doing(arguments.cert.display()))?;
    let limits = arguments.max_payload.limits();
    let wire = files::stdin(limits.text())?;
    let mut scratch = Vec::new();
    let envelope =
        Envelope::decode(&wire, &limits, &mut scratch).map_err(|error| refused(&error))?;
    // Without --id the caller vouches that the certificate is that of whoever the envelope names.
    let id = arguments
        .id
        .as_ref()
        .unwrap_or_else(|| envelope.claimed_signer());
    let key = TrustedKey::vouch(id.clone(), key);
    let verified = envelope
        .verify(&key, &expect(arguments))
        .map_err(|error| refused(&error))?;
    output::write(verified.payload())?;
    Ok(Exit::Done)
}

fn expect(arguments: &Verify) -> Expect<'static> {
    let needs_members = arguments.audience.is_some() || arguments.max_age.is_some();
    let form = match &arguments.payload_type {
        Some(payload_type) => ExpectedForm::Bound(payload_type.clone()),
        // The plain form lacks every member that could be asked for.
        None if arguments.allow_plain && !needs_members => ExpectedForm::Any,
        None => ExpectedForm::BoundAnyType,
    };
    let audience = match &arguments.audience {
        Some(audience) => ExpectedAudience::Exactly(audience.clone()),
        None => ExpectedAudience::NotCompared,
    };
    let freshness = match arguments.max_age {
        Some(seconds) => Freshness::Created(Window {
            now: UnixTime::now(),
            max_age: Duration::from_secs(seconds),
            max_lead: Duration::from_secs(seconds.min(MAX_LEAD)),
        }),
        None => Freshness::NotRequired,
    };
    Expect {
        form,
        audience,
        freshness,
    }
}

/// Seconds: two clocks that are set agree better than this.
const MAX_LEAD: u64 = 60;
