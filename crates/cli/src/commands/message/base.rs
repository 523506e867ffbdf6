use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::against;
use super::labels::{only_label, signatures};
use super::source::{self, Source};
use crate::key::Backend;
use crate::message::structured::Bounds;
use crate::message::{Field, Limits, Message, SignatureBase, SignatureParams};
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Base {
    #[command(flatten)]
    source: Source,
    /// Whose base, if the message has several signatures
    #[arg(long)]
    label: Option<String>,
    /// What is covered, instead of what the message says: a value of Signature-Input without its
    /// label, such as '("@method" "@target-uri");created=1767225600'
    #[arg(long, value_name = "LIST", conflicts_with = "label")]
    components: Option<String>,
    /// Compare with another party's base, and say where it differs; then exit code 1
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Base) -> Result<Exit, Failure> {
    let bytes = arguments.source.read()?;
    let base = arguments.source.look(&bytes, |text, message| {
        if let Err(failure) = &text.body {
            output::progress(format_args!("the body is not read: {failure}"));
        }
        base(arguments, message, text.signed_fields())
    })?;
    let Some(path) = &arguments.against else {
        return print(arguments, &base);
    };
    let theirs = source::read(Some(path))?;
    let difference = against::compare(base.as_bytes(), &theirs);
    match (arguments.json, &difference) {
        (true, None) => output::json(&json!({ "same": true, "sha256": sha256(&base) }))?,
        (true, Some(difference)) => output::json(&difference.to_json())?,
        (false, None) => output::line(format_args!(
            "same: {} lines, {} bytes, sha256 {}",
            base.as_str().lines().count(),
            base.as_bytes().len(),
            sha256(&base)
        ))?,
        (false, Some(difference)) => output::write(difference.to_text().as_bytes())?,
    }
    Ok(if difference.is_none() {
        Exit::Done
    } else {
        Exit::No
    })
}

fn base(
    arguments: &Base,
    message: Message<'_>,
    fields: &[Field<'_>],
) -> Result<SignatureBase, Failure> {
    let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
    let limits = Limits::DEFAULT;
    if let Some(list) = &arguments.components {
        let params = SignatureParams::parse(list, &Bounds::DEFAULT)
            .map_err(|error| refused(&error).while_doing("--components"))?;
        return SignatureBase::build(message, &params, &limits).map_err(|error| refused(&error));
    }
    // A base is looked at before there is a signature, too.
    signatures(fields, |signatures| {
        let label = only_label(signatures, arguments.label.as_deref())?;
        let claimed = signatures.claimed(label).map_err(|error| refused(&error))?;
        claimed
            .base(message, &limits)
            .map_err(|error| refused(&error))
    })
}

/// Without a line end: what is printed is what is signed.
fn print(arguments: &Base, base: &SignatureBase) -> Result<Exit, Failure> {
    if arguments.json {
        output::json(&json!({ "base": base.as_str(), "sha256": sha256(base) }))?;
    } else {
        output::write(base.as_bytes())?;
    }
    Ok(Exit::Done)
}

fn sha256(base: &SignatureBase) -> String {
    output::hex(&base.sha256(Backend::AWS_LC_RS))
}
