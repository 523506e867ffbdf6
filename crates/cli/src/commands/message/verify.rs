use std::time::Duration;

use clap::Args;

use super::claims::Claims;
use super::content::Content;
use super::labels::only_label;
use super::public_key::{RsaPadding, Trusted, candidates};
use super::report::Report;
use super::source::Source;
use super::text::HttpText;
use super::{ProfileName, gaps, hints};
use crate::key::{Algorithm, PublicKey};
use crate::message::margo::{self, Incoming, Profile, RsaPaddings};
use crate::message::{
    ClaimedSignature, Expect, ExpectedTag, Freshness, Limits, Message, Signatures, VerifyError,
    Window,
};
use crate::times::{Moment, seconds};
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    trusted: Trusted,
    /// Which signature, if the message has several
    #[arg(long)]
    label: Option<String>,
    /// Whose rules hold, too
    #[arg(long, value_enum, conflicts_with = "label")]
    profile: Option<ProfileName>,
    /// The time to compare with
    #[arg(long, value_name = "UNIX|now", value_parser = Moment::parse, default_value = "now")]
    now: Moment,
    /// How old it may be. Without it, and without --profile, no time is compared; Margo: 300
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    max_age: Option<u64>,
    /// How far in the future it may be signed
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    max_lead: u64,
    /// How an RSA key signs. Without it: as the message says, or else all are tried
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    rsa_padding: Option<RsaPadding>,
    /// The file has no body: compare no digest
    #[arg(long, conflicts_with = "profile")]
    head_only: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Verify) -> Result<Exit, Failure> {
    let key = arguments.trusted.read()?;
    let bytes = arguments.source.read()?;
    let report = arguments.source.look(&bytes, |text, message| {
        report(arguments, &key, text, message)
    })?;
    if arguments.json {
        output::json(&report.to_json())?;
    } else {
        output::write(report.to_text().as_bytes())?;
    }
    Ok(report.exit())
}

fn report(
    arguments: &Verify,
    key: &PublicKey,
    text: &HttpText<'_>,
    message: Message<'_>,
) -> Result<Report, Failure> {
    let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
    let body = match arguments.head_only {
        true => None,
        false => Some(text.whole_body()?),
    };
    let signatures = Signatures::read(text.signed_fields(), &Limits::DEFAULT)
        .map_err(|error| refused(&error))?;
    let label = match arguments.profile {
        Some(ProfileName::Margo) => margo::LABEL,
        None => only_label(&signatures, arguments.label.as_deref())?,
    };
    let claimed = signatures.claimed(label).map_err(|error| refused(&error))?;
    let content = Content::compare(text, body);
    let verdict = match arguments.profile {
        Some(ProfileName::Margo) => by_margo(arguments, key, text, message)?,
        None => by_signature(arguments, key, &signatures, &claimed, message, label)?
            .and_then(|algorithm| content.refusal().map_or(Ok(algorithm), Err)),
    };
    Ok(Report {
        claims: Claims::new(label, &claimed, message),
        gaps: gaps::find(claimed.claimed_params(), message, body),
        hints: match &verdict {
            Ok(_) => Vec::new(),
            Err(_) => hints::find(&claimed, key),
        },
        content,
        verdict,
    })
}

/// What the signature verified with, or why it is refused.
type Verdict = Result<Algorithm, String>;

fn by_signature(
    arguments: &Verify,
    key: &PublicKey,
    signatures: &Signatures<'_>,
    claimed: &ClaimedSignature<'_>,
    message: Message<'_>,
    label: &str,
) -> Result<Verdict, Failure> {
    let expect = Expect {
        covered: &[],
        freshness: match arguments.max_age {
            Some(max_age) => Freshness::Created(window(arguments, max_age)),
            None => Freshness::NotRequired,
        },
        tag: ExpectedTag::NotCompared,
    };
    let mut verdict = Err("there is no key to verify with".to_owned());
    for key in candidates(key, arguments.rsa_padding, claimed.claimed_params())? {
        match signatures.verify(message, label, &key, &expect, &Limits::DEFAULT) {
            Ok(_) => return Ok(Ok(key.algorithm())),
            Err(VerifyError::Signature) => verdict = Err(VerifyError::Signature.to_string()),
            // Another padding would not change that.
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
    Ok(verdict)
}

fn by_margo(
    arguments: &Verify,
    key: &PublicKey,
    text: &HttpText<'_>,
    message: Message<'_>,
) -> Result<Verdict, Failure> {
    let Message::Request(request) = message else {
        let sentence = "it is a response, and Margo 1.0 signs requests only";
        return Err(Failure::new(Exit::No, sentence));
    };
    let body = text.whole_body()?;
    let window = window(arguments, arguments.max_age.unwrap_or(MARGO_MAX_AGE));
    let profile = Profile {
        rsa: match arguments.rsa_padding {
            None => Profile::MARGO_1_0.rsa,
            Some(RsaPadding::PssSha256) => RsaPaddings::Pss,
            Some(RsaPadding::Pkcs1Sha256) => RsaPaddings::Pkcs1,
            Some(RsaPadding::PssSha512) => {
                let sentence = "--rsa-padding: rsa-pss-sha512 is none of Margo's algorithms";
                return Err(Failure::new(Exit::CannotTell, sentence));
            }
        },
        ..Profile::MARGO_1_0
    };
    // The client's id goes into the key of the replay guard, and there is none here.
    let incoming = Incoming::new(request, body);
    let verified = margo::verify(&incoming, "", key, &profile, &window, &Limits::DEFAULT);
    Ok(verified
        .map(|verified| verified.algorithm())
        .map_err(|error| format!("{error} (a Margo server answers {})", error.http_status())))
}

fn window(arguments: &Verify, max_age: u64) -> Window {
    Window {
        now: arguments.now.time(),
        max_age: Duration::from_secs(max_age),
        max_lead: Duration::from_secs(arguments.max_lead),
    }
}

/// Seconds: what Margo 1.0 has as its example.
const MARGO_MAX_AGE: u64 = 300;
