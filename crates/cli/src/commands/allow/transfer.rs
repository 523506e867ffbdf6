use std::fs::File;
use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gangplank_client::allowlist::{Entry, ImageDigest, ListError, import_text, text};
use serde_json::{Value, json};

use super::edit::{no_tenant, said};
use super::place::Place;
use crate::local_list::LocalList;
use crate::runtime::block_on;
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// A list as text: 64 hex digits a line; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How a list file is made that is not there yet
    #[arg(long, value_enum, default_value = "indexed", requires = "list")]
    format: Format,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One digest a line, and nothing else
    Text,
    /// For any number of digests, with what is said of each
    Indexed,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Leave out what does not count for all devices, all images and all times, and say how many
    ///
    /// As text, a digest counts without conditions. Without this flag nothing is written then.
    #[arg(long)]
    unconditional: bool,
    /// The file to make; one that exists is not overwritten. Without it, standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Adds what a text has, or nothing if one of its lines is no digest.
pub(super) fn import(arguments: &Import) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let read = match arguments.file.as_os_str() == "-" {
        true => import_text(io::stdin()),
        false => File::open(&arguments.file)
            .map_err(ListError::Text)
            .and_then(import_text),
    };
    let mut digests = read.map_err(|error| {
        let exit = match error {
            ListError::Text(_) => Exit::CannotTell,
            _ => Exit::No,
        };
        Failure::of(exit, &error).while_doing(arguments.file.display())
    })?;
    let Some(path) = &place.list else {
        return upload(place, &digests);
    };
    no_tenant(place)?;
    match arguments.format {
        Format::Text => LocalList::add(path, &digests)?,
        Format::Indexed => LocalList::add_or_create(path, &mut digests)?,
    }
    if place.json {
        output::json(&LocalList::open(path)?.stats()?)?;
    }
    Ok(Exit::Done)
}

/// In parts that the server takes at once, each all or none.
fn upload(place: &Place, digests: &[ImageDigest]) -> Result<Exit, Failure> {
    let list = place.server()?;
    let edited = block_on(async {
        let mut edited = Value::Null;
        let (mut added, mut acknowledged) = (0, 0);
        // An empty text is told, too, how the list stands.
        let parts = digests
            .chunks(PART)
            .chain(digests.is_empty().then_some(&[][..]));
        for part in parts {
            let images = part.iter().map(|digest| said(digest, &Entry::default()));
            let edit = json!({ "add": images.collect::<Vec<_>>() });
            edited = list
                .edit(&edit)
                .await
                .map_err(|failure| interrupted(failure, acknowledged, digests.len()))?;
            acknowledged += part.len();
            added += edited.get("added").and_then(Value::as_u64).unwrap_or(0);
        }
        // Each answer is about its part.
        if let Some(members) = edited.as_object_mut() {
            members.insert("added".to_owned(), added.into());
        }
        Ok(edited)
    })?;
    if place.json {
        output::json(&edited)?;
    }
    Ok(Exit::Done)
}

/// Says how far an import came, where it is one of several parts. The part that failed may have been taken,
/// too: where the answer is lost, nobody knows.
fn interrupted(failure: Failure, acknowledged: usize, all: usize) -> Failure {
    if all <= PART {
        return failure;
    }
    failure.while_doing(format_args!(
        "the server acknowledged {acknowledged} of {all} digests, which stay on the list; \
         importing the same file again completes it"
    ))
}

/// Writes the list as the Secure Manager's text.
pub(super) fn export(arguments: &Export) -> Result<Exit, Failure> {
    let place = &arguments.place;
    let mut written = Written::default();
    let mut take = |digest: &ImageDigest, has_conditions: bool| {
        written.take(digest, has_conditions, arguments.unconditional)
    };
    match &place.list {
        Some(path) => {
            no_tenant(place)?;
            LocalList::open(path)?.each(|digest, entry| {
                let has_conditions = without_notes(entry) != Entry::default();
                take(digest, has_conditions)
            })?;
        }
        None => {
            let list = place.server()?;
            let of_server = |image: Value| {
                let (digest, has_conditions) = of_server(&image)?;
                take(&digest, has_conditions)
            };
            block_on(async { list.each(of_server).await })?;
        }
    }
    if written.left_out > 0 {
        let left_out = written.left_out;
        output::progress(format_args!("{left_out} with conditions are left out"));
    }
    match &arguments.out {
        Some(path) => files::create_public(path, &written.text)?,
        None => output::write(&written.text)?,
    }
    Ok(Exit::Done)
}

/// What an export has so far.
#[derive(Default)]
struct Written {
    text: Vec<u8>,
    left_out: usize,
}

impl Written {
    fn take(
        &mut self,
        digest: &ImageDigest,
        has_conditions: bool,
        unconditional: bool,
    ) -> Result<(), Failure> {
        match (has_conditions, unconditional) {
            (false, _) => self.text.extend_from_slice(&text::line(digest)),
            (true, true) => self.left_out += 1,
            (true, false) => {
                let sentence = format!(
                    "{digest} counts under conditions, which the text would lose; see --unconditional"
                );
                return Err(Failure::new(Exit::No, sentence));
            }
        }
        Ok(())
    }
}

/// A digest as the server tells it, and whether it counts under conditions.
fn of_server(image: &Value) -> Result<(ImageDigest, bool), Failure> {
    let digest = image.get("digest").and_then(Value::as_str);
    let digest = ImageDigest::parse(digest.unwrap_or_default())
        .map_err(|error| Failure::of(Exit::BadAnswer, &error))?;
    let is_said = |name: &str| image.get(name).is_some_and(|value| !value.is_null());
    Ok((digest, CONDITIONS.into_iter().any(is_said)))
}

/// Who put it there and why is no condition.
fn without_notes<'e>(entry: &Entry<'e>) -> Entry<'e> {
    let mut entry = *entry;
    entry.owner = None;
    entry.reason = None;
    entry
}

const CONDITIONS: [&str; 4] = ["notBefore", "expires", "tenant", "repository"];
/// Images of one edit on the server.
const PART: usize = 1000;
