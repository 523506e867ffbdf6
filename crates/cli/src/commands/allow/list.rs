use clap::Args;
use serde_json::Value;

use super::edit::{no_tenant, said};
use super::place::Place;
use crate::local_list::LocalList;
use crate::runtime::block_on;
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Stats {
    #[command(flatten)]
    place: Place,
}

/// The digests in ascending order, each with what is said of it.
pub(super) fn list(arguments: &List) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let print = |image: Value| match place.json {
        true => output::json(&image),
        false => output::line(line(&image)),
    };
    match &place.list {
        Some(path) => LocalList::open(path)?.each(|digest, entry| {
            // One tenant's: what counts for it, and not for another alone.
            let of = place.tenant.as_ref().map(|tenant| tenant.as_str());
            match of.is_none() || entry.tenant.is_none() || entry.tenant == of {
                true => print(said(digest, entry)),
                false => Ok(()),
            }
        })?,
        None => {
            let list = place.server()?;
            block_on(async { list.each(print).await })?;
        }
    }
    Ok(Exit::Done)
}

/// How many images there are, and which state of the list it is.
pub(super) fn stats(arguments: &Stats) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let stats = match &place.list {
        Some(path) => {
            no_tenant(place)?;
            LocalList::open(path)?.stats()?
        }
        None => {
            let list = place.server()?;
            let mut head = block_on(async { list.head().await })?;
            if let Some(members) = head.as_object_mut() {
                members.retain(|name, _| name != "images");
            }
            head
        }
    };
    match (place.json, stats.as_object()) {
        (false, Some(members)) => {
            for (name, value) in members {
                output::line(output::visible(&format!("{name}: {}", plain(value))))?;
            }
        }
        _ => output::json(&stats)?,
    }
    Ok(Exit::Done)
}

/// The digest, then what is said of it.
fn line(image: &Value) -> String {
    let mut line = plain(&image["digest"]);
    for (name, value) in image.as_object().into_iter().flatten() {
        if name != "digest" {
            line = format!("{line} {name}={}", plain(value));
        }
    }
    output::visible(&line)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
