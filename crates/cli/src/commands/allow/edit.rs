use clap::Args;
use gangplank_client::allowlist::{Change, Entry, ImageDigest, ImageReference};
use serde_json::{Map, Value, json};

use super::place::Place;
use crate::local_list::LocalList;
use crate::runtime::block_on;
use crate::times::Moment;
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// What to put on the list: 64 hex digits, or `sha256:` and 64 hex digits
    #[arg(value_name = "DIGEST", required = true, value_parser = digest)]
    digests: Vec<ImageDigest>,
    /// When they begin to count: Unix seconds or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = Moment::parse_any)]
    not_before: Option<Moment>,
    /// When they count no more: Unix seconds or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = Moment::parse_any)]
    expires: Option<Moment>,
    /// The only repository whose images may have them, domain and path as references name it
    #[arg(long, value_name = "NAME", value_parser = repository)]
    repository: Option<String>,
    /// Who puts them on the list
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// Why they are put on the list
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// What to take off the list, whether it is there or not
    #[arg(value_name = "DIGEST", required = true, value_parser = digest)]
    digests: Vec<ImageDigest>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Clear {
    #[command(flatten)]
    place: Place,
}

pub(super) fn add(arguments: &Add) -> Result<Exit, Failure> {
    let seconds = |time: Option<Moment>| time.map(|time| time.time().as_secs());
    let (not_before, expires) = (seconds(arguments.not_before), seconds(arguments.expires));
    if let (Some(from), Some(end)) = (not_before, expires)
        && from >= end
    {
        let sentence = "--expires is not after --not-before";
        return Err(Failure::new(Exit::CannotTell, sentence));
    }
    let mut entry = Entry::default();
    entry.not_before = not_before;
    entry.expires = expires;
    entry.repository = arguments.repository.as_deref();
    entry.owner = arguments.owner.as_deref();
    entry.reason = arguments.reason.as_deref();
    let place = &arguments.place;
    if place.list.is_none() {
        let images = arguments.digests.iter().map(|digest| said(digest, &entry));
        return on_server(place, &json!({ "add": images.collect::<Vec<_>>() }));
    }
    entry.tenant = place.tenant.as_ref().map(|tenant| tenant.as_str());
    in_file(place, &arguments.digests, Some(entry))
}

pub(super) fn remove(arguments: &Remove) -> Result<Exit, Failure> {
    let place = &arguments.place;
    if place.list.is_none() {
        let digests = arguments.digests.iter().map(ImageDigest::to_string);
        return on_server(place, &json!({ "remove": digests.collect::<Vec<_>>() }));
    }
    no_tenant(place)?;
    place
        .list
        .as_deref()
        .map_or(Ok(()), LocalList::must_be_there)?;
    in_file(place, &arguments.digests, None)
}

pub(super) fn clear(arguments: &Clear) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let Some(path) = &place.list else {
        return on_server(place, &json!({ "clear": true }));
    };
    no_tenant(place)?;
    LocalList::clear(path)?;
    if place.json {
        output::json(&json!({ "list": path, "cleared": true }))?;
    }
    Ok(Exit::Done)
}

/// A digest and what is said of it, as the server's API has it.
pub(super) fn said(digest: &ImageDigest, entry: &Entry<'_>) -> Value {
    let texts = [
        ("tenant", entry.tenant),
        ("repository", entry.repository),
        ("owner", entry.owner),
        ("reason", entry.reason),
    ];
    let times = [("notBefore", entry.not_before), ("expires", entry.expires)];
    let mut said = Map::new();
    said.insert("digest".to_owned(), digest.to_string().into());
    for (name, time) in times {
        said.extend(time.map(|time| (name.to_owned(), time.into())));
    }
    for (name, text) in texts {
        said.extend(text.map(|text| (name.to_owned(), text.into())));
    }
    Value::Object(said)
}

fn on_server(place: &Place, edit: &Value) -> Result<Exit, Failure> {
    let list = place.server()?;
    let edited = block_on(async { list.edit(edit).await })?;
    if place.json {
        output::json(&edited)?;
    }
    Ok(Exit::Done)
}

fn in_file(
    place: &Place,
    digests: &[ImageDigest],
    entry: Option<Entry<'_>>,
) -> Result<Exit, Failure> {
    let changes: Vec<Change<'_>> = digests
        .iter()
        .map(|digest| Change {
            digest: *digest,
            entry,
        })
        .collect();
    if let Some(path) = &place.list {
        LocalList::change(path, &changes)?;
    }
    if place.json {
        output::json(&json!({ "list": place.list, "digests": digests.len() }))?;
    }
    Ok(Exit::Done)
}

/// In a file, a tenant is said of an entry: there is none to take off, and a text says none. Verbs about the
/// whole file do not take a tenant for a filter either.
pub(super) fn no_tenant(place: &Place) -> Result<(), Failure> {
    match place.tenant {
        None => Ok(()),
        Some(_) => {
            let sentence = "--tenant is for the server's lists, and of a file for `allow add`, `list`, `check` and `exec`";
            Err(Failure::new(Exit::CannotTell, sentence))
        }
    }
}

fn digest(text: &str) -> Result<ImageDigest, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    // Upper-case digits are folded as in a file that people edit.
    ImageDigest::from_hex(digits.to_ascii_lowercase().as_bytes()).map_err(|error| error.to_string())
}

fn repository(text: &str) -> Result<String, String> {
    match ImageReference::parse(text) {
        Ok(reference) if reference.name() == text => Ok(text.to_owned()),
        Ok(_) => Err("a repository has neither tag nor digest".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
