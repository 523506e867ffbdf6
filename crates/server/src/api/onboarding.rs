//! `POST /onboarding/`: a device comes aboard.

use core::net::IpAddr;

use axum::extract::{Extension, State};
use axum::response::Response;
use bytes::Bytes;
use gangplank_envelope::{Envelope, Limits, Nonce, PayloadType};
use gangplank_key::{CertificateId, UnixTime};
use gangplank_onboarding::v2024::onboarding::{OnboardingRequest, OnboardingResponse};
use gangplank_onboarding::v2024::{TOKEN_PATH, git_credential};
use gangplank_onboarding::{ProblemName, ShortText, UrlError};
use gangplank_token::ClientId;
use gangplank_trust::Source;
use http::{HeaderMap, StatusCode};

use super::Refusal;
use super::signed_by::Forms;
use crate::admission::DeviceIdChoice;
use crate::listen::Peer;
use crate::reached::Reached;
use crate::server::Server;
use crate::store::{Admission, AdmissionOutcome, AdmissionPlan, Conflict, Described, Device};

mod finding;
mod secrets;

use finding::Found;
use secrets::Secrets;

pub(super) async fn post(
    State(server): State<Server>,
    peer: Option<Extension<Peer>>,
    reached: Reached,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    Forms::ENVELOPE_ONLY.signed_by(&headers, &body)?;
    let now = server.now();
    let address = peer.map(|Extension(peer)| peer.address);
    let source = address.map_or(Source::Unknown, Source::from);
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(&body, &Limits::DEFAULT, &mut scratch)?;
    for _ in 0..POLICY_TRIES {
        let found = server.find(&envelope, &reached, source, now).await?;
        let request = OnboardingRequest::decode(found.verified.payload())?;
        // An operator changed the policy meanwhile, or the device came twice: what holds now decides.
        let answer = server
            .admit(found, &reached, &request, address, now)
            .await?;
        if let Some(answer) = answer {
            return Ok(answer);
        }
    }
    Err(Refusal::new(
        ProblemName::Unavailable,
        "what was decided on changes all the time",
    ))
}

/// Whom an answer goes to.
struct Asker<'a> {
    id: &'a CertificateId,
    nonce: Option<&'a Nonce>,
    reached: &'a Reached,
}

impl Server {
    /// Applies what was decided in one transaction, and answers; `None` if the policy that decided is
    /// no longer the one in force.
    async fn admit(
        &self,
        found: Found<'_>,
        reached: &Reached,
        request: &OnboardingRequest,
        source: Option<IpAddr>,
        now: UnixTime,
    ) -> Result<Option<Response>, Refusal> {
        let secrets = Secrets::new(self, now)?;
        let mut admission = Admission {
            plan: found.plan,
            policy: found.policy,
            once: found.verified.once_keys().to_vec(),
            credentials: Some(secrets.stored(self)),
            described: described(request),
            source,
            at: now,
        };
        for _ in 0..NAME_TRIES {
            match self.create_or_adopt(admission.clone()).await? {
                AdmissionOutcome::Outdated => return Ok(None),
                AdmissionOutcome::Conflict(Conflict::DeviceIdTaken)
                    if found.device_id == DeviceIdChoice::Template =>
                {
                    self.use_up(&found.verified, now).await?;
                    let reason = format!("{}: the device id is taken", found.certificate_id);
                    return Err(Refusal::new(ProblemName::IdentityConflict, reason));
                }
                AdmissionOutcome::Conflict(Conflict::DeviceIdTaken | Conflict::ClientIdTaken) => {
                    secrets::rename(&mut admission, found.device_id)?;
                }
                outcome => {
                    let stranger = matches!(admission.plan, AdmissionPlan::Queue { .. });
                    let asker = Asker {
                        id: &found.certificate_id,
                        nonce: found.verified.nonce(),
                        reached,
                    };
                    return self.outcome(outcome, &asker, stranger, secrets).map(Some);
                }
            }
        }
        Err(Refusal::new(
            ProblemName::InternalError,
            "no free device id was found",
        ))
    }

    fn outcome(
        &self,
        outcome: AdmissionOutcome,
        asker: &Asker<'_>,
        stranger: bool,
        secrets: Secrets,
    ) -> Result<Response, Refusal> {
        let id = asker.id;
        match outcome {
            AdmissionOutcome::Created(device, client) => {
                self.aboard(StatusCode::CREATED, &device, client, secrets, asker)
            }
            AdmissionOutcome::Again(device, client) => {
                self.aboard(StatusCode::OK, &device, client, secrets, asker)
            }
            AdmissionOutcome::Pending(_) => Err(self.wait(id)),
            AdmissionOutcome::Replayed => Err(self.unauthenticated("the request was seen before")),
            AdmissionOutcome::Outdated => Err(Refusal::new(
                ProblemName::Unavailable,
                "what was decided on changed",
            )),
            AdmissionOutcome::Provisioned(_) | AdmissionOutcome::Recognised(_) => Err(
                Refusal::new(ProblemName::InternalError, "the device got no credentials"),
            ),
            AdmissionOutcome::NotAdmissible(reason) => Err(reason.into()),
            AdmissionOutcome::Conflict(conflict) => {
                tracing::warn!(certificate_id = %id, ?conflict, "two devices claim one identity");
                // A stranger is told what every stranger is told.
                Err(match stranger {
                    true => self.wait(id),
                    false => {
                        Refusal::new(ProblemName::IdentityConflict, format!("{id}: {conflict:?}"))
                    }
                })
            }
        }
    }

    fn wait(&self, id: &CertificateId) -> Refusal {
        let reason = format!("{id} waits for an operator");
        Refusal::awaiting_approval(self.shared.lifetimes.approval_retry, reason)
    }

    fn aboard(
        &self,
        status: StatusCode,
        device: &Device,
        client_id: ClientId,
        secrets: Secrets,
        asker: &Asker<'_>,
    ) -> Result<Response, Refusal> {
        let internal = |error: UrlError| Refusal::new(ProblemName::InternalError, error);
        let reached = asker.reached;
        let url = |path: &str| reached.url.url(path).map_err(internal);
        let response = OnboardingResponse {
            client_id,
            client_secret: Some(secrets.client),
            token_endpoint_url: url(TOKEN_PATH)?,
            device_id: device.id.clone(),
            git_repository_url: reached.repository_url(&device.id).map_err(internal)?,
            git_access_token: secrets.git,
            git_access_token_expires_at: secrets.git_expires_at,
            git_credential_url: url(&git_credential::path(&device.id))?,
        };
        tracing::info!(device = %device.id, certificate_id = %asker.id, %status, "aboard");
        self.signed_answer(
            reached,
            status,
            PayloadType::ONBOARDING_RESPONSE,
            &response.encode(),
            asker.id,
            asker.nonce,
        )
    }
}

fn described(request: &OnboardingRequest) -> Described {
    let text = |member: &Option<ShortText>| member.as_ref().map(|text| text.as_str().to_owned());
    Described {
        vendor: text(&request.vendor),
        model_number: text(&request.model_number),
        serial_number: text(&request.serial_number),
    }
}

/// A random name may be taken, however unlikely; three in a row are not.
const NAME_TRIES: usize = 3;

/// An operator changes a policy now and then, not five times while a request is decided.
const POLICY_TRIES: usize = 5;
