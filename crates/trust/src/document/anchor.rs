//! A member of `trusted-ca` as an operator writes it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;

use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{DocumentError, KeyAlgorithm, policy, time, values};
use crate::{
    Anchor, AnchorError, AnchorPolicy, AutoProvisioning, Ocsp, OcspChecking, OcspNonce, ProvisionAs,
};

/// An anchor, and what of its document the anchor does not know.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) anchor: Anchor,
    pub(super) name_form: NameForm,
}

/// How the name of an anchor is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameForm {
    /// As `subject-dn` alone, which says it whole.
    Text,
    /// With `subject-dn-bytes`: an anchor from a certificate, or one that was given so.
    WithBytes,
}

/// Reads one anchor, given as `value` at `pointer`. `new_id` makes its id if it has none;
/// `stored_certificate` counts for `cert`.
pub(super) fn read(
    value: Json,
    pointer: &str,
    stored_certificate: impl FnOnce(&str) -> Option<CertificateDer<'static>>,
    new_id: &mut dyn FnMut() -> String,
) -> Result<Entry, DocumentError> {
    let mut object = Object::closed(value, pointer.to_string(), &MEMBERS)?;
    let id = object.read("id", Null::Absent, object::text)?;
    let id = values::check_id(id.unwrap_or_else(new_id))
        .map_err(|fault| fault.at(&object.pointer_to("id")))?;
    let given = object.read("cert", Null::Refused, object::base64)?;
    let certificate = given
        .map(CertificateDer::from)
        .or_else(|| stored_certificate(&id));
    let policy = read_policy(&mut object)?;
    let entry = match certificate {
        Some(certificate) => from_certificate(&id, certificate, policy, &object)?,
        None => bare(&id, policy, &mut object)?,
    };
    entry.check(pointer)?;
    Ok(entry)
}

impl Entry {
    /// An anchor that no document gave.
    pub(super) fn of(anchor: Anchor) -> Self {
        let name_form = match anchor.certificate() {
            Some(_) => NameForm::WithBytes,
            None if values::is_said_by_text(anchor.name()) => NameForm::Text,
            None => NameForm::WithBytes,
        };
        Self { anchor, name_form }
    }

    /// Refuses what no document can say, wherever the anchor comes from.
    pub(super) fn check(&self, pointer: &str) -> Result<(), DocumentError> {
        let anchor = &self.anchor;
        values::check_id(anchor.id().to_string())
            .map_err(|fault| fault.at(&[pointer, "/id"].concat()))?;
        if KeyAlgorithm::of(anchor.spki()).is_none() {
            let fault = Fault::new(
                "an anchor with an RSA, EC or Ed25519 key",
                "one with another",
            );
            return Err(fault.at(pointer));
        }
        let validity = anchor.validity();
        if validity.not_before() > validity.not_after() {
            let fault = Fault::new("an anchor that begins before it ends", "the reverse");
            return Err(fault.at(pointer));
        }
        let ocsp = &anchor.policy().ocsp;
        let signer = ocsp.responder_certificate.as_ref().or(anchor.certificate());
        if ocsp.checking == OcspChecking::Enabled && signer.is_none() {
            let pointer = [pointer, "/ocsp-responder-cert"].concat();
            return Err(DocumentError::Missing { pointer });
        }
        Ok(())
    }

    /// What an operator is shown of it.
    pub(super) fn write(&self) -> Json {
        let (anchor, policy) = (&self.anchor, self.anchor.policy());
        let gateway = policy.provision_as == ProvisionAs::Gateway;
        let bytes = self.name_form == NameForm::WithBytes;
        let bytes = bytes.then(|| object::to_base64(&anchor.name().to_der()));
        let (validity, ocsp) = (anchor.validity(), &policy.ocsp);
        let device_id = policy.device_id_template.as_ref();
        let mut members = Vec::from([
            ("id", Some(Json::text(anchor.id()))),
            ("subject-dn", Some(Json::text(anchor.name()))),
            ("subject-dn-bytes", bytes),
            ("public-key", Some(object::to_base64(anchor.spki()))),
            (
                "algorithm",
                KeyAlgorithm::of(anchor.spki()).map(|found| Json::text(found.name())),
            ),
            ("not-before", Some(time::print(validity.not_before()))),
            ("not-after", Some(time::print(validity.not_after()))),
            (
                "auth-id-template",
                policy.auth_id_template.as_ref().map(Json::text),
            ),
            (
                "auto-provisioning-enabled",
                Some(Json::Bool(policy.provisions())),
            ),
            ("auto-provision-as-gateway", Some(Json::Bool(gateway))),
            (
                "auto-provisioning-device-id-template",
                device_id.map(Json::text),
            ),
        ]);
        members.extend(write_ocsp(ocsp, anchor.certificate()));
        members.push(("provisioning-policy", policy::write(policy)));
        object::object(members)
    }
}

/// The members of OCSP, each only if it is set. The responder's certificate is that of the anchor,
/// where nothing else is said.
pub(super) fn write_ocsp(
    ocsp: &Ocsp,
    anchor: Option<&CertificateDer<'static>>,
) -> [(&'static str, Option<Json>); 4] {
    let enabled = ocsp.checking == OcspChecking::Enabled;
    let signer = ocsp.responder_certificate.as_ref();
    let signer = signer.or(anchor.filter(|_| enabled));
    let nonce = ocsp.nonce == OcspNonce::Sent;
    [
        (
            "ocsp-revocation-enabled",
            enabled.then_some(Json::Bool(true)),
        ),
        (
            "ocsp-responder-uri",
            ocsp.responder_uri.as_ref().map(Json::text),
        ),
        (
            "ocsp-responder-cert",
            signer.map(|der| object::to_base64(der)),
        ),
        ("ocsp-nonce-enabled", nonce.then_some(Json::Bool(true))),
    ]
}

/// The certificate says everything; what stands beside it is not even read, as Eclipse Hono has it.
fn from_certificate(
    id: &str,
    certificate: CertificateDer<'static>,
    policy: AnchorPolicy,
    object: &Object,
) -> Result<Entry, DocumentError> {
    let anchor = Anchor::from_certificate(id, certificate);
    let anchor = anchor.map_err(|error| {
        let expected = "the base64 of a DER X.509 certificate that can be an anchor";
        Fault::new(expected, error).at(&object.pointer_to("cert"))
    })?;
    Ok(Entry {
        anchor: anchor.with_policy(policy),
        name_form: NameForm::WithBytes,
    })
}

fn bare(id: &str, policy: AnchorPolicy, object: &mut Object) -> Result<Entry, DocumentError> {
    let text = object.required("subject-dn", values::name_of_text)?;
    let bytes = object.read("subject-dn-bytes", Null::Absent, |value| {
        let of_bytes = values::name_of_bytes(value)?;
        values::same_name(of_bytes, &text)
    })?;
    let name_form = match bytes {
        Some(_) => NameForm::WithBytes,
        None => NameForm::Text,
    };
    let algorithm = object.read("algorithm", Null::Absent, values::algorithm)?;
    let algorithm = algorithm.unwrap_or(KeyAlgorithm::Rsa);
    let spki = object.required("public-key", |value| values::key(value, algorithm))?;
    let pointer = object.pointer_to("not-after");
    let validity = time::window(object)?
        .map_err(|inverted| Fault::new("no time before not-before", inverted).at(&pointer))?;
    let anchor = Anchor::bare(id, bytes.unwrap_or(text), spki, validity);
    let anchor = anchor.map_err(|error| match error {
        AnchorError::NameEmpty => {
            Fault::new("a name that is not empty", error).at(&object.pointer_to("subject-dn"))
        }
        error => Fault::new("a key and a name", error).at(&object.pointer_to("public-key")),
    })?;
    Ok(Entry {
        anchor: anchor.with_policy(policy),
        name_form,
    })
}

fn read_policy(object: &mut Object) -> Result<AnchorPolicy, DocumentError> {
    let device_id = "auto-provisioning-device-id-template";
    let mut policy = AnchorPolicy {
        auth_id_template: object.read("auth-id-template", Null::Refused, values::template)?,
        device_id_template: object.read(device_id, Null::Refused, values::template)?,
        ocsp: read_ocsp(object)?,
        ..AnchorPolicy::default()
    };
    if flag(object, "auto-provisioning-enabled")? {
        policy.auto_provisioning = AutoProvisioning::Enabled;
    }
    if flag(object, "auto-provision-as-gateway")? {
        policy.provision_as = ProvisionAs::Gateway;
    }
    if let Some(added) = object.object("provisioning-policy", Null::Refused, &policy::MEMBERS)? {
        policy::read(added, &mut policy)?;
    }
    Ok(policy)
}

pub(super) fn read_ocsp(object: &mut Object) -> Result<Ocsp, DocumentError> {
    let mut ocsp = Ocsp::default();
    if flag(object, "ocsp-revocation-enabled")? {
        ocsp.checking = OcspChecking::Enabled;
    }
    ocsp.responder_uri = object.read("ocsp-responder-uri", Null::Absent, values::uri)?;
    ocsp.responder_certificate = object.read(
        "ocsp-responder-cert",
        Null::Absent,
        values::responder_certificate,
    )?;
    if flag(object, "ocsp-nonce-enabled")? {
        ocsp.nonce = OcspNonce::Sent;
    }
    Ok(ocsp)
}

/// A flag that is off unless it is set.
pub(super) fn flag(object: &mut Object, name: &str) -> Result<bool, DocumentError> {
    let flag = object.read(name, Null::Absent, object::boolean)?;
    Ok(flag.unwrap_or(false))
}

const MEMBERS: [&str; 17] = [
    "id",
    "subject-dn",
    "subject-dn-bytes",
    "public-key",
    "algorithm",
    "not-before",
    "not-after",
    "cert",
    "auth-id-template",
    "auto-provisioning-enabled",
    "auto-provision-as-gateway",
    "auto-provisioning-device-id-template",
    "ocsp-revocation-enabled",
    "ocsp-responder-uri",
    "ocsp-responder-cert",
    "ocsp-nonce-enabled",
    "provisioning-policy",
];
