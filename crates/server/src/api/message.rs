//! What the routes that take a bearer token and a signed report have in common.

use std::time::Duration;

use gangplank_envelope::payload_signature::PayloadSignature;
use gangplank_envelope::{Envelope, Expect, Limits, OnceKey, PayloadType};
use gangplank_key::UnixTime;
use http::StatusCode;

use super::Refusal;
use super::received::Received;
use super::signed_by::{Forms, SignedBy};
use crate::access::Bearer;
use crate::admission::{DeviceKeys, Refused, SpkiSha256};
use crate::server::{BACKEND, Server};
use crate::store::{Device, Document, PutOutcome, StoreError};

/// A message of a device that proved itself twice: by its bearer token and by its signature.
pub(super) struct Message {
    pub(super) device: Device,
    pub(super) payload: Vec<u8>,
    pub(super) once: Vec<OnceKey>,
    pub(super) again: Again,
    key: SpkiSha256,
}

/// What becomes of a message that was seen before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Again {
    /// A retry is newly signed, so this is a replay.
    Refused,
    /// A retry has the same bytes, so the latest message once more is one, and an older message is a
    /// replay. SHA-256 of the message's payload.
    UnlessLatest([u8; 32]),
}

impl Server {
    /// Checks bearer token and signature, both bound to the device of the route.
    pub(super) async fn message(
        &self,
        received: &Received,
        route: &str,
        payload_type: PayloadType,
        now: UnixTime,
    ) -> Result<Message, Refusal> {
        let forms = Forms {
            header: self.shared.header_form,
            message: self.shared.message_form,
        };
        let (headers, body) = (received.request.headers(), received.request.body());
        let signed_by = forms.signed_by(headers, body)?;
        let bearer = self.device_of_bearer(headers, route, now).await?;
        let message = match signed_by {
            SignedBy::Envelope => {
                let expect = self.expect(&received.reached, payload_type, now);
                self.by_envelope(bearer, body, &expect)
            }
            SignedBy::Header(header) => self.by_header(bearer, &header, body),
            #[cfg(feature = "message")]
            SignedBy::Message(profile) => self.by_message(bearer, received, &profile, now),
        }?;
        self.key_used(&message, now).await?;
        Ok(message)
    }

    /// A device that changes its key has two, until it has used the new one.
    async fn key_used(&self, message: &Message, now: UnixTime) -> Result<(), StoreError> {
        let oldest = message.device.certificates.first();
        if oldest.is_none_or(|one| one.spki_sha256 == message.key) {
            return Ok(());
        }
        let store = &self.shared.store;
        store.key_used(&message.device.id, &message.key, now).await
    }

    fn by_envelope(
        &self,
        bearer: Bearer,
        body: &[u8],
        expect: &Expect<'_>,
    ) -> Result<Message, Refusal> {
        let mut scratch = Vec::new();
        let envelope = Envelope::decode(body, &Limits::DEFAULT, &mut scratch)?;
        let (verified, key) = DeviceKeys::of(&bearer.device)
            .verify(&envelope, expect)
            .map_err(|error| self.refused(&Refused::Verify(error)))?;
        if !verified.is_bound() {
            return Ok(without_freshness(bearer, key, verified.payload()));
        }
        Ok(Message {
            payload: verified.payload().to_vec(),
            once: verified.once_keys().to_vec(),
            again: Again::Refused,
            device: bearer.device,
            key,
        })
    }

    fn by_header(
        &self,
        bearer: Bearer,
        header: &PayloadSignature,
        body: &[u8],
    ) -> Result<Message, Refusal> {
        let keys = DeviceKeys::of(&bearer.device);
        let (verified, key) = keys
            .verify_body(header, body)
            .map_err(|error| self.refused(&error))?;
        Ok(without_freshness(bearer, key, verified.body()))
    }

    #[cfg(feature = "message")]
    fn by_message(
        &self,
        bearer: Bearer,
        received: &Received,
        profile: &gangplank_message::margo::Profile,
        now: UnixTime,
    ) -> Result<Message, Refusal> {
        let expect = crate::message_signature::Expect {
            public_url: &received.reached.url,
            // Not the OAuth client id: the route names the device, and so does the log.
            client_id: bearer.device.id.as_str(),
            profile: *profile,
            window: self.window(now),
        };
        let keys = DeviceKeys::of(&bearer.device);
        let verified = keys
            .verify_message(&received.request, &expect)
            .map_err(|error| self.refused(&Refused::Message(error)))?;
        Ok(Message {
            payload: verified.body().to_vec(),
            once: verified.once_keys().to_vec(),
            again: Again::Refused,
            device: bearer.device,
            key: *verified.spki_sha256(),
        })
    }

    /// The status that says what became of a message. `latest` looks up the document that the
    /// message was to take the place of.
    pub(super) async fn stored(
        &self,
        outcome: PutOutcome,
        again: Again,
        latest: impl AsyncFnOnce() -> Result<Option<Document>, StoreError>,
    ) -> Result<StatusCode, Refusal> {
        match (outcome, again) {
            (PutOutcome::Created | PutOutcome::Updated, _) => Ok(StatusCode::CREATED),
            (PutOutcome::NotAdmissible(reason), _) => Err(reason.into()),
            (PutOutcome::Replayed, Again::Refused) => {
                Err(self.unauthenticated("the message was seen before"))
            }
            (PutOutcome::Replayed, Again::UnlessLatest(payload)) => match latest().await? {
                Some(latest) if BACKEND.sha256(&[&latest.body]) == payload => {
                    Ok(StatusCode::CREATED)
                }
                _ => Err(self.other_token_wanted(
                    "the message was seen before with this token, and another one came since",
                )),
            },
        }
    }

    pub(crate) fn after(&self, now: UnixTime, duration: Duration) -> UnixTime {
        let seconds = now.as_secs().saturating_add(duration.as_secs());
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }
}

/// A message whose signature says nothing of when it was made.
fn without_freshness(bearer: Bearer, key: SpkiSha256, payload: &[u8]) -> Message {
    let digest = BACKEND.sha256(&[payload]);
    Message {
        payload: payload.to_vec(),
        once: vec![bearer.once(&digest)],
        again: Again::UnlessLatest(digest),
        device: bearer.device,
        key,
    }
}
