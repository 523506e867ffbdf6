//! What the routes that take a bearer token and an envelope have in common.

use std::time::Duration;

use gangplank_envelope::{Envelope, Limits, OnceKey, PayloadType};
use gangplank_key::UnixTime;
use gangplank_onboarding::ProblemName;
use http::HeaderMap;

use super::Refusal;
use crate::admission::{DeviceKeys, Refused};
use crate::server::Server;
use crate::store::{Device, PutOutcome};

/// A message of a device that proved itself twice: by its bearer token and by its signature.
pub(super) struct Message {
    pub(super) device: Device,
    pub(super) payload: Vec<u8>,
    pub(super) once: Vec<OnceKey>,
}

impl Server {
    /// Checks bearer token and envelope, both bound to the device of the route.
    pub(super) async fn message(
        &self,
        headers: &HeaderMap,
        route: &str,
        body: &[u8],
        payload_type: PayloadType,
        now: UnixTime,
    ) -> Result<Message, Refusal> {
        one_form(headers)?;
        let device = self.device_of_bearer(headers, route, now).await?;
        let mut scratch = Vec::new();
        let envelope = Envelope::decode(body, &Limits::DEFAULT, &mut scratch)?;
        let expect = self.expect(payload_type, now);
        let verified = DeviceKeys::of(&device)
            .verify(&envelope, &expect)
            .map_err(|error| self.refused(&Refused::Verify(error)))?;
        Ok(Message {
            payload: verified.payload().to_vec(),
            once: verified.once_keys().to_vec(),
            device,
        })
    }

    /// The status that says what became of a message.
    pub(super) fn stored(&self, outcome: PutOutcome) -> Result<http::StatusCode, Refusal> {
        match outcome {
            PutOutcome::Created | PutOutcome::Updated => Ok(http::StatusCode::CREATED),
            PutOutcome::Replayed => Err(self.unauthenticated("the message was seen before")),
            PutOutcome::NotAdmissible(reason) => Err(reason.into()),
        }
    }

    pub(crate) fn after(&self, now: UnixTime, duration: Duration) -> UnixTime {
        let seconds = now.as_secs().saturating_add(duration.as_secs());
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }
}

/// One form of signature per request: with two nobody can say which one counts.
pub(super) fn one_form(headers: &HeaderMap) -> Result<(), Refusal> {
    match OTHER_FORMS
        .into_iter()
        .find(|name| headers.contains_key(*name))
    {
        None => Ok(()),
        Some(name) => Err(Refusal::new(
            ProblemName::TwoSignatures,
            format!("the request has the header {name} beside an envelope"),
        )
        .explained()),
    }
}

const OTHER_FORMS: [&str; 3] = ["x-payload-signature", "signature", "signature-input"];
