//! Where published lists come from.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Exit, Failure, files, pinned, runtime};

/// A folder that `allow publish` filled, here or behind a web server.
pub(super) enum Source {
    Folder(PathBuf),
    Web {
        client: reqwest::Client,
        url: String,
    },
}

impl Source {
    pub(super) fn web(url: &str, root: &std::path::Path) -> Result<Self, Failure> {
        let root = files::certificate(root)?;
        Ok(Self::Web {
            client: pinned::client(&root, url)?,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Reads all of `name`, up to `limit` bytes.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        self.stream(name, |part| {
            bytes.extend_from_slice(part);
            match bytes.len() as u64 > limit {
                true => Err(Failure::new(Exit::No, "longer than it may be").while_doing(name)),
                false => Ok(()),
            }
        })?;
        Ok(bytes)
    }

    /// Hands on `name` part by part, until `sink` refuses.
    pub(super) fn stream(
        &self,
        name: &str,
        mut sink: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let unreadable = |error: std::io::Error| {
                    Failure::of(Exit::CannotTell, &error).while_doing(path.display())
                };
                let mut file = File::open(&path).map_err(unreadable)?;
                let mut part = vec![0; 1 << 18];
                loop {
                    match file.read(&mut part).map_err(unreadable)? {
                        0 => return Ok(()),
                        length => sink(part.get(..length).unwrap_or_default())?,
                    }
                }
            }
            Self::Web { client, url } => {
                runtime::block_on(download(client, format!("{url}/{name}"), sink))
            }
        }
    }
}

async fn download(
    client: &reqwest::Client,
    url: String,
    mut sink: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let lost = |error: reqwest::Error| Failure::of(Exit::Transport, &error);
    let mut answer = client.get(&url).timeout(WHOLE).send().await.map_err(lost)?;
    if answer.status() != reqwest::StatusCode::OK {
        let sentence = format_args!("{url}: the server answers {}", answer.status());
        return Err(Failure::new(Exit::Refused, sentence));
    }
    while let Some(part) = answer.chunk().await.map_err(lost)? {
        sink(&part)?;
    }
    Ok(())
}

/// Lists may have hundreds of megabytes, and devices slow lines.
const WHOLE: Duration = Duration::from_secs(3600);
