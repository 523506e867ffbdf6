//! Under which URL a device reached the server, and which tenant that URL names.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, RawPathParams};
use gangplank_envelope::{Audience, AudienceError};
use gangplank_key::CertificateId;
use gangplank_onboarding::{DeviceId, HttpsUrl, RootUrl, UrlError};
use gangplank_trust::{Alias, Reason, TenantHint, TenantId};
use http::request::Parts;

use crate::api::Refusal;
use crate::listen::ServerName;
use crate::server::Server;

/// Where a device reached the server: its root URL, which its envelopes are for and below which it
/// is told to go on.
///
/// The URL is the public one, or the public one with a tenant's name: before its host, as the TLS
/// handshake says, or after it, in the path. `Host` is in none of them.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) url: RootUrl,
    pub(crate) audience: Audience,
    hint: Hint,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hint {
    None,
    /// The first label of the URL's host.
    Host,
    /// The last segment of its path.
    Path(String),
}

impl Reached {
    /// What names the tenant, beside the device's certificate.
    pub(crate) fn hint(&self) -> TenantHint<'_> {
        match &self.hint {
            Hint::None => TenantHint::None,
            Hint::Host => TenantHint::HostName(self.url.host()),
            Hint::Path(name) => TenantHint::Name(name),
        }
    }

    /// For whom an answer to the device of this certificate id is meant.
    pub(crate) fn audience_of(&self, id: &CertificateId) -> Result<Audience, AudienceError> {
        Audience::parse(&self.url.join(&format!("/certificate/{id}")))
    }

    /// Where a device clones its desired state from.
    pub(crate) fn repository_url(&self, device: &DeviceId) -> Result<HttpsUrl, UrlError> {
        self.url.url(&format!("/git/{device}.git"))
    }
}

impl FromRequestParts<Server> for Reached {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Refusal> {
        let path = RawPathParams::from_request_parts(parts, server)
            .await
            .map_err(Refusal::not_found)?;
        let tenant = path.iter().find(|(name, _)| *name == TENANT_PARAMETER);
        let host = parts.extensions.get::<ServerName>();
        server
            .reached(host.map(ServerName::as_str), tenant.map(|(_, name)| name))
            .map_err(|reason| Refusal::decided(&reason))
    }
}

impl Server {
    /// The URL that a server name and the path of a request stand for. The path says more than the
    /// server name.
    fn reached(&self, server_name: Option<&str>, path: Option<&str>) -> Result<Reached, Reason> {
        let public = &self.shared.public_url;
        if let Some(name) = path {
            let url = public.join(&format!("{TENANT_PREFIX}/{name}"));
            return named(name, &url, Hint::Path(name.to_owned()));
        }
        let label = server_name.and_then(|name| label_below(public.host(), name));
        match label {
            Some(label) => {
                let below_scheme = public.as_str().trim_start_matches("https://");
                named(
                    &label,
                    &format!("https://{label}.{below_scheme}"),
                    Hint::Host,
                )
            }
            None => Ok(Reached {
                url: public.clone(),
                audience: self.shared.audience.clone(),
                hint: Hint::None,
            }),
        }
    }
}

/// The URL of a tenant, if the name can be one's and can stand in a URL.
fn named(name: &str, url: &str, hint: Hint) -> Result<Reached, Reason> {
    let malformed = || Reason::TenantHintMalformed {
        hint: name.chars().take(MAX_LOGGED).collect(),
    };
    if TenantId::parse(name).is_err() && Alias::parse(name).is_err() {
        return Err(malformed());
    }
    let url = RootUrl::parse(url).map_err(|_| malformed())?;
    let audience = Audience::parse(url.as_str()).map_err(|_| malformed())?;
    Ok(Reached {
        url,
        audience,
        hint,
    })
}

/// The one label that `server_name` has before the server's own host name, in lower case. Any other
/// name is one that the server is reached by (its own, `localhost`, the one inside a network), and
/// names no tenant; below an address there are no names.
fn label_below(host: &str, server_name: &str) -> Option<String> {
    if host.parse::<IpAddr>().is_ok() {
        return None;
    }
    let server_name = server_name.to_ascii_lowercase();
    let label = server_name.strip_suffix(host)?.strip_suffix('.')?;
    (!label.is_empty() && !label.contains('.')).then(|| label.to_owned())
}

/// What stands before a tenant's name in the path of its URL.
pub(crate) const TENANT_PREFIX: &str = "/tenant";
/// The name of the path's parameter that follows.
pub(crate) const TENANT_PARAMETER: &str = "tenant_id";
const MAX_LOGGED: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_before_the_own_host_is_a_tenants_name() {
        for (host, server_name, label) in [
            ("wfm.example", "acme.wfm.example", Some("acme")),
            ("wfm.example", "ACME.wfm.example", Some("acme")),
            ("localhost", "acme.localhost", Some("acme")),
            // The server itself, and names of the same machine.
            ("wfm.example", "wfm.example", None),
            ("wfm.example", "localhost", None),
            ("wfm.example", "backend.internal", None),
            ("acme.wfm.example", "wfm.example", None),
            // No certificate with one `*` names these (RFC 6125 §6.4.3).
            ("wfm.example", "a.b.wfm.example", None),
            ("wfm.example", ".wfm.example", None),
            // Another name that ends alike.
            ("wfm.example", "acme-wfm.example", None),
            ("192.0.2.1", "acme.192.0.2.1", None),
            ("2001:db8::1", "acme.2001:db8::1", None),
        ] {
            let found = label_below(host, server_name);
            assert_eq!(found.as_deref(), label, "{server_name} under {host}");
        }
    }
}
