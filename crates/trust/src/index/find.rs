use alloc::string::String;
use alloc::vec::Vec;

use rustls_pki_types::CertificateDer;
use x509_cert::ext::pkix::AuthorityKeyIdentifier;

use super::outline::Outline;
use super::{Place, TenantIndex, key_id};
use crate::certificate::Certificate;
use crate::{Anchor, MAX_CERTIFICATES, Reason, Tenant};

impl TenantIndex {
    /// Finds the tenant of a device that presents `chain`, leaf first, as sent and not verified.
    ///
    /// In this order: the tenant that has the leaf itself as an anchor; the one that has an anchor by
    /// the name of the leaf's issuer; the one that has an anchor by the name of the next certificate's
    /// issuer, and so on. If there is none, or there are several, then `hint` decides. Without a hint,
    /// several are told apart by the key that the certificate says it was signed by.
    ///
    /// What is found is where to look: whether the tenant trusts the device, [`verify`](crate::verify)
    /// says.
    ///
    /// # Errors
    /// [`TenantNotFound`]: there is none, or several are left.
    pub fn candidates(
        &self,
        chain: &[CertificateDer<'_>],
        hint: TenantHint<'_>,
    ) -> Result<Found<'_>, TenantNotFound> {
        let (by, places) = self.places(chain).unzip();
        let places = places.unwrap_or_default();
        if let Some((tenant, by)) = self.single(places.iter().copied()).zip(by) {
            return Ok(Found { tenant, by });
        }
        match (hint.name()?, by) {
            (Some(Name { given, other_case }), _) => {
                let by_other_case = |_| self.by_name(&other_case);
                let tenant = self.by_name(given).or_else(by_other_case)?;
                let by = FoundBy::Hint;
                Ok(Found { tenant, by })
            }
            (None, None) => Err(TenantNotFound::Unknown),
            (None, Some(by)) => {
                let signed = self.signed_by(chain, by, places);
                let tenant = self
                    .single(signed.into_iter())
                    .ok_or(TenantNotFound::Ambiguous)?;
                Ok(Found { tenant, by })
            }
        }
    }

    /// The anchors that a chain leads to.
    fn places(&self, chain: &[CertificateDer<'_>]) -> Option<(FoundBy, Vec<&Place>)> {
        for (position, element) in chain.iter().take(MAX_CERTIFICATES).enumerate() {
            let Some(outline) = Outline::of(element) else {
                continue;
            };
            if position == 0 {
                let is_leaf = |anchor: &Anchor| anchor.certificate() == Some(element);
                let keyed = self.pins.get(outline.spki);
                let pins = keyed
                    .into_iter()
                    .flatten()
                    .filter(|place| self.anchor(place).is_some_and(is_leaf));
                let pins: Vec<&Place> = pins.collect();
                if !pins.is_empty() {
                    return Some((FoundBy::Pin, pins));
                }
            }
            let places = self.names.get_encoded(outline.issuer);
            if !places.is_empty() {
                return Some((FoundBy::Issuer { position }, places.iter().collect()));
            }
        }
        None
    }

    /// Those whose key may have signed the certificate that led to them: all but the ones with another
    /// key id than it says. RFC 5280 §6 does not look at key ids, so they choose and never refuse.
    fn signed_by<'p>(
        &self,
        chain: &[CertificateDer<'_>],
        by: FoundBy,
        mut places: Vec<&'p Place>,
    ) -> Vec<&'p Place> {
        let wanted = match by {
            FoundBy::Issuer { position } => chain
                .get(position)
                .and_then(|found| authority_key_id(found)),
            _ => None,
        };
        if let Some(wanted) = wanted {
            places.retain(|place| {
                let known = self.anchor(place).and_then(key_id);
                known.is_none_or(|known| known == wanted)
            });
        }
        places
    }
}

/// A tenant, and what it was found by.
#[derive(Clone, Copy, Debug)]
pub struct Found<'i> {
    /// The tenant.
    pub tenant: &'i Tenant,
    /// What it was found by.
    pub by: FoundBy,
}

/// What a tenant was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundBy {
    /// The leaf has the key of one of its anchors, and is one of those.
    Pin,
    /// It has an anchor by the name of a certificate's issuer.
    Issuer {
        /// Which certificate of the chain, from the leaf.
        position: usize,
    },
    /// It was named.
    Hint,
}

/// What else names the tenant of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantHint<'a> {
    /// Nothing.
    None,
    /// The host name that the device connects to (TLS server name indication): its first label is a
    /// tenant's id or alias, as it is or in lower case, since letter case means nothing in host names.
    HostName(&'a str),
    /// A tenant's id or alias, as a path or an operator gives it.
    Name(&'a str),
}

/// A name as it was given, and what else it may stand for.
struct Name<'a> {
    given: &'a str,
    other_case: String,
}

impl<'a> TenantHint<'a> {
    fn name(self) -> Result<Option<Name<'a>>, TenantNotFound> {
        match self {
            Self::None => Ok(None),
            Self::Name(given) => Ok(Some(Name {
                given,
                other_case: String::from(given),
            })),
            Self::HostName(host) => match host.split_once('.') {
                Some((given, rest)) if !given.is_empty() && !rest.is_empty() => Ok(Some(Name {
                    given,
                    other_case: given.to_ascii_lowercase(),
                })),
                _ => {
                    let hint = host.chars().take(MAX_HOST_NAME).collect();
                    Err(TenantNotFound::HintMalformed { hint })
                }
            },
        }
    }
}

/// Why no tenant is found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantNotFound {
    /// No tenant has the issuer or the name.
    #[error("no tenant trusts the certificate's issuer or has the name that is given")]
    Unknown,
    /// Several tenants trust the issuer, or have the alias.
    #[error("several tenants trust the certificate's issuer or have the alias")]
    Ambiguous,
    /// The host name that should name the tenant has one label only.
    #[error("the host name {hint:?} does not name a tenant: it has no label before a dot")]
    HintMalformed {
        /// The host name, or the beginning of it.
        hint: String,
    },
}

impl From<TenantNotFound> for Reason {
    fn from(error: TenantNotFound) -> Self {
        match error {
            TenantNotFound::Unknown => Self::TenantUnknown,
            TenantNotFound::Ambiguous => Self::TenantAmbiguous,
            TenantNotFound::HintMalformed { hint } => Self::TenantHintMalformed { hint },
        }
    }
}

/// RFC 5280 §4.2.1.1.
fn authority_key_id(der: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::read(der)?;
    let (_, extension): (_, AuthorityKeyIdentifier) = certificate.extension().ok()??;
    Some(extension.key_identifier?.as_bytes().to_vec())
}

/// RFC 1035 §3.1.
const MAX_HOST_NAME: usize = 255;
