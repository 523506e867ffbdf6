use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Place;
use crate::{Anchor, DistinguishedName, PreparedName};

/// Anchors by their names.
///
/// A certificate mostly has the issuer's name as the issuer wrote it: such a name is found by its bytes,
/// and need not be read. Any other is found by what it means.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    slots: Vec<Slot>,
    unused: Vec<usize>,
    prepared: Numbers,
    encoded: Numbers,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    places: Vec<Place>,
    /// How the anchors that are or were here write the name. All of it means the one name of the slot.
    encodings: Vec<Box<[u8]>>,
}

impl Names {
    pub(super) fn insert(&mut self, anchor: &Anchor, place: Place) {
        let prepared = anchor.prepared_name().as_bytes();
        let at = self.prepared.get(prepared).unwrap_or_else(|| {
            let at = self.unused.pop().unwrap_or(self.slots.len());
            self.prepared.insert(prepared, at);
            at
        });
        if at == self.slots.len() {
            self.slots.push(Slot::default());
        }
        let encoding = anchor.name().to_der();
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        slot.places.push(place);
        if self.encoded.get(&encoding).is_none() {
            self.encoded.insert(&encoding, at);
            slot.encodings.push(encoding.into_boxed_slice());
        }
    }

    /// Takes the anchors of this name and tenant out.
    pub(super) fn remove(&mut self, name: &PreparedName, tenant: usize) {
        let at = self.prepared.get(name.as_bytes());
        let Some((at, slot)) = at.and_then(|at| Some((at, self.slots.get_mut(at)?))) else {
            return;
        };
        slot.places.retain(|place| place.tenant != tenant);
        if slot.places.is_empty() {
            for encoding in slot.encodings.drain(..) {
                self.encoded.remove(&encoding);
            }
            self.prepared.remove(name.as_bytes());
            self.unused.push(at);
        }
    }

    /// The anchors of this name.
    pub(super) fn get(&self, name: &PreparedName) -> &[Place] {
        self.slot(self.prepared.get(name.as_bytes()))
    }

    /// The anchors of the name that this is the DER of; none if it is no name.
    pub(super) fn get_encoded(&self, der: &[u8]) -> &[Place] {
        if let Some(at) = self.encoded.get(der) {
            return self.slot(Some(at));
        }
        let name = DistinguishedName::from_der(der);
        name.map_or(&[], |name| self.get(&name.prepared()))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.prepared.0.is_empty() && self.encoded.0.is_empty()
    }

    fn slot(&self, at: Option<usize>) -> &[Place] {
        let slot = at.and_then(|at| self.slots.get(at));
        slot.map(|slot| slot.places.as_slice()).unwrap_or_default()
    }
}

/// Numbers by bytes.
///
/// Ordered by a hash, since comparing numbers that lie side by side takes a fraction of what it takes
/// to compare bytes from all over the memory. The hash has no secret: whoever makes anchors whose names
/// share one, makes these slower to find, by a comparison each.
#[derive(Clone, Debug, Default)]
struct Numbers(BTreeMap<u64, Vec<Numbered>>);

#[derive(Clone, Debug)]
struct Numbered {
    key: Box<[u8]>,
    number: usize,
}

impl Numbers {
    fn get(&self, key: &[u8]) -> Option<usize> {
        let mut bucket = self.0.get(&hash(key))?.iter();
        let found = bucket.find(|numbered| *numbered.key == *key);
        found.map(|numbered| numbered.number)
    }

    fn insert(&mut self, key: &[u8], number: usize) {
        let bucket = self.0.entry(hash(key)).or_default();
        let key = key.into();
        bucket.push(Numbered { key, number });
    }

    fn remove(&mut self, key: &[u8]) {
        super::forget(&mut self.0, &hash(key), |numbered| *numbered.key == *key);
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest.iter().map(|byte| u64::from(*byte));
    words.chain(rest).fold(bytes.len() as u64, |hash, word| {
        // Both halves of the product, so that every bit of the word reaches every bit of the hash.
        let wide = u128::from(hash ^ word ^ ODD) * u128::from(ODD);
        wide as u64 ^ (wide >> 64) as u64
    })
}

/// 2^64 divided by the golden ratio.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
