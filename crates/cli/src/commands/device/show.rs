use clap::Args;
use serde_json::Value;

use crate::admin::{AdminArguments, DEVICES};
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The device's GUID, or the server's name for it
    #[arg(value_name = "GUID|DEVICE-ID")]
    device: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

pub(super) async fn run(arguments: &Show) -> Result<Exit, Failure> {
    let admin = arguments.admin.open()?;
    let id = admin.resolve(&arguments.device).await?;
    let device = admin.get(&format!("{DEVICES}/{id}"), &[]).await?;
    if arguments.json {
        output::json(&device)?;
        return Ok(Exit::Done);
    }
    for (member, value) in device.as_object().into_iter().flatten() {
        output::line(format_args!("{member:<15} {}", shown(member, value)))?;
    }
    Ok(Exit::Done)
}

/// Times as a person reads them, texts without quotation marks, everything else as JSON.
fn shown(member: &str, value: &Value) -> String {
    match value {
        Value::String(text) => output::visible(text),
        Value::Number(seconds) if member.ends_with("At") => seconds
            .as_i64()
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
            .map_or_else(|| value.to_string(), |time| time.to_string()),
        other => other.to_string(),
    }
}
