use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rustls_pki_types::UnixTime;

use super::device::provisioning_words;
use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{DocumentError, FreeObject, MAX_CREDENTIALS, tenant, time, values};
use crate::certificate::Certificate;
use crate::{AuthId, DistinguishedName, MAX_FILLED_BYTES, Placeholder, StoredAuthId, Validity};

/// A credential of type `x509-cert` as an operator manages it: Eclipse Hono's management view, a closed
/// object. It says by which certificates a device is known, and holds no secret.
///
/// ```
/// use gangplank_trust::CredentialDocument;
///
/// # fn main() -> Result<(), gangplank_trust::DocumentError> {
/// let json = br#"{"type": "x509-cert", "auth-id": "cn=pump, o=ACME", "secrets": [{}]}"#;
/// let document = CredentialDocument::decode(json)?;
/// assert_eq!(document.auth_id().as_str(), "CN=pump,O=ACME");
///
/// let error = CredentialDocument::decode(br#"{"type": "psk", "auth-id": "pump", "secrets": []}"#);
/// assert_eq!(error.unwrap_err().pointer(), "/type");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialDocument {
    auth_id: StoredAuthId,
    /// Whether it counts; it does if nothing is said.
    pub enabled: Option<bool>,
    /// The operator's words.
    pub comment: Option<String>,
    /// The operator's own data.
    pub ext: FreeObject,
    secret: CertificateSecret,
}

/// When certificates of a subject count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateSecret {
    /// The operator's name for it.
    pub id: Option<String>,
    /// Whether it counts; it does if nothing is said.
    pub enabled: Option<bool>,
    /// The operator's words.
    pub comment: Option<String>,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
}

impl CertificateSecret {
    /// The first second in which it counts; always, if nothing is said.
    pub fn not_before(&self) -> Option<UnixTime> {
        self.not_before
    }

    /// The last second in which it counts; for ever, if nothing is said.
    pub fn not_after(&self) -> Option<UnixTime> {
        self.not_after
    }
}

impl CredentialDocument {
    /// Reads what an operator wrote. Of a certificate in `cert` the subject and the window are taken, in
    /// place of what stands beside it, and the rest is dropped.
    ///
    /// # Errors
    /// [`DocumentError`]: the first thing that is wrong, and where; also an `auth-id` that is not that
    /// of the certificate beside it.
    pub fn decode(json: &[u8]) -> Result<Self, DocumentError> {
        read(Json::read(json)?, "")
    }

    /// Reads the list of all credentials of a device.
    ///
    /// # Errors
    /// [`DocumentError`]: as for one, or two of them have one authentication id.
    pub fn decode_list(json: &[u8]) -> Result<Vec<Self>, DocumentError> {
        read_list(Json::read(json)?, "")
    }

    /// Writes what an operator is shown, as compact JSON.
    pub fn encode(&self) -> String {
        self.write().to_string()
    }

    /// Writes what an operator is shown of all credentials of a device.
    pub fn encode_list(list: &[Self]) -> String {
        Json::List(list.iter().map(Self::write).collect()).to_string()
    }

    /// Writes what a database keeps: [`CredentialDocument::from_stored`] reads it.
    pub fn to_stored(&self) -> String {
        let values = self.auth_id.template_values();
        let values = values.map(|values| Json::List(values.iter().map(Json::text).collect()));
        object::object([(CREDENTIAL, Some(self.write())), (VALUES, values)]).to_string()
    }

    /// Reads what [`CredentialDocument::to_stored`] wrote. The name of a whole subject is the one that
    /// its print says.
    ///
    /// # Errors
    /// [`DocumentError`]: it is something else.
    pub fn from_stored(json: &[u8]) -> Result<Self, DocumentError> {
        let mut object = Object::closed(Json::read(json)?, String::new(), &[CREDENTIAL, VALUES])?;
        let values = object.list_of(VALUES, MAX_VALUES, object::text)?;
        let credential = object.required(CREDENTIAL, Ok)?;
        // It was normalised before it was stored; a print of odd string types would not survive it twice.
        let stored = |text: &str| {
            Some(match values {
                None => StoredAuthId::new(text),
                Some(values) => StoredAuthId::of_template(text, values),
            })
        };
        read_with(credential, "/credential", stored)
    }

    /// One that counts always, and of which no more is said.
    pub fn new(auth_id: StoredAuthId) -> Self {
        Self {
            auth_id,
            enabled: None,
            comment: None,
            ext: FreeObject::default(),
            secret: CertificateSecret::default(),
        }
    }

    /// The same document, found by what the text of its authentication id stands for: an operator's
    /// text says neither the values that a template made it of nor the string types of a name.
    #[must_use]
    pub fn with_auth_id_of(self, stored: &StoredAuthId) -> Self {
        match self.auth_id.as_str() == stored.as_str() {
            true => Self {
                auth_id: stored.clone(),
                ..self
            },
            false => self,
        }
    }

    /// What is written of a device that joined by a certificate of this authentication id at `now`.
    pub fn provisioned(auth_id: &AuthId, now: UnixTime) -> Self {
        Self {
            enabled: Some(true),
            comment: Some(provisioning_words(now)),
            ..Self::new(StoredAuthId::from(auth_id))
        }
    }

    /// What it is found by.
    pub fn auth_id(&self) -> &StoredAuthId {
        &self.auth_id
    }

    /// Its only secret.
    pub fn secret(&self) -> &CertificateSecret {
        &self.secret
    }

    /// Whether it counts at `now`; if not, a device that is known by it is
    /// [`Standing::CredentialDisabled`](crate::Standing::CredentialDisabled).
    pub fn is_usable(&self, now: UnixTime) -> bool {
        let secret = &self.secret;
        self.enabled.unwrap_or(true)
            && secret.enabled.unwrap_or(true)
            && secret.not_before.is_none_or(|begin| begin <= now)
            && secret.not_after.is_none_or(|end| now <= end)
    }

    /// Writes what a protocol adapter is answered, as compact JSON: the operator's words are left out.
    pub fn adapter_view(&self, device_id: &str) -> String {
        let secret = &self.secret;
        let secret = object::object([
            ("id", secret.id.as_ref().map(Json::text)),
            ("enabled", secret.enabled.map(Json::Bool)),
            (NOT_BEFORE, secret.not_before.map(time::print)),
            (NOT_AFTER, secret.not_after.map(time::print)),
        ]);
        let view = object::object([
            ("device-id", Some(Json::text(device_id))),
            (TYPE, Some(Json::text(X509))),
            (AUTH_ID, Some(Json::text(self.auth_id.as_str()))),
            ("enabled", Some(Json::Bool(self.enabled.unwrap_or(true)))),
            ("ext", tenant::some(&self.ext)),
            (SECRETS, Some(Json::List(Vec::from([secret])))),
        ]);
        view.to_string()
    }

    fn write(&self) -> Json {
        let secret = &self.secret;
        let secret = object::object([
            ("id", secret.id.as_ref().map(Json::text)),
            ("enabled", secret.enabled.map(Json::Bool)),
            (NOT_BEFORE, secret.not_before.map(time::print)),
            (NOT_AFTER, secret.not_after.map(time::print)),
            ("comment", secret.comment.as_ref().map(Json::text)),
        ]);
        object::object([
            (TYPE, Some(Json::text(X509))),
            (AUTH_ID, Some(Json::text(self.auth_id.as_str()))),
            ("enabled", self.enabled.map(Json::Bool)),
            ("comment", self.comment.as_ref().map(Json::text)),
            ("ext", tenant::some(&self.ext)),
            (SECRETS, Some(Json::List(Vec::from([secret])))),
        ])
    }
}

/// Reads one credential at `pointer`.
pub(super) fn read(value: Json, pointer: &str) -> Result<CredentialDocument, DocumentError> {
    read_with(value, pointer, StoredAuthId::normalised)
}

/// Reads all credentials of a device, listed at `pointer`.
pub(super) fn read_list(
    value: Json,
    pointer: &str,
) -> Result<Vec<CredentialDocument>, DocumentError> {
    let mut list: Vec<CredentialDocument> = Vec::new();
    for (value, pointer) in object::elements(value, pointer, MAX_CREDENTIALS)? {
        let one = read(value, &pointer)?;
        if list
            .iter()
            .any(|other| other.auth_id.clashes_with(&one.auth_id))
        {
            return Err(repeated(&one, &pointer));
        }
        list.push(one);
    }
    Ok(list)
}

/// `one`, at `pointer`, has the authentication id of another.
pub(super) fn repeated(one: &CredentialDocument, pointer: &str) -> DocumentError {
    let expected = "an authentication id that no other credential has";
    Fault::of_value(expected, one.auth_id.as_str()).at(&[pointer, "/auth-id"].concat())
}

/// The authentication id and the type that a request or a credential names.
pub(super) fn read_auth_id(
    object: &mut Object,
    store: impl FnOnce(&str) -> Option<StoredAuthId>,
) -> Result<Option<StoredAuthId>, DocumentError> {
    object.required(TYPE, certificate_type)?;
    object.read(AUTH_ID, Null::Refused, |value| {
        let text = object::text(value)?;
        let short = text.len() <= MAX_FILLED_BYTES;
        let read = short.then(|| store(&text)).flatten();
        read.ok_or_else(|| Fault::of_value("an id of 1 to 65536 bytes", &text))
    })
}

fn read_with(
    value: Json,
    pointer: &str,
    store: impl FnOnce(&str) -> Option<StoredAuthId>,
) -> Result<CredentialDocument, DocumentError> {
    let mut object = Object::closed(value, pointer.to_string(), &MEMBERS)?;
    let given = read_auth_id(&mut object, store)?;
    let certificate = object.read(CERT, Null::Refused, subject_and_window)?;
    let secret = read_secret(&mut object, certificate.as_ref().map(|(_, window)| *window))?;
    Ok(CredentialDocument {
        auth_id: match certificate {
            Some((subject, _)) => of_certificate(&subject, given.as_ref(), &object)?,
            None => given.ok_or_else(|| DocumentError::Missing {
                pointer: object.pointer_to(AUTH_ID),
            })?,
        },
        enabled: object.read("enabled", Null::Absent, object::boolean)?,
        comment: object.read("comment", Null::Absent, object::text)?,
        ext: tenant::free(&mut object, "ext")?.unwrap_or_default(),
        secret,
    })
}

fn certificate_type(value: Json) -> Result<(), Fault> {
    let text = object::text(value)?;
    match text == X509 {
        true => Ok(()),
        false => Err(Fault::of_value(
            "x509-cert, the only type that is served",
            &text,
        )),
    }
}

fn subject_and_window(value: Json) -> Result<(DistinguishedName, Validity), Fault> {
    const EXPECTED: &str = "the base64 of a DER X.509 certificate that a device can be known by";
    let der = object::base64(value)?;
    let read = Certificate::read(&der).and_then(|fields| {
        let subject = DistinguishedName::from_der(fields.subject).ok()?;
        Some((subject, fields.validity))
    });
    let (subject, window) = read.ok_or_else(|| Fault::new(EXPECTED, "something else"))?;
    let usable = subject.check_usable();
    usable.map_err(|error| Fault::new(EXPECTED, format_args!("one of which {error}")))?;
    let window = Validity::new(window.not_before(), window.not_after());
    let window = window.map_err(|error| Fault::new(EXPECTED, error))?;
    Ok((subject, window))
}

fn of_certificate(
    subject: &DistinguishedName,
    given: Option<&StoredAuthId>,
    object: &Object,
) -> Result<StoredAuthId, DocumentError> {
    let auth_id = StoredAuthId::of_subject(subject);
    match given {
        Some(given) if !given.clashes_with(&auth_id) => {
            let fault = Fault::of_value("the subject of cert, or absent", given.as_str());
            Err(fault.at(&object.pointer_to(AUTH_ID)))
        }
        _ => Ok(auth_id),
    }
}

/// The one secret; a certificate beside it stands for one, and says when it counts.
fn read_secret(
    object: &mut Object,
    window: Option<Validity>,
) -> Result<CertificateSecret, DocumentError> {
    let pointer = object.pointer_to(SECRETS);
    let list = object.list(SECRETS, Null::Refused, 1)?;
    let Some((value, place)) = list.and_then(|list| list.into_iter().next()) else {
        return match window {
            Some(window) => Ok(of_window(CertificateSecret::default(), window)),
            None => Err(Fault::new("a list of one secret", "empty or absent").at(&pointer)),
        };
    };
    let mut object = Object::closed(value, place, &SECRET)?;
    let secret = CertificateSecret {
        id: object.read("id", Null::Absent, |value| {
            object::text(value).and_then(values::check_id)
        })?,
        enabled: object.read("enabled", Null::Absent, object::boolean)?,
        comment: object.read("comment", Null::Absent, object::text)?,
        not_before: object.read(NOT_BEFORE, Null::Absent, time::from)?,
        not_after: object.read(NOT_AFTER, Null::Absent, time::until)?,
    };
    match (window, secret.not_before, secret.not_after) {
        (Some(window), ..) => Ok(of_window(secret, window)),
        (None, Some(begin), Some(end)) if end < begin => {
            let fault = Fault::new("no time before not-before", "one");
            Err(fault.at(&object.pointer_to(NOT_AFTER)))
        }
        _ => Ok(secret),
    }
}

fn of_window(secret: CertificateSecret, window: Validity) -> CertificateSecret {
    CertificateSecret {
        not_before: Some(window.not_before()),
        not_after: Some(window.not_after()),
        ..secret
    }
}

const X509: &str = "x509-cert";
const TYPE: &str = "type";
const AUTH_ID: &str = "auth-id";
const CERT: &str = "cert";
const SECRETS: &str = "secrets";
const NOT_BEFORE: &str = "not-before";
const NOT_AFTER: &str = "not-after";
const MEMBERS: [&str; 7] = [TYPE, AUTH_ID, CERT, "enabled", "comment", "ext", SECRETS];
const SECRET: [&str; 5] = ["id", "enabled", "comment", NOT_BEFORE, NOT_AFTER];
const CREDENTIAL: &str = "credential";
const VALUES: &str = "template-values";

/// A template yields one value for each kind of placeholder that it has.
const MAX_VALUES: usize = Placeholder::ALL.len();
