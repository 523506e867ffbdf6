//! The folders of the demo, one for each party.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Exit, Failure};

/// Where it plays. Dropping it removes its folder, unless that is to be kept.
pub(super) struct Scene {
    folder: PathBuf,
    temporary: Option<TempDir>,
    parties: [Party; 5],
}

/// A device: its GUID, and a folder that nobody else looks into.
pub(super) struct Party {
    pub(super) id: &'static str,
    pub(super) folder: PathBuf,
}

impl Scene {
    pub(super) fn set(keep: Option<PathBuf>) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::of(Exit::CannotTell, &error);
        let temporary = match &keep {
            None => Some(
                tempfile::Builder::new()
                    .prefix("gangplank-demo-")
                    .tempdir()
                    .map_err(failed)?,
            ),
            Some(folder) => {
                let occupied =
                    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
                if occupied {
                    return Err(Failure::new(
                        Exit::CannotTell,
                        format_args!("{}: not empty", folder.display()),
                    ));
                }
                None
            }
        };
        let folder = match (&temporary, keep) {
            (Some(temporary), _) => temporary.path().to_owned(),
            (None, keep) => std::path::absolute(keep.unwrap_or_default()).map_err(failed)?,
        };
        let parties = ["SN-0001", "SN-0002", "SN-0003", "SN-0004", "SN-0005"].map(|id| Party {
            id,
            folder: folder.join(id),
        });
        for party in parties
            .iter()
            .map(|party| &party.folder)
            .chain([&folder.join("operator"), &folder.join("box")])
        {
            fs::create_dir_all(party).map_err(failed)?;
        }
        Ok(Self {
            folder,
            temporary,
            parties,
        })
    }

    /// Where the server keeps its data.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("server")
    }

    /// Where the operator works.
    pub(super) fn operator(&self) -> PathBuf {
        self.folder.join("operator")
    }

    /// Where the box on the way has its certificate.
    pub(super) fn inspecting_box(&self) -> PathBuf {
        self.folder.join("box")
    }

    /// The device that the demo is about.
    pub(super) fn first(&self) -> &Party {
        let [first, ..] = &self.parties;
        first
    }

    /// A device that wants to be another.
    pub(super) fn second(&self) -> &Party {
        let [_, second, ..] = &self.parties;
        second
    }

    /// A device behind a box that ends TLS.
    pub(super) fn third(&self) -> &Party {
        let [_, _, third, ..] = &self.parties;
        third
    }

    /// A device whose manufacturer is trusted.
    pub(super) fn fourth(&self) -> &Party {
        let [_, _, _, fourth, _] = &self.parties;
        fourth
    }

    /// A device whose manufacturer is trusted less.
    pub(super) fn fifth(&self) -> &Party {
        let [.., fifth] = &self.parties;
        fifth
    }

    /// The folder, if it stays.
    pub(super) fn kept(&self) -> Option<&Path> {
        self.temporary.is_none().then_some(self.folder.as_path())
    }
}

impl Party {
    /// A file of this device.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
