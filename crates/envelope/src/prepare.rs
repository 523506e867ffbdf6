use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use gangplank_key::{Backend, CertificateId, Signature, SigningError, SigningKey};

use crate::der::is_one_sequence;
use crate::encode::{Parts, decimal};
use crate::form::Form;
use crate::json_object::is_json_object;
use crate::limits::FORMAT_CERTIFICATES;
use crate::{Binding, Envelope};

impl Envelope<'_> {
    /// Prepares a payload for signing by whatever signs: a key in memory, a TPM, a remote service.
    ///
    /// The payload is given away or lent; it is not copied.
    ///
    /// # Errors
    /// [`PrepareError`] when the caller asks for an envelope that nobody would accept.
    pub fn prepare<'p>(
        payload: impl Into<Cow<'p, [u8]>>,
        form: Form,
        signer: &CertificateId,
    ) -> Result<ToBeSigned<'p>, PrepareError> {
        Self::prepare_with(payload, form, signer, Backend::PURE_RUST)
    }

    /// As [`prepare`](Self::prepare), hashing the payload with `backend`'s SHA-256.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn prepare_with<'p>(
        payload: impl Into<Cow<'p, [u8]>>,
        form: Form,
        signer: &CertificateId,
        backend: Backend,
    ) -> Result<ToBeSigned<'p>, PrepareError> {
        let payload = payload.into();
        let digest = backend.sha256(&[&payload]);
        let input = match &form {
            Form::Plain if !is_json_object(&payload) => return Err(PrepareError::PlainPayload),
            Form::Plain => None,
            Form::Bound(binding) => {
                check(binding)?;
                Some(signing_input(binding, signer, &digest, backend))
            }
        };
        let signer = signer.clone();
        Ok(ToBeSigned {
            payload,
            digest,
            input,
            signer,
            form,
        })
    }
}

/// An envelope that lacks its signature.
#[derive(Clone)]
pub struct ToBeSigned<'p> {
    payload: Cow<'p, [u8]>,
    digest: [u8; 32],
    input: Option<Vec<u8>>,
    signer: CertificateId,
    form: Form,
}

impl ToBeSigned<'_> {
    /// The bytes to sign: the payload (plain form) or a few hundred bytes (bound form).
    pub fn message(&self) -> &[u8] {
        self.input.as_deref().unwrap_or(&self.payload)
    }

    /// Signs with `key` and gives the envelope's text.
    ///
    /// # Errors
    /// [`SealError`] when the key store fails or `key` is not that of the leading certificate.
    pub fn sign_with(&self, key: &dyn SigningKey) -> Result<Vec<u8>, SealError> {
        let mut text = Vec::new();
        self.sign_into(key, &mut text)?;
        Ok(text)
    }

    /// As [`sign_with`](Self::sign_with), writing the text in place of what `text` held.
    ///
    /// # Errors
    /// As [`sign_with`](Self::sign_with); then `text` is as it was.
    pub fn sign_into(&self, key: &dyn SigningKey, text: &mut Vec<u8>) -> Result<(), SealError> {
        if let Form::Bound(Binding { certificates, .. }) = &self.form
            && let Some(leaf) = certificates.first()
            && !key.public_key().is_of_certificate(leaf)
        {
            return Err(SealError::Certificate);
        }
        let signature = key.sign(self.message())?;
        self.complete_into(&signature, text);
        Ok(())
    }

    /// Takes the signature that some signer made over [`message`](Self::message) and gives the
    /// envelope's text. That it is of another key, only the verifier notices.
    pub fn complete(&self, signature: &Signature) -> Vec<u8> {
        let mut text = Vec::new();
        self.complete_into(signature, &mut text);
        text
    }

    /// As [`complete`](Self::complete), writing the text in place of what `text` held.
    pub fn complete_into(&self, signature: &Signature, text: &mut Vec<u8>) {
        let parts = Parts {
            payload: &self.payload,
            digest: &self.digest,
            signature: &signature.to_wire(),
            certificate_id: &self.signer,
            form: &self.form,
        };
        parts.write(text);
    }
}

impl fmt::Debug for ToBeSigned<'_> {
    /// Without the payload, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToBeSigned")
            .field("payload_length", &self.payload.len())
            .field("signer", &self.signer)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

/// Why a payload cannot be put in such an envelope. The caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A plain form around something else than one JSON object, which might pass for another thing
    /// that the same key signs.
    #[error("a plain envelope's payload must be one whole JSON object")]
    PlainPayload,
    /// `created` beyond 2^53 - 1.
    #[error("`created` is beyond 2^53 - 1")]
    Created,
    /// More certificates than the format has room for.
    #[error("an envelope has at most 8 certificates, not {count}")]
    Certificates {
        /// How many there are.
        count: usize,
    },
    /// A certificate that is not DER: PEM text, several of them, or nothing.
    #[error("certificate {position} (counted from 0) is not the DER of one certificate")]
    Certificate {
        /// Its place, from 0.
        position: usize,
    },
}

/// Why an envelope could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The first of the certificates is not that of the signing key.
    #[error("the first certificate does not carry the signing key's public half")]
    Certificate,
    /// The key store failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// The bytes that a bound envelope's signature covers (`docs/envelope.md` §4).
pub(crate) fn signing_input(
    binding: &Binding,
    signer: &CertificateId,
    payload_digest: &[u8; 32],
    backend: Backend,
) -> Vec<u8> {
    let created = binding.created.map(decimal);
    let chain = (!binding.certificates.is_empty()).then(|| {
        let parts: Vec<&[u8]> = binding.certificates.iter().map(AsRef::as_ref).collect();
        backend.sha256(&parts)
    });
    let fields: [&[u8]; 7] = [
        binding.payload_type.as_str().as_bytes(),
        signer.as_str().as_bytes(),
        created.as_deref().unwrap_or_default(),
        binding
            .nonce
            .as_ref()
            .map_or("", |nonce| nonce.as_str())
            .as_bytes(),
        binding
            .audience
            .as_ref()
            .map_or("", |audience| audience.as_str())
            .as_bytes(),
        chain.as_ref().map_or(&[], |hash| hash),
        payload_digest,
    ];
    let mut input = Vec::with_capacity(512);
    input.extend_from_slice(PREFIX);
    for field in fields {
        input.extend_from_slice(&(field.len() as u64).to_be_bytes());
        input.extend_from_slice(field);
    }
    input
}

fn check(binding: &Binding) -> Result<(), PrepareError> {
    if binding.created.is_some_and(|seconds| seconds >= 1 << 53) {
        return Err(PrepareError::Created);
    }
    let count = binding.certificates.len();
    if count > FORMAT_CERTIFICATES {
        return Err(PrepareError::Certificates { count });
    }
    match binding
        .certificates
        .iter()
        .position(|certificate| !is_one_sequence(certificate))
    {
        Some(position) => Err(PrepareError::Certificate { position }),
        None => Ok(()),
    }
}

/// FF begins no UTF-8 text, no certificate, no request for one and no TLS transcript; the version
/// makes later forms distinct.
const PREFIX: &[u8] = b"\xFFgangplank-envelope/1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PayloadType;
    use gangplank_key::CertificateDer;

    #[test]
    fn what_every_decoder_would_refuse_is_not_prepared() {
        let signer = CertificateId::parse("SN-0001").unwrap();
        let prepare = |certificates: &[&[u8]]| {
            let certificates = certificates
                .iter()
                .map(|der| CertificateDer::from(der.to_vec()));
            let binding = Binding::new(PayloadType::ONBOARDING_REQUEST);
            let form = Form::Bound(binding.certificates(certificates.collect()));
            Envelope::prepare(&b""[..], form, &signer).map(|_| ())
        };
        let good = include_bytes!("../../key/tests/data/p256.cert.der").as_slice();
        assert_eq!(prepare(&[good; 8]), Ok(()));
        assert_eq!(
            prepare(&[good; 9]),
            Err(PrepareError::Certificates { count: 9 })
        );
        let pem = b"-----BEGIN CERTIFICATE-----".as_slice();
        for bad in [pem, b"", &[good, good].concat()] {
            assert_eq!(
                prepare(&[bad]),
                Err(PrepareError::Certificate { position: 0 })
            );
            assert_eq!(
                prepare(&[good, good, bad]),
                Err(PrepareError::Certificate { position: 2 })
            );
        }
    }
}
