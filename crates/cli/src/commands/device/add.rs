use std::path::PathBuf;

use clap::Args;
use gangplank_client::trust::TenantId;
use serde_json::json;

use super::print;
use crate::admin::{AdminArguments, DEVICES};
use crate::key::CertificateId;
use crate::{Exit, Failure, files, json, output};

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The GUID that the manufacturer gave the device
    #[arg(long, value_name = "GUID", value_parser = CertificateId::parse)]
    id: CertificateId,
    /// The device's certificate, PEM or DER
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Whose device it is, where the server has several tenants
    #[arg(long, value_parser = TenantId::parse)]
    tenant: Option<TenantId>,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

pub(super) async fn run(arguments: &Add) -> Result<Exit, Failure> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let certificate = files::certificate(&arguments.cert)?;
    let mut body = json!({
        "certificateId": arguments.id.as_str(),
        "certificate": STANDARD.encode(&certificate),
    });
    if let Some(tenant) = &arguments.tenant {
        json::set(&mut body, "tenant", tenant.as_str());
    }
    let (device, new) = arguments.admin.open()?.post(DEVICES, Some(&body)).await?;
    if !new {
        output::progress("this device was known already");
    }
    print(&device, arguments.json)?;
    Ok(Exit::Done)
}
