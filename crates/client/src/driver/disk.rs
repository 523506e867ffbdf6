use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gangplank_key::{CertificateDer, Zeroizing};

use crate::DeviceState;

/// The folder in which a device keeps its state: mode 0700, files 0600.
///
/// `state.json` holds secrets and is replaced as a whole: written beside, synced, renamed. `root.pem`
/// holds the roots for git's `http.sslCAInfo`. `lock` is locked while a process changes the state.
#[derive(Clone, Debug)]
pub struct StateDirectory(PathBuf);

/// The right to change the state, until it is dropped.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

/// Why the state on disk cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A file or folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is no state. It is left as it is: it may hold the only copy of something.
    #[error("{} is damaged ({reason}); reset the device to onboard again", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it; nothing of its content.
        reason: String,
    },
    /// The folder or file may be read by others.
    #[error("{} can be used by others than its owner; make it private (chmod go=)", path.display())]
    NotPrivate {
        /// Which one.
        path: PathBuf,
    },
    /// Another process is changing the state.
    #[error("another process is using {}", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
}

impl StateDirectory {
    /// Opens a folder. One that is not there is made with mode 0700, an empty one gets it.
    ///
    /// # Errors
    /// [`StateError`]; one that has files in it and that others may use is refused.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(at(&path))?;
        #[cfg(unix)]
        if fs::read_dir(&path).map_err(at(&path))?.next().is_none() {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(at(&path))?;
        }
        check_private(&path)?;
        Ok(Self(path))
    }

    /// Opens a folder that is there already, and changes nothing about it: to look at a state, or to
    /// remove one, is no reason to make a folder or to change whose it is.
    ///
    /// # Errors
    /// [`StateError::Io`] if it is not there or no folder, [`StateError::NotPrivate`] if others may use
    /// it, even if it is empty.
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        if !fs::metadata(&path).map_err(at(&path))?.is_dir() {
            return Err(at(&path)(io::ErrorKind::NotADirectory.into()));
        }
        check_private(&path)?;
        Ok(Self(path))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the orchestrator's root is, and the roots added for transport, PEM.
    pub fn root_file(&self) -> PathBuf {
        self.0.join("root.pem")
    }

    /// The state; `None` if there is none. Needs no lock: the file is always whole.
    ///
    /// # Errors
    /// [`StateError`]. Nothing is deleted or repaired.
    pub fn load(&self) -> Result<Option<DeviceState>, StateError> {
        let path = self.0.join(STATE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        check_private(&path)?;
        let mut text = Zeroizing::new(Vec::new());
        (&file)
            .take(LONGEST + 1)
            .read_to_end(&mut text)
            .map_err(at(&path))?;
        // serde_json's message may quote the content, so only the place is told.
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| StateError::Damaged {
                path,
                reason: format!("line {}, column {}", error.line(), error.column()),
            })
    }

    /// The right to change the state, if no other process has it.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn try_lock(&self) -> Result<Option<StateLock>, StateError> {
        let path = self.0.join(LOCK);
        let file = private_file(OpenOptions::new().create(true).write(true), &path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(StateLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(at(&path)(error)),
        }
    }

    pub(crate) fn busy(&self) -> StateError {
        StateError::Busy {
            path: self.0.join(LOCK),
        }
    }

    /// Puts a state in the place of the one before. When this returns it is on the disk.
    ///
    /// # Errors
    /// [`StateError`]; then the one before is still whole.
    pub fn save(
        &self,
        _: &StateLock,
        state: &DeviceState,
        transport_roots: &[CertificateDer<'_>],
    ) -> Result<(), StateError> {
        let mut text = Zeroizing::new(Vec::with_capacity(8 * 1024));
        serde_json::to_writer_pretty(&mut *text, state)
            .map_err(|error| at(&self.0.join(STATE))(io::Error::other(error)))?;
        text.push(b'\n');
        let mut roots = pem(&state.root);
        roots.extend(transport_roots.iter().map(pem));
        self.replace(ROOT, roots.as_bytes())?;
        self.replace(STATE, &text)
    }

    /// Removes the state and the roots: the device is a stranger again. On flash memory the bytes may
    /// survive where no program sees them; end the secret at the orchestrator too.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn reset(&self, _: &StateLock) -> Result<(), StateError> {
        for name in [STATE, CONFIG, ROOT] {
            for path in [self.0.join(name), self.temporary(name)] {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(at(&path)(error));
                    }
                    _ => {}
                }
            }
        }
        self.sync()
    }

    /// Replaces one file as a whole.
    pub(crate) fn replace(&self, name: &str, content: &[u8]) -> Result<(), StateError> {
        let (path, temporary) = (self.0.join(name), self.temporary(name));
        if holds(&path, content).unwrap_or_default() {
            return Ok(());
        }
        let mut file = private_file(
            OpenOptions::new().create(true).write(true).truncate(true),
            &temporary,
        )?;
        file.write_all(content)
            .and_then(|()| file.sync_all())
            .map_err(at(&temporary))?;
        fs::rename(&temporary, &path).map_err(at(&path))?;
        self.sync()
    }

    /// One name per file, since the lock admits one writer: what a crash leaves is overwritten.
    fn temporary(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.new"))
    }

    /// A rename is on the disk when its folder is.
    fn sync(&self) -> Result<(), StateError> {
        #[cfg(unix)]
        File::open(&self.0)
            .and_then(|folder| folder.sync_all())
            .map_err(at(&self.0))?;
        Ok(())
    }
}

/// Whether a file is this, read no further than needed to tell.
fn holds(path: &Path, content: &[u8]) -> io::Result<bool> {
    let longest = content.len().saturating_add(1);
    let mut held = Zeroizing::new(Vec::with_capacity(longest));
    File::open(path)?
        .take(longest as u64)
        .read_to_end(&mut held)?;
    Ok(held.as_slice() == content)
}

fn private_file(options: &mut OpenOptions, path: &Path) -> Result<File, StateError> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path).map_err(at(path))?;
    check_private(path)?;
    Ok(file)
}

fn check_private(path: &Path) -> Result<(), StateError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path).map_err(at(path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(StateError::NotPrivate {
                path: path.to_owned(),
            });
        }
    }
    Ok(())
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (position, character) in text.chars().enumerate() {
        pem.push(character);
        if position % 64 == 63 {
            pem.push('\n');
        }
    }
    if !pem.ends_with('\n') {
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

fn at(path: &Path) -> impl Fn(io::Error) -> StateError {
    move |error| StateError::Io {
        path: path.to_owned(),
        error,
    }
}

/// The device's configuration, so that another process can go on with it: no secrets in it.
pub(crate) const CONFIG: &str = "device.json";
const STATE: &str = "state.json";
const ROOT: &str = "root.pem";
const LOCK: &str = "lock";

/// The longest state in bytes: secrets of 4 KiB, addresses of 2 KiB, a root of 16 KiB, and room.
const LONGEST: u64 = 128 * 1024;
