//! What the verbs of signed lists have in common.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use gangplank_client::allowlist::signed::{
    ExpectedList, ExpectedName, Kept, ListFormat, ListManifest, ListName, SignedList,
    VerifiedManifest,
};
use gangplank_client::allowlist::{
    IndexedList, Listing, Locked, indexed::is_indexed, replace_file, text::CanonicalText,
    trusted_time,
};
use rustls_pki_types::UnixTime;
use serde_json::{Value, json};

use crate::envelope::{Audience, Binding, Envelope, ExpectedAudience, Form, Limits, PayloadType};
use crate::key::{Backend, CertificateId, PublicKey, SigningKey, TrustedKey};
use crate::signing_key::KeyArguments;
use crate::times::Moment;
use crate::{Exit, Failure, files};

/// What is said of a list, and who says it.
#[derive(Debug, Args)]
pub(crate) struct SignArguments {
    /// The name of the list
    #[arg(long, value_name = "NAME", value_parser = ListName::parse)]
    pub(crate) name: ListName,
    /// When it counts no more: Unix seconds or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = Moment::parse_any)]
    expires: Moment,
    /// When it begins to count; without it, at once
    #[arg(long, value_name = "TIME", value_parser = Moment::parse_any)]
    not_before: Option<Moment>,
    /// For whom it is: a root URL in canonical form
    #[arg(long, value_name = "URL", value_parser = Audience::parse)]
    audience: Option<Audience>,
    #[command(flatten)]
    key: KeyArguments,
    /// The signer's GUID (member certificateId)
    #[arg(long, value_name = "GUID", value_parser = CertificateId::parse)]
    id: CertificateId,
    /// The signer's certificate, to be sent with the list: PEM or DER, with intermediate ones
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl SignArguments {
    /// Describes a list; without a delta.
    pub(crate) fn describe(&self, list: &[u8], version: u64) -> Result<ListManifest, Failure> {
        let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
        let (format, count) = match is_indexed(list) {
            true => {
                let list = IndexedList::open(list).map_err(|error| refused(&error))?;
                list.verify().map_err(|error| refused(&error))?;
                (ListFormat::Indexed, list.rows().count())
            }
            false => {
                let list = CanonicalText::read(list).map_err(|error| {
                    refused(&error).while_doing("not in canonical form (allow publish writes it)")
                })?;
                (ListFormat::Text, list.len())
            }
        };
        Ok(ListManifest {
            name: self.name.clone(),
            version,
            format,
            size: list.len() as u64,
            digest: Backend::AWS_LC_RS.sha256(&[list]),
            count: count as u64,
            not_before: self.not_before.map(|moment| moment.time().as_secs()),
            expires: self.expires.time().as_secs(),
            delta: None,
        })
    }

    pub(crate) fn open_key(&self) -> Result<Box<dyn SigningKey>, Failure> {
        self.key.open()
    }

    /// The envelope, with a line feed.
    pub(crate) fn sign(
        &self,
        key: &dyn SigningKey,
        manifest: &ListManifest,
    ) -> Result<Vec<u8>, Failure> {
        let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
        let payload = manifest.to_json().map_err(|error| refused(&error))?;
        let mut binding = Binding::new(PayloadType::ALLOWLIST).created(UnixTime::now());
        if let Some(audience) = &self.audience {
            binding = binding.audience(audience.clone());
        }
        if let Some(path) = &self.certificate {
            binding = binding.certificates(files::certificates(path)?);
        }
        let form = Form::Bound(binding);
        let mut envelope = Envelope::prepare_with(payload, form, &self.id, Backend::AWS_LC_RS)
            .map_err(|error| refused(&error))?
            .sign_with(key)
            .map_err(|error| refused(&error))?;
        envelope.push(b'\n');
        Ok(envelope)
    }

    /// Reads a manifest as one that this key signed for this list.
    pub(crate) fn read_own(
        &self,
        key: &dyn SigningKey,
        envelope: &[u8],
    ) -> Result<VerifiedManifest, Failure> {
        let key = TrustedKey::vouch(self.id.clone(), key.public_key().clone());
        let expect = ExpectedList {
            name: ExpectedName::Exactly(self.name.clone()),
            audience: ExpectedAudience::NotCompared,
        };
        let verified = SignedList::new(envelope).verify(&key, &expect);
        verified.map_err(|error| Failure::of(Exit::No, &error))
    }
}

/// Whose lists are believed, and which.
#[derive(Debug, Args)]
pub(crate) struct TrustArguments {
    /// The signer's certificate, PEM or DER; its validity dates are not looked at
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The GUID that must have signed
    #[arg(long, value_name = "GUID", value_parser = CertificateId::parse)]
    id: Option<CertificateId>,
    /// For whom it must be; refuses a list without an audience
    #[arg(long, value_name = "URL", value_parser = Audience::parse)]
    audience: Option<Audience>,
    /// The time to judge at: Unix seconds or RFC 3339; without it the clock's
    #[arg(long, value_name = "TIME", value_parser = Moment::parse_any)]
    at: Option<Moment>,
}

impl TrustArguments {
    pub(crate) fn verify(
        &self,
        envelope: &[u8],
        name: Option<&ListName>,
    ) -> Result<VerifiedManifest, Failure> {
        let refused = |error: &dyn std::error::Error| Failure::of(Exit::No, error);
        let certificate = files::certificate(&self.cert)?;
        let key = PublicKey::from_certificate(&certificate, Backend::AWS_LC_RS)
            .map_err(|error| refused(&error).while_doing(self.cert.display()))?;
        // Without --id the caller vouches that the certificate is that of whoever the envelope names.
        let id = match &self.id {
            Some(id) => id.clone(),
            None => claimed_signer(envelope)?,
        };
        let expect = ExpectedList {
            name: name.map_or(ExpectedName::NotCompared, |name| {
                ExpectedName::Exactly(name.clone())
            }),
            audience: match &self.audience {
                Some(audience) => ExpectedAudience::Exactly(audience.clone()),
                None => ExpectedAudience::NotCompared,
            },
        };
        SignedList::new(envelope)
            .verify(&TrustedKey::vouch(id, key), &expect)
            .map_err(|error| refused(&error))
    }

    /// Whether a list counts now.
    pub(crate) fn counts(&self, kept: &Kept) -> Result<(), Failure> {
        let now = self
            .at
            .map(|moment| moment.time().as_secs())
            .or_else(trusted_time);
        let Some(now) = now else {
            let sentence = "the clock is before this program was built: whether the list counts cannot be told";
            return Err(Failure::new(Exit::CannotTell, sentence));
        };
        match kept.not_before() {
            Some(from) if now < from => {
                let sentence = format_args!("the list counts from {from} on (Unix seconds)");
                Err(Failure::new(Exit::No, sentence))
            }
            _ if now >= kept.expires() => {
                let sentence =
                    format_args!("the list counted until {} (Unix seconds)", kept.expires());
                Err(Failure::new(Exit::No, sentence))
            }
            _ => Ok(()),
        }
    }
}

fn claimed_signer(envelope: &[u8]) -> Result<CertificateId, Failure> {
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(envelope, &Limits::DEFAULT, &mut scratch)
        .map_err(|error| Failure::of(Exit::No, &error))?;
    Ok(envelope.claimed_signer().clone())
}

/// What may follow what is remembered.
pub(crate) fn follow(verified: &VerifiedManifest, before: Option<&Kept>) -> Result<Kept, Failure> {
    let kept = verified.follow(before);
    kept.map_err(|error| Failure::of(Exit::No, &error))
}

/// What is remembered in a file; `None` if there is no file.
pub(crate) fn load(state: &Path) -> Result<Option<Kept>, Failure> {
    let at = |failure: Failure| failure.while_doing(state.display());
    match fs::read(state) {
        Ok(bytes) => Kept::decode(&bytes, Backend::AWS_LC_RS)
            .map(Some)
            .map_err(|error| at(Failure::of(Exit::No, &error))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(Failure::of(Exit::CannotTell, &error))),
    }
}

/// What `fetch` verified and was about to remember when it was stopped, if it follows what is remembered:
/// the list may be in its place already.
pub(crate) fn coming(state: &Path) -> Result<Option<Kept>, Failure> {
    let Some(coming) = load(&next_to(state))? else {
        return Ok(None);
    };
    let follows = |kept: Kept| {
        let same = kept.list() == coming.list() && kept.signer() == coming.signer();
        same && kept.version() <= coming.version()
    };
    let follows = load(state)?.is_none_or(follows);
    Ok(follows.then_some(coming))
}

/// What a new list has to follow: what was announced, where there is something, else what is remembered.
pub(crate) fn newest(state: &Path) -> Result<Option<Kept>, Failure> {
    match coming(state)? {
        None => load(state),
        coming => Ok(coming),
    }
}

/// Refuses to remember a list in the file of the list itself, or where one of both has what goes with the
/// other: each is written anew, and the lock of the second one would never come.
pub(crate) fn are_apart(state: &Path, list: &Path) -> Result<(), Failure> {
    let (state, list) = (Locked::resolve(state)?, Locked::resolve(list)?);
    let taken = [state.clone(), next_to(&state), lock_of(&state)];
    match taken.contains(&list) || lock_of(&list) == state {
        true => {
            let (state, list) = (state.display(), list.display());
            let sentence = format_args!("{list} cannot be the list of which {state} remembers");
            Err(Failure::new(Exit::CannotTell, sentence))
        }
        false => Ok(()),
    }
}

/// Writes down what is about to be remembered, before the list comes to its place.
pub(crate) fn announce(state: &Path, kept: &Kept) -> Result<(), Failure> {
    save(&next_to(state), kept)
}

/// Remembers what was announced.
pub(crate) fn settle(state: &Path, kept: &Kept) -> Result<(), Failure> {
    save(state, kept)?;
    match fs::remove_file(next_to(state)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::of(Exit::CannotTell, &error).while_doing(state.display()))
        }
        _ => Ok(()),
    }
}

fn next_to(state: &Path) -> PathBuf {
    beside(state, ".next")
}

fn lock_of(path: &Path) -> PathBuf {
    beside(path, ".lock")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Waits until the disk has a list that is in its place: who brought it may have been interrupted before.
pub(crate) fn settle_list(list: &Locked) -> Result<(), Failure> {
    list.settle()
        .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing(list.path().display()))
}

/// Remembers durably.
pub(crate) fn save(state: &Path, kept: &Kept) -> Result<(), Failure> {
    replace_file(state, PRIVATE, |file| {
        file.write_all(&kept.encode(Backend::AWS_LC_RS))
            .map_err(|error| Failure::of(Exit::CannotTell, &error))
    })
}

/// A list in a file, exactly as it is remembered. It is read once, so that nobody can change it after it
/// was compared.
#[derive(Debug)]
pub(crate) struct SignedFile {
    path: PathBuf,
    bytes: Vec<u8>,
    kept: Kept,
}

impl SignedFile {
    pub(crate) fn open(path: &Path, state: &Path) -> Result<Self, Failure> {
        // What was announced is beside the file itself.
        let itself = state.canonicalize();
        let state = itself.as_deref().unwrap_or(state);
        // Once more, since `fetch` may have moved on between two of these files.
        match Self::find(path, state)? {
            Ok(found) => Ok(found),
            Err(_) => Self::find(path, state)?,
        }
    }

    /// The list, by what is remembered or by what `fetch` was about to remember.
    fn find(path: &Path, state: &Path) -> Result<Result<Self, Failure>, Failure> {
        let known = [load(state)?, coming(state)?];
        let bytes = read_list(path)?;
        let sentence = "there is no such file, so no signed list is remembered";
        let missing = Failure::new(Exit::CannotTell, sentence);
        let mut failure = missing.while_doing(state.display());
        for kept in known.into_iter().flatten() {
            match kept.content().check(&bytes, Backend::AWS_LC_RS) {
                Ok(_) => {
                    let path = path.to_owned();
                    return Ok(Ok(Self { path, bytes, kept }));
                }
                Err(error) => {
                    failure = Failure::of(Exit::No, &error).while_doing(path.display());
                }
            }
        }
        Ok(Err(failure))
    }

    /// Entries that count no longer than the list does.
    pub(crate) fn listing(&self) -> Result<Box<dyn Listing + '_>, Failure> {
        let refused = |error: &dyn std::error::Error| {
            Failure::of(Exit::No, error).while_doing(self.path.display())
        };
        Ok(match self.kept.format() {
            ListFormat::Text => {
                let list = CanonicalText::read(&self.bytes).map_err(|error| refused(&error))?;
                Box::new(self.kept.over(list))
            }
            _ => {
                let list = IndexedList::open(&self.bytes).map_err(|error| refused(&error))?;
                Box::new(self.kept.over(list))
            }
        })
    }

    pub(crate) fn version(&self) -> u64 {
        self.kept.version()
    }
}

/// Reads a list, which may be large.
pub(crate) fn read_list(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path)
        .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing(path.display()))
}

/// What a verb says of a list that it took.
pub(crate) fn told(kept: &Kept) -> Value {
    json!({
        "list": kept.list().as_str(), "version": kept.version(), "signer": kept.signer().as_str(),
        "format": kept.format().name(), "size": kept.content().size,
        "notBefore": kept.not_before(), "expires": kept.expires(),
    })
}

/// Of what a device remembers.
const PRIVATE: u32 = 0o600;
/// Of what is published.
pub(crate) const PUBLIC: u32 = 0o644;
