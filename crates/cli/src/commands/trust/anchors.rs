//! The operator's verbs about a tenant's trust anchors.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::runtime::block_on;
use crate::tenant::{Document, TenantArguments, change_anchors};
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The anchor's certificate, PEM or DER
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The anchor's name among those of the tenant; else the server makes one
    #[arg(long, value_name = "ANCHOR")]
    id: Option<String>,
    /// Let devices of this anchor join that nobody registered
    #[arg(long)]
    auto_provisioning: bool,
    #[command(flatten)]
    tenant: TenantArguments,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    tenant: TenantArguments,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// The anchor's name among those of the tenant
    #[arg(value_name = "ANCHOR")]
    anchor: String,
    #[command(flatten)]
    tenant: TenantArguments,
}

#[derive(Debug, Args)]
pub(crate) struct AutoProvisioning {
    /// The anchor's name among those of the tenant
    #[arg(value_name = "ANCHOR")]
    anchor: String,
    /// Whether devices of this anchor may join that nobody registered
    #[arg(value_enum)]
    switch: Switch,
    #[command(flatten)]
    tenant: TenantArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

pub(super) fn add(arguments: &Add) -> Result<Exit, Failure> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let certificate = files::certificate(&arguments.cert)?;
    let certificate = STANDARD.encode(&certificate);
    block_on(async {
        change_anchors(&arguments.tenant, |anchors| {
            let mut anchor = Map::new();
            if let Some(id) = &arguments.id {
                // A second one of the name would take the place of the first.
                if position(anchors, id).is_some() {
                    let taken = format_args!("there is an anchor {id} already");
                    return Err(Failure::new(Exit::Refused, taken));
                }
                anchor.insert("id".to_owned(), id.as_str().into());
            }
            anchor.insert("cert".to_owned(), certificate.as_str().into());
            anchor.insert(FLAG.to_owned(), arguments.auto_provisioning.into());
            anchors.push(anchor.into());
            Ok(())
        })
        .await?;
        // The anchor's name may be the server's, and its subject is read from the certificate.
        let document =
            Document::read(&arguments.tenant.admin.open()?, &arguments.tenant.tenant).await?;
        let anchors = document.anchors()?;
        let added = match &arguments.id {
            Some(id) => position(&anchors, id).and_then(|at| anchors.get(at)),
            None => anchors.last(),
        };
        added.map_or(Ok(()), |added| print(added, arguments.tenant.json))?;
        Ok(Exit::Done)
    })
}

pub(super) fn list(arguments: &List) -> Result<Exit, Failure> {
    let tenant = &arguments.tenant;
    block_on(async {
        let admin = tenant.admin.open()?;
        let document = Document::read(&admin, &tenant.tenant).await?;
        for anchor in document.anchors()? {
            print(&anchor, tenant.json)?;
        }
        Ok(Exit::Done)
    })
}

/// Lets the anchor count, or not.
pub(super) fn switch(arguments: &One, switch: Switch) -> Result<Exit, Failure> {
    change(&arguments.anchor, &arguments.tenant, |anchor| {
        let policy = anchor
            .entry("provisioning-policy")
            .or_insert_with(|| json!({}));
        match (policy.as_object_mut(), switch) {
            (Some(policy), Switch::On) => drop(policy.remove("enabled")),
            (Some(policy), Switch::Off) => drop(policy.insert("enabled".to_owned(), false.into())),
            (None, _) => {}
        }
    })
}

pub(super) fn auto_provisioning(arguments: &AutoProvisioning) -> Result<Exit, Failure> {
    let on = arguments.switch == Switch::On;
    change(&arguments.anchor, &arguments.tenant, |anchor| {
        anchor.insert(FLAG.to_owned(), on.into());
    })
}

pub(super) fn remove(arguments: &One) -> Result<Exit, Failure> {
    block_on(async {
        change_anchors(&arguments.tenant, |anchors| {
            let at = position(anchors, &arguments.anchor);
            anchors.remove(at.ok_or_else(|| no_anchor(&arguments.anchor))?);
            Ok(())
        })
        .await?;
        if arguments.tenant.json {
            output::json(&json!({"id": arguments.anchor, "removed": true}))?;
        }
        Ok(Exit::Done)
    })
}

/// Changes one anchor, and shows it.
fn change(
    id: &str,
    tenant: &TenantArguments,
    change: impl Fn(&mut Map<String, Value>),
) -> Result<Exit, Failure> {
    block_on(async {
        change_anchors(tenant, |anchors| {
            let at = position(anchors, id).ok_or_else(|| no_anchor(id))?;
            if let Some(anchor) = anchors.get_mut(at).and_then(Value::as_object_mut) {
                change(anchor);
            }
            Ok(())
        })
        .await?;
        let document = Document::read(&tenant.admin.open()?, &tenant.tenant).await?;
        let anchors = document.anchors()?;
        if let Some(anchor) = position(&anchors, id).and_then(|at| anchors.get(at)) {
            print(anchor, tenant.json)?;
        }
        Ok(Exit::Done)
    })
}

fn position(anchors: &[Value], id: &str) -> Option<usize> {
    anchors.iter().position(|anchor| anchor["id"] == *id)
}

fn print(anchor: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::json(anchor);
    }
    let text = |member: &str| output::visible(anchor[member].as_str().unwrap_or("?"));
    let joins = match anchor[FLAG] == Value::Bool(true) {
        true => "auto-provisioning",
        false => "registered devices only",
    };
    let disabled = match anchor.pointer("/provisioning-policy/enabled") == Some(&Value::Bool(false))
    {
        true => ", disabled",
        false => "",
    };
    output::line(format_args!(
        "{}  {}  until {}  {joins}{disabled}",
        text("id"),
        text("subject-dn"),
        text("not-after")
    ))
}

fn no_anchor(id: &str) -> Failure {
    Failure::new(Exit::No, format_args!("there is no anchor {id}"))
}

const FLAG: &str = "auto-provisioning-enabled";
