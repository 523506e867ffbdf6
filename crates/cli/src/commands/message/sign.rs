use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::content::Content;
use super::source::Source;
use super::text::HttpText;
use super::{ProfileName, gaps};
use crate::key::{Backend, SigningKey};
use crate::message::content_digest::{DigestAlgorithm, field_value};
use crate::message::structured::Bounds;
use crate::message::{
    Limits, Message, Nonce, SignatureFields, SignatureParams, Signatures, margo, prepare,
};
use crate::signing_key::KeyArguments;
use crate::times::{Moment, seconds};
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    key: KeyArguments,
    /// Sign as this profile has it, which chooses what is covered
    #[arg(long, value_enum, conflicts_with_all = ["components", "label", "expires", "tag", "key_id", "content_digest"])]
    profile: Option<ProfileName>,
    /// What to cover: a value of Signature-Input without its label. Parameters in it are signed as
    /// they are; with any, none is added that is not asked for. Without: method, target URI and
    /// authority, or status; and Content-Digest, if there is one
    #[arg(long, value_name = "LIST")]
    components: Option<String>,
    /// The signature's name in the message
    #[arg(long, default_value = margo::LABEL)]
    label: String,
    /// When it is signed; now, if nothing is said
    #[arg(long, value_name = "UNIX|now", value_parser = Moment::parse)]
    created: Option<Moment>,
    /// When it ends
    #[arg(long, value_name = "UNIX", value_parser = seconds)]
    expires: Option<u64>,
    /// A text that no other signature has; --profile margo draws one if nothing is said
    #[arg(long)]
    nonce: Option<String>,
    /// For which application it is
    #[arg(long)]
    tag: Option<String>,
    /// A name for the key; its SHA-256 in hexadecimal digits, if nothing is said
    #[arg(long, value_name = "NAME")]
    key_id: Option<String>,
    /// Add Content-Digest; --profile margo adds the one of SHA-256 to every message with a body
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    content_digest: Option<Digest>,
    /// Print the added fields only
    #[arg(long)]
    fields_only: bool,
    /// One JSON object with the added fields and the signature base
    #[arg(long, conflicts_with = "fields_only")]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Digest {
    #[value(name = "sha-256")]
    Sha256,
    #[value(name = "sha-512")]
    Sha512,
}

pub(crate) fn run(arguments: &Sign) -> Result<Exit, Failure> {
    let key = arguments.key.open()?;
    let bytes = arguments.source.read()?;
    let digest = arguments
        .source
        .look(&bytes, |text, _| digest(arguments, text))?;
    let with_digest = match &digest {
        Some(value) => HttpText::read(&bytes)?.with_fields(&[("Content-Digest", value)]),
        None => bytes,
    };
    arguments.source.look(&with_digest, |text, message| {
        check_label(arguments, text)?;
        let signed = match arguments.profile {
            Some(ProfileName::Margo) => by_margo(arguments, text, message, key.as_ref())?,
            None => by_parameters(arguments, text, message, key.as_ref())?,
        };
        print(arguments, text, digest.as_deref(), &signed)
    })
}

/// What was signed, and the fields that say so.
struct Signed {
    base: String,
    fields: SignatureFields,
}

fn print(
    arguments: &Sign,
    text: &HttpText<'_>,
    digest: Option<&str>,
    signed: &Signed,
) -> Result<Exit, Failure> {
    let signature = [
        ("Signature-Input", signed.fields.signature_input.as_str()),
        ("Signature", signed.fields.signature.as_str()),
    ];
    let digest = digest.map(|value| ("Content-Digest", value));
    let added = digest.into_iter().chain(signature);
    if arguments.json {
        let mut members: Map<String, Value> = added
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        members.insert("base".to_owned(), json!(signed.base));
        output::json(&members)?;
    } else if arguments.fields_only {
        for (name, value) in added {
            output::line(format_args!("{name}: {value}"))?;
        }
    } else {
        output::write(&text.with_fields(&signature))?;
    }
    Ok(Exit::Done)
}

/// The Content-Digest to add. One that is there must be right: nobody could verify it else.
fn digest(arguments: &Sign, text: &HttpText<'_>) -> Result<Option<String>, Failure> {
    let algorithm = match (arguments.profile, arguments.content_digest) {
        (Some(ProfileName::Margo), _) => Some(DigestAlgorithm::Sha256),
        (None, Some(Digest::Sha256)) => Some(DigestAlgorithm::Sha256),
        (None, Some(Digest::Sha512)) => Some(DigestAlgorithm::Sha512),
        (None, None) => None,
    };
    if let (None, Err(failure)) = (algorithm, &text.body) {
        // A signature by itself needs no body.
        if has_digest(text) {
            output::progress(format_args!("Content-Digest is not compared: {failure}"));
        }
        return Ok(None);
    }
    let body = text.whole_body()?;
    match (Content::compare(text, Some(body)), algorithm) {
        (Content::Refused(error), _) => Err(Failure::of(Exit::No, &error)),
        (Content::Matches(_), _) | (_, None) => Ok(None),
        // Margo has no digest of no body.
        _ if arguments.profile.is_some() && body.is_empty() => Ok(None),
        (_, Some(algorithm)) => Ok(Some(field_value(algorithm, body, Backend::AWS_LC_RS))),
    }
}

fn check_label(arguments: &Sign, text: &HttpText<'_>) -> Result<(), Failure> {
    let names = ["signature-input", "signature"];
    let is_signed = text
        .fields
        .iter()
        .any(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)));
    if !is_signed {
        return Ok(());
    }
    let signatures = Signatures::read(&text.fields, &Limits::DEFAULT)
        .map_err(|error| Failure::of(Exit::No, &error))?;
    if signatures.labels().any(|label| label == arguments.label) {
        let sentence = format_args!(
            "the message has a signature labelled {} already",
            arguments.label
        );
        return Err(Failure::new(Exit::No, sentence));
    }
    Ok(())
}

fn by_parameters(
    arguments: &Sign,
    text: &HttpText<'_>,
    message: Message<'_>,
    key: &dyn SigningKey,
) -> Result<Signed, Failure> {
    let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
    let list = match &arguments.components {
        Some(list) => list.clone(),
        None => default_components(text, message),
    };
    let params = SignatureParams::parse(&list, &Bounds::DEFAULT)
        .map_err(|error| refused(&error).while_doing("--components"))?;
    let params = with_parameters(arguments, params, key).map_err(|error| refused(&error))?;
    let prepared = prepare(message, &arguments.label, &params, &Limits::DEFAULT)
        .map_err(|error| refused(&error))?;
    let base = prepared.base().as_str().to_owned();
    let fields = prepared.sign_with(key).map_err(|error| refused(&error))?;
    let body = text.body.as_deref().ok();
    for gap in gaps::find(&params, message, body) {
        output::progress(format_args!("not covered: {gap}"));
    }
    Ok(Signed { base, fields })
}

fn with_parameters<'c>(
    arguments: &'c Sign,
    mut params: SignatureParams<'c>,
    key: &dyn SigningKey,
) -> Result<SignatureParams<'c>, crate::message::ParamsError> {
    let chosen = params.parameters().iter().next().is_some();
    if let Some(moment) = arguments.created.or((!chosen).then_some(Moment::Now)) {
        params = params.with_created(moment.time().as_secs())?;
    }
    if let Some(seconds) = arguments.expires {
        params = params.with_expires(seconds)?;
    }
    if let Some(name) = &arguments.key_id {
        params = params.with_key_id(name)?;
    } else if !chosen {
        params = params.with_key_id(margo::key_id(key.public_key()))?;
    }
    if let Some(nonce) = &arguments.nonce {
        params = params.with_nonce(nonce)?;
    }
    if let Some(tag) = &arguments.tag {
        params = params.with_tag(tag)?;
    }
    Ok(params)
}

fn by_margo(
    arguments: &Sign,
    text: &HttpText<'_>,
    message: Message<'_>,
    key: &dyn SigningKey,
) -> Result<Signed, Failure> {
    let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
    let Message::Request(request) = message else {
        let sentence = "it is a response, and Margo 1.0 signs requests only";
        return Err(Failure::new(Exit::No, sentence));
    };
    let nonce = match &arguments.nonce {
        Some(text) => Nonce::parse(text)
            .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing("--nonce"))?,
        None => Nonce::random(&mut crate::random::system()),
    };
    let created = arguments.created.unwrap_or(Moment::Now).time();
    let body = Some(text.whole_body()?).filter(|body| !body.is_empty());
    let (method, target) = (request.method(), *request.target());
    let outgoing = margo::prepare(method, target, body, created, &nonce, key.public_key())
        .map_err(|error| refused(&error))?;
    let base = String::from_utf8_lossy(outgoing.message()).into_owned();
    let headers = outgoing.sign_with(key).map_err(|error| refused(&error))?;
    check_digest(text, headers.content_digest.as_deref())?;
    let fields = SignatureFields {
        signature_input: headers.signature_input,
        signature: headers.signature,
    };
    Ok(Signed { base, fields })
}

/// What is signed must be what the message has.
fn check_digest(text: &HttpText<'_>, signed: Option<&str>) -> Result<(), Failure> {
    let found = text
        .fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-digest"))
        .map(|(_, value)| value.trim_ascii());
    let signed = signed.map(str::as_bytes);
    if signed.is_some() && !found.eq(signed) {
        let sentence = "the message has another Content-Digest than the one of SHA-256 that Margo 1.0 signs; leave it out";
        return Err(Failure::new(Exit::No, sentence));
    }
    Ok(())
}

fn default_components(text: &HttpText<'_>, message: Message<'_>) -> String {
    let start = match message {
        Message::Request(_) => "\"@method\" \"@target-uri\" \"@authority\"",
        Message::Response(_) => "\"@status\"",
    };
    let digest = if has_digest(text) {
        " \"content-digest\""
    } else {
        ""
    };
    format!("({start}{digest})")
}

fn has_digest(text: &HttpText<'_>) -> bool {
    text.fields
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-digest"))
}
