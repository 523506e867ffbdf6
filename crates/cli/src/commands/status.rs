use clap::Args;
use gangplank_client::driver::StateDirectory;
use gangplank_client::{DeviceState, Reported};
use rustls_pki_types::UnixTime;
use serde_json::{Map, Value, json};

use crate::device::{StateArgument, require_folder};
use crate::key::Backend;
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    state: StateArgument,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Needs no network: a device knows who it is.
pub(crate) fn run(arguments: &Status) -> Result<Exit, Failure> {
    let folder = &arguments.state.state;
    require_folder(folder)?;
    let failed = |error: &dyn std::error::Error| Failure::of(Exit::CannotTell, error);
    let directory = StateDirectory::open_existing(folder).map_err(|error| failed(&error))?;
    let state = directory.load().map_err(|error| failed(&error))?;
    let shown = state.as_ref().map_or_else(Map::new, members);
    let aboard = state.is_some_and(|state| state.aboard.is_some());
    if arguments.json {
        let mut object = Map::from_iter([("aboard".to_owned(), json!(aboard))]);
        object.extend(shown);
        output::json(&object)?;
    } else {
        output::line(if aboard { "aboard" } else { "not aboard" })?;
        for (member, value) in &shown {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), output::visible);
            output::line(format_args!("{member:<18} {text}"))?;
        }
    }
    Ok(if aboard { Exit::Done } else { Exit::No })
}

/// Everything but the secrets.
fn members(state: &DeviceState) -> Map<String, Value> {
    let root = Backend::AWS_LC_RS.sha256(&[&state.root]);
    let mut members = Map::new();
    let mut put = |member: &str, value: Value| members.insert(member.to_owned(), value);
    put("rootUrl", json!(state.root_url.as_str()));
    put("certificateId", json!(state.certificate_id.as_str()));
    put("root", json!(format!("sha256:{}", output::hex(&root))));
    if let Some(time) = state.last_authenticated {
        put("lastAuthenticated", json!(time.as_secs()));
    }
    if let Some(aboard) = &state.aboard {
        put("deviceId", json!(aboard.device_id.as_str()));
        put("clientId", json!(aboard.client_id.as_str()));
        put(
            "gitRepositoryUrl",
            json!(aboard.git_repository_url.as_str()),
        );
        put(
            "capabilitiesSent",
            json!(aboard.capabilities == Reported::Sent),
        );
        if let Some(git) = &aboard.git {
            put("gitTokenExpiresAt", json!(git.expires_at.as_secs()));
            put(
                "gitTokenExpired",
                json!(git.expires_at.as_secs() <= UnixTime::now().as_secs()),
            );
        }
    }
    members
}
