use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use gangplank_key::CertificateDer;
use reqwest::{Client, ClientBuilder, redirect::Policy, tls::TlsInfo};

use super::clock::SystemClock;
use super::tls;
use crate::{Connection, MAX_ANSWER, Method, Purpose, Request, Response};

/// Whether requests go through a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// As `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    FromEnvironment,
    /// Never.
    Direct,
    /// Always through this one, `http://HOST:PORT`.
    Through(String),
}

/// No answer came: the network, TLS, or a certificate that leads to no root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer to {purpose}: {reason}")]
pub struct TransportError {
    /// Of what.
    pub purpose: Purpose,
    /// The whole chain of causes, in one clause.
    pub reason: String,
}

/// Sends requests, each over the connection that it asks for.
#[derive(Debug)]
pub(crate) struct Transport {
    clock: Arc<SystemClock>,
    transport_roots: Vec<CertificateDer<'static>>,
    pub(crate) proxy: Proxy,
    verified: Option<(CertificateDer<'static>, Client)>,
}

impl Transport {
    pub(crate) fn new(
        clock: Arc<SystemClock>,
        transport_roots: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self {
            clock,
            transport_roots,
            proxy: Proxy::default(),
            verified: None,
        }
    }

    pub(crate) fn transport_roots(&self) -> &[CertificateDer<'static>] {
        &self.transport_roots
    }

    /// Sends a request. `root` is the orchestrator's, once it is believed.
    pub(crate) async fn send(
        &mut self,
        request: &Request,
        root: Option<&CertificateDer<'static>>,
    ) -> Result<Response, TransportError> {
        let failed = |reason| TransportError {
            purpose: request.purpose,
            reason,
        };
        match (request.connection, root) {
            (Connection::Bootstrap, _) => {
                let client = self.bootstrap().map_err(failed)?;
                // The client is dropped with its connection: nothing else goes over it.
                exchange(&client, request)
                    .await
                    .map(|(response, _)| response)
                    .map_err(failed)
            }
            (Connection::Verified, None) => Err(failed("there is no root certificate yet".into())),
            (Connection::Verified, Some(root)) => {
                let client = self.verified(root).map_err(failed)?;
                let (response, peer) = exchange(&client, request).await.map_err(failed)?;
                let authenticated = self.transport_roots.is_empty()
                    || peer.is_some_and(|leaf| tls::is_under_root(&leaf, root, &self.clock));
                Ok(response.authenticated(authenticated))
            }
        }
    }

    fn bootstrap(&self) -> Result<Client, String> {
        let config = tls::unverified_bootstrap(&self.clock).map_err(|error| error.to_string())?;
        self.client(config)
    }

    fn verified(&mut self, root: &CertificateDer<'static>) -> Result<Client, String> {
        if let Some((held, client)) = &self.verified
            && held == root
        {
            return Ok(client.clone());
        }
        let config = tls::verified(root, &self.transport_roots, &self.clock)
            .map_err(|error| error.to_string())?;
        let client = self.client(config)?;
        self.verified = Some((root.clone(), client.clone()));
        Ok(client)
    }

    fn client(&self, config: rustls::ClientConfig) -> Result<Client, String> {
        let builder = ClientBuilder::new()
            .tls_backend_preconfigured(config)
            .https_only(true)
            .tls_info(true)
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .user_agent(concat!("gangplank/", env!("CARGO_PKG_VERSION")));
        let builder = match &self.proxy {
            Proxy::FromEnvironment => builder,
            Proxy::Direct => builder.no_proxy(),
            Proxy::Through(url) => {
                let proxy = reqwest::Proxy::all(url.as_str()).map_err(|error| causes(&error))?;
                builder.no_proxy().proxy(proxy)
            }
        };
        builder.build().map_err(|error| causes(&error))
    }
}

/// The answer and the DER of the peer's certificate.
async fn exchange(
    client: &Client,
    request: &Request,
) -> Result<(Response, Option<Vec<u8>>), String> {
    let mut builder = match request.method {
        Method::Get => client.get(&request.url),
        Method::Post => client.post(&request.url).body(request.body.clone()),
    };
    for (name, value) in &request.headers {
        builder = builder.header(*name, value.as_str());
    }
    let mut answer = builder
        .send()
        .await
        .map_err(|error| causes(&error.without_url()))?;
    let peer = answer
        .extensions()
        .get::<TlsInfo>()
        .and_then(TlsInfo::peer_certificate)
        .map(<[u8]>::to_vec);
    let headers: Vec<_> = ["retry-after", "replay-nonce"]
        .into_iter()
        .filter_map(|name| Some((name, answer.headers().get(name)?.to_str().ok()?.to_owned())))
        .collect();
    let status = answer.status().as_u16();
    let body = bounded_body(&mut answer).await?;
    let mut response = Response::new(status, body);
    for (name, value) in headers {
        response = response.header(name, &value);
    }
    Ok((response, peer))
}

/// The body, or more than [`MAX_ANSWER`] of a longer one, which the state machine refuses.
async fn bounded_body(answer: &mut reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while body.len() <= MAX_ANSWER {
        match answer
            .chunk()
            .await
            .map_err(|error| causes(&error.without_url()))?
        {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => break,
        }
    }
    Ok(body)
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(60);
