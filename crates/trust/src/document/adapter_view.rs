use alloc::string::String;
use alloc::vec::Vec;

use rustls_pki_types::{CertificateDer, UnixTime};

use super::anchor::{self, Entry, NameForm};
use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{DocumentError, FreeObject, KeyAlgorithm, MAX_ANCHORS, TenantDocument, tenant, values};
use crate::{
    Adapters, AnchorStanding, AutoProvisioning, DistinguishedName, Ocsp, Template, TenantId,
};

/// A tenant as protocol adapters see it: Eclipse Hono's adapter view, the result of its tenant API.
///
/// It is open: unknown members are not an error, and are not kept.
#[derive(Clone, Debug)]
pub struct AdapterView {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Whether its devices are admitted.
    pub enabled: bool,
    /// The protocol adapters that its devices may use.
    pub adapters: Adapters,
    /// The operator's own data.
    pub ext: FreeObject,
    /// Defaults for what its devices send.
    pub defaults: FreeObject,
    /// Bytes that the smallest message is counted as.
    pub minimum_message_size: u64,
    /// What its devices may use up.
    pub resource_limits: Option<FreeObject>,
    /// How requests of its devices are traced.
    pub tracing: Option<FreeObject>,
    /// The anchors that count.
    pub anchors: Vec<AdapterAnchor>,
}

/// A trust anchor as protocol adapters see it. When it counts and what devices become by it is for the
/// registry alone.
#[derive(Clone, Debug)]
pub struct AdapterAnchor {
    /// Its id, unique within the tenant.
    pub id: Option<String>,
    /// Its name, read from `subject-dn-bytes` where they are given.
    pub name: DistinguishedName,
    /// How the name is written.
    name_form: NameForm,
    public_key: String,
    algorithm: String,
    /// Makes the authentication id from a subject.
    pub auth_id_template: Option<Template>,
    /// Whether the client certificate is to be sent along when credentials are asked for.
    pub auto_provisioning: AutoProvisioning,
    /// How the status of a certificate is asked for.
    pub ocsp: Ocsp,
}

impl AdapterAnchor {
    /// Its key: DER SubjectPublicKeyInfo. It is read when it is used, so that one bad key does not
    /// spoil the others; the error points at the member of the anchor.
    ///
    /// # Errors
    /// [`DocumentError::Unexpected`]: it is no base64 of a key of the anchor's algorithm.
    pub fn spki(&self) -> Result<Vec<u8>, DocumentError> {
        let key = object::base64(Json::text(&self.public_key));
        let key = key.map_err(|fault| fault.at(PUBLIC_KEY))?;
        match KeyAlgorithm::of(&key) {
            Some(algorithm) if algorithm.name() == self.algorithm => Ok(key),
            _ => {
                let fault = Fault::of_value("of the anchor's key", &self.algorithm);
                Err(fault.at("/algorithm"))
            }
        }
    }
}

impl AdapterView {
    /// Reads an adapter view.
    ///
    /// # Errors
    /// [`DocumentError`]: a member that is known is missing or wrong.
    pub fn decode(json: &[u8]) -> Result<Self, DocumentError> {
        let mut object = Object::open(Json::read(json)?, String::new())?;
        let minimum = object.read("minimum-message-size", Null::Absent, object::count)?;
        let mut anchors = Vec::new();
        let list = object.list(ANCHORS, Null::Absent, MAX_ANCHORS)?;
        for (value, pointer) in list.unwrap_or_default() {
            anchors.push(read_anchor(Object::open(value, pointer)?)?);
        }
        Ok(Self {
            tenant_id: object.required("tenant-id", tenant_id)?,
            enabled: object.required("enabled", object::boolean)?,
            adapters: tenant::read_adapters(&mut object)?,
            ext: tenant::free(&mut object, "ext")?.unwrap_or_default(),
            defaults: tenant::free(&mut object, "defaults")?.unwrap_or_default(),
            minimum_message_size: minimum.unwrap_or_default(),
            resource_limits: tenant::free(&mut object, "resource-limits")?,
            tracing: tenant::free(&mut object, "tracing")?,
            anchors,
        })
    }

    /// Writes it as compact JSON.
    pub fn encode(&self) -> String {
        let size = self.minimum_message_size;
        let anchors: Vec<Json> = self.anchors.iter().map(write_anchor).collect();
        let json = object::object([
            ("tenant-id", Some(Json::text(&self.tenant_id))),
            ("enabled", Some(Json::Bool(self.enabled))),
            ("ext", tenant::some(&self.ext)),
            ("defaults", tenant::some(&self.defaults)),
            ("adapters", tenant::write_adapters(&self.adapters)),
            (
                "minimum-message-size",
                (size != 0).then(|| object::to_count(size)),
            ),
            (
                "resource-limits",
                self.resource_limits.as_ref().map(FreeObject::to_json),
            ),
            ("tracing", self.tracing.as_ref().map(FreeObject::to_json)),
            (
                ANCHORS,
                (!anchors.is_empty()).then_some(Json::List(anchors)),
            ),
        ]);
        alloc::format!("{json}")
    }
}

pub(super) fn of(document: &TenantDocument, id: TenantId, now: UnixTime) -> AdapterView {
    let counts = |entry: &&Entry| {
        let enabled = entry.anchor.policy().standing == AnchorStanding::Enabled;
        enabled && entry.anchor.validity().contains(now)
    };
    let anchors = document.anchors.iter().filter(counts);
    AdapterView {
        tenant_id: id,
        enabled: document.enabled.unwrap_or(true),
        adapters: document.adapters.clone(),
        ext: document.ext.clone(),
        defaults: document.defaults.clone(),
        minimum_message_size: document.minimum_message_size.into(),
        resource_limits: document.resource_limits.clone(),
        tracing: document.tracing.clone(),
        anchors: anchors.map(of_entry).collect(),
    }
}

fn of_entry(entry: &Entry) -> AdapterAnchor {
    let (anchor, policy) = (&entry.anchor, entry.anchor.policy());
    let algorithm = KeyAlgorithm::of(anchor.spki());
    let mut ocsp = policy.ocsp.clone();
    if ocsp.checking == crate::OcspChecking::Enabled && ocsp.responder_certificate.is_none() {
        ocsp.responder_certificate = anchor.certificate().cloned();
    }
    AdapterAnchor {
        id: Some(String::from(anchor.id())),
        name: anchor.name().clone(),
        name_form: entry.name_form,
        public_key: object::base64_text(anchor.spki()),
        algorithm: String::from(algorithm.map_or("", KeyAlgorithm::name)),
        auth_id_template: policy.auth_id_template.clone(),
        auto_provisioning: policy.auto_provisioning,
        ocsp,
    }
}

fn read_anchor(mut object: Object) -> Result<AdapterAnchor, DocumentError> {
    let text = object.required("subject-dn", values::name_of_text)?;
    let bytes = object.read("subject-dn-bytes", Null::Absent, |value| {
        values::same_name(values::name_of_bytes(value)?, &text)
    })?;
    let name_form = match bytes {
        Some(_) => NameForm::WithBytes,
        None => NameForm::Text,
    };
    let algorithm = object.read("algorithm", Null::Absent, object::text)?;
    let enabled = anchor::flag(&mut object, "auto-provisioning-enabled")?;
    Ok(AdapterAnchor {
        id: object.read("id", Null::Absent, object::text)?,
        name: bytes.unwrap_or(text),
        name_form,
        public_key: object.required("public-key", object::text)?,
        algorithm: algorithm.unwrap_or_else(|| String::from(KeyAlgorithm::Rsa.name())),
        auth_id_template: object.read("auth-id-template", Null::Absent, values::template)?,
        auto_provisioning: match enabled {
            true => AutoProvisioning::Enabled,
            false => AutoProvisioning::Disabled,
        },
        ocsp: anchor::read_ocsp(&mut object)?,
    })
}

fn write_anchor(anchor: &AdapterAnchor) -> Json {
    let bytes = anchor.name_form == NameForm::WithBytes;
    let bytes = bytes.then(|| object::to_base64(&anchor.name.to_der()));
    let enabled = anchor.auto_provisioning == AutoProvisioning::Enabled;
    let own = [
        ("id", anchor.id.as_ref().map(Json::text)),
        ("subject-dn", Some(Json::text(&anchor.name))),
        ("subject-dn-bytes", bytes),
        ("public-key", Some(Json::text(&anchor.public_key))),
        ("algorithm", Some(Json::text(&anchor.algorithm))),
        (
            "auth-id-template",
            anchor.auth_id_template.as_ref().map(Json::text),
        ),
        ("auto-provisioning-enabled", Some(Json::Bool(enabled))),
    ];
    let none: Option<&CertificateDer<'static>> = None;
    object::object(
        own.into_iter()
            .chain(anchor::write_ocsp(&anchor.ocsp, none)),
    )
}

fn tenant_id(value: Json) -> Result<TenantId, Fault> {
    let text = object::text(value)?;
    TenantId::parse(&text).map_err(|error| Fault::new("a tenant id", error))
}

const ANCHORS: &str = "trusted-ca";
const PUBLIC_KEY: &str = "/public-key";
