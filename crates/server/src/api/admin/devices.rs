//! `/admin/devices`: who is known, and what the operator decides about them.

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gangplank_key::{CertificateDer, CertificateId, PublicKey};
use gangplank_onboarding::v2024::certificate::certificate_from_text;
use gangplank_onboarding::{DeviceId, ProblemName};
use gangplank_trust::TenantId;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::body::object;
use super::tenants::no_tenant;
use super::view::DeviceView;
use crate::access::OPERATOR;
use crate::api::Refusal;
use crate::api::path::Parameters;
use crate::random;
use crate::server::{BACKEND, Server};
use crate::store::{
    Actor, Change, ChangeOutcome, Conflict, DEFAULT_TENANT, DeviceQuery, DeviceState, Expected,
    NewCertificate, NewDevice, RegisterOutcome, Registration,
};

pub(super) async fn register(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    server.operator(&headers)?;
    let body: Register = object(&body)?;
    let certificate_id = CertificateId::parse(&body.certificate_id).map_err(invalid)?;
    let tenant = body.tenant.as_deref().unwrap_or(DEFAULT_TENANT);
    let tenant = TenantId::parse(tenant).map_err(invalid)?;
    let certificate: CertificateDer<'static> =
        certificate_from_text(&body.certificate).map_err(invalid)?;
    let key = PublicKey::from_certificate(&certificate, BACKEND).map_err(invalid)?;
    let tenants = server.tenants().await?;
    let max_devices = tenants.index().get(&tenant).and_then(|one| one.max_devices);
    for _ in 0..3 {
        let device = NewDevice {
            tenant: tenant.clone(),
            device_id: DeviceId::random(&mut random::system()),
            certificate: NewCertificate {
                certificate_id: Some(certificate_id.clone()),
                fingerprint: BACKEND.sha256(&[&certificate]),
                certificate: certificate.clone(),
                spki_sha256: key.spki_sha256(),
            },
        };
        let registration = Registration {
            device,
            max_devices,
            actor: actor(),
            at: server.now(),
        };
        let (status, device) = match server.shared.store.register(registration).await? {
            RegisterOutcome::Created(device) => (StatusCode::CREATED, device),
            RegisterOutcome::Approved(device) | RegisterOutcome::Same(device) => {
                (StatusCode::OK, device)
            }
            RegisterOutcome::Conflict(Conflict::DeviceIdTaken) => continue,
            RegisterOutcome::Conflict(conflict) => return Err(conflicting(&conflict)),
            RegisterOutcome::TenantFull => {
                return Err(full());
            }
            RegisterOutcome::NoSuchTenant => {
                return Err(no_tenant(&tenant));
            }
        };
        return Ok((status, Json(DeviceView::new(device))).into_response());
    }
    Err(Refusal::new(
        ProblemName::InternalError,
        "no free device id was found",
    ))
}

pub(super) async fn list(
    State(server): State<Server>,
    headers: HeaderMap,
    query: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Devices>, Refusal> {
    server.operator(&headers)?;
    let Query(filter) = query.map_err(unreadable)?;
    let state = match filter.state.as_deref() {
        None => None,
        Some(name) => Some(
            DeviceState::parse(name)
                .ok_or_else(|| invalid("state is registered, pending, aboard or rejected"))?,
        ),
    };
    let query = DeviceQuery {
        tenant: filter
            .tenant
            .as_deref()
            .map(TenantId::parse)
            .transpose()
            .map_err(invalid)?,
        certificate_id: filter
            .certificate_id
            .as_deref()
            .map(CertificateId::parse)
            .transpose()
            .map_err(invalid)?,
        state,
        after: filter
            .after
            .as_deref()
            .map(DeviceId::parse)
            .transpose()
            .map_err(invalid)?,
        limit: filter.limit,
    };
    let devices = server.shared.store.devices(&query).await?;
    Ok(Json(Devices {
        devices: devices.into_iter().map(DeviceView::new).collect(),
    }))
}

pub(super) async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
) -> Result<Json<DeviceView>, Refusal> {
    server.operator(&headers)?;
    let id = DeviceId::parse(&id).map_err(invalid)?;
    let device = server
        .shared
        .store
        .device(&id)
        .await?
        .ok_or_else(|| no_device(&id))?;
    let capabilities = server.shared.store.capabilities(&id).await?;
    let statuses = server.shared.store.statuses(&id).await?;
    Ok(Json(
        DeviceView::new(device).with_documents(capabilities, statuses),
    ))
}

pub(super) async fn approve(
    server: State<Server>,
    headers: HeaderMap,
    id: Parameters<String>,
) -> Result<Json<DeviceView>, Refusal> {
    server.operator(&headers)?;
    let waits = DeviceId::parse(&id.0).map_err(invalid)?;
    let device = server.shared.store.device(&waits).await?;
    let tenants = server.tenants().await?;
    let tenant = device.and_then(|device| tenants.index().get(&device.tenant));
    let max_devices = tenant.and_then(|tenant| tenant.max_devices);
    change(&server, &headers, &id.0, Change::Approve { max_devices }).await
}

pub(super) async fn reject(
    server: State<Server>,
    headers: HeaderMap,
    id: Parameters<String>,
) -> Result<Json<DeviceView>, Refusal> {
    change(&server, &headers, &id.0, Change::Reject).await
}

pub(super) async fn disable(
    server: State<Server>,
    headers: HeaderMap,
    id: Parameters<String>,
) -> Result<Json<DeviceView>, Refusal> {
    change(&server, &headers, &id.0, Change::Disable).await
}

pub(super) async fn enable(
    server: State<Server>,
    headers: HeaderMap,
    id: Parameters<String>,
) -> Result<Json<DeviceView>, Refusal> {
    change(&server, &headers, &id.0, Change::Enable).await
}

pub(super) async fn remove(
    server: State<Server>,
    headers: HeaderMap,
    id: Parameters<String>,
) -> Result<StatusCode, Refusal> {
    server.operator(&headers)?;
    let id = DeviceId::parse(&id.0).map_err(invalid)?;
    let removed = server.remove_device(&id, Expected::Present, actor());
    match removed.await? {
        ChangeOutcome::WrongState(state) => Err(wrong_state(&id, state)),
        ChangeOutcome::NotFound => Err(no_device(&id)),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Forgets a removal: the device may come back by itself.
pub(super) async fn readmit(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters((tenant, device)): Parameters<(String, String)>,
) -> Result<StatusCode, Refusal> {
    server.operator(&headers)?;
    let tenant = TenantId::parse(&tenant).map_err(invalid)?;
    let device = DeviceId::parse(&device).map_err(invalid)?;
    let store = &server.shared.store;
    match store
        .readmit(&tenant, &device, actor(), server.now())
        .await?
    {
        true => Ok(StatusCode::NO_CONTENT),
        false => {
            let reason = format!("no device {device} was removed from the tenant {tenant}");
            Err(Refusal::not_found(reason).explained())
        }
    }
}

async fn change(
    server: &Server,
    headers: &HeaderMap,
    id: &str,
    change: Change,
) -> Result<Json<DeviceView>, Refusal> {
    server.operator(headers)?;
    let id = DeviceId::parse(id).map_err(invalid)?;
    match server
        .shared
        .store
        .change(&id, change, actor(), server.now())
        .await?
    {
        ChangeOutcome::Done(device) => Ok(Json(DeviceView::new(device))),
        ChangeOutcome::NotFound => Err(no_device(&id)),
        ChangeOutcome::WrongState(state) => Err(wrong_state(&id, state)),
        ChangeOutcome::TenantFull => Err(full()),
        // Only who removes expects a revision.
        ChangeOutcome::Changed { .. } => Err(no_device(&id)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Register {
    certificate_id: String,
    certificate: String,
    tenant: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Filter {
    tenant: Option<String>,
    certificate_id: Option<String>,
    state: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Devices {
    devices: Vec<DeviceView>,
}

pub(super) fn actor() -> Actor {
    Actor::Operator(OPERATOR.to_owned())
}

/// The request is not what this API reads. The operator may know why.
pub(super) fn unreadable(error: impl core::fmt::Display) -> Refusal {
    Refusal::new(ProblemName::UnreadableRequest, error).explained()
}

pub(super) fn invalid(error: impl core::fmt::Display) -> Refusal {
    Refusal::new(ProblemName::InvalidMember, error).explained()
}

fn wrong_state(id: &DeviceId, state: DeviceState) -> Refusal {
    Refusal::new(ProblemName::WrongState, format!("{id} is {state}")).explained()
}

fn full() -> Refusal {
    let reason = "quota-tenant: the tenant has as many devices as it may";
    Refusal::new(ProblemName::WrongState, reason).explained()
}

fn no_device(id: &DeviceId) -> Refusal {
    Refusal::not_found(format!("there is no device {id}")).explained()
}

fn conflicting(conflict: &Conflict) -> Refusal {
    let reason = match conflict {
        Conflict::CertificateIdTaken { holder } => {
            format!("device {holder} has this certificate id with another key")
        }
        Conflict::KeyTaken { holder } => {
            format!("device {holder} has this certificate's key")
        }
        other => format!("{other:?}"),
    };
    Refusal::new(ProblemName::IdentityConflict, reason).explained()
}
