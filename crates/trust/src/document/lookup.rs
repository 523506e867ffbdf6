use alloc::string::String;

use super::error::Fault;
use super::json::Json;
use super::object::{self, Null, Object};
use super::{DocumentError, values};
use crate::{DistinguishedName, Tenant, TenantIndex, TenantNotFound};

/// What a protocol adapter asks for a tenant by.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TenantLookup {
    /// `tenant-id`: the id of a tenant, or its alias.
    Name(String),
    /// `subject-dn`: the name of one of its anchors.
    Issuer(DistinguishedName),
}

impl TenantLookup {
    /// Reads the request: a JSON object with exactly one of the two members.
    ///
    /// # Errors
    /// [`DocumentError`]: it has another member, none or both, or the name cannot be read.
    pub fn decode(json: &[u8]) -> Result<Self, DocumentError> {
        let mut object = Object::closed(Json::read(json)?, String::new(), &[NAME, ISSUER])?;
        let name = object.read(NAME, Null::Refused, object::text)?;
        let issuer = object.read(ISSUER, Null::Refused, values::name_of_text)?;
        match (name, issuer) {
            (Some(name), None) => Ok(Self::Name(name)),
            (None, Some(issuer)) => Ok(Self::Issuer(issuer)),
            (name, _) => {
                let found = if name.is_some() {
                    "with both"
                } else {
                    "with neither"
                };
                Err(Fault::new("an object with one of tenant-id and subject-dn", found).at(""))
            }
        }
    }

    /// The tenant that is asked for.
    ///
    /// # Errors
    /// [`TenantNotFound`]: there is none, or there are several.
    pub fn find<'i>(&self, index: &'i TenantIndex) -> Result<&'i Tenant, TenantNotFound> {
        match self {
            Self::Name(name) => index.by_name(name),
            Self::Issuer(issuer) => index.by_issuer(issuer),
        }
    }
}

const NAME: &str = "tenant-id";
const ISSUER: &str = "subject-dn";
