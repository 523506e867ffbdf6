//! How an image on an allowlist, and what is decided about one, read in the operator's API.

use core::time::Duration;

use gangplank_allowlist::{Allowlist, ImageDigest, ImageReference, PinnedImage};
use gangplank_key::UnixTime;
use gangplank_trust::TenantId;
use serde::{Deserialize, Serialize};

use super::devices::invalid;
use crate::api::Refusal;
use crate::server::Server;
use crate::store::{AllowedImage, Found};

/// An image. Times are Unix seconds.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ImageView {
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ImageView {
    pub(super) fn of(image: &AllowedImage) -> Self {
        let seconds = |time: UnixTime| time.as_secs();
        Self {
            digest: Some(image.digest.to_string()),
            not_before: image.not_before.map(seconds),
            expires: image.expires.map(seconds),
            repository: image.repository.clone(),
            owner: image.owner.clone(),
            reason: image.reason.clone(),
        }
    }

    /// The image that it names.
    pub(super) fn read(self) -> Result<AllowedImage, Refusal> {
        let text = self.digest.as_deref();
        let text = text.ok_or_else(|| invalid("an image has a digest"))?;
        let digest = ImageDigest::parse(text);
        let digest = digest.map_err(|error| invalid(format!("{text:?}: {error}")))?;
        self.read_for(digest)
    }

    /// What it says of the image that is named elsewhere. It may name it again.
    pub(super) fn read_for(self, digest: ImageDigest) -> Result<AllowedImage, Refusal> {
        if let Some(named) = &self.digest
            && ImageDigest::parse(named) != Ok(digest)
        {
            return Err(invalid(format!("digest is another one than {digest}")));
        }
        for (name, text) in [("owner", &self.owner), ("reason", &self.reason)] {
            check_text(name, text.as_deref())?;
        }
        if let Some(repository) = &self.repository {
            check_repository(repository)?;
        }
        if let (Some(from), Some(end)) = (self.not_before, self.expires)
            && from >= end
        {
            return Err(invalid("expires is not after notBefore"));
        }
        Ok(AllowedImage {
            digest,
            not_before: self.not_before.map(time).transpose()?,
            expires: self.expires.map(time).transpose()?,
            repository: self.repository,
            owner: self.owner,
            reason: self.reason,
        })
    }
}

fn time(seconds: u64) -> Result<UnixTime, Refusal> {
    match seconds <= MAX_SECONDS {
        true => Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds))),
        false => Err(invalid(format!("{seconds} is no time in Unix seconds"))),
    }
}

fn check_text(name: &str, text: Option<&str>) -> Result<(), Refusal> {
    let fine = |text: &str| {
        (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    match text.is_none_or(fine) {
        true => Ok(()),
        false => Err(invalid(format!(
            "{name} has 1 to {MAX_TEXT} characters, none of them a control character"
        ))),
    }
}

fn check_repository(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_REPOSITORY {
        return Err(invalid(format!(
            "repository has at most {MAX_REPOSITORY} bytes"
        )));
    }
    let reference = ImageReference::parse(text);
    let reference = reference.map_err(|error| invalid(format!("repository: {error}")))?;
    match reference.name() == text {
        true => Ok(()),
        false => Err(invalid("repository has neither tag nor digest")),
    }
}

/// What is decided about an image.
#[derive(Serialize)]
pub(super) struct Verdict {
    image: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Verdict {
    pub(super) async fn of(
        server: &Server,
        tenant: &TenantId,
        image: String,
    ) -> Result<Self, Refusal> {
        let pinned = match PinnedImage::parse(&image) {
            Ok(pinned) => pinned,
            Err(error) => {
                let (code, reason) = (error.code(), error.to_string());
                return Ok(Self::denied(image, code, reason));
            }
        };
        let found = server.shared.store.allowed(tenant, pinned.digest()).await?;
        let found = Found(found);
        let list = Allowlist::new(&found)
            .in_tenant(tenant.as_str())
            .at(server.now().as_secs());
        let denied = list.permit(pinned).err();
        let denied = denied.map(|denied| (denied.code(), denied.to_string()));
        Ok(match denied {
            None => Self {
                image,
                verdict: "permitted",
                code: None,
                reason: None,
            },
            Some((code, reason)) => Self::denied(image, code, reason),
        })
    }

    fn denied(image: String, code: &'static str, reason: String) -> Self {
        Self {
            image,
            verdict: "denied",
            code: Some(code),
            reason: Some(reason),
        }
    }
}

/// RFC 8259 §6: what every reader of JSON has exactly.
const MAX_SECONDS: u64 = (1 << 53) - 1;

/// Bytes of a repository: a path of 255, and a domain of as many, which RFC 1035 §2.3.4 has.
const MAX_REPOSITORY: usize = 511;

/// Characters of an owner's name or a reason.
const MAX_TEXT: usize = 256;
