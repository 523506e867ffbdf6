//! Which tenant a device belongs to, among many.

mod find;
mod outline;
mod save;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use x509_cert::ext::pkix::SubjectKeyIdentifier;

pub use find::{Found, FoundBy, TenantHint, TenantNotFound};
pub use save::SaveError;

use crate::{Anchor, DistinguishedName, PreparedName, Tenant, TenantId, certificate};

/// Tenants, found by name, by other name, and by the names and keys of their anchors.
///
/// Nothing that it does takes time in proportion to the number of tenants. Disabled and expired
/// anchors are in it: a device of theirs is refused for what it is, and not as unknown.
///
/// ```
/// use gangplank_testkit::{Leaf, TestCa};
/// use gangplank_trust::{Anchor, Tenant, TenantHint, TenantId, TenantIndex};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ca = TestCa::new("Acme Device CA");
/// let mut tenant = Tenant::new(TenantId::parse("plant-7")?);
/// tenant.anchors.push(Anchor::from_certificate("acme", ca.certificate.clone())?);
/// let mut index = TenantIndex::default();
/// index.insert(tenant);
///
/// let pump = ca.issue(&Leaf::new("pump"));
/// let found = index.candidates(&[pump.certificate], TenantHint::None)?;
/// assert_eq!(found.tenant.id.as_str(), "plant-7");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TenantIndex {
    tenants: BTreeMap<TenantId, Tenant>,
    aliases: BTreeMap<String, Vec<TenantId>>,
    names: BTreeMap<PreparedName, Vec<Place>>,
    keys: BTreeMap<Box<[u8]>, Vec<Place>>,
}

/// Where an anchor is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    tenant: TenantId,
    /// Its position among the tenant's anchors.
    at: usize,
}

impl TenantIndex {
    /// Puts a tenant in, in place of the one with its id, which it returns.
    ///
    /// It refuses nothing: what [`TenantIndex::check_save`] refuses is in doubt then, and found by a
    /// hint only.
    pub fn insert(&mut self, tenant: Tenant) -> Option<Tenant> {
        let former = self.remove(&tenant.id);
        if let Some(alias) = &tenant.alias {
            let alias = String::from(alias.as_str());
            self.aliases
                .entry(alias)
                .or_default()
                .push(tenant.id.clone());
        }
        for (at, anchor) in tenant.anchors.iter().enumerate() {
            let place = Place {
                tenant: tenant.id.clone(),
                at,
            };
            let name = anchor.prepared_name().clone();
            self.names.entry(name).or_default().push(place.clone());
            self.keys
                .entry(anchor.spki().into())
                .or_default()
                .push(place);
        }
        self.tenants.insert(tenant.id.clone(), tenant);
        former
    }

    /// Takes a tenant out.
    pub fn remove(&mut self, id: &TenantId) -> Option<Tenant> {
        let tenant = self.tenants.remove(id)?;
        if let Some(alias) = &tenant.alias {
            forget(&mut self.aliases, alias.as_str(), |other| other == id);
        }
        for anchor in &tenant.anchors {
            forget(&mut self.names, anchor.prepared_name(), |place| {
                place.tenant == *id
            });
            forget(&mut self.keys, anchor.spki(), |place| place.tenant == *id);
        }
        Some(tenant)
    }

    /// The tenant of this id.
    pub fn get(&self, id: &TenantId) -> Option<&Tenant> {
        self.tenants.get(id)
    }

    /// The tenant of this id or, if there is none, of this alias.
    ///
    /// # Errors
    /// [`TenantNotFound`]: there is none, or several have the alias.
    pub fn by_name(&self, name: &str) -> Result<&Tenant, TenantNotFound> {
        let by_id = TenantId::parse(name).ok();
        if let Some(tenant) = by_id.and_then(|id| self.tenants.get(&id)) {
            return Ok(tenant);
        }
        match self.aliases.get(name).map(Vec::as_slice) {
            Some([id]) => self.tenants.get(id).ok_or(TenantNotFound::Unknown),
            Some([_, _, ..]) => Err(TenantNotFound::Ambiguous),
            _ => Err(TenantNotFound::Unknown),
        }
    }

    /// The tenant that has an anchor of this name (RFC 5280 §7.1).
    ///
    /// # Errors
    /// [`TenantNotFound`]: no tenant has one, or several do.
    pub fn by_issuer(&self, issuer: &DistinguishedName) -> Result<&Tenant, TenantNotFound> {
        let places: Vec<&Place> = self.named(&issuer.prepared()).iter().collect();
        match self.single(&places) {
            Some(tenant) => Ok(tenant),
            None if places.is_empty() => Err(TenantNotFound::Unknown),
            None => Err(TenantNotFound::Ambiguous),
        }
    }

    /// All tenants, by their ids.
    pub fn tenants(&self) -> impl ExactSizeIterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// Those that have an anchor of this name, each once.
    pub(crate) fn tenants_with_name(&self, name: &PreparedName) -> BTreeSet<&TenantId> {
        let places = self.named(name).iter();
        places.map(|place| &place.tenant).collect()
    }

    /// Those that have an anchor with this key, each once.
    pub(crate) fn tenants_with_key(&self, spki: &[u8]) -> BTreeSet<&TenantId> {
        let places = self.keyed(spki).iter();
        places.map(|place| &place.tenant).collect()
    }

    fn named(&self, name: &PreparedName) -> &[Place] {
        self.names.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Anchors with this key (DER SubjectPublicKeyInfo).
    fn keyed(&self, spki: &[u8]) -> &[Place] {
        self.keys.get(spki).map(Vec::as_slice).unwrap_or_default()
    }

    fn anchor(&self, place: &Place) -> Option<&Anchor> {
        self.tenants.get(&place.tenant)?.anchors.get(place.at)
    }

    /// The tenant that all of these are of.
    fn single(&self, places: &[&Place]) -> Option<&Tenant> {
        let (first, others) = places.split_first()?;
        let alone = others.iter().all(|place| place.tenant == first.tenant);
        self.tenants.get(&first.tenant).filter(|_| alone)
    }
}

/// The key id that an anchor's certificate gives its key (RFC 5280 §4.2.1.2). That of a bare anchor is
/// not known: authorities make them in different ways.
fn key_id(anchor: &Anchor) -> Option<Vec<u8>> {
    let certificate = certificate::parse(anchor.certificate()?)?;
    let extension = certificate.tbs_certificate().get_extension();
    let (_, SubjectKeyIdentifier(id)) = extension.ok()??;
    Some(id.as_bytes().to_vec())
}

/// Takes elements out of a list, and the list out of the map if none is left.
fn forget<K, Q, T>(map: &mut BTreeMap<K, Vec<T>>, key: &Q, gone: impl Fn(&T) -> bool)
where
    K: Ord + core::borrow::Borrow<Q>,
    Q: Ord + ?Sized,
{
    let Some(list) = map.get_mut(key) else {
        return;
    };
    list.retain(|element| !gone(element));
    if list.is_empty() {
        map.remove(key);
    }
}

#[cfg(test)]
mod tests;
