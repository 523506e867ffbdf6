//! `POST /api/v1/orchestration/securemgr`: edits the list, and prints it into the log.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use gangplank_allowlist::ImageDigest;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::body::object;
use super::{Shared, answer, unreadable};
use crate::access::OPERATOR;
use crate::store::{
    Actor, AllowedImage, AllowlistChange, AllowlistEdit, AllowlistOutcome, AllowlistQuery,
    Expected, MAX_PAGE, StoreError,
};

pub(super) async fn post(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refused) = shared.refuse(&headers) {
        return refused;
    }
    let request: Request<'_> = match object(&body) {
        Ok(request) => request,
        Err(error) => return unreadable(error),
    };
    let message = match Command::read(&request) {
        Ok(command) => shared.obey(command).await,
        Err(Unusable::Parameter) => Message::InvalidParameter,
        Err(Unusable::Command) => Message::NotAllowedCommand,
    };
    answer(&Answer {
        message,
        component: "verifier",
    })
}

/// What `SecureMgr` says does not matter, and neither do other members.
#[derive(Deserialize)]
struct Request<'b> {
    #[serde(rename = "SecureMgr")]
    _manager: Option<serde::de::IgnoredAny>,
    #[serde(rename = "CmdType")]
    command: Option<Value>,
    #[serde(rename = "Desc", borrow)]
    entries: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "ContainerHash")]
    hash: Option<Value>,
}

enum Command {
    Edit(Vec<AllowlistEdit>),
    Print,
}

enum Unusable {
    Command,
    Parameter,
}

impl Command {
    fn read(request: &Request<'_>) -> Result<Self, Unusable> {
        let name = request.command.as_ref().and_then(Value::as_str);
        let digests = || digests(request.entries.ok_or(Unusable::Parameter)?);
        // What an operator said of an image, as until when it may run, is not for this command to erase.
        let add = |digest| AllowlistEdit::AddIfAbsent(AllowedImage::new(digest));
        match name.ok_or(Unusable::Command)? {
            "addHashCWL" => Ok(Self::Edit(digests()?.into_iter().map(add).collect())),
            "delHashCWL" => {
                let digests = digests()?.into_iter();
                Ok(Self::Edit(digests.map(AllowlistEdit::Remove).collect()))
            }
            "delAllHashCWL" => Ok(Self::Edit(vec![AllowlistEdit::Clear])),
            "printAllHashCWL" => Ok(Self::Print),
            _ => Err(Unusable::Command),
        }
    }
}

/// All of them, before any is used.
fn digests(entries: &RawValue) -> Result<Vec<ImageDigest>, Unusable> {
    let entries: Vec<&RawValue> =
        serde_json::from_str(entries.get()).map_err(|_| Unusable::Parameter)?;
    let digest = |entry: &RawValue| {
        let text = entry.get();
        if !text.starts_with('{') {
            return Err(Unusable::Parameter);
        }
        let described: Described = serde_json::from_str(text).map_err(|_| Unusable::Parameter)?;
        let hash = described.hash.as_ref().and_then(Value::as_str);
        let hash = hash.ok_or(Unusable::Parameter)?.to_ascii_lowercase();
        ImageDigest::from_hex(hash.as_bytes()).map_err(|_| Unusable::Parameter)
    };
    entries.into_iter().map(digest).collect()
}

impl Shared {
    async fn obey(&self, command: Command) -> Message {
        let done = match command {
            Command::Edit(edits) => self.edit(edits).await,
            Command::Print => self.print().await,
        };
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "a command of the Secure Manager failed");
            Message::Internal
        })
    }

    async fn edit(&self, edits: Vec<AllowlistEdit>) -> Result<Message, StoreError> {
        let change = AllowlistChange {
            tenant: self.settings.tenant.clone(),
            expected: Expected::Present,
            edits,
            actor: Actor::Operator(OPERATOR.to_owned()),
            at: self.server.now(),
        };
        match self.server.shared.store.change_allowlist(change).await? {
            AllowlistOutcome::Done { .. } => Ok(Message::None),
            outcome => {
                tracing::error!(?outcome, "a command of the Secure Manager changed nothing");
                Ok(Message::Internal)
            }
        }
    }

    /// Reads the first images before the answer, so that it says if the store fails. What is logged goes
    /// on after it, as a list may be long; once at a time.
    async fn print(&self) -> Result<Message, StoreError> {
        let query = AllowlistQuery {
            tenant: self.settings.tenant.clone(),
            after: None,
            limit: MAX_PAGE,
        };
        let Some(first) = self.server.shared.store.allowlist(&query).await? else {
            tracing::error!(tenant = %query.tenant, "there is no such tenant, and no allowlist to print");
            return Ok(Message::Internal);
        };
        let Ok(turn) = Arc::clone(&self.printing).try_lock_owned() else {
            tracing::info!("the allowlist is being printed already");
            return Ok(Message::None);
        };
        let shared = self.clone();
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = shared.print_all(query, first.images).await {
                tracing::error!(%error, "the allowlist is not printed whole");
            }
        });
        Ok(Message::None)
    }

    /// One line for each image, from these on, and one that says how many: of an empty list, too, somebody
    /// wants to see that it was printed. A change in between is seen or not.
    async fn print_all(
        &self,
        mut query: AllowlistQuery,
        mut images: Vec<AllowedImage>,
    ) -> Result<(), StoreError> {
        let mut printed = 0;
        while let Some(last) = images.last() {
            printed += images.len();
            query.after = Some(last.digest);
            for image in &images {
                tracing::info!(tenant = %query.tenant, digest = %image.digest, "on the allowlist");
            }
            let page = self.server.shared.store.allowlist(&query).await?;
            images = page.map_or(Vec::new(), |page| page.images);
        }
        tracing::info!(tenant = %query.tenant, images = printed, "the allowlist is printed whole");
        Ok(())
    }
}

#[derive(Serialize)]
struct Answer {
    #[serde(rename = "Message")]
    message: Message,
    #[serde(rename = "SecureCmpName")]
    component: &'static str,
}

#[derive(Serialize)]
enum Message {
    #[serde(rename = "ERROR_NONE")]
    None,
    #[serde(rename = "NOT_ALLOWED_COMMAND")]
    NotAllowedCommand,
    #[serde(rename = "INVALID_PARAMETER")]
    InvalidParameter,
    #[serde(rename = "INTERNAL_SECUREMGR_ERROR")]
    Internal,
}
