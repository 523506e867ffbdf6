use alloc::string::String;
use alloc::vec::Vec;

use crate::FreeObject;

/// The protocol adapters that a tenant's devices may use.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Adapters {
    /// Nothing is said: every adapter, with defaults.
    #[default]
    All,
    /// These; one whose type is not listed is off.
    Listed(AdapterList),
}

impl Adapters {
    /// Whether devices may use adapters of this type (`hono-mqtt`, `hono-http`, …).
    pub fn allows(&self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(list) => list
                .iter()
                .any(|adapter| adapter.kind == kind && adapter.enabled),
        }
    }
}

/// At least one adapter, each type once.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterList(Vec<Adapter>);

impl AdapterList {
    /// The adapters, unless there are none or a type is there twice.
    pub fn new(adapters: Vec<Adapter>) -> Option<Self> {
        let mut kinds: Vec<&str> = adapters.iter().map(|found| found.kind.as_str()).collect();
        kinds.sort_unstable();
        let twice = kinds.windows(2).any(|pair| pair.first() == pair.last());
        (!adapters.is_empty() && !twice).then_some(Self(adapters))
    }

    /// The adapters, in the order they were written in.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Adapter> {
        self.0.iter()
    }
}

/// What a tenant says of one type of protocol adapter.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// Its type.
    pub kind: String,
    /// Whether devices may use it; not, unless it says so.
    pub enabled: bool,
    /// Whether devices have to prove who they are; yes, unless it says no.
    pub device_authentication_required: bool,
    /// What else is said, for the adapter alone.
    pub other: FreeObject,
}
