//! What a database keeps of a tenant.

use alloc::collections::BTreeMap;
use alloc::string::String;

use rustls_pki_types::CertificateDer;

use super::error::Fault;
use super::json::{Json, member_pointer};
use super::object::{self, Object};
use super::{DocumentError, TenantDocument, tenant};

/// `tenant` is the management view, in `certificates` is that of each anchor that has one, by its id.
pub(super) fn write(document: &TenantDocument) -> Json {
    let anchors = document.anchors();
    let certificates = anchors.map(|anchor| {
        let certificate = anchor.certificate();
        (anchor.id(), certificate.map(|der| object::to_base64(der)))
    });
    object::object([
        (TENANT, Some(tenant::write(document))),
        (CERTIFICATES, Some(object::object(certificates))),
    ])
}

pub(super) fn read(value: Json) -> Result<TenantDocument, DocumentError> {
    let mut object = Object::closed(value, String::new(), &[TENANT, CERTIFICATES])?;
    let pointer = object.pointer_to(CERTIFICATES);
    let mut certificates = BTreeMap::new();
    let by_id = Object::open(object.required(CERTIFICATES, Ok)?, pointer.clone())?;
    for (id, value) in by_id.rest() {
        let der = object::base64(value);
        let der = der.map_err(|fault| fault.at(&member_pointer(&pointer, &id)))?;
        certificates.insert(id, CertificateDer::from(der));
    }
    let tenant = object.required(TENANT, Ok)?;
    let mut stored = |id: &str| certificates.remove(id);
    // An empty id is refused: a stored anchor has one.
    let document = tenant::read(tenant, "/tenant", &mut stored, &mut String::new)?;
    match certificates.keys().next() {
        None => Ok(document),
        Some(id) => {
            let fault = Fault::new("the certificate of an anchor", "that of none");
            Err(fault.at(&member_pointer(&pointer, id)))
        }
    }
}

const TENANT: &str = "tenant";
const CERTIFICATES: &str = "certificates";
