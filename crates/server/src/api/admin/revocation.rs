//! `/admin/tenants/{tenantId}/revocation-lists`: which certificates of a tenant's authorities are revoked.

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use gangplank_trust::{RevocationListOutline, RevocationLists, TenantId};
use http::{HeaderMap, StatusCode};
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;

use super::devices::{actor, invalid};
use super::tenants::no_tenant;
use super::view::hex;
use crate::api::Refusal;
use crate::api::path::Parameters;
use crate::server::{BACKEND, Server};

pub(super) async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
) -> Result<Json<Lists>, Refusal> {
    server.operator(&headers)?;
    let id = TenantId::parse(&id).map_err(invalid)?;
    let store = &server.shared.store;
    if store.tenant(&id).await?.is_none() {
        return Err(no_tenant(&id));
    }
    let stored = store.revocation_lists(&id).await?;
    let read = read(&stored)?;
    let outlines = read.outlines().zip(&stored);
    Ok(Json(Lists {
        revocation_lists: outlines.map(|(one, der)| List::of(&one, der)).collect(),
    }))
}

/// The body is one list in DER, or any number in PEM.
pub(super) async fn set(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    server.operator(&headers)?;
    let lists = match body.windows(PEM.len()).any(|window| window == PEM) {
        true => CertificateRevocationListDer::pem_slice_iter(&body)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| invalid("the body is no PEM"))?,
        false => vec![body.to_vec().into()],
    };
    if lists.is_empty() {
        return Err(invalid("the body has no revocation list"));
    }
    read(&lists)?;
    server.set_revocation_lists(&id, lists).await
}

pub(super) async fn remove(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
) -> Result<StatusCode, Refusal> {
    server.operator(&headers)?;
    server.set_revocation_lists(&id, Vec::new()).await
}

impl Server {
    async fn set_revocation_lists(
        &self,
        id: &str,
        lists: Vec<CertificateRevocationListDer<'static>>,
    ) -> Result<StatusCode, Refusal> {
        let id = TenantId::parse(id).map_err(invalid)?;
        let (store, now) = (&self.shared.store, self.now());
        match store.set_revocation_lists(&id, lists, actor(), now).await? {
            true => Ok(StatusCode::NO_CONTENT),
            false => Err(no_tenant(&id)),
        }
    }
}

fn read(lists: &[CertificateRevocationListDer<'static>]) -> Result<RevocationLists, Refusal> {
    RevocationLists::read(lists.iter().map(AsRef::as_ref)).map_err(invalid)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lists {
    revocation_lists: Vec<List>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    issuer: String,
    this_update: u64,
    next_update: Option<u64>,
    sha256: String,
}

impl List {
    fn of(outline: &RevocationListOutline<'_>, der: &[u8]) -> Self {
        Self {
            issuer: outline.issuer.to_string(),
            this_update: outline.this_update.as_secs(),
            next_update: outline.next_update.map(|time| time.as_secs()),
            sha256: hex(&BACKEND.sha256(&[der])),
        }
    }
}

const PEM: &[u8] = b"-----BEGIN ";
