//! Somebody with the public crates, and whatever keys an attack supposes.

use axum::http;
use rustls_pki_types::UnixTime;
use serde_json::{Value, json};

use super::forgery;
use super::scene::Party;
use super::steps::Server;
use crate::envelope::{Audience, Binding, Envelope, Form, MEDIA_TYPE, Nonce, PayloadType};
use crate::key::{CertificateDer, CertificateId, SigningKey as _, SoftwareKey};
use crate::onboarding::v2024::onboarding::OnboardingRequest;
use crate::{Exit, Failure, files, json, pinned};

/// Sends what it likes to the orchestrator.
pub(super) struct Mallory<'s> {
    server: &'s Server,
    http: reqwest::Client,
}

impl<'s> Mallory<'s> {
    pub(super) fn new(server: &'s Server) -> Result<Self, Failure> {
        let http = pinned::client(&server.root, server.root_url.as_str())?;
        Ok(Self { server, http })
    }

    pub(super) fn own(&self, party: &Party) -> Result<SoftwareKey, Failure> {
        files::private_key(&party.file("device.key"))
    }

    /// An honest first request.
    pub(super) fn introduction(
        &self,
        party: &Party,
        key: &SoftwareKey,
    ) -> Result<Vec<u8>, Failure> {
        let certificate = files::certificate(&party.file("device.pem"))?;
        self.seal(
            party,
            key,
            PayloadType::ONBOARDING_REQUEST,
            OnboardingRequest::default().encode(),
            vec![certificate],
        )
    }

    /// Unlike `sign_with`, this does not care whose the certificate is.
    pub(super) fn seal(
        &self,
        party: &Party,
        key: &SoftwareKey,
        payload_type: PayloadType,
        payload: Vec<u8>,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Result<Vec<u8>, Failure> {
        let id = CertificateId::parse(party.id).map_err(|error| broken(&error))?;
        let audience =
            Audience::parse(self.server.root_url.as_str()).map_err(|error| broken(&error))?;
        let binding = Binding::new(payload_type)
            .created(UnixTime::now())
            .nonce(Nonce::random(&mut crate::random::system()))
            .audience(audience)
            .certificates(certificates);
        let unsigned = Envelope::prepare(payload, Form::Bound(binding), &id)
            .map_err(|error| broken(&error))?;
        let signature = key
            .sign(unsigned.message())
            .map_err(|error| broken(&error))?;
        Ok(unsigned.complete(&signature))
    }

    /// A bearer token, with the secret of a device that is aboard.
    pub(super) async fn token(&self, party: &Party) -> Result<String, Failure> {
        let directory = gangplank_client::driver::StateDirectory::open(party.file("state"))
            .map_err(|error| broken(&error))?;
        let state = directory.load().map_err(|error| broken(&error))?;
        let aboard = state
            .and_then(|state| state.aboard)
            .ok_or_else(crate::device::not_aboard)?;
        let lost = |error: reqwest::Error| Failure::of(Exit::Transport, &error);
        let answer = self
            .http
            .post(aboard.token_endpoint_url.as_str())
            .basic_auth(
                aboard.client_id.as_str(),
                Some(aboard.client_secret.expose()),
            )
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .map_err(lost)?
            .bytes()
            .await
            .map_err(lost)?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|error| broken(&error))?;
        json::text(&answer, "access_token")
            .map(str::to_owned)
            .ok_or_else(|| Failure::new(Exit::No, "it got no token"))
    }

    /// Sends, and insists on a 401 or 403.
    pub(super) async fn refused(
        &self,
        path: &str,
        wire: Vec<u8>,
        token: Option<&str>,
    ) -> Result<Value, Failure> {
        match self.post(path, wire, token).await? {
            (401 | 403, exchange) => Ok(exchange),
            (status, _) => Err(Failure::new(
                Exit::No,
                format_args!("it was answered with {status}: NOT REFUSED"),
            )),
        }
    }

    pub(super) async fn post(
        &self,
        path: &str,
        wire: Vec<u8>,
        token: Option<&str>,
    ) -> Result<(u16, Value), Failure> {
        let url = self.server.root_url.join(path);
        let shown = forgery::opened(&wire);
        let mut request = self
            .http
            .post(&url)
            .header("content-type", MEDIA_TYPE)
            .body(wire);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        self.exchange(&url, shown, request).await
    }

    /// Sends a signed HTTP message with a bearer token.
    pub(super) async fn send(
        &self,
        message: http::Request<Vec<u8>>,
        token: &str,
    ) -> Result<(u16, Value), Failure> {
        let url = message.uri().to_string();
        let shown = serde_json::from_slice(message.body()).unwrap_or_default();
        let (head, body) = message.into_parts();
        let request = self
            .http
            .request(head.method, &url)
            .headers(head.headers)
            .bearer_auth(token)
            .body(body);
        self.exchange(&url, shown, request).await
    }

    async fn exchange(
        &self,
        url: &str,
        shown: Value,
        request: reqwest::RequestBuilder,
    ) -> Result<(u16, Value), Failure> {
        let lost = |error: reqwest::Error| Failure::of(Exit::Transport, &error);
        let answer = request.send().await.map_err(lost)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(lost)?;
        let response = match serde_json::from_slice::<Value>(&body) {
            // An envelope of the orchestrator's has credentials in it.
            Ok(value) if value.get("payload").is_none() => value,
            _ => json!(format!("(an envelope of {} bytes)", body.len())),
        };
        Ok((
            status,
            json!({"method": "POST", "url": url, "request": shown, "status": status, "response": response}),
        ))
    }
}

pub(super) fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::of(Exit::CannotTell, error)
}
