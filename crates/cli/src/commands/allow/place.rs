//! Which list a verb is about: one in a file, or a tenant's on the server.

use std::path::PathBuf;

use clap::Args;
use gangplank_client::allowlist::ImageDigest;
use gangplank_client::trust::TenantId;
use serde_json::{Value, json};

use super::server_verdict::ServerVerdict;
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

    /// What is decided about images, in their order. Where there is no list, nothing can be told.
    pub(crate) async fn check(&self, images: &[String]) -> Result<Vec<ServerVerdict>, Failure> {
        let path = format!("{}/check", self.path);
        let mut verdicts = Vec::new();
        for images in images.chunks(MAX_CHECKED) {
            let asked = json!({ "images": images });
            let answer = self.admin.post(&path, Some(&asked)).await;
            let (answer, _) = answer.map_err(|failure| match failure.exit() {
                Exit::No => failure.with(Exit::CannotTell),
                _ => failure,
            })?;
            let said = answer.get("verdicts").and_then(Value::as_array);
            let Some(said) = said.filter(|said| said.len() == images.len()) else {
                return Err(bad("the server's answer has not a verdict for each image"));
            };
            for (image, said) in images.iter().zip(said) {
                verdicts.push(ServerVerdict::read(image, said)?);
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
            if images.is_empty() {
                return Ok(());
            }
            after = Some(last_of(&images, after)?);
            images.into_iter().try_for_each(&mut each)?;
        }
    }
}

/// The last digest of a page. Its digests go on from those before in ascending order: a page of others, as
/// a proxy may give that does not read queries, has not what comes next.
fn last_of(images: &[Value], after: Option<ImageDigest>) -> Result<ImageDigest, Failure> {
    let mut last = after;
    for image in images {
        let digest = image.get("digest").and_then(Value::as_str);
        let digest = digest.and_then(|text| ImageDigest::parse(text).ok());
        if digest <= last {
            return Err(bad(
                "the server's list does not go on in the order of digests",
            ));
        }
        last = digest;
    }
    last.ok_or_else(|| bad("the server's list has an image without a digest"))
}

fn bad(sentence: &str) -> Failure {
    Failure::new(Exit::BadAnswer, sentence)
}

const PAGE: &str = "1000";
/// As many images as the server answers at once.
const MAX_CHECKED: usize = 256;
