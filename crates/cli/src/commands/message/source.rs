//! Where a message comes from, and what its text does not say.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::text::{HttpText, Start};
use crate::message::{Message, Request, Response, Target};
use crate::{Exit, Failure};

#[derive(Debug, Args)]
pub(super) struct Source {
    /// The message as HTTP/1.1 text, with line ends of either kind; `-` or nothing: standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// How the request was sent, which its text does not say
    #[arg(long, value_enum, default_value = "https")]
    scheme: Scheme,
    /// The host and port that the signer saw, instead of the Host field
    #[arg(long, value_name = "HOST")]
    authority: Option<String>,
    /// The request that a response answers, for components with `req`
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scheme {
    /// With TLS
    Https,
    /// Without
    Http,
}

impl Source {
    /// The message's bytes.
    pub(super) fn read(&self) -> Result<Vec<u8>, Failure> {
        read(self.file.as_deref())
    }

    /// Takes the message apart and gives it to `look`, as text and as what a signature covers.
    pub(super) fn look<T>(
        &self,
        bytes: &[u8],
        look: impl FnOnce(&HttpText<'_>, Message<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let name = name(self.file.as_deref());
        let mut text = HttpText::read(bytes).map_err(|failure| failure.while_doing(&name))?;
        text.body = text.body.map_err(|failure| failure.while_doing(&name));
        match text.start {
            Start::Request { .. } if self.request.is_some() => Err(Failure::new(
                Exit::CannotTell,
                format_args!("{name}: it is a request, and --request is for responses"),
            )),
            Start::Request { .. } => {
                let request = self
                    .request(&text)
                    .map_err(|failure| failure.while_doing(&name))?;
                look(&text, Message::Request(&request))
            }
            Start::Response { status } => {
                let response = Response::new(status, &text.fields).with_trailers(&text.trailers);
                match &self.request {
                    None => look(&text, Message::Response(&response)),
                    Some(path) => self.look_at_answer(path, &text, response, look),
                }
            }
        }
    }

    fn look_at_answer<T>(
        &self,
        path: &Path,
        text: &HttpText<'_>,
        response: Response<'_>,
        look: impl FnOnce(&HttpText<'_>, Message<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let at = |failure: Failure| failure.while_doing(path.display());
        let bytes = read(Some(path))?;
        let asked = HttpText::read(&bytes).map_err(at)?;
        let request = self.request(&asked).map_err(at)?;
        look(text, Message::Response(&response.answering(&request)))
    }

    fn request<'r>(&'r self, text: &'r HttpText<'r>) -> Result<Request<'r>, Failure> {
        let Start::Request { method, target } = text.start else {
            return Err(Failure::new(Exit::No, "it is a response and no request"));
        };
        let scheme = match self.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
        };
        let target = Target::from_request_line(scheme, self.authority(text, target)?, target);
        let target = target.map_err(|error| Failure::of(Exit::No, &error))?;
        Ok(Request::new(method, target, &text.fields).with_trailers(&text.trailers))
    }

    fn authority<'r>(&'r self, text: &'r HttpText<'r>, target: &str) -> Result<&'r str, Failure> {
        if let Some(authority) = &self.authority {
            return Ok(authority);
        }
        let mut hosts = text
            .fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        match (hosts.next(), hosts.next()) {
            (Some((_, host)), None) => std::str::from_utf8(host.trim_ascii())
                .map_err(|_| Failure::new(Exit::No, "the Host field is not text")),
            (Some(_), Some(_)) => Err(Failure::new(Exit::No, "there are two Host fields")),
            // The target has it, then (RFC 9112 §3.2.2, §3.2.3).
            (None, _) if target != "*" && !target.starts_with('/') => Ok(""),
            (None, _) => Err(Failure::new(
                Exit::No,
                "there is no Host field; --authority says what it would be",
            )),
        }
    }
}

/// Reads a file, or standard input.
pub(super) fn read(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::of(Exit::CannotTell, &error).while_doing(name(path));
    let mut bytes = Vec::new();
    match path.filter(|path| *path != Path::new("-")) {
        Some(path) => File::open(path)
            .and_then(|file| file.take(MAX_MESSAGE + 1).read_to_end(&mut bytes))
            .map_err(failed)?,
        None => io::stdin()
            .lock()
            .take(MAX_MESSAGE + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?,
    };
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_MESSAGE) {
        let failure = Failure::new(Exit::No, format_args!("longer than {MAX_MESSAGE} bytes"));
        return Err(failure.while_doing(name(path)));
    }
    Ok(bytes)
}

fn name(path: Option<&Path>) -> String {
    match path.filter(|path| *path != Path::new("-")) {
        Some(path) => path.display().to_string(),
        None => "standard input".to_owned(),
    }
}

/// Bytes: more than anybody looks at by hand.
const MAX_MESSAGE: u64 = 64 << 20;
