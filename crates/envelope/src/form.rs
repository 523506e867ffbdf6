use alloc::vec::Vec;

use gangplank_key::{CertificateDer, UnixTime};

use crate::{Audience, Nonce, PayloadType};

/// The two forms of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// The signature covers the payload bytes alone, as a Margo 2024 device makes it. The payload
    /// is one whole JSON object. It cannot be guarded against replay.
    Plain,
    /// The signature also covers what the payload is, when, for whom and by whom.
    Bound(Binding),
}

/// What a bound envelope's signature covers beside the payload and the certificate id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub(crate) payload_type: PayloadType,
    pub(crate) created: Option<u64>,
    pub(crate) nonce: Option<Nonce>,
    pub(crate) audience: Option<Audience>,
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl Binding {
    /// Binds to what the payload is, and to nothing else yet.
    pub fn new(payload_type: PayloadType) -> Self {
        Self {
            payload_type,
            created: None,
            nonce: None,
            audience: None,
            certificates: Vec::new(),
        }
    }

    /// When it is signed, in whole seconds.
    #[must_use]
    pub fn created(mut self, created: UnixTime) -> Self {
        self.created = Some(created.as_secs());
        self
    }

    /// A nonce: one the server issued, or a random one for the answer to echo.
    #[must_use]
    pub fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// For whom it is meant.
    #[must_use]
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience = Some(audience);
        self
    }

    /// The signer's certificate and its intermediates, leaf first, for a verifier that lacks them.
    #[must_use]
    pub fn certificates(mut self, certificates: Vec<CertificateDer<'static>>) -> Self {
        self.certificates = certificates;
        self
    }
}
