use clap::Args;
use gangplank_client::onboarding::DeviceId;
use gangplank_client::trust::TenantId;

use super::print;
use crate::admin::{AdminArguments, DEVICES};
use crate::{Exit, Failure, tenant};

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

#[derive(Debug, Args)]
pub(crate) struct Readmit {
    /// The server's name that the device had
    #[arg(value_name = "DEVICE-ID", value_parser = DeviceId::parse)]
    device: DeviceId,
    /// The tenant that it was removed from
    #[arg(long, value_name = "ID", value_parser = TenantId::parse, default_value = "default")]
    tenant: TenantId,
    #[command(flatten)]
    admin: AdminArguments,
}

pub(super) async fn readmit(arguments: &Readmit) -> Result<Exit, Failure> {
    let tenant = tenant::path(&arguments.tenant);
    let path = format!("{tenant}/removed/{}", arguments.device);
    arguments.admin.open()?.delete(&path).await?;
    Ok(Exit::Done)
}
