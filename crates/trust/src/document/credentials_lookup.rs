use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

use rustls_pki_types::CertificateDer;

use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{DocumentError, credential};
use crate::{MAX_INTERMEDIATES, Source, StoredAuthId};

/// What a protocol adapter asks for a device's credential by: the authentication id that its certificate
/// yields, and the certificate. The tenant is said elsewhere.
///
/// It proves nothing: the registry verifies the certificate itself. The request is open, since adapters
/// send what else they know of a connection along.
///
/// ```
/// use gangplank_trust::CredentialsLookup;
///
/// # fn main() -> Result<(), gangplank_trust::DocumentError> {
/// let json = br#"{"type": "x509-cert", "auth-id": "CN=pump,O=ACME", "client-id": "7"}"#;
/// let asked = CredentialsLookup::decode(json)?;
/// assert_eq!(asked.auth_id.as_str(), "CN=pump,O=ACME");
/// assert!(asked.certificates.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CredentialsLookup {
    /// The authentication id that is asked for.
    pub auth_id: StoredAuthId,
    /// What the device presented, leaf first; nothing, if the adapter keeps it back.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Where the device came from, as the adapter says.
    pub source: Source,
    /// The type of the adapter, such as `hono-mqtt`, if it says so.
    pub adapter_type: Option<String>,
}

impl CredentialsLookup {
    /// Reads the request: `type`, `auth-id`, `client-certificate` in base64 DER, and three additions
    /// of gangplank: `intermediates`, the list of what the device sent after its leaf, `source`, its
    /// address, and `adapter-type`.
    ///
    /// # Errors
    /// [`DocumentError`]: one of them is missing or has another form; whether a certificate is one is
    /// not looked at.
    pub fn decode(json: &[u8]) -> Result<Self, DocumentError> {
        let mut object = Object::open(Json::read(json)?, String::new())?;
        let auth_id = credential::read_auth_id(&mut object, StoredAuthId::normalised)?;
        let leaf = object.read(LEAF, Null::Absent, object::base64)?;
        let others = object.list_of(INTERMEDIATES, MAX_INTERMEDIATES, object::base64)?;
        let others = others.unwrap_or_default();
        if leaf.is_none() && !others.is_empty() {
            let pointer = object.pointer_to(LEAF);
            return Err(DocumentError::Missing { pointer });
        }
        let source = object.read("source", Null::Absent, address)?;
        let certificates = leaf.into_iter().chain(others).map(CertificateDer::from);
        Ok(Self {
            auth_id: auth_id.ok_or_else(|| DocumentError::Missing {
                pointer: object.pointer_to("auth-id"),
            })?,
            certificates: certificates.collect(),
            source: source.map_or(Source::Unknown, Source::from),
            adapter_type: object.read("adapter-type", Null::Absent, object::text)?,
        })
    }
}

fn address(value: Json) -> Result<IpAddr, Fault> {
    let text = object::text(value)?;
    let address = text.parse();
    address.map_err(|_| Fault::of_value("an IP address", &text))
}

const LEAF: &str = "client-certificate";
const INTERMEDIATES: &str = "intermediates";
