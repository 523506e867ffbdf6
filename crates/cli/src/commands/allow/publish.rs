use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use gangplank_client::allowlist::signed::{
    ListDelta, ListFormat, ListManifest, ListName, VerifiedManifest, write_delta,
};
use gangplank_client::allowlist::text::{self, CanonicalText};
use gangplank_client::allowlist::{Locked, indexed::is_indexed, replace_file};
use serde_json::json;

use super::signed::{self, SignArguments};
use crate::key::{Backend, SigningKey};
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
#[command(disable_version_flag = true)] // --version is the list's
pub(crate) struct Publish {
    /// The folder that a web server hands out, or that is carried to devices
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The list: a text file, which is put in canonical form, or an indexed file
    #[arg(long, value_name = "FILE")]
    list: PathBuf,
    /// Larger than that of the list before; without it, one more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..1 << 53))]
    version: Option<u64>,
    #[command(flatten)]
    sign: SignArguments,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Publish) -> Result<Exit, Failure> {
    let (dir, sign) = (&arguments.dir, &arguments.sign);
    let list = canonical(&arguments.list)?;
    let key = sign.open_key()?;
    let at = dir.join(manifest_name(&sign.name));
    let _locked = Locked::wait(&at)?;
    let before = published(&at, sign, key.as_ref())?;
    let last = before
        .as_ref()
        .map_or(0, |before| before.manifest().version);
    let mut manifest = sign.describe(&list, arguments.version.unwrap_or(last + 1))?;
    let delta = before
        .as_ref()
        .and_then(|before| delta(dir, before, &mut manifest, &list));
    let envelope = sign.sign(key.as_ref(), &manifest)?;
    let kept = before
        .as_ref()
        .map(|before| signed::follow(before, None))
        .transpose()?;
    let made = sign.read_own(key.as_ref(), &envelope)?;
    signed::follow(&made, kept.as_ref())?;
    if last == manifest.version {
        let sentence = format_args!("version {last} is published already");
        return Err(Failure::new(Exit::No, sentence));
    }
    put(&at, (&manifest, &envelope), &list, delta.as_deref())?;
    if let Some(before) = &before {
        remove_older(dir, before.manifest());
    }
    tell(&manifest, arguments.json)?;
    Ok(Exit::Done)
}

/// Which version it is, and whether devices need the whole list for it.
fn tell(manifest: &ListManifest, json: bool) -> Result<(), Failure> {
    let ListManifest {
        name,
        version,
        format,
        ..
    } = manifest;
    let from = manifest.delta.as_ref().map(|delta| delta.from);
    if json {
        return output::json(&json!({
            "list": name.as_str(), "version": version, "format": format.name(),
            "size": manifest.size, "count": manifest.count, "deltaFrom": from,
        }));
    }
    let way = match (from, format) {
        (Some(from), _) => format!(" (with the delta from version {from})"),
        (None, ListFormat::Indexed) => " (without a delta: it is indexed)".to_owned(),
        // Of the first one, nobody expects another.
        (None, _) if *version == 1 => String::new(),
        (None, _) => " (without a delta)".to_owned(),
    };
    output::line(format_args!("{name} version {version}{way}"))
}

/// What is in the folder already. What another signed is not replaced.
fn published(
    at: &Path,
    sign: &SignArguments,
    key: &dyn SigningKey,
) -> Result<Option<VerifiedManifest>, Failure> {
    let read = match fs::read(at) {
        Ok(envelope) => sign.read_own(key, &envelope).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::of(Exit::CannotTell, &error)),
    };
    read.map_err(|failure| failure.while_doing(at.display()))
}

/// First what the manifest names, so that nobody sees a manifest whose list is missing.
fn put(
    at: &Path,
    (manifest, envelope): (&ListManifest, &[u8]),
    list: &[u8],
    delta: Option<&[u8]>,
) -> Result<(), Failure> {
    let (name, version) = (&manifest.name, manifest.version);
    write(&at.with_file_name(list_name(name, version)), list)?;
    if let (Some(delta), Some(named)) = (delta, &manifest.delta) {
        write(
            &at.with_file_name(delta_name(name, named.from, version)),
            delta,
        )?;
    }
    write(at, envelope)
}

/// What devices ask for first.
pub(super) fn manifest_name(list: &ListName) -> String {
    format!("{list}.manifest.json")
}

pub(super) fn list_name(list: &ListName, version: u64) -> String {
    format!("{list}-{version}.list")
}

pub(super) fn delta_name(list: &ListName, from: u64, to: u64) -> String {
    format!("{list}-{from}-{to}.delta")
}

/// An indexed file as it is; a text, which has to be without fault, in canonical form.
fn canonical(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = signed::read_list(path)?;
    if is_indexed(&bytes) {
        return Ok(bytes);
    }
    let mut digests = Vec::new();
    for (number, line) in text::lines(&bytes) {
        let digest = line.map_err(|fault| {
            let sentence = format_args!("{}: line {number}: {fault}", path.display());
            Failure::new(Exit::No, sentence)
        })?;
        digests.push(digest);
    }
    digests.sort_unstable();
    digests.dedup();
    Ok(digests.iter().flat_map(text::line).collect())
}

/// What leads from the list before, if that is a text that is still there, and the way is the shorter one.
fn delta(
    dir: &Path,
    before: &VerifiedManifest,
    manifest: &mut ListManifest,
    list: &[u8],
) -> Option<Vec<u8>> {
    let ListManifest {
        name,
        version: from,
        format,
        ..
    } = before.manifest();
    if (*format, manifest.format) != (ListFormat::Text, ListFormat::Text)
        || *from >= manifest.version
    {
        return None;
    }
    let old = fs::read(dir.join(list_name(name, *from))).ok()?;
    let old = before.check(&old).ok()?.text().ok()?;
    let mut delta = Vec::new();
    let written = write_delta(old, CanonicalText::read(list).ok()?, |part| {
        delta.extend_from_slice(part);
        Ok::<_, std::convert::Infallible>(())
    });
    written.ok().filter(|()| delta.len() < list.len())?;
    manifest.delta = Some(ListDelta {
        from: *from,
        from_digest: before.manifest().digest,
        size: delta.len() as u64,
        digest: Backend::AWS_LC_RS.sha256(&[&delta]),
    });
    Some(delta)
}

/// The list before stays for those who have just read its manifest; what was before that goes, also what an
/// earlier run was interrupted in removing.
fn remove_older(dir: &Path, before: &ListManifest) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| is_older(name, before)) {
            // It takes room and does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file is an earlier list than `before`, or a delta that led to `before` or to an earlier one.
fn is_older(name: &str, before: &ListManifest) -> bool {
    let ListManifest {
        name: list,
        version,
        ..
    } = before;
    let of_list = name
        .strip_prefix(list.as_str())
        .and_then(|name| name.strip_prefix('-'));
    let number = |text: &str| text.parse::<u64>().ok();
    // Another list may be called `NAME-7`: only what would be written by this very name is this one's.
    match of_list.and_then(|rest| rest.split_once('.')) {
        Some((at, "list")) => {
            number(at).is_some_and(|at| at < *version && name == list_name(list, at))
        }
        Some((way, "delta")) => way.split_once('-').is_some_and(|(from, to)| {
            let way = number(from).zip(number(to));
            way.is_some_and(|(from, to)| to <= *version && name == delta_name(list, from, to))
        }),
        _ => false,
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    replace_file(path, signed::PUBLIC, |file| {
        file.write_all(bytes)
            .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing(path.display()))
    })
}
