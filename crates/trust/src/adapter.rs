use alloc::string::{String, ToString};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use crate::{
    AuthId, DistinguishedName, Reason, Template, TemplateUse, TenantId, UnusableSubject,
    VerifiedChain,
};

/// What Eclipse Hono's protocol adapters know of a device once its certificate has been verified, as
/// they pass it on: JSON, kebab-case.
///
/// It is a message between programs of one operator and proves nothing: the registry verifies the
/// certificate itself before it provisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AuthInfo {
    /// The printed subject.
    pub subject_dn: String,
    /// The tenant's id.
    pub tenant_id: String,
    /// The anchor's template of authentication ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_id_template: Option<String>,
    /// The leaf, base64 DER, if the anchor provisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
}

impl AuthInfo {
    /// That of a verified certificate, by the anchor that verified it.
    pub fn of(chain: &VerifiedChain) -> Self {
        let policy = chain.anchor().policy();
        let template = policy.auth_id_template.as_ref();
        Self {
            subject_dn: chain.subject().to_string(),
            tenant_id: chain.tenant().as_str().to_string(),
            auth_id_template: template.map(|template| template.as_str().to_string()),
            client_certificate: policy.provisions().then(|| STANDARD.encode(chain.leaf())),
        }
    }
}

/// What an adapter asks the registry for: the credentials of an authentication id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsRequest {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Of which device.
    pub auth_id: AuthId,
    /// The leaf, if the registry may provision by it.
    pub client_certificate: Option<CertificateDer<'static>>,
}

impl CredentialsRequest {
    /// Reads what an adapter was passed.
    ///
    /// # Errors
    /// A [`Reason`]: the tenant's id or the subject is missing or cannot be read, or the template
    /// cannot be filled.
    pub fn of(info: &AuthInfo) -> Result<Self, Reason> {
        let tenant = TenantId::parse(&info.tenant_id).map_err(|_| Reason::TenantUnknown)?;
        let subject = DistinguishedName::parse(&info.subject_dn)
            .ok()
            .filter(|name| !name.is_empty())
            .ok_or(Reason::SubjectUnusable(UnusableSubject::Empty))?;
        let template = info.auth_id_template.as_deref().map(Template::parse);
        let template = template.transpose().map_err(Reason::TemplateUnusable)?;
        let auth_id = AuthId::of(&subject, template.as_ref())
            .map_err(|error| Reason::unfilled(error, TemplateUse::AuthId))?;
        let certificate = info.client_certificate.as_ref();
        let certificate = certificate.map(|text| STANDARD.decode(text)).transpose();
        let certificate = certificate
            .map_err(|_| Reason::NotTrusted(crate::ChainError::Malformed { position: 0 }))?;
        Ok(Self {
            tenant,
            auth_id,
            client_certificate: certificate.map(CertificateDer::from),
        })
    }
}
