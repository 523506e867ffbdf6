//! `POST /device/{deviceId}/deployment/{deploymentId}/status`: how a deployment goes.

use axum::extract::State;
use gangplank_envelope::PayloadType;
use gangplank_onboarding::ProblemName;
use gangplank_onboarding::v2024::status::DeploymentStatus;
use http::StatusCode;
use serde::Deserialize;

use super::Refusal;
use super::path::Parameters;
use super::received::Received;
use crate::server::Server;
use crate::store::StatusReport;

pub(super) async fn post(
    State(server): State<Server>,
    Parameters(OfDeployment {
        device_id: route,
        deployment_id: deployment,
    }): Parameters<OfDeployment>,
    received: Received,
) -> Result<StatusCode, Refusal> {
    let now = server.now();
    let message = server
        .message(&received, &route, PayloadType::DEPLOYMENT_STATUS, now)
        .await?;
    let status = DeploymentStatus::decode(&message.payload)?;
    if status.deployment_id.as_str() != deployment {
        let reason = format!(
            "`deploymentId` is {}, not that of the route",
            status.deployment_id
        );
        return Err(Refusal::new(ProblemName::IdMismatch, reason).explained());
    }
    let store = &server.shared.store;
    let device_id = message.device.id;
    let outcome = store
        .put_status(StatusReport {
            device_id: device_id.clone(),
            deployment_id: deployment.clone(),
            body: message.payload,
            once: message.once,
            at: now,
        })
        .await?;
    server
        .stored(outcome, message.again, async || {
            let all = store.statuses(&device_id).await?;
            let own = all.into_iter().find(|one| one.deployment_id == deployment);
            Ok(own.map(|one| one.document))
        })
        .await
}

#[derive(Debug, Deserialize)]
pub(super) struct OfDeployment {
    device_id: String,
    deployment_id: String,
}
