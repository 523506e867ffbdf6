use clap::Args;
use serde_json::{Map, Value, json};

use super::MaxPayload;
use crate::envelope::Envelope;
use crate::key::Backend;
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    max_payload: MaxPayload,
}

pub(crate) fn run(arguments: &Inspect) -> Result<Exit, Failure> {
    let limits = arguments.max_payload.limits();
    let wire = files::stdin(limits.text())?;
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(&wire, &limits, &mut scratch)
        .map_err(|error| Failure::of(Exit::No, &error))?;
    let claims = claims(&envelope);
    if arguments.json {
        output::json(&claims)?;
    } else {
        output::line(
            "NOT VERIFIED: this is what the envelope claims; `gangplank envelope verify` checks it",
        )?;
        for (member, value) in claims.iter().filter(|(member, _)| *member != "verified") {
            match value {
                Value::String(text) => output::line(format_args!("{member:<15} {text}"))?,
                Value::Array(values) => {
                    for value in values {
                        output::line(format_args!(
                            "{member:<15} sha256 {}",
                            value.as_str().unwrap_or_default()
                        ))?;
                    }
                }
                other => output::line(format_args!("{member:<15} {other}"))?,
            }
        }
    }
    Ok(Exit::Done)
}

/// Everything but the payload, which only verifying gives.
fn claims(envelope: &Envelope<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut put = |member: &str, value: Value| claims.insert(member.to_owned(), value);
    put("verified", json!(false));
    put(
        "form",
        json!(if envelope.is_bound() {
            "bound"
        } else {
            "plain"
        }),
    );
    put("certificateId", json!(envelope.claimed_signer().as_str()));
    put("payloadBytes", json!(envelope.payload_length()));
    if let Some(payload_type) = envelope.claimed_type() {
        put("type", json!(payload_type.as_str()));
    }
    if let Some(created) = envelope.claimed_created() {
        put("created", json!(created));
        let time = i64::try_from(created)
            .ok()
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        if let Some(time) = time {
            put("createdTime", json!(time.to_string()));
        }
    }
    if let Some(nonce) = envelope.claimed_nonce() {
        put("nonce", json!(nonce.as_str()));
    }
    if let Some(audience) = envelope.claimed_audience() {
        put("audience", json!(audience.as_str()));
    }
    if !envelope.claimed_certificates().is_empty() {
        let hashes = envelope
            .claimed_certificates()
            .iter()
            .map(|certificate| json!(output::hex(&Backend::AWS_LC_RS.sha256(&[certificate]))));
        put("certificates", Value::Array(hashes.collect()));
    }
    claims
}
