//! A list in a file: the Secure Manager's text, or an indexed one, told apart by content.

use std::path::Path;

use gangplank_client::allowlist::indexed::Layout;
use gangplank_client::allowlist::{
    Change, Entry, ImageDigest, IndexedFile, ListError, ListFile, Listing, Snapshot,
};
use serde_json::{Value, json};

use crate::{Exit, Failure, output};

/// What a list says.
#[derive(Debug)]
pub(crate) struct LocalList(Snapshot);

impl LocalList {
    /// Reads the list at `path`. Lines that are none are told on standard error and allow nothing.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let snapshot = ListFile::open(path).and_then(|file| file.current());
        let snapshot = snapshot.map_err(|error| failed(&error))?;
        if let Snapshot::Text(list) = &snapshot {
            for (number, fault) in list.faults() {
                let path = path.display();
                output::progress(format_args!("{path}: line {number}: {fault}"));
            }
        }
        Ok(Self(snapshot))
    }

    /// Makes all changes or none. A list that is not there yet becomes a text, or an indexed list where a
    /// text has no room for what is said; such a one stays empty if it cannot be changed then.
    pub(crate) fn change(path: &Path, changes: &[Change<'_>]) -> Result<(), Failure> {
        let change = || ListFile::open(path).and_then(|file| file.change(changes));
        let changed = match (change(), path.try_exists()) {
            (Err(ListError::TextOnly(_)), Ok(false)) => {
                match IndexedFile::create_new(path, &mut Vec::new(), &Layout::default()) {
                    // Somebody else may have been faster.
                    Ok(_) | Err(ListError::Exists(_)) => change(),
                    Err(error) => Err(error),
                }
            }
            (changed, _) => changed,
        };
        changed.map_err(|error| match (&error, changes.first()) {
            (ListError::TextOnly(_), Some(change)) => {
                let said = change.entry.map(|entry| options(&entry).join(", "));
                let (path, said) = (path.display(), said.unwrap_or_default());
                let sentence = format!("{path} is a list as text, which has no room for {said}");
                Failure::new(Exit::CannotTell, sentence)
            }
            _ => failed(&error),
        })
    }

    /// Takes everything off a list that is there, even if it is damaged.
    pub(crate) fn clear(path: &Path) -> Result<(), Failure> {
        Self::must_be_there(path)?;
        let cleared = match ListFile::open(path) {
            Ok(file) => file.clear(),
            Err(ListError::Index { .. }) => IndexedFile::clear_at(path),
            Err(error) => Err(error),
        };
        cleared.map_err(|error| failed(&error))
    }

    /// Puts digests on the list without saying more of them.
    pub(crate) fn add(path: &Path, digests: &[ImageDigest]) -> Result<(), Failure> {
        let changes = digests.iter().map(|digest| Change {
            digest: *digest,
            entry: Some(Entry::default()),
        });
        Self::change(path, &changes.collect::<Vec<_>>())
    }

    /// As [`add`](Self::add); a list that is not there yet becomes an indexed one, for which the digests
    /// are sorted.
    pub(crate) fn add_or_create(
        path: &Path,
        digests: &mut Vec<ImageDigest>,
    ) -> Result<(), Failure> {
        match IndexedFile::create_new(path, digests, &Layout::default()) {
            Ok(_) => Ok(()),
            Err(ListError::Exists(_)) => Self::add(path, digests),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Nothing can be taken off a list that is not there: most likely its name is another.
    pub(crate) fn must_be_there(path: &Path) -> Result<(), Failure> {
        match std::fs::metadata(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::of(Exit::CannotTell, &error).while_doing(path.display())),
        }
    }

    /// Where digests are found.
    pub(crate) fn listing(&self) -> &dyn Listing {
        &self.0
    }

    /// The number of this state of the list, where it has one.
    pub(crate) fn serial(&self) -> Option<u64> {
        match &self.0 {
            Snapshot::Indexed(list) => Some(list.header().serial()),
            _ => None,
        }
    }

    /// Hands out all digests in ascending order, each with what is said of it.
    pub(crate) fn each(
        &self,
        mut each: impl FnMut(&ImageDigest, &Entry<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match &self.0 {
            Snapshot::Text(list) => list
                .digests()
                .iter()
                .try_for_each(|digest| each(digest, &Entry::default())),
            Snapshot::Indexed(list) => list.rows().try_for_each(|row| {
                let (digest, entry) = row.map_err(|damaged| Failure::of(Exit::No, &damaged))?;
                each(&digest, &entry)
            }),
            _ => Err(Failure::new(Exit::CannotTell, "a list of another kind")),
        }
    }

    /// What the list is, in numbers.
    pub(crate) fn stats(&self) -> Result<Value, Failure> {
        let mut images = 0_u64;
        self.each(|_, _| {
            images += 1;
            Ok(())
        })?;
        Ok(match &self.0 {
            Snapshot::Text(list) => {
                json!({ "kind": "text", "images": images, "badLines": list.faults().len() })
            }
            Snapshot::Indexed(list) => json!({
                "kind": "indexed", "images": images, "serial": list.header().serial(),
                "changes": list.changes(), "changesBeforeRewriting": list.header().log_slots(),
            }),
            _ => json!({ "images": images }),
        })
    }
}

/// The options that say this of a digest.
fn options(entry: &Entry<'_>) -> Vec<&'static str> {
    let said = [
        ("--not-before", entry.not_before.is_some()),
        ("--expires", entry.expires.is_some()),
        ("--tenant", entry.tenant.is_some()),
        ("--repository", entry.repository.is_some()),
        ("--owner", entry.owner.is_some()),
        ("--reason", entry.reason.is_some()),
    ];
    let options = said.into_iter().filter(|(_, is_said)| *is_said);
    options.map(|(option, _)| option).collect()
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        failed(&error)
    }
}

/// What is malformed is a no, what is not there cannot be told.
pub(crate) fn failed(error: &ListError) -> Failure {
    let exit = match error {
        ListError::Index { .. } | ListError::Lines { .. } => Exit::No,
        _ => Exit::CannotTell,
    };
    Failure::of(exit, error)
}
