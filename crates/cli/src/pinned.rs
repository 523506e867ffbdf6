//! HTTP over TLS that believes in one root and nothing else.

use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::CertificateDer;

use crate::{Exit, Failure};

/// A client that accepts only servers under `root`, follows no redirect, and asks no proxy for
/// addresses of this machine.
pub(crate) fn client(root: &CertificateDer<'_>, url: &str) -> Result<reqwest::Client, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::of(Exit::CannotTell, error);
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(root.clone().into_owned())
        .map_err(|error| failed(&error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT);
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| failed(&error))
}

fn is_loopback(url: &str) -> bool {
    ["https://127.", "https://localhost", "https://[::1]"]
        .iter()
        .any(|start| url.starts_with(start))
}

const TIMEOUT: Duration = Duration::from_secs(60);
