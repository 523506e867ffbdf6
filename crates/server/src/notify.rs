//! Telling others what happens to devices: each event of the store's outbox is delivered at least once,
//! in order within a tenant, and no request of a device waits for it.
//!
//! [`deliver`] takes events out of the outbox and gives them to a [`EventSink`]. [`HttpsSink`] posts
//! them, signed, to where the tenant's operator said; a service of your own may bring its own sink.

mod delivery;
mod https;
mod target;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Map, Value};

pub use delivery::deliver;
pub use https::HttpsSink;
pub use target::{NotificationTarget, TargetError};

use crate::store::{OutboxEvent, OutboxRecord};

/// Takes events somewhere.
#[async_trait]
pub trait EventSink: Send + Sync + 'static {
    /// Delivers one event. It may have been delivered before.
    ///
    /// # Errors
    /// [`SinkError`]: it is to be tried again later; the tenant's later events wait.
    async fn deliver(&self, event: &Notification) -> Result<(), SinkError>;
}

/// An event was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event was not taken: {0}")]
pub struct SinkError(pub String);

/// An event as it is told; JSON, camelCase.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its number: greater than that of every event before, the same when it comes again.
    pub sequence: u64,
    /// `device.aboard`, `device.provisioned` or `device.removed`.
    pub event: &'static str,
    /// When, Unix seconds by the server's clock.
    pub at: u64,
    /// Whose device.
    pub tenant_id: String,
    /// Which device.
    pub device_id: String,
    /// What held when it happened: `certificateId`, and of a device that came aboard `certificate`
    /// (base64 DER), `source` (its address) and, if it was provisioned, `anchor` and `policyRevision`;
    /// of one that a gateway brought `gatewayId`.
    #[serde(flatten)]
    pub detail: Map<String, Value>,
}

impl Notification {
    /// That of a record of the outbox.
    pub fn of(record: &OutboxRecord) -> Self {
        let detail = serde_json::from_str(&record.detail);
        Self {
            sequence: record.seq,
            event: record.event.as_str(),
            at: record.at.as_secs(),
            tenant_id: record.tenant.as_str().to_owned(),
            device_id: record.device.as_str().to_owned(),
            detail: detail.unwrap_or_default(),
        }
    }

    /// The event that Eclipse Hono's device registry sends to a messaging network, if a device was
    /// provisioned: it has no body.
    pub fn hono_event(&self) -> Option<HonoEvent> {
        let came_by_anchor =
            self.event == OutboxEvent::DeviceAboard.as_str() && self.detail.contains_key("anchor");
        let provisioned = came_by_anchor || self.event == OutboxEvent::DeviceProvisioned.as_str();
        let gateway = self.detail.get("gatewayId").and_then(Value::as_str);
        let properties = [
            ("hono_registration_status", "NEW"),
            ("tenant_id", &self.tenant_id),
            ("device_id", &self.device_id),
            ("orig_adapter", "hono-device-registry"),
            ("orig_address", "event"),
        ];
        provisioned.then(|| HonoEvent {
            content_type: "application/vnd.eclipse-hono-device-provisioning-notification",
            properties: properties
                .into_iter()
                .chain(gateway.map(|id| ("gateway_id", id)))
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
        })
    }
}

/// A device provisioning notification of Eclipse Hono.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HonoEvent {
    /// The message's content type.
    pub content_type: &'static str,
    /// The message's application properties.
    pub properties: Vec<(&'static str, String)>,
}
