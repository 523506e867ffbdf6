//! The operator's verbs about tenants.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use gangplank_client::trust::TenantId;
use serde_json::{Value, json};

use crate::admin::{Admin, AdminArguments, JSON};
use crate::runtime::block_on;
use crate::tenant::{TENANTS, path, warn};
use crate::{Exit, Failure, files, output};

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Make a tenant
    Add(Add),
    /// List tenants
    List(List),
    /// Show one tenant's document
    ///
    /// An anchor's certificate is never shown; what came from it is.
    Show(One),
    /// Remove a tenant that has no devices
    Remove(One),
    /// Say where what happens to a tenant's devices is told; show it without --file and --off
    Notify(Notify),
}

#[derive(Debug, Args)]
pub(crate) struct Notify {
    /// The tenant's name
    #[arg(value_name = "ID", value_parser = TenantId::parse)]
    id: TenantId,
    /// The target, JSON: `url`, and if need be `ca` and `custom`
    #[arg(long, value_name = "FILE", conflicts_with = "off")]
    file: Option<PathBuf>,
    /// Tell nobody
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The tenant's name
    #[arg(value_name = "ID", value_parser = TenantId::parse)]
    id: TenantId,
    /// Its document, JSON, as Eclipse Hono's management API has it; without it the tenant is enabled
    /// and trusts no certificate
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// One JSON object: id, resourceVersion, warnings
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// One JSON object a line: id, resourceVersion, tenant
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// The tenant's name
    #[arg(value_name = "ID", value_parser = TenantId::parse)]
    id: TenantId,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

pub(crate) fn run(command: TenantCommand) -> Result<Exit, Failure> {
    block_on(async move {
        match command {
            TenantCommand::Add(arguments) => add(&arguments).await,
            TenantCommand::List(arguments) => list(&arguments).await,
            TenantCommand::Show(arguments) => show(&arguments).await,
            TenantCommand::Remove(arguments) => remove(&arguments).await,
            TenantCommand::Notify(arguments) => notify(&arguments).await,
        }
    })
}

async fn add(arguments: &Add) -> Result<Exit, Failure> {
    let document = match &arguments.file {
        Some(path) => files::read_text(path)?.to_string(),
        None => "{}".to_owned(),
    };
    let admin = arguments.admin.open()?;
    let made = admin.create(&path(&arguments.id), document).await?;
    warn(&made);
    match arguments.json {
        true => output::json(&made)?,
        false => output::line(&arguments.id)?,
    }
    Ok(Exit::Done)
}

async fn list(arguments: &List) -> Result<Exit, Failure> {
    let admin = arguments.admin.open()?;
    let mut after: Option<String> = None;
    loop {
        let tenants = page(&admin, after.as_deref()).await?;
        for tenant in &tenants {
            match arguments.json {
                true => output::json(tenant)?,
                false => output::line(summary(tenant))?,
            }
        }
        let last = tenants.last().and_then(|tenant| tenant["id"].as_str());
        let last = last.map(str::to_owned);
        // Pages are in the order of ids, so one that does not go on would never end.
        if last.is_none() || last <= after {
            return Ok(Exit::Done);
        }
        after = last;
    }
}

async fn page(admin: &Admin, after: Option<&str>) -> Result<Vec<Value>, Failure> {
    let mut query = vec![("limit", PAGE)];
    query.extend(after.map(|after| ("after", after)));
    let mut page = admin.get(TENANTS, &query).await?;
    match page.get_mut("tenants").map(Value::take) {
        Some(Value::Array(tenants)) => Ok(tenants),
        _ => {
            let sentence = "the server's list has no tenants";
            Err(Failure::new(Exit::BadAnswer, sentence))
        }
    }
}

async fn show(arguments: &One) -> Result<Exit, Failure> {
    let admin = arguments.admin.open()?;
    let (body, _) = admin.get_version(&path(&arguments.id)).await?;
    if arguments.json {
        // As it came: numbers keep every digit.
        output::write(&body)?;
        output::line("")?;
        return Ok(Exit::Done);
    }
    let document: Value = serde_json::from_slice(&body)
        .map_err(|_| Failure::new(Exit::BadAnswer, "the server's tenant is no JSON"))?;
    output::line(output::visible_lines(&format!("{document:#}")))?;
    Ok(Exit::Done)
}

async fn remove(arguments: &One) -> Result<Exit, Failure> {
    let admin = arguments.admin.open()?;
    admin.delete(&path(&arguments.id)).await?;
    if arguments.json {
        output::json(&json!({"id": arguments.id.as_str(), "removed": true}))?;
    }
    Ok(Exit::Done)
}

async fn notify(arguments: &Notify) -> Result<Exit, Failure> {
    let admin = arguments.admin.open()?;
    let path = format!("{}/notification", path(&arguments.id));
    match &arguments.file {
        Some(file) => {
            let target = files::read_text(file)?.to_string();
            admin.set(&path, JSON, target).await?
        }
        None if arguments.off => admin.delete(&path).await?,
        None => output::json(&admin.get(&path, &[]).await?)?,
    }
    Ok(Exit::Done)
}

/// One tenant on one line: id, its anchors, and whether it is disabled.
fn summary(tenant: &Value) -> String {
    let document = &tenant["tenant"];
    let anchors = document["trusted-ca"].as_array().map_or(0, Vec::len);
    let disabled = match document["enabled"] == Value::Bool(false) {
        true => ", disabled",
        false => "",
    };
    let id = output::visible(tenant["id"].as_str().unwrap_or("?"));
    format!("{id}  anchors: {anchors}{disabled}")
}

/// Tenants in one answer of the server, each with up to a mebibyte.
const PAGE: &str = "10";
