//! Which list a verb is about: one in a file, or a tenant's on the server.

use std::path::PathBuf;

use clap::Args;
use gangplank_client::allowlist::ImageDigest;
use gangplank_client::trust::TenantId;
use serde_json::{Value, json};

use crate::admin::{Admin, AdminArguments};
use crate::{Exit, Failure, tenant};

/// The list of a file with --list, else one of the server's.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The list in this file, and not the server's: the Secure Manager's text, or an indexed file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "url", "root", "token_file"])]
    pub(crate) list: Option<PathBuf>,
    /// The tenant whose devices it is about; the server's list is that of `default` if not said
    #[arg(long, value_name = "ID", value_parser = TenantId::parse)]
    pub(crate) tenant: Option<TenantId>,
    /// One JSON object, or one a line of a list
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

/// A tenant's list on the server.
pub(crate) struct ServerList {
    admin: Admin,
    path: String,
}

impl Place {
    pub(crate) fn server(&self) -> Result<ServerList, Failure> {
        let default = TenantId::parse("default");
        let default = default.map_err(|error| Failure::of(Exit::CannotTell, &error))?;
        let tenant = self.tenant.as_ref().unwrap_or(&default);
        Ok(ServerList {
            admin: self.admin.open()?,
            path: format!("{}/allowlist", tenant::path(tenant)),
        })
    }
}

impl ServerList {
    /// All of these edits or none: `clear`, `remove` and `add`, in this order.
    pub(crate) async fn edit(&self, edit: &Value) -> Result<Value, Failure> {
        let (edited, _) = self.admin.post(&self.path, Some(edit)).await?;
        Ok(edited)
    }

    /// What is decided about images: a value each.
    pub(crate) async fn check(&self, images: &[String]) -> Result<Vec<Value>, Failure> {
        let path = format!("{}/check", self.path);
        let mut verdicts = Vec::new();
        for images in images.chunks(MAX_CHECKED) {
            let asked = json!({ "images": images });
            let (mut answer, _) = self.admin.post(&path, Some(&asked)).await?;
            match answer.get_mut("verdicts").map(Value::take) {
                Some(Value::Array(part)) if part.len() == images.len() => verdicts.extend(part),
                _ => return Err(bad("the server's answer has not a verdict for each image")),
            }
        }
        Ok(verdicts)
    }

    /// The revision and the number of images.
    pub(crate) async fn head(&self) -> Result<Value, Failure> {
        self.admin.get(&self.path, &[("limit", "1")]).await
    }

    /// Hands out every image, page by page. Images that come and go in between may be left out or be
    /// there; all others are there once.
    pub(crate) async fn each(
        &self,
        mut each: impl FnMut(Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut after: Option<ImageDigest> = None;
        loop {
            let text = after.map(|digest| digest.to_string());
            let mut query = vec![("limit", PAGE)];
            query.extend(text.as_deref().map(|after| ("after", after)));
            let mut page = self.admin.get(&self.path, &query).await?;
            let Some(Value::Array(images)) = page.get_mut("images").map(Value::take) else {
                return Err(bad("the server's list has no images"));
            };
            let last = images.last().and_then(|image| image["digest"].as_str());
            let last = last.and_then(|text| ImageDigest::parse(text).ok());
            images.into_iter().try_for_each(&mut each)?;
            // Pages are in the order of digests, so one that does not go on would never end.
            if last.is_none() || last <= after {
                return Ok(());
            }
            after = last;
        }
    }
}

fn bad(sentence: &str) -> Failure {
    Failure::new(Exit::BadAnswer, sentence)
}

const PAGE: &str = "1000";
/// As many images as the server answers at once.
const MAX_CHECKED: usize = 256;
