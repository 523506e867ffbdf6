//! `POST /onboarding/`: a device comes aboard.

use axum::extract::{Extension, State};
use axum::response::Response;
use bytes::Bytes;
use gangplank_envelope::{Envelope, Limits, Nonce, OnceKey, PayloadType, Verified};
use gangplank_key::{CertificateDer, CertificateId, PublicKey, UnixTime};
use gangplank_onboarding::v2024::onboarding::{OnboardingRequest, OnboardingResponse};
use gangplank_onboarding::v2024::{TOKEN_PATH, git_credential};
use gangplank_onboarding::{DeviceId, HttpsUrl, ProblemName, UrlError};
use gangplank_token::{ClientId, ClientSecret, GitToken};
use gangplank_trust::{Decision, Outcome, Proof, Source, Tenant, TenantId, decide};
use http::{HeaderMap, StatusCode};

use super::Refusal;
use super::message::one_form;
use crate::admission::{LookUp, Stranger, by_device, look_up, stranger};
use crate::listen::Peer;
use crate::random;
use crate::server::Server;
use crate::store::{
    Admission, AdmissionOutcome, AdmissionPlan, Conflict, Credentials, Described, Device, NewDevice,
};

pub(super) async fn post(
    State(server): State<Server>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    one_form(&headers)?;
    let now = server.now();
    let source = peer.map(|Extension(peer)| peer.address);
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(&body, &Limits::DEFAULT, &mut scratch)?;
    let expect = server.expect(PayloadType::ONBOARDING_REQUEST, now);
    let sources = source.map_or(Source::Unknown, Source::from);
    let found = match look_up(&envelope) {
        Ok(LookUp::ClaimedId(id)) => {
            let devices = server.shared.store.devices_by_certificate_id(&id).await?;
            let (verified, device) = by_device(&envelope, &devices, &expect)
                .map_err(|refused| server.refused(&refused))?;
            server.registered(verified, device, sources, now)?
        }
        Ok(LookUp::Key(key)) => match server
            .shared
            .store
            .device_by_key(&key.spki_sha256())
            .await?
        {
            Some(device) => {
                let devices = [device];
                let (verified, device) = by_device(&envelope, &devices, &expect)
                    .map_err(|refused| server.refused(&refused))?;
                server.registered(verified, device, sources, now)?
            }
            None => {
                let hash = key.spki_sha256();
                let stranger =
                    stranger(&envelope, key.clone(), &server.shared.tenants, &expect, now)
                        .map_err(|refused| server.refused(&refused))?;
                server
                    .unregistered(stranger, &key, hash, sources, now)
                    .await?
            }
        },
        Err(error) => return Err(Refusal::not_admitted(error)),
    };
    let request = OnboardingRequest::decode(found.verified.payload())?;
    server.admit(found, &request, source, now).await
}

/// An envelope that verified, and what was decided about its sender.
struct Found<'e> {
    verified: Verified<'e>,
    plan: AdmissionPlan,
    certificate_id: CertificateId,
}

impl Server {
    /// A device whose key is registered.
    fn registered<'e>(
        &self,
        verified: Verified<'e>,
        device: &Device,
        source: Source,
        now: UnixTime,
    ) -> Result<Found<'e>, Refusal> {
        let tenant = self.tenant(&device.tenant).ok_or_else(|| {
            Refusal::not_admitted(format!("the tenant {} is unknown", device.tenant))
        })?;
        let decision = decide(
            &Proof::Registered,
            tenant,
            Some(&device.known()),
            source,
            now,
        );
        log(&decision, &device.certificate_id);
        match decision.outcome {
            // One that waits goes to the store as well: its once keys are consumed there.
            Outcome::Known | Outcome::Pending => Ok(Found {
                verified,
                plan: AdmissionPlan::Known {
                    device_id: device.id.clone(),
                },
                certificate_id: device.certificate_id.clone(),
            }),
            Outcome::Refuse(reason) => Err(Refusal::decided(&reason)),
            Outcome::Provision(_) => Err(Refusal::new(
                ProblemName::InternalError,
                "a registered device cannot be provisioned",
            )),
        }
    }

    /// A device whose key nobody registered. What it is told depends on its certificate alone.
    async fn unregistered<'e>(
        &self,
        stranger: Stranger<'e, '_>,
        key: &PublicKey,
        spki_sha256: [u8; 32],
        source: Source,
        now: UnixTime,
    ) -> Result<Found<'e>, Refusal> {
        let claimed = stranger.verified.signer().clone();
        let leaf = stranger.verified.certificates().first().cloned();
        let leaf = leaf.ok_or_else(|| self.unauthenticated("there is no certificate"))?;
        let fingerprint = key.backend().sha256(&[&leaf]);
        let new = |tenant: &TenantId, id: CertificateId| NewDevice {
            tenant: tenant.clone(),
            device_id: DeviceId::random(&mut random::system()),
            certificate_id: id,
            certificate: CertificateDer::from(leaf.to_vec()),
            spki_sha256,
            fingerprint,
        };
        let (decision, tenant): (Decision, &Tenant) = match &stranger.chain {
            Ok((tenant, chain)) => {
                if *chain.certificate_id() != claimed {
                    return Err(Refusal::not_admitted(format!(
                        "certificate-id-mismatch: the certificate yields {}, the envelope claims {claimed}",
                        chain.certificate_id()
                    )));
                }
                let known = self
                    .shared
                    .store
                    .devices_by_certificate_id(&claimed)
                    .await?;
                let known = known.iter().find(|device| device.tenant == tenant.id);
                let known = known.map(Device::known);
                (
                    decide(&Proof::Chain(chain), tenant, known.as_ref(), source, now),
                    tenant,
                )
            }
            Err(error) => {
                let tenant = self.default_tenant().ok_or_else(|| {
                    Refusal::not_admitted(format!("no tenant claims it: {error}"))
                })?;
                (
                    decide(&Proof::Possession, tenant, None, source, now),
                    tenant,
                )
            }
        };
        log(&decision, &claimed);
        let plan = match decision.outcome {
            Outcome::Provision(plan) => AdmissionPlan::Provision {
                device: new(plan.tenant(), plan.certificate_id().clone()),
                anchor_id: plan.anchor_id().to_owned(),
                policy_revision: plan.policy_revision(),
            },
            Outcome::Pending => AdmissionPlan::Queue {
                device: new(&tenant.id, claimed.clone()),
            },
            Outcome::Refuse(reason) => return Err(Refusal::decided(&reason)),
            Outcome::Known => {
                return Err(Refusal::not_admitted(
                    "the certificate id is known under another key",
                ));
            }
        };
        Ok(Found {
            verified: stranger.verified,
            plan,
            certificate_id: claimed,
        })
    }

    /// Applies the decision in one transaction and answers.
    async fn admit(
        &self,
        found: Found<'_>,
        request: &OnboardingRequest,
        source: Option<core::net::IpAddr>,
        now: UnixTime,
    ) -> Result<Response, Refusal> {
        let text = |member: &Option<gangplank_onboarding::ShortText>| {
            member.as_ref().map(|text| text.as_str().to_owned())
        };
        let described = Described {
            vendor: text(&request.vendor),
            model_number: text(&request.model_number),
            serial_number: text(&request.serial_number),
        };
        let once: Vec<OnceKey> = found.verified.once_keys().to_vec();
        let queued = matches!(found.plan, AdmissionPlan::Queue { .. });
        let secrets = Secrets::new(self, now);
        for _ in 0..NAME_TRIES {
            let mut plan = found.plan.clone();
            rename(&mut plan);
            let admission = Admission {
                plan,
                once: once.clone(),
                credentials: secrets.stored(self)?,
                described: described.clone(),
                source,
                at: now,
            };
            let nonce = found.verified.nonce();
            return match self.shared.store.create_or_adopt(admission).await? {
                AdmissionOutcome::Created(device, client) => {
                    self.aboard(StatusCode::CREATED, &device, client, secrets, nonce)
                }
                AdmissionOutcome::Again(device, client) => {
                    self.aboard(StatusCode::OK, &device, client, secrets, nonce)
                }
                AdmissionOutcome::Pending(device) => Err(self.wait(&device.certificate_id)),
                AdmissionOutcome::Replayed => {
                    Err(self.unauthenticated("the request was seen before"))
                }
                AdmissionOutcome::NotAdmissible(reason) => Err(reason.into()),
                AdmissionOutcome::Conflict(Conflict::DeviceIdTaken | Conflict::ClientIdTaken) => {
                    continue;
                }
                AdmissionOutcome::Conflict(conflict) => {
                    let reason = format!("{}: {conflict:?}", found.certificate_id);
                    tracing::warn!(reason, "two devices claim one identity");
                    // A stranger is told what every stranger is told.
                    Err(if queued {
                        self.wait(&found.certificate_id)
                    } else {
                        Refusal::new(ProblemName::IdentityConflict, reason)
                    })
                }
            };
        }
        Err(Refusal::new(
            ProblemName::InternalError,
            "no free device id was found",
        ))
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
        nonce: Option<&Nonce>,
    ) -> Result<Response, Refusal> {
        let url = |path: &str| -> Result<HttpsUrl, UrlError> { self.shared.public_url.url(path) };
        let internal = |error: UrlError| Refusal::new(ProblemName::InternalError, error);
        let response = OnboardingResponse {
            client_id,
            client_secret: Some(secrets.client),
            token_endpoint_url: url(TOKEN_PATH).map_err(internal)?,
            device_id: device.id.clone(),
            git_repository_url: self.repository_url(&device.id).map_err(internal)?,
            git_access_token: secrets.git,
            git_access_token_expires_at: secrets.git_expires_at,
            git_credential_url: url(&git_credential::path(&device.id)).map_err(internal)?,
        };
        tracing::info!(device = %device.id, certificate_id = %device.certificate_id, %status, "aboard");
        self.signed_answer(
            status,
            PayloadType::ONBOARDING_RESPONSE,
            &response.encode(),
            &device.certificate_id,
            nonce,
        )
    }

    /// Where a device clones its desired state from.
    pub(crate) fn repository_url(&self, device: &DeviceId) -> Result<HttpsUrl, UrlError> {
        self.shared.public_url.url(&format!("/git/{device}.git"))
    }
}

/// What a device gets when it comes aboard. The store sees keyed hashes only.
struct Secrets {
    client: ClientSecret,
    git: GitToken,
    git_expires_at: UnixTime,
}

impl Secrets {
    fn new(server: &Server, now: UnixTime) -> Self {
        let mut rng = random::system();
        Self {
            client: ClientSecret::generate(&mut rng),
            git: GitToken::generate(&mut rng),
            git_expires_at: server.after(now, server.shared.lifetimes.git_token),
        }
    }

    fn stored(&self, server: &Server) -> Result<Credentials, Refusal> {
        Ok(Credentials {
            client_id: client_id()?,
            secret: server.shared.storage_key.stored(&self.client),
            git_token: server.shared.storage_key.stored(&self.git),
            git_expires_at: self.git_expires_at,
        })
    }
}

/// A client id proposed for a device that has none.
fn client_id() -> Result<ClientId, Refusal> {
    let id = DeviceId::random(&mut random::system());
    ClientId::parse(&id.as_str().replacen('d', "c", 1))
        .map_err(|error| Refusal::new(ProblemName::InternalError, error))
}

fn log(decision: &Decision, id: &CertificateId) {
    for entry in &decision.trace {
        tracing::debug!(certificate_id = %id, check = %entry.check, passed = entry.passed, "decision");
    }
}

/// A random device id may be taken, however unlikely; the next one is not.
fn rename(plan: &mut AdmissionPlan) {
    match plan {
        AdmissionPlan::Provision { device, .. } | AdmissionPlan::Queue { device } => {
            device.device_id = DeviceId::random(&mut random::system());
        }
        AdmissionPlan::Known { .. } => {}
    }
}

const NAME_TRIES: usize = 3;
