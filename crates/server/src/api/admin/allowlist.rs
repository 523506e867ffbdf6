//! `/admin/tenants/{tenantId}/allowlist`: which images a tenant's devices may run.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gangplank_allowlist::ImageDigest;
use gangplank_onboarding::ProblemName;
use gangplank_trust::TenantId;
use http::header::ETAG;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::allowed_image::{ImageView, Verdict};
use super::body::{object, optional_object};
use super::devices::{actor, invalid, unreadable};
use super::precondition::{entity_tag, expected};
use super::tenants::no_tenant;
use crate::api::Refusal;
use crate::api::path::Parameters;
use crate::server::Server;
use crate::store::{
    AllowlistChange, AllowlistEdit, AllowlistHead, AllowlistOutcome, AllowlistQuery, has_allowlist,
};

/// The revision of every page is in it: who reads several sees whether they are of one list.
pub(super) async fn list(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(tenant): Parameters<String>,
    query: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let tenant = opened(&server, &headers, &tenant)?;
    let Query(page) = query.map_err(unreadable)?;
    let after = page.after.as_deref().map(digest).transpose()?;
    let query = AllowlistQuery {
        after,
        limit: page.limit.unwrap_or(DEFAULT_PAGE),
        tenant,
    };
    let found = server.shared.store.allowlist(&query).await?;
    let found = found.ok_or_else(|| no_tenant(&query.tenant))?;
    let images = found.images.iter().map(ImageView::of).collect();
    let AllowlistHead {
        revision,
        images: count,
    } = found.head;
    let listed = Listed {
        revision,
        count,
        images,
    };
    Ok(tagged(found.head, Json(listed).into_response()))
}

/// Any number of edits, all of them or none.
pub(super) async fn edit(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(tenant): Parameters<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let tenant = opened(&server, &headers, &tenant)?;
    let body: Edit = object(&body)?;
    let mut edits = Vec::new();
    if body.clear == Some(true) {
        edits.push(AllowlistEdit::Clear);
    }
    for text in &body.remove {
        edits.push(AllowlistEdit::Remove(digest(text)?));
    }
    for image in body.add {
        edits.push(AllowlistEdit::Add(image.read()?));
    }
    let done = server.edit_allowlist(&headers, tenant, edits).await?;
    Ok(tagged(done.head, Json(EditView::of(&done)).into_response()))
}

pub(super) async fn clear(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(tenant): Parameters<String>,
) -> Result<StatusCode, Refusal> {
    let tenant = opened(&server, &headers, &tenant)?;
    let edits = vec![AllowlistEdit::Clear];
    server.edit_allowlist(&headers, tenant, edits).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, image)): Parameters<(String, String)>,
) -> Result<Json<ImageView>, Refusal> {
    let (tenant, digest) = (opened(&server, &headers, &tenant)?, digest(&image)?);
    let found = server.shared.store.allowed(&tenant, &digest).await?;
    let Some(found) = found else {
        server.need_allowlist(&tenant).await?;
        return Err(not_listed(&tenant, &digest));
    };
    Ok(Json(ImageView::of(&found)))
}

/// The body says what is said of the image; none says nothing.
pub(super) async fn add(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, image)): Parameters<(String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (tenant, digest) = (opened(&server, &headers, &tenant)?, digest(&image)?);
    let said: ImageView = optional_object(&body)?;
    let edits = vec![AllowlistEdit::Add(said.read_for(digest)?)];
    let done = server.edit_allowlist(&headers, tenant, edits).await?;
    Ok(tagged(done.head, Json(EditView::of(&done)).into_response()))
}

/// Also 204 if it was not on the list: it is not on it now.
pub(super) async fn remove(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, image)): Parameters<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (tenant, digest) = (opened(&server, &headers, &tenant)?, digest(&image)?);
    let edits = vec![AllowlistEdit::Remove(digest)];
    server.edit_allowlist(&headers, tenant, edits).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the list says of images, by the server's clock. Nothing is started.
pub(super) async fn check(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(tenant): Parameters<String>,
    body: Bytes,
) -> Result<Json<Checked>, Refusal> {
    let tenant = opened(&server, &headers, &tenant)?;
    let body: Check = object(&body)?;
    if body.images.len() > MAX_CHECKED {
        return Err(invalid(format!("images has at most {MAX_CHECKED}")));
    }
    server.need_allowlist(&tenant).await?;
    let mut verdicts = Vec::new();
    for image in body.images {
        verdicts.push(Verdict::of(&server, &tenant, image).await?);
    }
    Ok(Json(Checked { verdicts }))
}

/// What an edit came to.
struct Done {
    head: AllowlistHead,
    added: u64,
    removed: u64,
}

impl Server {
    /// No image is on the list of nobody, but that says nothing of the image.
    async fn need_allowlist(&self, tenant: &TenantId) -> Result<(), Refusal> {
        match has_allowlist(&*self.shared.store, tenant).await? {
            true => Ok(()),
            false => Err(no_tenant(tenant)),
        }
    }

    async fn edit_allowlist(
        &self,
        headers: &HeaderMap,
        tenant: TenantId,
        edits: Vec<AllowlistEdit>,
    ) -> Result<Done, Refusal> {
        let change = AllowlistChange {
            tenant: tenant.clone(),
            expected: expected(headers)?,
            edits,
            actor: actor(),
            at: self.now(),
        };
        match self.shared.store.change_allowlist(change).await? {
            AllowlistOutcome::Done {
                head,
                added,
                removed,
            } => Ok(Done {
                head,
                added,
                removed,
            }),
            AllowlistOutcome::NoSuchTenant => Err(no_tenant(&tenant)),
            AllowlistOutcome::Unexpected { current } => {
                let reason = format!("the list has the revision {current}");
                Err(Refusal::new(ProblemName::VersionMismatch, reason).explained())
            }
            AllowlistOutcome::Full => {
                let reason = "the list has as many images as it may";
                Err(Refusal::new(ProblemName::LimitReached, reason).explained())
            }
        }
    }
}

/// Asks who is there before anything else.
fn opened(server: &Server, headers: &HeaderMap, tenant: &str) -> Result<TenantId, Refusal> {
    server.operator(headers)?;
    TenantId::parse(tenant).map_err(invalid)
}

fn digest(text: &str) -> Result<ImageDigest, Refusal> {
    ImageDigest::parse(text).map_err(|error| invalid(format!("{text:?}: {error}")))
}

fn tagged(head: AllowlistHead, mut response: Response) -> Response {
    let tag = entity_tag(head.revision);
    response.headers_mut().insert(ETAG, tag);
    response
}

fn not_listed(tenant: &TenantId, digest: &ImageDigest) -> Refusal {
    Refusal::not_found(format!(
        "{digest} is not on the list of the tenant {tenant}"
    ))
    .explained()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Listed {
    revision: u64,
    /// Of the whole list.
    count: u64,
    images: Vec<ImageView>,
}

/// In this order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    clear: Option<bool>,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    add: Vec<ImageView>,
}

#[derive(Serialize)]
struct EditView {
    revision: u64,
    count: u64,
    added: u64,
    removed: u64,
}

impl EditView {
    fn of(done: &Done) -> Self {
        Self {
            revision: done.head.revision,
            count: done.head.images,
            added: done.added,
            removed: done.removed,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check {
    images: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Checked {
    verdicts: Vec<Verdict>,
}

const DEFAULT_PAGE: usize = 100;

/// Images of one question: those of a device's desired state are some dozens.
const MAX_CHECKED: usize = 256;
