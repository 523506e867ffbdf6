//! What the verbs that judge images have in common.

use std::path::{Path, PathBuf};

use clap::Args;
use gangplank_client::allowlist::{
    Allowlist, Damaged, DecisionLog, Entry, ImageDigest, Listing, Mode, Permit, Refused,
    trusted_time,
};
use gangplank_client::trust::TenantId;
use serde::Serialize;

use super::server_verdict::ServerVerdict;
use super::signed::SignedFile;
use crate::local_list::LocalList;
use crate::{Exit, Failure, output};

/// How a list in a file is asked.
#[derive(Debug, Args)]
pub(crate) struct GateArguments {
    /// Write every decision down before it is told, and permit nothing that cannot be
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// AUDIT MODE: let everything pass that is pinned, and say what would be denied
    #[arg(long)]
    audit: bool,
    /// Take the list only as `allow fetch` or `allow verify` remembered it here, and for as long as it was
    /// signed for
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// A list that is asked about images.
#[derive(Debug)]
pub(crate) enum Opened {
    Local(LocalList),
    Signed(SignedFile),
    Server(ServerPermits),
}

/// The one digest that the server said may run; nothing where it was not asked.
#[derive(Debug)]
pub(crate) struct ServerPermits(pub(crate) Option<ImageDigest>);

impl Listing for ServerPermits {
    fn find(&self, digest: &ImageDigest) -> Result<Option<Entry<'_>>, Damaged> {
        Ok((self.0 == Some(*digest)).then(Entry::default))
    }
}

impl Opened {
    /// Opens the list at `path`; with `state` only as it is remembered there.
    pub(crate) fn open(path: &Path, state: Option<&Path>) -> Result<Self, Failure> {
        match state {
            None => LocalList::open(path).map(Self::Local),
            Some(state) => SignedFile::open(path, state).map(Self::Signed),
        }
    }

    /// Where digests are found.
    pub(crate) fn listing(&self) -> Result<Box<dyn Listing + '_>, Failure> {
        match self {
            Self::Local(list) => Ok(Box::new(list.listing())),
            Self::Signed(list) => list.listing(),
            Self::Server(permits) => Ok(Box::new(permits)),
        }
    }

    /// The number of this state of the list, where it has one.
    pub(crate) fn serial(&self) -> Option<u64> {
        match self {
            Self::Local(list) => list.serial(),
            Self::Signed(list) => Some(list.version()),
            Self::Server(_) => None,
        }
    }
}

impl GateArguments {
    /// Opens the list at `path`.
    pub(crate) fn open(&self, path: &Path) -> Result<Opened, Failure> {
        Opened::open(path, self.state.as_deref())
    }

    /// Asks `listing`, now, for the devices of a tenant.
    pub(crate) fn allowlist<'l>(
        &self,
        listing: &'l dyn Listing,
        tenant: Option<&'l TenantId>,
    ) -> Allowlist<'l> {
        ask(listing, self.mode(), tenant)
    }

    pub(crate) fn decision_log(&self) -> Option<DecisionLog> {
        self.log.as_ref().map(DecisionLog::new)
    }

    /// Whether anything was said of how a list in a file is asked.
    pub(crate) fn is_said(&self) -> bool {
        self.log.is_some() || self.audit || self.state.is_some()
    }

    /// Whether anything was said that holds for a list in a file only.
    pub(crate) fn is_about_a_file(&self) -> bool {
        self.audit || self.state.is_some()
    }

    pub(crate) fn no_file() -> Failure {
        let sentence = "--audit and --state are for a list in a file (--list)";
        Failure::new(Exit::CannotTell, sentence)
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.audit {
            true => Mode::Audit,
            false => Mode::Enforce,
        }
    }

    /// Says on standard error that nothing is enforced.
    pub(crate) fn warn_of_audit(&self) {
        if self.audit {
            output::progress("AUDIT MODE: what the list does not have may run, too");
        }
    }
}

/// Asks `listing`, now, for the devices of a tenant.
pub(crate) fn ask<'l>(
    listing: &'l dyn Listing,
    mode: Mode,
    tenant: Option<&'l TenantId>,
) -> Allowlist<'l> {
    let mut list = Allowlist::new(listing).mode(mode);
    if let Some(now) = trusted_time() {
        list = list.at(now);
    }
    match tenant {
        Some(tenant) => list.in_tenant(tenant.as_str()),
        None => list,
    }
}

/// What is told of an image.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    image: &'a str,
    verdict: &'static str,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    reason: String,
}

impl<'a> Answer<'a> {
    pub(crate) fn of(
        image: &'a str,
        mode: Mode,
        judged: Result<&Permit<'_>, &Refused<'_>>,
    ) -> Self {
        let (verdict, digest, code) = match judged {
            Ok(permit) => match permit.would_be_denied() {
                None => ("permit", Some(*permit.digest()), None),
                Some(denied) => ("audit", Some(denied.digest), Some(denied.code())),
            },
            Err(refused @ Refused::Denied(denied)) => {
                ("deny", Some(denied.digest), Some(refused.code()))
            }
            Err(refused) => ("deny", None, Some(refused.code())),
        };
        Self {
            image,
            verdict,
            mode: mode.name(),
            digest: digest.map(|digest| digest.to_string()),
            code,
            reason: match judged {
                Ok(permit) => permit.to_string(),
                Err(refused) => refused.to_string(),
            },
        }
    }

    /// Of the server, which enforces its lists.
    pub(crate) fn of_server(said: &'a ServerVerdict) -> Self {
        let image = said.image();
        let denied = said.denied();
        Self {
            image,
            verdict: if denied.is_some() { "deny" } else { "permit" },
            mode: Mode::Enforce.name(),
            digest: said.digest().map(|digest| digest.to_string()),
            code: denied.map(|denied| denied.code.as_str()),
            reason: match denied {
                None => format!("{image} may run"),
                Some(denied) => denied.reason.clone(),
            },
        }
    }

    /// One line for people, which says loudly where nothing is enforced.
    pub(crate) fn line(&self) -> String {
        let line = match (self.verdict, self.image) {
            ("deny", image) if !image.is_empty() => format!("{image}: {}", self.reason),
            _ => self.reason.clone(),
        };
        // A permit of that mode says so itself.
        let line = match (self.mode == Mode::Audit.name(), self.verdict) {
            (true, "deny") => format!("AUDIT MODE: {line}"),
            _ => line,
        };
        output::visible(&line)
    }

    /// On standard output.
    pub(crate) fn tell(&self, json: bool) -> Result<(), Failure> {
        match json {
            true => output::json(self),
            false => output::line(self.line()),
        }
    }
}
