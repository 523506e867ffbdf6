use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::element::Element;
use crate::{Anchor, PreparedName};

/// Whatever may have issued a certificate, by name (RFC 5280 §6.1.3 (a) (4), names compared by §7.1).
pub(crate) struct Pool<'p, 't> {
    by_name: BTreeMap<&'p PreparedName, Vec<Issuer<'p, 't>>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Issuer<'p, 't> {
    Anchor(&'t Anchor),
    Intermediate(&'p Element<'p>),
}

impl<'p, 't> Pool<'p, 't> {
    /// Anchors stand before intermediates, so that the shorter path is found first.
    pub(crate) fn new(elements: &'p [Element<'p>], anchors: &[&'t Anchor]) -> Self {
        let mut by_name: BTreeMap<&PreparedName, Vec<Issuer<'p, 't>>> = BTreeMap::new();
        for element in elements {
            by_name.entry(&element.certificate.issuer).or_default();
        }
        for anchor in anchors {
            if let Some(issuers) = by_name.get_mut(anchor.prepared_name()) {
                issuers.push(Issuer::Anchor(anchor));
            }
        }
        for element in elements.iter().filter(|element| element.place > 0) {
            if let Some(issuers) = by_name.get_mut(&element.certificate.subject) {
                issuers.push(Issuer::Intermediate(element));
            }
        }
        Self { by_name }
    }

    pub(crate) fn issuers(&self, name: &PreparedName) -> &[Issuer<'p, 't>] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }
}
