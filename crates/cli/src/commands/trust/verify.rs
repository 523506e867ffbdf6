use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gangplank_server::trust::{
    Anchor, ChainError, MAX_INTERMEDIATES, PathProfile, Purpose, Revocation, RevocationLists,
    VerifiedPath, roots, verify_path,
};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::key::Backend;
use crate::times::Moment;
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Trust anchors: PEM or DER, any number in a file
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    anchor: Vec<PathBuf>,
    /// The certificate, and the intermediate ones that came with it: PEM or DER, leaf first
    #[arg(long, value_name = "FILE")]
    chain: PathBuf,
    /// Further intermediate certificates
    #[arg(long, value_name = "FILE", num_args = 1..)]
    intermediate: Vec<PathBuf>,
    /// Revocation lists: PEM or DER. Once there is one, every certificate below the anchor needs a
    /// current list of its issuer
    #[arg(long, value_name = "FILE", num_args = 1..)]
    crl: Vec<PathBuf>,
    /// The time to judge at: Unix seconds or RFC 3339; a fraction is left off
    #[arg(long, value_name = "TIME", value_parser = Moment::parse_any, default_value = "now")]
    at: Moment,
    /// What the certificates have to be for
    #[arg(long, value_enum, default_value_t = Eku::Client)]
    eku: Eku,
    /// Intermediate certificates that there may be; self-issued ones do not count
    #[arg(long, value_name = "N", default_value_t = MAX_INTERMEDIATES)]
    max_depth: usize,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// An extended key usage (RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Eku {
    /// TLS clients, which devices are
    Client,
    /// TLS servers
    Server,
    /// Whatever they are for
    Any,
}

pub(crate) fn run(arguments: &Verify) -> Result<Exit, Failure> {
    let given = match Given::read(arguments) {
        // What is no certificate or list verifies nothing.
        Err((reason, failure)) if arguments.json && failure.exit() == Exit::No => {
            output::json(&refused(reason, failure.to_string()))?;
            return Ok(Exit::No);
        }
        given => given.map_err(|(_, failure)| failure)?,
    };
    let found = given.verify(arguments);
    match (arguments.json, &found) {
        (true, _) => output::json(&given.object(&found))?,
        (false, Ok(path)) => output::write(given.text(path).as_bytes())?,
        (false, Err(error)) => output::line(format_args!(
            "refused, {}: {}",
            error.code(),
            output::visible(&error.to_string())
        ))?,
    }
    Ok(match found {
        Ok(_) => Exit::Done,
        Err(_) => Exit::No,
    })
}

/// What the files hold.
struct Given {
    anchors: Vec<Anchor>,
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    lists: Option<RevocationLists>,
}

impl Given {
    /// The files; or what cannot be read, and the reason for refusing that this is.
    fn read(arguments: &Verify) -> Result<Self, (&'static str, Failure)> {
        let certificates =
            |path: &Path| files::unread_certificates(path).map_err(|failure| (MALFORMED, failure));
        let anchors = arguments.anchor.iter().map(|path| anchors(path));
        let anchors = anchors.collect::<Result<Vec<_>, _>>();
        let mut chain = certificates(&arguments.chain)?.into_iter();
        let leaf = chain.next().ok_or_else(|| {
            let failure = Failure::new(Exit::No, "no certificate");
            (MALFORMED, failure.while_doing(arguments.chain.display()))
        })?;
        let mut intermediates: Vec<CertificateDer<'static>> = chain.collect();
        for path in &arguments.intermediate {
            intermediates.extend(certificates(path)?);
        }
        Ok(Self {
            anchors: anchors.map_err(|failure| (NO_ANCHOR, failure))?.concat(),
            leaf,
            intermediates,
            lists: lists(&arguments.crl).map_err(|failure| (NO_STATUS, failure))?,
        })
    }

    fn verify(&self, arguments: &Verify) -> Result<VerifiedPath<'_>, ChainError> {
        let mut profile = PathProfile::new(match arguments.eku {
            Eku::Client => Purpose::Client,
            Eku::Server => Purpose::Server,
            Eku::Any => Purpose::Any,
        });
        profile.max_intermediates = arguments.max_depth;
        let lists = self.lists.as_ref();
        verify_path(
            &self.leaf,
            &self.intermediates,
            &self.anchors,
            profile,
            lists.map_or(Revocation::NotChecked, Revocation::Lists),
            Backend::AWS_LC_RS,
            arguments.at.time(),
        )
    }

    fn object(&self, found: &Result<VerifiedPath<'_>, ChainError>) -> Value {
        match found {
            Ok(path) => json!({
                "verified": true,
                "anchor": path.anchor().name().to_string(),
                "path": self.hashes(path),
            }),
            Err(error) => refused(error.code(), error.to_string()),
        }
    }

    fn text(&self, path: &VerifiedPath<'_>) -> String {
        let name = output::visible(&path.anchor().name().to_string());
        let hashes = self.hashes(path).join("\n");
        format!("verified by the anchor {name}; from the leaf to it:\n{hashes}\n")
    }

    /// SHA-256 of every certificate, from the leaf to the anchor.
    fn hashes(&self, path: &VerifiedPath<'_>) -> Vec<String> {
        let between = path.intermediates().iter();
        let between = between.filter_map(|place| self.intermediates.get(*place));
        let certificates = [&self.leaf].into_iter().chain(between);
        let hash = |certificate| output::hex(&roots::fingerprint(certificate, Backend::AWS_LC_RS));
        certificates
            .chain(path.anchor().certificate())
            .map(hash)
            .collect()
    }
}

fn refused(reason: &str, sentence: String) -> Value {
    json!({ "verified": false, "reason": reason, "sentence": sentence })
}

/// Those of a file. One that cannot be an anchor is as good as absent, as others may do.
fn anchors(path: &Path) -> Result<Vec<Anchor>, Failure> {
    let mut anchors = Vec::new();
    for (place, certificate) in files::unread_certificates(path)?.into_iter().enumerate() {
        let id = format!("{}:{}", path.display(), place + 1);
        match Anchor::from_certificate(&id, certificate) {
            Ok(anchor) => anchors.push(anchor),
            Err(error) => output::progress(format_args!("{id}: {error}")),
        }
    }
    Ok(anchors)
}

fn lists(paths: &[PathBuf]) -> Result<Option<RevocationLists>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut lists = Vec::new();
    for path in paths {
        lists.extend(files::revocation_lists(path)?);
    }
    RevocationLists::read(lists.iter().map(AsRef::as_ref))
        .map(Some)
        .map_err(|error| Failure::of(Exit::No, &error))
}

// The reasons of a chain that the files do not let anybody judge.
const MALFORMED: &str = "certificate-malformed";
const NO_ANCHOR: &str = "no-usable-anchor";
const NO_STATUS: &str = "revocation-unknown";
