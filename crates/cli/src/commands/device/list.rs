use clap::{Args, ValueEnum};

use super::print;
use crate::admin::{AdminArguments, DEVICES, devices};
use crate::key::CertificateId;
use crate::{Exit, Failure};

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only those with this GUID
    #[arg(long, value_name = "GUID", value_parser = CertificateId::parse)]
    id: Option<CertificateId>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// Registered or approved, and not onboarded yet
    Registered,
    /// Waiting for approval
    Pending,
    /// Onboarded
    Aboard,
    /// Refused for good
    Rejected,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Pending => "pending",
            Self::Aboard => "aboard",
            Self::Rejected => "rejected",
        }
    }
}

pub(super) async fn run(arguments: &List) -> Result<Exit, Failure> {
    let admin = arguments.admin.open()?;
    let mut after: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE)];
        if let Some(state) = arguments.state {
            query.push(("state", state.as_str()));
        }
        if let Some(id) = &arguments.id {
            query.push(("certificateId", id.as_str()));
        }
        if let Some(after) = &after {
            query.push(("after", after));
        }
        let page = admin.get(DEVICES, &query).await?;
        let devices = devices(&page)?;
        for device in devices {
            print(device, arguments.json)?;
        }
        let last = devices
            .last()
            .and_then(|device| device["deviceId"].as_str())
            .map(str::to_owned);
        // Pages are in the order of device ids, so one that does not go on would never end.
        if last.is_none() || last <= after {
            return Ok(Exit::Done);
        }
        after = last;
    }
}

/// Devices in one answer of the server.
const PAGE: &str = "100";
