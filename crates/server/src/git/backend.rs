//! `git http-backend`, a CGI program (RFC 3875), behind one request.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use tokio::{process::Command, sync::Semaphore, time};

use super::{
    program::{self, GitMissing},
    relay::{self, Event, Input},
    request::{self, Encoding},
    route::{Access, Service},
};

/// Answers authenticated requests with `git http-backend`. Clones share the same limits.
#[derive(Clone, Debug)]
pub struct HttpBackend {
    program: PathBuf,
    limits: Limits,
    processes: Arc<Semaphore>,
    running: Arc<Mutex<HashMap<PathBuf, usize>>>,
}

/// What one server spends on git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `git http-backend` processes at one time.
    pub processes: usize,
    /// Of those, for one repository, so that one device cannot keep the others out.
    pub processes_per_repository: usize,
    /// Bytes of a fetch request as it comes; unpacked it may be eight times that.
    pub fetch_body: usize,
    /// Bytes of a push.
    pub push_body: usize,
    /// How long the body of a fetch may take to come, and how long git may then.
    pub time: Duration,
    /// How long a client may take no byte of an answer.
    pub stall: Duration,
    /// How long a request waits for its turn.
    pub queue: Duration,
}

/// Who asks, authenticated by the caller.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// What the credential allows.
    pub access: Access,
    /// The name a push is logged under: the device id, or the operator's account.
    pub user: &'a str,
    /// Where the request came from, once trusted proxies were seen through.
    pub address: Option<IpAddr>,
}

/// A request that got no answer from git. The body of the answer is the caller's to choose; [`status`] is its status.
///
/// [`status`]: BackendError::status
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// Not routed for this access.
    #[error("no such git service for this credential")]
    NotFound,
    /// The client's body is not of the service's type, or is packed in an unknown way.
    #[error("the request's media type or encoding is not git's")]
    UnsupportedMediaType,
    /// The client's body is larger than allowed.
    #[error("the request is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The client's body broke off or cannot be unpacked.
    #[error("the request's body broke off or cannot be unpacked")]
    BrokenBody,
    /// The client was too slow, or git was.
    #[error("the git request took too long")]
    TimedOut,
    /// All processes are taken: try again.
    #[error("too many git requests at once")]
    Busy,
    /// git itself answered with this status; why is in the log.
    #[error("git answered {0}")]
    Refused(StatusCode),
    /// git started and did not answer; why is in the log.
    #[error("git http-backend gave no answer")]
    Failed,
    /// There is no `git`.
    #[error(transparent)]
    GitMissing(#[from] GitMissing),
    /// git could not be started or spoken to.
    #[error("git http-backend cannot be run")]
    Io(#[from] io::Error),
}

impl HttpBackend {
    /// A backend that runs this `git`, within [`Limits::DEFAULT`].
    #[must_use]
    pub fn new(git_program: impl Into<PathBuf>) -> Self {
        Self {
            program: git_program.into(),
            limits: Limits::DEFAULT,
            processes: Arc::new(Semaphore::new(Limits::DEFAULT.processes)),
            running: Arc::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self {
            processes: Arc::new(Semaphore::new(limits.processes)),
            limits,
            ..self
        }
    }

    /// Answers one request for the repository at `repository`, an absolute path.
    ///
    /// `service` is that of the parsed [`Route`](super::Route), `headers` and `body` the request's own. The answer
    /// streams; the process and all it started end when the client goes away or a limit is reached.
    ///
    /// # Errors
    /// [`BackendError`], before the first byte of an answer. A failure after that breaks the connection off, so that
    /// no client takes half an answer for a whole one.
    pub async fn serve(
        &self,
        repository: &Path,
        service: Service,
        headers: &HeaderMap,
        body: Body,
        caller: &Caller<'_>,
    ) -> Result<Response, BackendError> {
        if !service.allowed(caller.access) {
            return Err(BackendError::NotFound);
        }
        let limit = if service == Service::ReceivePack {
            self.limits.push_body
        } else {
            self.limits.fetch_body
        };
        let encoding = request::check_headers(service, headers, limit)?;
        // Before the body is read: who sends slowly uses up its own repository's turns only.
        let turn = self.take_turn(repository)?;
        let input = match service {
            Service::UploadPackRefs | Service::ReceivePackRefs => Input::Whole(Bytes::new()),
            // Before there is a process, so that a slow sender holds none.
            Service::UploadPack => {
                let patience = self.limits.time.min(self.limits.stall);
                let whole = time::timeout(patience, request::whole(body, encoding, limit)).await;
                Input::Whole(whole.map_err(|_| BackendError::TimedOut)??)
            }
            Service::ReceivePack => Input::Stream { body, limit },
        };
        let slot = time::timeout(self.limits.queue, self.processes.clone().acquire_owned()).await;
        let slot = slot
            .map_err(|_| BackendError::Busy)?
            .map_err(|_| BackendError::Busy)?;
        let command = self.command(repository, service, headers, encoding, caller);
        let start = relay::start(command, input, &self.limits, (turn, slot));
        respond(
            start.map_err(|error| match program::missing(&self.program, &error) {
                Some(missing) => missing.into(),
                None => BackendError::Io(error),
            })?,
        )
        .await
    }

    /// The program, its meta-variables (RFC 3875 §4.1) and the settings of this one request.
    fn command(
        &self,
        repository: &Path,
        service: Service,
        headers: &HeaderMap,
        encoding: Encoding,
        caller: &Caller<'_>,
    ) -> Command {
        // Set per request: a setting in the repository would forbid the operator's push too, and git's own default
        // allows a push to whoever has a REMOTE_USER.
        let push = if caller.access == Access::ReadWrite {
            "true"
        } else {
            "false"
        };
        let most = self.limits.push_body.to_string();
        let settings = [
            ("http.receivepack", push),
            ("http.uploadpack", "true"),
            ("http.uploadarchive", "false"),
            ("http.getanyfile", "false"),
            ("receive.fsckObjects", "true"),
            ("receive.maxInputSize", most.as_str()),
        ];
        let mut command = program::command(&self.program, repository, &settings);
        command
            .arg("http-backend")
            // The root is the one repository: no path leads to another.
            .env("GIT_PROJECT_ROOT", repository)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", service.path_info())
            .env("QUERY_STRING", service.query())
            .env("REQUEST_METHOD", service.method())
            .env("REMOTE_USER", printable(caller.user));
        if let Some(content_type) = service.content_type() {
            command.env("CONTENT_TYPE", content_type);
        }
        if let Some(address) = caller.address {
            command.env("REMOTE_ADDR", address.to_string());
        }
        if let Some(version) = request::protocol(headers) {
            command.env("HTTP_GIT_PROTOCOL", version);
        }
        if service == Service::ReceivePack && encoding == Encoding::Gzip {
            command.env("HTTP_CONTENT_ENCODING", "gzip");
        }
        command
    }

    fn take_turn(&self, repository: &Path) -> Result<Turn, BackendError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(repository.to_owned()).or_default();
        if *count >= self.limits.processes_per_repository {
            return Err(BackendError::Busy);
        }
        *count += 1;
        Ok(Turn {
            running: Arc::clone(&self.running),
            repository: repository.to_owned(),
        })
    }
}

impl Limits {
    /// 16 processes, 4 for one repository, 1 MiB to fetch, 256 MiB to push, 10 minutes, 60 seconds without a byte
    /// taken, 10 seconds of waiting.
    pub const DEFAULT: Self = Self {
        processes: 16,
        processes_per_repository: 4,
        fetch_body: 1024 * 1024,
        push_body: 256 * 1024 * 1024,
        time: Duration::from_secs(600),
        stall: Duration::from_secs(60),
        queue: Duration::from_secs(10),
    };
}

impl BackendError {
    /// The status to answer with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refused(status) if status.is_client_error() => *status,
            Self::Refused(_) | Self::Failed | Self::GitMissing(_) | Self::Io(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

/// One of a repository's processes, given back when dropped.
pub(super) struct Turn {
    running: Arc<Mutex<HashMap<PathBuf, usize>>>,
    repository: PathBuf,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.repository) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                running.remove(&self.repository);
            }
        }
    }
}

async fn respond(mut events: relay::Events) -> Result<Response, BackendError> {
    let head = match events.recv().await {
        Some(Ok(Event::Head(head))) if head.status == StatusCode::OK => head,
        Some(Ok(Event::Head(head))) => return Err(BackendError::Refused(head.status)),
        Some(Err(error)) => return Err(error),
        Some(Ok(Event::Chunk(_) | Event::End)) | None => return Err(BackendError::Failed),
    };
    let chunks = stream::unfold(Some(events), async |events| {
        let mut events = events?;
        match events.recv().await {
            Some(Ok(Event::Chunk(chunk))) => Some((Ok(chunk), Some(events))),
            Some(Ok(Event::End)) => None,
            Some(Err(error)) => Some((Err(error), None)),
            // The connection must break off rather than end well.
            Some(Ok(Event::Head(_))) | None => Some((Err(BackendError::Failed), None)),
        }
    });
    let mut response = Response::new(Body::from_stream(chunks));
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// git writes the user into a push's log; it is an id, so nothing is lost.
fn printable(user: &str) -> String {
    user.chars()
        .map(|c| if c.is_ascii_graphic() { c } else { '_' })
        .take(MAX_USER)
        .collect()
}

const MAX_USER: usize = 128;
