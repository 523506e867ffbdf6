//! The operator's side: the admin API of `docs/onboarding-api.md` §13.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::Args;
use gangplank_client::onboarding::{DeviceId, Problem, RootUrl};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use crate::exit::causes;
use crate::key::{CertificateId, Zeroizing};
use crate::{Exit, Failure, files, pinned};

/// Where the admin API is, and what opens it. What an argument names beats the data folder, and that
/// beats the environment.
#[derive(Clone, Debug, Args)]
pub(crate) struct AdminArguments {
    /// The server's data folder: it has the admin API's URL, its root certificate and its token
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The admin API's URL; else the data folder's, else GANGPLANK_URL
    #[arg(long, value_name = "URL", value_parser = RootUrl::parse)]
    url: Option<RootUrl>,
    /// The orchestrator's root certificate; else the data folder's
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// The file with the admin token; else the data folder's, else GANGPLANK_ADMIN_TOKEN_FILE
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A connection to the admin API.
#[derive(Debug)]
pub(crate) struct Admin {
    http: reqwest::Client,
    url: RootUrl,
    token: Zeroizing<String>,
}

impl AdminArguments {
    /// Reads the files and makes the connection's TLS; nothing is sent yet.
    pub(crate) fn open(&self) -> Result<Admin, Failure> {
        let url = self.url()?;
        let root = match (&self.root, &self.data) {
            (Some(path), _) => path.clone(),
            (None, Some(data)) => data.join("root.pem"),
            (None, None) => return Err(missing("--data DIR, or --root FILE")),
        };
        let token = match (&self.token_file, &self.data) {
            (Some(path), _) => path.clone(),
            (None, Some(data)) => data.join("admin.token"),
            (None, None) => std::env::var_os("GANGPLANK_ADMIN_TOKEN_FILE")
                .map(PathBuf::from)
                .ok_or_else(|| missing("--data DIR, or --token-file FILE"))?,
        };
        let http = pinned::client(&files::certificate(&root)?, url.as_str())?;
        Ok(Admin {
            http,
            url,
            token: read_token(&token)?,
        })
    }

    fn url(&self) -> Result<RootUrl, Failure> {
        let parse = |text: &str, place: &dyn Display| {
            RootUrl::parse(text.trim())
                .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing(place))
        };
        match (&self.url, &self.data) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(data)) => {
                let path = data.join("admin.url");
                parse(&files::read_text(&path)?, &path.display())
            }
            (None, None) => match std::env::var("GANGPLANK_URL") {
                Ok(url) => parse(&url, &"GANGPLANK_URL"),
                Err(_) => Err(missing("--data DIR, or --url URL")),
            },
        }
    }
}

impl Admin {
    /// `GET path` with this query.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut url = self.address(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = self.send(Method::GET, url, Sent::default()).await?;
        json(&answer.body)
    }

    /// `GET path`: the body as it came, and its version.
    pub(crate) async fn get_version(&self, path: &str) -> Result<(Vec<u8>, String), Failure> {
        let url = self.address(path)?;
        let answer = self.send(Method::GET, url, Sent::default()).await?;
        match answer.version {
            Some(version) => Ok((answer.body, version)),
            None => Err(Failure::new(
                Exit::BadAnswer,
                "the server's answer has no version",
            )),
        }
    }

    /// `PUT path` with this body in place of this version; `None` if there is another by now.
    pub(crate) async fn put(
        &self,
        path: &str,
        body: String,
        version: &str,
    ) -> Result<Option<Value>, Failure> {
        let sent = Sent {
            body: Some(body),
            version: Some(version),
            ..Sent::default()
        };
        let answer = self
            .exchange(Method::PUT, self.address(path)?, sent)
            .await?;
        match answer.status {
            StatusCode::PRECONDITION_FAILED => Ok(None),
            _ => json(&answer.successful()?.body).map(Some),
        }
    }

    /// `PUT path` with this body of this media type, whatever is there.
    pub(crate) async fn set(
        &self,
        path: &str,
        media_type: &'static str,
        body: String,
    ) -> Result<(), Failure> {
        let sent = Sent {
            body: Some(body),
            media_type,
            ..Sent::default()
        };
        let url = self.address(path)?;
        self.send(Method::PUT, url, sent).await.map(drop)
    }

    /// `POST path` with this body; also says whether something new was made.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Value, bool), Failure> {
        let answer = self.send_text(path, body.map(Value::to_string)).await?;
        let created = answer.status == StatusCode::CREATED;
        Ok((json(&answer.body)?, created))
    }

    /// `POST path` with this text as it is.
    pub(crate) async fn create(&self, path: &str, body: String) -> Result<Value, Failure> {
        json(&self.send_text(path, Some(body)).await?.body)
    }

    async fn send_text(&self, path: &str, body: Option<String>) -> Result<Answer, Failure> {
        let sent = Sent {
            body,
            ..Sent::default()
        };
        self.send(Method::POST, self.address(path)?, sent).await
    }

    /// `DELETE path`.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), Failure> {
        let url = self.address(path)?;
        let answer = self.send(Method::DELETE, url, Sent::default()).await;
        answer.map(drop)
    }

    /// The one device that has this certificate id or this device id.
    ///
    /// A device chooses the certificate id that it claims, also one that is another's device id: a
    /// name that means two devices is refused, so that nobody acts on a decoy.
    pub(crate) async fn resolve(&self, name: &str) -> Result<DeviceId, Failure> {
        let by_certificate_id = self.by_certificate_id(name).await?;
        let id = DeviceId::parse(name).map_err(|error| Failure::of(Exit::CannotTell, &error))?;
        let by_id = match self.get(&format!("{DEVICES}/{id}"), &[]).await {
            Ok(_) => Some(id),
            Err(failure) if failure.exit() == Exit::No => None,
            Err(failure) => return Err(failure),
        };
        match (by_certificate_id, by_id) {
            (Some(one), Some(other)) if one != other => {
                let sentence = format_args!(
                    "{name} is the device id of one device and the certificate id of another; \
                     name the first by its certificate id, and the other by its device id, {one}"
                );
                Err(Failure::new(Exit::CannotTell, sentence))
            }
            (Some(id), _) | (None, Some(id)) => Ok(id),
            (None, None) => Err(no_device(name)),
        }
    }

    async fn by_certificate_id(&self, name: &str) -> Result<Option<DeviceId>, Failure> {
        if CertificateId::parse(name).is_ok() {
            let found = self.get(DEVICES, &[("certificateId", name)]).await?;
            let ids: Vec<&str> = devices(&found)?
                .iter()
                .filter_map(|device| device["deviceId"].as_str())
                .collect();
            match ids.as_slice() {
                [] => {}
                [id] => {
                    return DeviceId::parse(id)
                        .map(Some)
                        .map_err(|error| Failure::of(Exit::BadAnswer, &error));
                }
                _ => {
                    let sentence = format_args!(
                        "several tenants have a device {name}; name one of {}",
                        ids.join(", ")
                    );
                    return Err(Failure::new(Exit::CannotTell, sentence));
                }
            }
        }
        Ok(None)
    }

    fn address(&self, path: &str) -> Result<Url, Failure> {
        Url::parse(&self.url.join(path)).map_err(|error| Failure::of(Exit::CannotTell, &error))
    }

    async fn send(&self, method: Method, url: Url, sent: Sent<'_>) -> Result<Answer, Failure> {
        self.exchange(method, url, sent).await?.successful()
    }

    async fn exchange(&self, method: Method, url: Url, sent: Sent<'_>) -> Result<Answer, Failure> {
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(self.token.as_str());
        if let Some(body) = sent.body {
            request = request.header("content-type", sent.media_type).body(body);
        }
        if let Some(version) = sent.version {
            request = request.header("if-match", version);
        }
        let lost = |error: reqwest::Error| Failure::new(Exit::Transport, causes(&error));
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status();
        let version = response.headers().get("etag");
        let version = version.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY {
                return Err(Failure::new(
                    Exit::BadAnswer,
                    "the server's answer is too long",
                ));
            }
        }
        Ok(Answer {
            status,
            version,
            body,
        })
    }
}

/// What goes with a request, if anything does.
struct Sent<'s> {
    body: Option<String>,
    media_type: &'static str,
    /// The version that the request is about.
    version: Option<&'s str>,
}

impl Default for Sent<'_> {
    fn default() -> Self {
        Self {
            body: None,
            media_type: JSON,
            version: None,
        }
    }
}

/// What came back, whatever it says.
struct Answer {
    status: StatusCode,
    version: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    fn successful(self) -> Result<Self, Failure> {
        match self.status.is_success() {
            true => Ok(self),
            false => Err(refused(self.status, &self.body)),
        }
    }
}

/// The devices of a list.
pub(crate) fn devices(list: &Value) -> Result<&Vec<Value>, Failure> {
    list["devices"]
        .as_array()
        .ok_or_else(|| Failure::new(Exit::BadAnswer, "the server's list has no devices"))
}

fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let exit = match status {
        StatusCode::NOT_FOUND => Exit::No,
        _ => Exit::Refused,
    };
    match Problem::decode(body) {
        Ok(problem) => Failure::new(exit, problem.detail().unwrap_or(problem.title())),
        Err(_) => Failure::new(
            exit,
            format_args!("the server answered with status {}", status.as_u16()),
        ),
    }
}

fn json(body: &[u8]) -> Result<Value, Failure> {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(Failure::new(
            Exit::BadAnswer,
            "the server's answer is no JSON object",
        )),
    }
}

/// One line that can stand in a header.
fn read_token(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let token = Zeroizing::new(files::read_text(path)?.trim().to_owned());
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let sentence = format_args!("{} holds no admin token", path.display());
        return Err(Failure::new(Exit::No, sentence));
    }
    Ok(token)
}

fn no_device(name: &str) -> Failure {
    Failure::new(Exit::No, format_args!("there is no device {name}"))
}

fn missing(options: &str) -> Failure {
    Failure::new(
        Exit::CannotTell,
        format_args!("where is the server? Give {options}"),
    )
}

/// The collection of all devices.
pub(crate) const DEVICES: &str = "/admin/devices";
/// A page of devices has a few hundred KiB.
const MAX_BODY: usize = 16 << 20;

pub(crate) const JSON: &str = "application/json";
