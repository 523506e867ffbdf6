use alloc::vec::Vec;
use core::fmt;

use gangplank_key::{CertificateDer, CertificateId};

use crate::form::{Binding, Form};
use crate::{Nonce, PayloadType};

/// A decoded envelope. Nothing in it is believed yet.
///
/// The payload can be read only through [`verify`](Self::verify). The `claimed_*` methods give what
/// the sender says, to look up a key or to write a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope<'w> {
    pub(crate) payload: &'w [u8],
    pub(crate) digest: [u8; 32],
    pub(crate) signature: Vec<u8>,
    pub(crate) certificate_id: CertificateId,
    pub(crate) form: Form,
}

impl Envelope<'_> {
    /// Who claims to have signed: something to look up, not a fact.
    pub fn claimed_signer(&self) -> &CertificateId {
        &self.certificate_id
    }

    /// What the payload claims to be; `None` for the plain form.
    pub fn claimed_type(&self) -> Option<&PayloadType> {
        self.binding().map(|binding| &binding.payload_type)
    }

    /// The nonce it claims to be fresh by.
    pub fn claimed_nonce(&self) -> Option<&Nonce> {
        self.binding()?.nonce.as_ref()
    }

    /// For whom it claims to be meant.
    pub fn claimed_audience(&self) -> Option<&crate::Audience> {
        self.binding()?.audience.as_ref()
    }

    /// When it claims to have been signed, in Unix seconds.
    pub fn claimed_created(&self) -> Option<u64> {
        self.binding()?.created
    }

    /// The certificates it brings, leaf first; empty for the plain form. They prove nothing by
    /// being here.
    pub fn claimed_certificates(&self) -> &[CertificateDer<'static>] {
        self.binding()
            .map_or(&[], |binding| binding.certificates.as_slice())
    }

    /// Bytes in the payload.
    pub fn payload_length(&self) -> usize {
        self.payload.len()
    }

    /// Whether it has the bound form.
    pub fn is_bound(&self) -> bool {
        self.binding().is_some()
    }

    fn binding(&self) -> Option<&Binding> {
        match &self.form {
            Form::Plain => None,
            Form::Bound(binding) => Some(binding),
        }
    }
}

impl fmt::Debug for Envelope<'_> {
    /// Without the payload, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("payload_length", &self.payload.len())
            .field("certificate_id", &self.certificate_id)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}
