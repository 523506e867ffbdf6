//! What the routes that take a bearer token and an envelope have in common.

use std::time::Duration;

use gangplank_envelope::{Envelope, Limits, MEDIA_TYPE, OnceKey, PayloadType};
use gangplank_key::UnixTime;
use gangplank_onboarding::ProblemName;
use http::HeaderMap;
use http::header::CONTENT_TYPE;

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
        only_an_envelope(headers)?;
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

/// An envelope by its media type, and no other form of signature beside it: with two nobody can
/// say which one counts.
pub(super) fn only_an_envelope(headers: &HeaderMap) -> Result<(), Refusal> {
    if let Some(name) = OTHER_FORMS
        .into_iter()
        .find(|name| headers.contains_key(*name))
    {
        let reason = format!("the request has the header {name} beside an envelope");
        return Err(Refusal::new(ProblemName::TwoSignatures, reason).explained());
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = value
        .to_str()
        .ok()
        .and_then(|value| value.split(';').next());
    match essence.map(str::trim) {
        Some(name)
            if MEDIA_TYPES
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known)) =>
        {
            Ok(())
        }
        _ => {
            let reason = format!("the body's media type is not {MEDIA_TYPE}");
            Err(Refusal::new(ProblemName::UnreadableRequest, reason).explained())
        }
    }
}

const OTHER_FORMS: [&str; 3] = ["x-payload-signature", "signature", "signature-input"];
/// Devices that know no envelope but Margo's send the second.
const MEDIA_TYPES: [&str; 2] = [MEDIA_TYPE, "application/json"];
