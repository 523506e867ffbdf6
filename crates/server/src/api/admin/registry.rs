//! `/admin/tenants/{tenant}/devices`: devices and their credentials, as Eclipse Hono's operators write
//! them; their versions are entity tags (RFC 9110 §8.8.3).

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gangplank_onboarding::{DeviceId, ProblemName};
use gangplank_trust::{CredentialDocument, DeviceDocument, ImportDocument, TenantId, is_device_id};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::adapter::{json, wrong_document};
use super::devices::{actor, invalid, unreadable};
use super::precondition::{entity_tag, expected};
use crate::api::Refusal;
use crate::api::path::Parameters;
use crate::random;
use crate::registry::{DeviceRegistry, RegisteredDevice, RegistryError, SavedDevice};
use crate::server::Server;

pub(super) async fn list(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(tenant): Parameters<String>,
    query: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Listed>, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let Query(page) = query.map_err(unreadable)?;
    let after = page.after.as_deref().map(DeviceId::parse).transpose();
    let limit = page.limit.unwrap_or(DEFAULT_PAGE);
    let found = registry
        .list(&tenant, after.map_err(invalid)?, limit)
        .await?;
    let devices = found.iter().map(DeviceEntry::of);
    Ok(Json(Listed {
        devices: devices.collect::<Result<_, _>>()?,
    }))
}

/// The server makes the device's id.
pub(super) async fn create_unnamed(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(tenant): Parameters<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let id = DeviceId::random(&mut random::system());
    let document = device(&body)?;
    let saved = registry.create(&tenant, &id, &document).await?;
    Ok(created(&tenant, &saved))
}

pub(super) async fn create(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, id)): Parameters<(String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let document = device(&body)?;
    // Ids of other generations may be read and removed here, and not made.
    let id = Some(id).filter(|id| is_device_id(id));
    let id = id.and_then(|id| DeviceId::parse(&id).ok());
    let id = id.ok_or_else(|| invalid(DEVICE_ID_RULE))?;
    let saved = registry.create(&tenant, &id, &document).await?;
    Ok(created(&tenant, &saved))
}

pub(super) async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, id)): Parameters<(String, String)>,
) -> Result<Response, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let device = registry.device(&tenant, &device_id(&id)?).await?;
    let text = device.document.encode(&device.status);
    Ok(versioned(device.revision, json(StatusCode::OK, text)))
}

pub(super) async fn update(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, id)): Parameters<(String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let (id, expected) = (device_id(&id)?, expected(&headers)?);
    let document = device(&body)?;
    let saved = registry.update(&tenant, &id, expected, &document).await?;
    Ok(answer(StatusCode::OK, &saved))
}

pub(super) async fn remove(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, id)): Parameters<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let (id, expected) = (device_id(&id)?, expected(&headers)?);
    registry.remove(&tenant, &id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn credentials(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, id)): Parameters<(String, String)>,
) -> Result<Response, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let device = registry.device(&tenant, &device_id(&id)?).await?;
    let text = CredentialDocument::encode_list(&device.credentials);
    Ok(versioned(device.revision, json(StatusCode::OK, text)))
}

pub(super) async fn set_credentials(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, id)): Parameters<(String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let (id, expected) = (device_id(&id)?, expected(&headers)?);
    let documents = CredentialDocument::decode_list(&body).map_err(wrong_document)?;
    let saved = registry.set_credentials(&tenant, &id, expected, &documents);
    Ok(answer(StatusCode::OK, &saved.await?))
}

pub(super) async fn import(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(tenant): Parameters<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (registry, tenant) = opened(&server, &headers, &tenant)?;
    let import = ImportDocument::decode(&body).map_err(wrong_document)?;
    let saved = registry.import(&tenant, &import).await?;
    let devices = saved.iter().map(SavedView::of).collect();
    Ok((StatusCode::CREATED, Json(Imported { devices })).into_response())
}

/// Asks who is there before anything else.
fn opened<'s>(
    server: &'s Server,
    headers: &HeaderMap,
    tenant: &str,
) -> Result<(DeviceRegistry<'s>, TenantId), Refusal> {
    server.operator(headers)?;
    let tenant = TenantId::parse(tenant).map_err(invalid)?;
    Ok((server.registry(actor()), tenant))
}

fn device_id(id: &str) -> Result<DeviceId, Refusal> {
    DeviceId::parse(id).map_err(invalid)
}

/// No body is as good as `{}`.
fn device(body: &[u8]) -> Result<DeviceDocument, Refusal> {
    match body.trim_ascii() {
        [] => Ok(DeviceDocument::default()),
        _ => DeviceDocument::decode(body).map_err(wrong_document),
    }
}

fn created(tenant: &TenantId, saved: &SavedDevice) -> Response {
    let mut response = answer(StatusCode::CREATED, saved);
    let place = format!("/admin/tenants/{tenant}/devices/{}", saved.id);
    if let Ok(location) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn answer(status: StatusCode, saved: &SavedDevice) -> Response {
    let response = (status, Json(SavedView::of(saved))).into_response();
    versioned(saved.revision, response)
}

fn versioned(revision: u64, mut response: Response) -> Response {
    response.headers_mut().insert(ETAG, entity_tag(revision));
    response
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        let name = match &error {
            RegistryError::NoSuchTenant(_) | RegistryError::NoSuchDevice(_) => {
                ProblemName::NotFound
            }
            RegistryError::Changed { .. } => ProblemName::VersionMismatch,
            RegistryError::DeviceExists { .. } => ProblemName::DeviceExists,
            RegistryError::AuthIdTaken { .. } => ProblemName::AuthIdTaken,
            RegistryError::TooManyCredentials { .. } | RegistryError::TenantFull => {
                ProblemName::LimitReached
            }
            RegistryError::Busy => ProblemName::Unavailable,
            RegistryError::Corrupt { .. } => {
                tracing::error!(%error, "what is stored cannot be read");
                return Self::new(ProblemName::InternalError, error);
            }
            RegistryError::Store(error) => return error.clone().into(),
        };
        Self::new(name, error).explained()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Listed {
    devices: Vec<DeviceEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceEntry {
    id: String,
    resource_version: String,
    device: Box<RawValue>,
}

impl DeviceEntry {
    fn of(device: &RegisteredDevice) -> Result<Self, Refusal> {
        let text = device.document.encode(&device.status);
        let text = RawValue::from_string(text);
        Ok(Self {
            id: device.id.to_string(),
            resource_version: device.revision.to_string(),
            device: text.map_err(|error| Refusal::new(ProblemName::InternalError, error))?,
        })
    }
}

#[derive(Serialize)]
struct Imported {
    devices: Vec<SavedView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SavedView {
    id: String,
    resource_version: String,
}

impl SavedView {
    fn of(saved: &SavedDevice) -> Self {
        Self {
            id: saved.id.to_string(),
            resource_version: saved.revision.to_string(),
        }
    }
}

const DEVICE_ID_RULE: &str =
    "a device id has 1 to 128 of A-Z a-z 0-9 _ . : = -, the first a letter or digit";

/// As of tenants.
const DEFAULT_PAGE: usize = 100;
