//! `/admin/tenants`: whose devices there are, and which certificates vouch for them. Bodies are the
//! management view of Eclipse Hono's tenants; their versions are entity tags (RFC 9110 §8.8.3).

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gangplank_onboarding::ProblemName;
use gangplank_trust::{Lint, OcspChecking, Severity, TenantDocument, TenantId, lint};
use http::header::{ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::adapter::wrong_document;
use super::devices::{actor, invalid, unreadable};
use super::precondition::{entity_tag, expected};
use crate::api::Refusal;
use crate::api::path::Parameters;
use crate::random;
use crate::server::Server;
use crate::store::{
    DEFAULT_TENANT, Expected, TenantContent, TenantOutcome, TenantQuery, TenantRecord,
    TenantRemoval, TenantRemovalOutcome, TenantSave,
};
use crate::tenants;

pub(super) async fn list(
    State(server): State<Server>,
    headers: HeaderMap,
    query: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Listed>, Refusal> {
    server.operator_of_tenants(&headers)?;
    let Query(page) = query.map_err(unreadable)?;
    let after = page.after.as_deref().map(TenantId::parse).transpose();
    let query = TenantQuery {
        after: after.map_err(invalid)?,
        limit: Some(page.limit.unwrap_or(DEFAULT_PAGE)),
    };
    let records = server.shared.store.tenants(&query).await?;
    let tenants = records.iter().map(|record| {
        Ok(TenantView {
            id: record.id.as_str().to_owned(),
            resource_version: record.policy_revision.to_string(),
            tenant: raw(&read(record)?)?,
        })
    });
    let tenants = tenants.collect::<Result<_, Refusal>>()?;
    Ok(Json(Listed { tenants }))
}

/// The server makes the tenant's id.
pub(super) async fn create_unnamed(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    server.operator_of_tenants(&headers)?;
    let id = TenantId::parse(&random::uuid()).map_err(invalid)?;
    server.create_tenant(id, &body).await
}

pub(super) async fn create(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    server.operator_of_tenants(&headers)?;
    let id = TenantId::parse(&id).map_err(invalid)?;
    server.create_tenant(id, &body).await
}

pub(super) async fn show(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
) -> Result<Response, Refusal> {
    server.operator_of_tenants(&headers)?;
    let id = TenantId::parse(&id).map_err(invalid)?;
    let record = server.stored_tenant(&id).await?;
    let tag = entity_tag(record.policy_revision);
    Ok(([(ETAG, tag)], Json(raw(&read(&record)?)?)).into_response())
}

pub(super) async fn update(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    server.operator_of_tenants(&headers)?;
    let id = TenantId::parse(&id).map_err(invalid)?;
    let expected = expected(&headers)?;
    let document = decode(&body)?;
    for _ in 0..TRIES {
        let stored = server.stored_tenant(&id).await?;
        let document = document.clone().with_certificates_of(&read(&stored)?);
        // The certificates are those of what was read: if that changed meanwhile, so may they have.
        let from = match expected {
            Expected::Present => Expected::Revision(stored.policy_revision),
            expected => expected,
        };
        match server.save_tenant(&id, from, &document).await? {
            TenantOutcome::Unexpected { .. } if expected == Expected::Present => {}
            outcome => {
                let warnings = server.warnings(&id, &document).await?;
                return server.saved(StatusCode::OK, &id, &document, outcome, warnings);
            }
        }
    }
    let busy = "the tenant changes all the time";
    Err(Refusal::new(ProblemName::Unavailable, busy))
}

pub(super) async fn remove(
    State(server): State<Server>,
    headers: HeaderMap,
    Parameters(id): Parameters<String>,
) -> Result<StatusCode, Refusal> {
    server.operator_of_tenants(&headers)?;
    let id = TenantId::parse(&id).map_err(invalid)?;
    if id.as_str() == DEFAULT_TENANT {
        let reason = format!("the tenant {id} is always there");
        return Err(Refusal::new(ProblemName::TenantNotEmpty, reason).explained());
    }
    let removal = TenantRemoval {
        id: id.clone(),
        expected: expected(&headers)?,
        actor: actor(),
        at: server.now(),
    };
    match server.shared.store.remove_tenant(removal).await? {
        TenantRemovalOutcome::Removed => Ok(StatusCode::NO_CONTENT),
        TenantRemovalOutcome::NotFound => Err(no_tenant(&id)),
        TenantRemovalOutcome::Unexpected { current } => Err(changed(&id, current)),
        TenantRemovalOutcome::NotEmpty => {
            let reason = format!("the tenant {id} has devices; remove them first");
            Err(Refusal::new(ProblemName::TenantNotEmpty, reason).explained())
        }
    }
}

impl Server {
    /// An operator, where the tenants are those in the store.
    fn operator_of_tenants(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.operator(headers)?;
        match self.shared.tenants.source() {
            tenants::Source::Store(_) => Ok(()),
            tenants::Source::Fixed => {
                let reason = "the tenants are fixed by the program that this server is part of";
                Err(Refusal::not_found(reason).explained())
            }
        }
    }

    async fn stored_tenant(&self, id: &TenantId) -> Result<TenantRecord, Refusal> {
        let record = self.shared.store.tenant(id).await?;
        record.ok_or_else(|| no_tenant(id))
    }

    async fn create_tenant(&self, id: TenantId, body: &[u8]) -> Result<Response, Refusal> {
        let document = decode(body)?;
        let outcome = self.save_tenant(&id, Expected::Absent, &document).await?;
        if let TenantOutcome::Unexpected { .. } = outcome {
            let reason = format!("there is a tenant {id} already");
            return Err(Refusal::new(ProblemName::TenantExists, reason).explained());
        }
        let warnings = self.warnings(&id, &document).await?;
        let mut answer = self.saved(StatusCode::CREATED, &id, &document, outcome, warnings)?;
        if let Ok(location) = HeaderValue::from_str(&format!("/admin/tenants/{id}")) {
            answer.headers_mut().insert(LOCATION, location);
        }
        Ok(answer)
    }

    async fn save_tenant(
        &self,
        id: &TenantId,
        expected: Expected,
        document: &TenantDocument,
    ) -> Result<TenantOutcome, Refusal> {
        let issuers = document.anchors().map(|anchor| anchor.name().prepared());
        let content = TenantContent {
            enabled: document.enabled.unwrap_or(true),
            alias: document
                .alias
                .as_ref()
                .map(|alias| alias.as_str().to_owned()),
            issuers: issuers.collect(),
            trust_anchor_group: document.trust_anchor_group.clone(),
            document: document.to_stored(),
        };
        let save = TenantSave {
            id: id.clone(),
            expected,
            content,
            actor: actor(),
            at: self.now(),
        };
        Ok(self.shared.store.save_tenant(save).await?)
    }

    /// What is doubtful about a tenant that may be saved.
    async fn warnings(
        &self,
        id: &TenantId,
        document: &TenantDocument,
    ) -> Result<Vec<Lint>, Refusal> {
        let tenants = self.tenants().await?;
        let mut found = lint(id, document, tenants.index(), self.now());
        // What stands in the way of saving is the store's to say, in its transaction.
        found.retain(|one| one.severity == Severity::Warning);
        Ok(found)
    }

    fn saved(
        &self,
        status: StatusCode,
        id: &TenantId,
        document: &TenantDocument,
        outcome: TenantOutcome,
        warnings: Vec<Lint>,
    ) -> Result<Response, Refusal> {
        match outcome {
            TenantOutcome::Saved { revision } => {
                let view = Saved {
                    id: id.as_str().to_owned(),
                    resource_version: revision.to_string(),
                    warnings,
                };
                let tag = [(ETAG, entity_tag(revision))];
                Ok((status, tag, Json(view)).into_response())
            }
            TenantOutcome::NotFound => Err(no_tenant(id)),
            TenantOutcome::Unexpected { current } => Err(changed(id, current)),
            TenantOutcome::AliasTaken { holder } => {
                let reason = format!("/alias: tenant {holder} is called so");
                Err(Refusal::new(ProblemName::AliasTaken, reason).explained())
            }
            TenantOutcome::IssuerTaken { issuer, holder } => {
                let mut anchors = document.anchors();
                let at = anchors.position(|anchor| anchor.name().prepared() == issuer);
                let at = at.unwrap_or_default();
                let reason = format!(
                    "/trusted-ca/{at}: tenant {holder} trusts an issuer of this name, and the two \
                     are not of one trust-anchor-group"
                );
                Err(Refusal::new(ProblemName::IssuerTaken, reason).explained())
            }
        }
    }
}

/// Reads what an operator wrote, and refuses what this server would have to ignore.
fn decode(body: &[u8]) -> Result<TenantDocument, Refusal> {
    let document = TenantDocument::decode(body, &mut random::uuid).map_err(wrong_document)?;
    let asks = |ocsp: OcspChecking| ocsp == OcspChecking::Enabled;
    let asking = document
        .anchors()
        .position(|anchor| asks(anchor.policy().ocsp.checking));
    let Some(at) = asking else {
        return Ok(document);
    };
    let reason =
        format!("/trusted-ca/{at}/ocsp-revocation-enabled: this server asks no OCSP responder");
    Err(Refusal::new(ProblemName::OcspNotSupported, reason).explained())
}

fn read(record: &TenantRecord) -> Result<TenantDocument, Refusal> {
    tenants::document(record).map_err(|error| {
        tracing::error!(tenant = %record.id, %error, "the stored tenant cannot be read");
        let reason = format!("the stored tenant {}: {error}", record.id);
        Refusal::new(ProblemName::InternalError, reason)
    })
}

fn raw(document: &TenantDocument) -> Result<Box<RawValue>, Refusal> {
    RawValue::from_string(document.encode())
        .map_err(|error| Refusal::new(ProblemName::InternalError, error))
}

pub(super) fn no_tenant(id: &TenantId) -> Refusal {
    Refusal::not_found(format!("there is no tenant {id}")).explained()
}

fn changed(id: &TenantId, current: u64) -> Refusal {
    let reason = format!("the tenant {id} has resource version {current} by now");
    Refusal::new(ProblemName::VersionMismatch, reason).explained()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Listed {
    tenants: Vec<TenantView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TenantView {
    id: String,
    resource_version: String,
    tenant: Box<RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Saved {
    id: String,
    resource_version: String,
    warnings: Vec<Lint>,
}

/// A tenant has up to a mebibyte.
const DEFAULT_PAGE: usize = 100;

/// Operators change a tenant now and then, not five times while one of them does.
const TRIES: usize = 5;
