//! `GET /device/{deviceId}/git-credential`: a fresh credential for the desired state, and the
//! commit that the device should find there.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use gangplank_envelope::{Nonce, PayloadType};
use gangplank_onboarding::v2024::git_credential::GitCredential;
use gangplank_onboarding::{ProblemName, ShortText};
use gangplank_token::GitToken;
use http::{HeaderMap, StatusCode};

use super::Refusal;
use super::path::{OfDevice, Parameters};
use crate::random;
use crate::reached::Reached;
use crate::server::Server;
use crate::store::{GitTokenIssue, IssueOutcome};

pub(super) async fn get(
    State(server): State<Server>,
    Parameters(OfDevice { device_id: route }): Parameters<OfDevice>,
    reached: Reached,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let now = server.now();
    let nonce = nonce(query.as_deref())?;
    let device = server.device_of_bearer(&headers, &route, now).await?.device;
    let internal = |error: &dyn core::fmt::Display| Refusal::new(ProblemName::InternalError, error);
    let commit = server
        .shared
        .repositories
        .head_commit(&device.id)
        .await
        .map_err(|error| internal(&error))?;
    let token = GitToken::generate(&mut random::system());
    let expires_at = server.after(now, server.shared.lifetimes.git_token);
    let issue = GitTokenIssue {
        device_id: device.id.clone(),
        token: server.shared.storage_key.stored(&token),
        expires_at,
        at: now,
    };
    if let IssueOutcome::NotAdmissible(reason) = server.shared.store.issue_git_token(issue).await? {
        return Err(reason.into());
    }
    let certificate_id = device.certificate_id.as_ref();
    let certificate_id =
        certificate_id.ok_or_else(|| Refusal::not_admitted("the device has no certificate id"))?;
    let credential = GitCredential {
        url: reached
            .repository_url(&device.id)
            .map_err(|error| internal(&error))?,
        username: ShortText::parse(device.id.as_str()).map_err(|error| internal(&error))?,
        password: token,
        expires_at,
        commit,
    };
    server.signed_answer(
        &reached,
        StatusCode::OK,
        PayloadType::GIT_CREDENTIAL,
        &credential.encode(),
        certificate_id,
        nonce.as_ref(),
    )
}

/// `?nonce=` and nothing else.
fn nonce(query: Option<&str>) -> Result<Option<Nonce>, Refusal> {
    let refused = |reason: &dyn core::fmt::Display| {
        Refusal::new(ProblemName::UnreadableRequest, reason).explained()
    };
    match query {
        None | Some("") => Ok(None),
        Some(query) => {
            let text = query
                .strip_prefix("nonce=")
                .ok_or_else(|| refused(&"the only query parameter is `nonce`"))?;
            Nonce::parse(text)
                .map(Some)
                .map_err(|error| refused(&error))
        }
    }
}
