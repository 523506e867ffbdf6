use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gangplank_key::{CertificateDer, SigningKey, UnixTime};
use gangplank_onboarding::v2024::{
    capabilities::DeviceCapabilities, git_credential::GitCredential, status::DeploymentStatus,
};

use super::clock::SystemClock;
use super::disk::CONFIG;
use super::run::Engine;
use super::transport::Transport;
use super::{
    ClientError, ConfigError, DeviceConfig, Observer, Patience, Proxy, StateDirectory, StateError,
    StateLock,
};
use crate::{
    Aboard, Backoff, DeviceState, GitAccess, Onboarding, Operation, ReportForm, Session, Settings,
    StartError,
};

/// A device with its key, its state on disk, and a network.
///
/// Between calls it holds no lock, so that git's credential helper, another process, can work on the
/// same state. A call sees what the other process saved.
pub struct Device {
    settings: Settings,
    directory: StateDirectory,
    engine: Engine,
    config: Option<DeviceConfig>,
    session: Option<Held>,
}

/// The session, and the state on disk that it agrees with.
struct Held {
    session: Session,
    /// `None` agrees with nothing.
    saved: Option<Vec<u8>>,
}

impl Device {
    /// Reads the files that the configuration names, and opens or makes the state folder.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn open(config: &DeviceConfig) -> Result<Self, ClientError> {
        Self::open_in(config, StateDirectory::open)
    }

    /// `open_state` is what may be done to the state folder.
    fn open_in(
        config: &DeviceConfig,
        open_state: impl FnOnce(PathBuf) -> Result<StateDirectory, StateError>,
    ) -> Result<Self, ClientError> {
        let resolved = config.resolve()?;
        let directory = open_state(resolved.state)?;
        let (settings, key) = (resolved.settings, resolved.key);
        let mut device = Self::new(settings, key, directory, resolved.transport_roots)?;
        device.config = Some(absolute(config)?);
        Ok(device)
    }

    /// Opens a device that has onboarded from this state folder before, with the configuration it had
    /// then: for git's credential helper. It makes no folder and changes no permissions.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn reopen(state: &Path) -> Result<Self, ClientError> {
        let config = DeviceConfig::read(&state.join(CONFIG))?;
        Self::open_in(&config, StateDirectory::open_existing)
    }

    /// A device with a key of any kind. `transport_roots` count for TLS only, never for identity.
    ///
    /// # Errors
    /// [`ClientError::State`] if there is a state that cannot be read.
    pub fn new(
        settings: Settings,
        key: Arc<dyn SigningKey + Send + Sync>,
        directory: StateDirectory,
        transport_roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, ClientError> {
        let clock = Arc::new(SystemClock::new(settings.build_time));
        if let Some(time) = directory.load()?.and_then(|state| state.last_authenticated) {
            clock.authenticated(time);
        }
        let transport = Transport::new(Arc::clone(&clock), transport_roots);
        let engine = Engine {
            key,
            clock,
            transport,
            patience: Patience::default(),
            observer: None,
        };
        Ok(Self {
            settings,
            directory,
            engine,
            config: None,
            session: None,
        })
    }

    /// How long each call keeps trying; [`Patience::Forever`] unless set.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.engine.patience = patience;
        self
    }

    /// Shows each exchange.
    #[must_use]
    pub fn with_observer(mut self, observer: Observer) -> Self {
        self.engine.observer = Some(observer);
        self
    }

    /// Which proxy to use; [`Proxy::FromEnvironment`] unless set.
    #[must_use]
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.engine.transport.proxy = proxy;
        self
    }

    /// What to report on the way aboard.
    #[must_use]
    pub fn with_capabilities(mut self, capabilities: DeviceCapabilities) -> Self {
        self.settings.capabilities = Some(capabilities);
        self
    }

    /// How reports are signed; what the configuration says unless set.
    #[must_use]
    pub fn with_report_form(mut self, form: ReportForm) -> Self {
        self.settings.report_form = form;
        self
    }

    /// Other waits between tries, and after how many bad answers in a row to stop (at least 1).
    #[must_use]
    pub fn with_waits(mut self, quick: Backoff, slow: Backoff, bad_answers: u32) -> Self {
        self.settings.quick = quick;
        self.settings.slow = slow;
        self.settings.bad_answers = bad_answers.max(1);
        self
    }

    /// Comes aboard. A device that is aboard already is done at once, without network.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn onboard(&mut self) -> Result<Aboard, ClientError> {
        let lock = self.lock().await?;
        self.session = None;
        let state = self.directory.load()?;
        let onboarding = Onboarding::new(self.settings.clone(), state)?;
        self.run_onboarding(onboarding, &lock).await
    }

    /// Reports what the device is made of; its `id` is replaced by the device id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn report_capabilities(
        &mut self,
        capabilities: &DeviceCapabilities,
    ) -> Result<(), ClientError> {
        self.operate(|session| session.capabilities(capabilities))
            .await
    }

    /// Reports how a deployment fares.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn report_status(&mut self, status: &DeploymentStatus) -> Result<(), ClientError> {
        self.operate(|session| session.report_status(status)).await
    }

    /// Asks for a new Git credential, which names the commit to expect, and keeps it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn git_credential(&mut self) -> Result<GitCredential, ClientError> {
        self.operate(Session::git_credential).await
    }

    /// The Git credential at hand if it certainly lasts another minute, else a new one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn git_access(&mut self) -> Result<GitAccess, ClientError> {
        {
            let lock = self.lock().await?;
            let now = self.engine.clock.now();
            let session = self.session(&lock)?;
            if let Some(held) = session.held_git_access(now) {
                return Ok(held.clone());
            }
        }
        let new = self.git_credential().await?;
        Ok(GitAccess {
            username: new.username.as_str().to_owned(),
            token: new.password,
            expires_at: new.expires_at,
        })
    }

    /// Forgets the Git credential at hand, because the server refused it; with a password only if it
    /// is still that one.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn forget_git_access(&mut self, password: Option<&str>) -> Result<(), ClientError> {
        let lock = self.lock().await?;
        let session = self.session(&lock)?;
        let held = session.aboard().and_then(|aboard| aboard.git.as_ref());
        let same = |token: &str| password.is_none_or(|password| password == token);
        if held.is_some_and(|held| same(held.token.expose())) {
            session.forget_git_access();
            if let Some(state) = session.unsaved() {
                self.engine.save(&state, &self.directory, &lock)?;
                self.agree();
            }
        }
        Ok(())
    }

    /// What the device remembers; `None` before it believes in a root. Needs no network.
    ///
    /// # Errors
    /// [`ClientError::State`].
    pub fn status(&self) -> Result<Option<DeviceState>, ClientError> {
        Ok(self.directory.load()?)
    }

    /// Removes what the device remembers, secrets first of all. The key stays.
    ///
    /// # Errors
    /// [`ClientError::State`].
    pub async fn reset(&mut self) -> Result<(), ClientError> {
        let lock = self.lock().await?;
        self.session = None;
        Ok(self.directory.reset(&lock)?)
    }

    /// The time of day if this system's clock is plausible: not before the build time and the last
    /// authenticated time.
    pub fn trusted_time(&self) -> Option<UnixTime> {
        self.engine.clock.now().wall
    }

    /// The latest time that has certainly passed, or the clock's if that is plausible.
    pub fn time_floor(&self) -> UnixTime {
        self.engine.clock.tls_time().time()
    }

    /// The state folder.
    pub fn directory(&self) -> &StateDirectory {
        &self.directory
    }

    /// The roots for git's `http.sslCAInfo`; the file exists once a root is believed.
    pub fn root_file(&self) -> PathBuf {
        self.directory.root_file()
    }

    async fn run_onboarding(
        &mut self,
        mut onboarding: Onboarding,
        lock: &StateLock,
    ) -> Result<Aboard, ClientError> {
        // First of all: after a crash on the way a state may be there, and git's helper needs both.
        if let Some(config) = &self.config {
            let text = serde_json::to_vec_pretty(config).map_err(ConfigError::Unkept)?;
            self.directory.replace(CONFIG, &text)?;
        }
        let aboard = self
            .engine
            .drive(&mut onboarding, &self.directory, lock)
            .await?;
        self.session = onboarding.into_session().map(|session| Held {
            session,
            saved: None,
        });
        self.agree();
        Ok(aboard)
    }

    /// Runs an operation; if the client secret is no longer accepted, once more after onboarding again.
    async fn operate<T>(
        &mut self,
        operation: impl Fn(&mut Session) -> Operation<'_, T>,
    ) -> Result<T, ClientError> {
        let lock = self.lock().await?;
        match self.attempt(&operation, &lock).await {
            Err(ClientError::InvalidClient) => {}
            outcome => return outcome,
        }
        let state = self.directory.load()?.ok_or(StartError::NotAboard)?;
        let onboarding = Onboarding::again(self.settings.clone(), state)?;
        self.run_onboarding(onboarding, &lock).await?;
        self.attempt(&operation, &lock).await
    }

    async fn attempt<T>(
        &mut self,
        operation: &impl Fn(&mut Session) -> Operation<'_, T>,
        lock: &StateLock,
    ) -> Result<T, ClientError> {
        self.session(lock)?;
        let held = self.session.as_mut().ok_or(StartError::NotAboard)?;
        let mut operation = operation(&mut held.session);
        let outcome = self
            .engine
            .drive(&mut operation, &self.directory, lock)
            .await;
        self.agree();
        outcome
    }

    /// The session that agrees with the state on disk: another process may have changed that.
    fn session(&mut self, _: &StateLock) -> Result<&mut Session, ClientError> {
        let state = self.directory.load()?.ok_or(StartError::NotAboard)?;
        let saved = serde_json::to_vec(&state).ok();
        let held = match self.session.take() {
            Some(held) if saved.is_some() && held.saved == saved => held,
            _ => Held {
                session: Session::new(self.settings.clone(), state)?,
                saved,
            },
        };
        Ok(&mut self.session.insert(held).session)
    }

    /// Notes that the session agrees with what was just saved.
    fn agree(&mut self) {
        if let Some(held) = &mut self.session {
            held.saved = held
                .session
                .state()
                .and_then(|state| serde_json::to_vec(&state).ok());
        }
    }

    async fn lock(&self) -> Result<StateLock, ClientError> {
        let longest = match self.engine.patience {
            Patience::Forever => Duration::MAX,
            Patience::AtMost(longest) => longest.max(SHORT),
            Patience::NoWait => SHORT,
        };
        let begun = self.engine.clock.now().monotonic;
        loop {
            if let Some(lock) = self.directory.try_lock()? {
                return Ok(lock);
            }
            if self.engine.clock.now().monotonic.saturating_sub(begun) >= longest {
                return Err(self.directory.busy().into());
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("root_url", &self.settings.root_url)
            .field("certificate_id", &self.settings.certificate_id)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

fn absolute(config: &DeviceConfig) -> Result<DeviceConfig, ConfigError> {
    let here = std::env::current_dir().map_err(|error| ConfigError::Unreadable {
        path: PathBuf::from("."),
        error,
    })?;
    Ok(config.clone().relative_to(&here))
}

/// What another process's short change of the state may take.
const SHORT: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(20);
