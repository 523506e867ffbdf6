//! `POST`, `PUT /device/{deviceId}/capabilities`: what a device can do.

use axum::extract::State;
use gangplank_envelope::PayloadType;
use gangplank_onboarding::ProblemName;
use gangplank_onboarding::v2024::capabilities::DeviceCapabilities;
use http::StatusCode;

use super::Refusal;
use super::path::{OfDevice, Parameters};
use super::received::Received;
use crate::server::Server;
use crate::store::CapabilitiesReport;

pub(super) async fn put(
    State(server): State<Server>,
    Parameters(OfDevice { device_id: route }): Parameters<OfDevice>,
    received: Received,
) -> Result<StatusCode, Refusal> {
    let now = server.now();
    let message = server
        .message(&received, &route, PayloadType::DEVICE_CAPABILITIES, now)
        .await?;
    let capabilities = DeviceCapabilities::decode(&message.payload)?;
    if capabilities.id != message.device.id {
        let reason = format!("`properties.id` is {}, not {route}", capabilities.id);
        return Err(Refusal::new(ProblemName::IdMismatch, reason).explained());
    }
    let store = &server.shared.store;
    let device_id = message.device.id;
    let outcome = store
        .put_capabilities(CapabilitiesReport {
            device_id: device_id.clone(),
            body: message.payload,
            once: message.once,
            at: now,
        })
        .await?;
    server
        .stored(outcome, message.again, async || {
            store.capabilities(&device_id).await
        })
        .await
}
