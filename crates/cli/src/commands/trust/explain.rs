use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use gangplank_server::trust::{
    Arrival, AuthId, Explanation, Known, KnownDevice, Outcome, Revocation, Source, Tenant,
    TenantDocument, TenantId, VerifiedChain,
};

use super::known_device;
use crate::key::Backend;
use crate::times::Moment;
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The tenant: the JSON document that Eclipse Hono's device registry takes
    #[arg(long, value_name = "TENANT.json")]
    tenant: PathBuf,
    /// The device's certificate, and the intermediate ones it sends: PEM or DER, leaf first
    #[arg(long, value_name = "FILE")]
    chain: PathBuf,
    /// A device that the tenant knows already
    #[arg(long, value_name = "DEVICE.json")]
    known: Option<PathBuf>,
    /// The time to decide at
    #[arg(long, value_name = "TIME", value_parser = Moment::parse_any, default_value = "now")]
    at: Moment,
    /// Where the device connects from; without it the address counts as unknown
    #[arg(long, value_name = "ADDRESS")]
    from: Option<IpAddr>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Explain) -> Result<Exit, Failure> {
    let tenant = tenant(arguments)?;
    let chain = files::unread_certificates(&arguments.chain)?;
    let known = arguments.known.as_deref();
    let known = known.map(|path| known_device::read(path, &tenant.id));
    let known = known.transpose()?;
    let arrival = Arrival {
        certificates: &chain,
        revocation: Revocation::NotChecked,
        source: arguments.from.map_or(Source::Unknown, Source::from),
        now: arguments.at.time(),
    };
    let find = |chain: &VerifiedChain, id: Option<&AuthId>| look_up(known.as_ref(), chain, id);
    let explanation = gangplank_server::trust::explain(&arrival, &tenant, find, Backend::AWS_LC_RS);
    match arguments.json {
        true => output::json(&explanation)?,
        false => output::write(text(&explanation).as_bytes())?,
    }
    Ok(match explanation.decision().outcome {
        Outcome::Known(_) | Outcome::Provision(_) => Exit::Done,
        Outcome::Pending => Exit::Pending,
        Outcome::Refuse(_) => Exit::No,
    })
}

/// The document has no id of the tenant in it, and no decision depends on one.
fn tenant(arguments: &Explain) -> Result<Tenant, Failure> {
    let path = &arguments.tenant;
    let refused =
        |error: &dyn std::error::Error| Failure::of(Exit::No, error).while_doing(path.display());
    let id = TenantId::parse("tenant").map_err(|error| refused(&error))?;
    let text = files::read(path)?;
    let mut made = 0;
    let mut new_id = || {
        made += 1;
        format!("anchor-{made}")
    };
    let document = TenantDocument::decode(&text, &mut new_id).map_err(|error| refused(&error))?;
    Ok(document.tenant(id, 0))
}

/// What a server would find that knows this one device.
fn look_up<'k>(
    device: Option<&'k KnownDevice>,
    chain: &VerifiedChain,
    auth_id: Option<&AuthId>,
) -> Known<'k> {
    let is_named = |device: &&KnownDevice| {
        let by_auth_id = device.auth_id.as_ref().zip(auth_id);
        let by_key = device
            .bound
            .spki_sha256
            .contains(&chain.key().spki_sha256());
        by_auth_id.is_some_and(|(stored, id)| id.names(stored))
            || device.auth_id.is_none() && by_key
    };
    Known {
        device: device.filter(is_named),
        holder_of_device_id: device,
        ..Known::default()
    }
}

fn text(explanation: &Explanation) -> String {
    let decision = explanation.decision();
    let mut lines: Vec<String> = decision
        .trace
        .iter()
        .map(|entry| {
            let mark = if entry.passed { "yes" } else { "no " };
            format!(
                "{mark}  {}: {}",
                entry.rule.name(),
                output::visible(&entry.saw)
            )
        })
        .collect();
    lines.push(match &decision.outcome {
        Outcome::Known(device) => format!("known: the device {} comes aboard", device.device_id),
        Outcome::Provision(plan) => format!(
            "provision: a device joins as {} by anchor {}",
            output::visible(plan.auth_id().as_str()),
            plan.anchor_id()
        ),
        Outcome::Pending => "pending: it waits for an operator".to_owned(),
        Outcome::Refuse(reason) => format!(
            "refuse, {}: {}",
            reason.code(),
            output::visible(&reason.to_string())
        ),
    });
    lines.join("\n") + "\n"
}
