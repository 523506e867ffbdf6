//! A tenant's document, as the operator's verbs read and change it.

use std::collections::BTreeMap;

use clap::Args;
use gangplank_client::trust::TenantId;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::admin::{Admin, AdminArguments};
use crate::{Exit, Failure, output};

/// Which tenant, and where the server is.
#[derive(Debug, Args)]
pub(crate) struct TenantArguments {
    /// Whose anchors
    #[arg(long, value_name = "ID", value_parser = TenantId::parse, default_value = "default")]
    pub(crate) tenant: TenantId,
    /// One JSON object, or one a line of a list
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) admin: AdminArguments,
}

/// The document of one tenant, in one version. What this program does not know is kept as it came, to
/// the last digit.
#[derive(Debug)]
pub(crate) struct Document {
    members: BTreeMap<String, Box<RawValue>>,
    version: String,
}

impl Document {
    /// Reads it from the server.
    pub(crate) async fn read(admin: &Admin, tenant: &TenantId) -> Result<Self, Failure> {
        let (body, version) = admin.get_version(&path(tenant)).await?;
        let members = serde_json::from_slice(&body)
            .map_err(|_| bad("the server's tenant is no JSON object"))?;
        Ok(Self { members, version })
    }

    /// Its anchors.
    pub(crate) fn anchors(&self) -> Result<Vec<Value>, Failure> {
        let anchors = self.members.get(ANCHORS).map(|raw| raw.get());
        serde_json::from_str(anchors.unwrap_or("[]"))
            .map_err(|_| bad("the server's tenant has no list of anchors"))
    }

    /// Writes it with these anchors; `None` if somebody else changed it since it was read.
    async fn save(
        mut self,
        admin: &Admin,
        tenant: &TenantId,
        anchors: &[Value],
    ) -> Result<Option<Value>, Failure> {
        let cannot = |error: serde_json::Error| Failure::of(Exit::CannotTell, &error);
        let raw = serde_json::value::to_raw_value(anchors).map_err(cannot)?;
        self.members.insert(ANCHORS.to_owned(), raw);
        let body = serde_json::to_string(&self.members).map_err(cannot)?;
        admin.put(&path(tenant), body, &self.version).await
    }
}

/// Changes a tenant's anchors: reads them, lets `change` change them and writes them, again from the
/// beginning if somebody else was faster.
pub(crate) async fn change_anchors(
    arguments: &TenantArguments,
    change: impl Fn(&mut Vec<Value>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let admin = arguments.admin.open()?;
    for _ in 0..TRIES {
        let document = Document::read(&admin, &arguments.tenant).await?;
        let mut anchors = document.anchors()?;
        change(&mut anchors)?;
        if let Some(saved) = document.save(&admin, &arguments.tenant, &anchors).await? {
            warn(&saved);
            return Ok(());
        }
    }
    let busy = format_args!("the tenant {} changes all the time", arguments.tenant);
    Err(Failure::new(Exit::Refused, busy))
}

/// The path of one tenant.
pub(crate) fn path(tenant: &TenantId) -> String {
    format!("{TENANTS}/{tenant}")
}

/// Tells the operator what the server has doubts about.
pub(crate) fn warn(saved: &Value) {
    for warning in saved["warnings"].as_array().into_iter().flatten() {
        let text = |member: &str| output::visible(warning[member].as_str().unwrap_or_default());
        let (pointer, code, message) = (text("pointer"), text("code"), text("message"));
        output::progress(format_args!("warning: {pointer}: {message} ({code})"));
    }
}

fn bad(sentence: &str) -> Failure {
    Failure::new(Exit::BadAnswer, sentence)
}

/// The collection of all tenants.
pub(crate) const TENANTS: &str = "/admin/tenants";

/// The member of a tenant that lists its anchors.
const ANCHORS: &str = "trusted-ca";

/// Operators change a tenant now and then, not five times while one of them does.
const TRIES: usize = 5;
