//! Which tenant a device belongs to, among many.

mod find;
mod names;
mod outline;
mod save;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use x509_cert::ext::pkix::SubjectKeyIdentifier;

pub use find::{Found, FoundBy, TenantHint, TenantNotFound};
pub use save::SaveError;

use names::Names;

use crate::certificate::Certificate;
use crate::{Anchor, DistinguishedName, PreparedName, Tenant, TenantId};

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
    /// `None` where one was taken out.
    tenants: Vec<Option<Tenant>>,
    unused: Vec<usize>,
    ids: BTreeMap<TenantId, usize>,
    aliases: BTreeMap<String, Vec<usize>>,
    names: Names,
    keys: BTreeMap<Box<[u8]>, Vec<Place>>,
    /// Those of `keys` whose certificate is no authority's: a device may have it.
    pins: BTreeMap<Box<[u8]>, Vec<Place>>,
}

/// Where an anchor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Its position among the tenants.
    tenant: usize,
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
        let place = self.unused.pop().unwrap_or(self.tenants.len());
        if place == self.tenants.len() {
            self.tenants.push(None);
        }
        if let Some(alias) = &tenant.alias {
            let alias = String::from(alias.as_str());
            self.aliases.entry(alias).or_default().push(place);
        }
        for (at, anchor) in tenant.anchors.iter().enumerate() {
            let place = Place { tenant: place, at };
            self.names.insert(anchor, place);
            let key: Box<[u8]> = anchor.spki().into();
            if !anchor.is_authority() {
                self.pins.entry(key.clone()).or_default().push(place);
            }
            self.keys.entry(key).or_default().push(place);
        }
        self.ids.insert(tenant.id.clone(), place);
        if let Some(free) = self.tenants.get_mut(place) {
            *free = Some(tenant);
        }
        former
    }

    /// Takes a tenant out.
    pub fn remove(&mut self, id: &TenantId) -> Option<Tenant> {
        let at = self.ids.remove(id)?;
        let tenant = self.tenants.get_mut(at)?.take()?;
        self.unused.push(at);
        if let Some(alias) = &tenant.alias {
            forget(&mut self.aliases, alias.as_str(), |other| *other == at);
        }
        for anchor in &tenant.anchors {
            self.names.remove(anchor.prepared_name(), at);
            for places in [&mut self.keys, &mut self.pins] {
                forget(places, anchor.spki(), |place| place.tenant == at);
            }
        }
        Some(tenant)
    }

    /// The tenant of this id.
    pub fn get(&self, id: &TenantId) -> Option<&Tenant> {
        self.tenant(*self.ids.get(id)?)
    }

    /// The tenant of this id or, if there is none, of this alias.
    ///
    /// # Errors
    /// [`TenantNotFound`]: there is none, or several have the alias.
    pub fn by_name(&self, name: &str) -> Result<&Tenant, TenantNotFound> {
        let by_id = TenantId::parse(name).ok();
        if let Some(tenant) = by_id.and_then(|id| self.get(&id)) {
            return Ok(tenant);
        }
        match self.aliases.get(name).map(Vec::as_slice) {
            Some([at]) => self.tenant(*at).ok_or(TenantNotFound::Unknown),
            Some([_, _, ..]) => Err(TenantNotFound::Ambiguous),
            _ => Err(TenantNotFound::Unknown),
        }
    }

    /// The tenant that has an anchor of this name (RFC 5280 §7.1).
    ///
    /// # Errors
    /// [`TenantNotFound`]: no tenant has one, or several do.
    pub fn by_issuer(&self, issuer: &DistinguishedName) -> Result<&Tenant, TenantNotFound> {
        let places = self.names.get(&issuer.prepared());
        match self.single(places.iter()) {
            Some(tenant) => Ok(tenant),
            None if places.is_empty() => Err(TenantNotFound::Unknown),
            None => Err(TenantNotFound::Ambiguous),
        }
    }

    /// All tenants, by their ids.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.ids.values().filter_map(|at| self.tenant(*at))
    }

    /// Those that have an anchor of this name, each once.
    pub(crate) fn tenants_with_name(&self, name: &PreparedName) -> BTreeSet<&TenantId> {
        let places = self.names.get(name).iter();
        places.filter_map(|place| self.id(place.tenant)).collect()
    }

    /// Those that have an anchor with this key, each once.
    pub(crate) fn tenants_with_key(&self, spki: &[u8]) -> BTreeSet<&TenantId> {
        let places = self.keys.get(spki).into_iter().flatten();
        places.filter_map(|place| self.id(place.tenant)).collect()
    }

    fn tenant(&self, at: usize) -> Option<&Tenant> {
        self.tenants.get(at)?.as_ref()
    }

    fn id(&self, at: usize) -> Option<&TenantId> {
        self.tenant(at).map(|tenant| &tenant.id)
    }

    fn anchor(&self, place: &Place) -> Option<&Anchor> {
        self.tenant(place.tenant)?.anchors.get(place.at)
    }

    /// The tenant that all of these are of.
    fn single<'p>(&self, mut places: impl Iterator<Item = &'p Place>) -> Option<&Tenant> {
        let first = places.next()?;
        let alone = places.all(|place| place.tenant == first.tenant);
        self.tenant(first.tenant).filter(|_| alone)
    }
}

/// The key id that an anchor's certificate gives its key (RFC 5280 §4.2.1.2). That of a bare anchor is
/// not known: authorities make them in different ways.
fn key_id(anchor: &Anchor) -> Option<Vec<u8>> {
    let certificate = Certificate::read(anchor.certificate()?)?;
    let (_, SubjectKeyIdentifier(id)) = certificate.extension().ok()??;
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
