use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use gangplank_client::allowlist::Locked;
use gangplank_client::allowlist::signed::{Content, Kept, ListName, VerifiedManifest};

use super::publish::{delta_name, list_name, manifest_name};
use super::signed::{self, TrustArguments};
use super::source::Source;
use super::verify::check_bytes;
use crate::key::Backend;
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["url", "from"]))]
pub(crate) struct Fetch {
    /// Where the published folder is: an https URL
    #[arg(long, value_name = "URL", requires = "root")]
    url: Option<String>,
    /// The root certificate that the server's certificate leads to, PEM or DER; no other is believed
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// The published folder itself
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The name of the list
    #[arg(long, value_name = "NAME", value_parser = ListName::parse)]
    name: ListName,
    #[command(flatten)]
    trust: TrustArguments,
    /// What is remembered of the list: every older one is refused
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The list on this device, which is replaced when the new one is whole and verified
    #[arg(long, value_name = "LIST")]
    out: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Fetch) -> Result<Exit, Failure> {
    signed::are_apart(&arguments.state, &arguments.out)?;
    let state = Locked::wait(&arguments.state)?;
    let state = state.path();
    let remembered = signed::load(state)?;
    let before = signed::newest(state)?;
    fetch(arguments, state, before.as_ref()).inspect_err(|_| {
        if let Some(kept) = &remembered {
            tell_of(kept, &arguments.out);
        }
    })
}

/// Says that the list that is remembered stays, if it is there.
fn tell_of(kept: &Kept, list: &Path) {
    if check_bytes(list, kept.content().checking(Backend::AWS_LC_RS)).is_ok() {
        let (version, expires) = (kept.version(), kept.expires());
        output::progress(format_args!(
            "the list of version {version} stays; it counts until {expires} (Unix seconds)"
        ));
    }
}

fn fetch(arguments: &Fetch, state: &Path, before: Option<&Kept>) -> Result<Exit, Failure> {
    let source = match (&arguments.from, &arguments.url, &arguments.root) {
        (Some(folder), _, _) => Source::Folder(folder.clone()),
        (None, Some(url), Some(root)) => Source::web(url, root)?,
        _ => {
            return Err(Failure::new(
                Exit::CannotTell,
                "neither --from nor --url with --root",
            ));
        }
    };
    let manifest = manifest_name(&arguments.name);
    let envelope = source.read(&manifest, MANIFEST)?;
    let verified = arguments
        .trust
        .verify(&envelope, Some(&arguments.name))
        .map_err(|failure| failure.while_doing(&manifest))?;
    let kept = signed::follow(&verified, before)?;
    arguments.trust.counts(&kept)?;
    // The list's own lock: no other change of it is written over, nor writes into what comes.
    let out = Locked::wait(&arguments.out)?;
    // Before the list comes to its place, what goes with it is on the disk.
    let ready = || signed::announce(state, &kept);
    let way = bring(&source, &verified, &out, &ready)?;
    drop(out);
    signed::settle(state, &kept)?;
    match arguments.json {
        true => {
            let mut told = signed::told(&kept);
            if let Some(told) = told.as_object_mut() {
                told.insert("by".to_owned(), way.into());
            }
            output::json(&told)?;
        }
        false => output::line(format_args!(
            "{} version {} ({way})",
            kept.list(),
            kept.version()
        ))?,
    }
    Ok(Exit::Done)
}

/// Puts the list in its place, and says how it came.
fn bring(
    source: &Source,
    verified: &VerifiedManifest,
    out: &Locked,
    ready: &dyn Fn() -> Result<(), Failure>,
) -> Result<&'static str, Failure> {
    if check_bytes(out.path(), verified.checking()).is_ok() {
        signed::settle_list(out)?;
        return Ok("unchanged");
    }
    match by_delta(source, verified, out, ready) {
        Some(Ok(())) => return Ok("delta"),
        Some(Err(failure)) => {
            output::progress(format_args!("{failure}; the whole list is fetched"));
        }
        None => {}
    }
    let manifest = verified.manifest();
    let name = list_name(&manifest.name, manifest.version);
    out.replace(|file| {
        let mut checking = verified.checking();
        let refused =
            |error: &dyn std::error::Error| Failure::of(Exit::No, error).while_doing(&name);
        source.stream(&name, |part| {
            checking.feed(part).map_err(|error| refused(&error))?;
            write(file, part)
        })?;
        checking.finish().map_err(|error| refused(&error))?;
        ready()
    })?;
    Ok("whole")
}

/// `None` where there is no delta that begins with the list that is here.
fn by_delta(
    source: &Source,
    verified: &VerifiedManifest,
    out: &Locked,
    ready: &dyn Fn() -> Result<(), Failure>,
) -> Option<Result<(), Failure>> {
    let manifest = verified.manifest();
    let delta = manifest.delta.as_ref()?;
    let base = fs::read(out.path()).ok()?;
    let begins = Content {
        size: base.len() as u64,
        digest: delta.from_digest,
    };
    begins.check(&base, Backend::AWS_LC_RS).ok()?;
    let name = delta_name(&manifest.name, delta.from, manifest.version);
    Some(source.read(&name, delta.size).and_then(|bytes| {
        out.replace(|file| {
            verified
                .apply_delta(&base, &bytes, |part| write(file, part))
                .map_err(|error| Failure::new(Exit::No, error).while_doing(&name))?;
            ready()
        })
    }))
}

fn write(file: &mut File, part: &[u8]) -> Result<(), Failure> {
    file.write_all(part)
        .map_err(|error| Failure::of(Exit::CannotTell, &error))
}

/// The longest envelope of a manifest in bytes: 4 KiB of payload, eight certificates, and room.
const MANIFEST: u64 = 512 * 1024;
