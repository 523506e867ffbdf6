use clap::Args;

use super::print;
use crate::admin::{AdminArguments, DEVICES};
use crate::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// The device's GUID, or the server's name for it
    #[arg(value_name = "GUID|DEVICE-ID")]
    device: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

pub(super) async fn run(arguments: &Change, verb: &str) -> Result<Exit, Failure> {
    let admin = arguments.admin.open()?;
    let id = admin.resolve(&arguments.device).await?;
    let (device, _) = admin.post(&format!("{DEVICES}/{id}/{verb}"), None).await?;
    print(&device, arguments.json)?;
    Ok(Exit::Done)
}

pub(super) async fn remove(arguments: &Change) -> Result<Exit, Failure> {
    let admin = arguments.admin.open()?;
    let id = admin.resolve(&arguments.device).await?;
    admin.delete(&format!("{DEVICES}/{id}")).await?;
    if arguments.json {
        crate::output::json(&serde_json::json!({"deviceId": id.as_str(), "removed": true}))?;
    }
    Ok(Exit::Done)
}
