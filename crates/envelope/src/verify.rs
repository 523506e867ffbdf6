use alloc::vec::Vec;
use core::time::Duration;

use gangplank_freshness::Claims;
use gangplank_key::{CertificateId, Signature, TrustedKey, UnixTime};

use crate::form::{Binding, Form};
use crate::json_object::is_json_object;
use crate::prepare::signing_input;
use crate::{
    Audience, Envelope, Expect, ExpectedAudience, ExpectedForm, Nonce, OnceKey, PayloadType, Stale,
};

impl Envelope<'_> {
    /// The only road to the payload.
    ///
    /// `key` is the key registered for the claimed signer, never one out of the message alone. What
    /// [`Verified::once_keys`] names must be recorded, once and durably, before the payload has an
    /// effect.
    ///
    /// # Errors
    /// [`VerifyError`], for the verifier's own log: a peer learns nothing but that it was refused.
    pub fn verify(
        &self,
        key: &TrustedKey,
        expect: &Expect<'_>,
    ) -> Result<Verified<'_>, VerifyError> {
        if self.certificate_id != *key.id() {
            return Err(VerifyError::OtherSigner {
                claimed: self.certificate_id.clone(),
                trusted: key.id().clone(),
            });
        }
        self.check_form(&expect.form)?;
        let backend = key.key().backend();
        if backend.sha256(&[self.payload]) != self.digest {
            return Err(VerifyError::Digest);
        }
        let signature = Signature::from_wire(key.key().algorithm(), &self.signature)
            .map_err(|_| VerifyError::Signature)?;
        let once = match &self.form {
            Form::Plain => {
                key.key()
                    .verify_hashed(self.payload, &self.digest, &signature)
                    .map_err(|_| VerifyError::Signature)?;
                if !is_json_object(self.payload) {
                    return Err(VerifyError::PlainPayload);
                }
                Vec::new()
            }
            Form::Bound(binding) => self.verify_bound(binding, key, &signature, expect)?,
        };
        Ok(Verified {
            envelope: self,
            once,
        })
    }

    fn verify_bound(
        &self,
        binding: &Binding,
        key: &TrustedKey,
        signature: &Signature,
        expect: &Expect<'_>,
    ) -> Result<Vec<OnceKey>, VerifyError> {
        let leaf = binding.certificates.first();
        if !leaf.is_none_or(|leaf| key.key().is_of_certificate(leaf)) {
            return Err(VerifyError::Certificate);
        }
        let backend = key.key().backend();
        let input = signing_input(binding, &self.certificate_id, &self.digest, backend);
        let hash = backend.sha256(&[&input]);
        key.key()
            .verify_hashed(&input, &hash, signature)
            .map_err(|_| VerifyError::Signature)?;
        check_audience(binding, &expect.audience)?;
        let seen = backend.sha256(&[
            b"gangplank seen message/1\0",
            self.certificate_id.as_str().as_bytes(),
            b"\0",
            &hash,
        ]);
        let claims = Claims {
            created: binding.created.map(unix),
            expires: None,
            nonce: binding.nonce.as_ref(),
        };
        Ok(expect.freshness.check(&claims, seen)?)
    }

    fn check_form(&self, expected: &ExpectedForm) -> Result<(), VerifyError> {
        match (expected, self.claimed_type()) {
            (ExpectedForm::Any, _)
            | (ExpectedForm::BoundAnyType, Some(_))
            | (ExpectedForm::Plain | ExpectedForm::PlainOrBound(_), None) => Ok(()),
            (ExpectedForm::Bound(_) | ExpectedForm::BoundAnyType, None) => {
                Err(VerifyError::PlainForm)
            }
            (ExpectedForm::Plain, Some(_)) => Err(VerifyError::BoundForm),
            (ExpectedForm::Bound(expected) | ExpectedForm::PlainOrBound(expected), Some(found)) => {
                if expected == found {
                    Ok(())
                } else {
                    Err(VerifyError::Type {
                        expected: expected.clone(),
                        found: found.clone(),
                    })
                }
            }
        }
    }
}

/// A payload that its signer signed, as the verifier expected it.
///
/// Only [`Envelope::verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified<'e> {
    envelope: &'e Envelope<'e>,
    once: Vec<OnceKey>,
}

impl<'e> Verified<'e> {
    /// The payload's bytes.
    pub fn payload(&self) -> &'e [u8] {
        self.envelope.payload
    }

    /// Who signed.
    pub fn signer(&self) -> &'e CertificateId {
        &self.envelope.certificate_id
    }

    /// What the payload is; `None` for the plain form.
    pub fn payload_type(&self) -> Option<&'e PayloadType> {
        self.envelope.claimed_type()
    }

    /// When it was signed, by the signer's clock.
    pub fn created(&self) -> Option<UnixTime> {
        self.envelope.claimed_created().map(unix)
    }

    /// The nonce, for the answer to echo.
    pub fn nonce(&self) -> Option<&'e Nonce> {
        self.envelope.claimed_nonce()
    }

    /// The certificates that came with it, leaf first, as its signer sent them. The leaf carries the
    /// key that signed; nothing else about them has been checked.
    pub fn certificates(&self) -> &'e [gangplank_key::CertificateDer<'static>] {
        self.envelope.claimed_certificates()
    }

    /// Whether it had the bound form.
    pub fn is_bound(&self) -> bool {
        self.envelope.is_bound()
    }

    /// What must not have been seen before, and must be remembered from now on: record all of them
    /// in one step with the effect of the payload, and refuse if one was there. Empty where
    /// freshness was not required, was an echo, or cannot be had (plain form).
    pub fn once_keys(&self) -> &[OnceKey] {
        &self.once
    }
}

/// Why an envelope is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The caller brought the key of another signer.
    #[error("the envelope claims to be signed by {claimed}, not by {trusted}")]
    OtherSigner {
        /// Who the envelope says signed it.
        claimed: CertificateId,
        /// Whose key was brought.
        trusted: CertificateId,
    },
    /// A plain form where a bound one is required.
    #[error("the envelope has the plain form, which is not accepted here")]
    PlainForm,
    /// A bound form where the plain one is required.
    #[error("the envelope has the bound form, which is not accepted here")]
    BoundForm,
    /// The payload is something else than expected.
    #[error("the envelope holds {found}, not {expected}")]
    Type {
        /// What was expected.
        expected: PayloadType,
        /// What it says it is.
        found: PayloadType,
    },
    /// The payload's SHA-256 is another than `digest` says.
    #[error("the payload does not have the digest that the envelope states")]
    Digest,
    /// The signature does not verify, or is none.
    #[error("the signature does not verify")]
    Signature,
    /// The first certificate is not that of the key that signed.
    #[error("the envelope's first certificate does not carry the signer's key")]
    Certificate,
    /// A plain form around something else than one JSON object.
    #[error("the plain envelope's payload is not one whole JSON object")]
    PlainPayload,
    /// Meant for somebody else, or for nobody in particular.
    #[error("the envelope is meant for {}, not for {expected}", found.as_ref().map_or("nobody in particular", |a| a.as_str()))]
    Audience {
        /// Who was expected.
        expected: Audience,
        /// For whom it is.
        found: Option<Audience>,
    },
    /// Too old, used up, or not an answer to what was asked.
    #[error(transparent)]
    Stale(#[from] Stale),
}

fn check_audience(binding: &Binding, expected: &ExpectedAudience) -> Result<(), VerifyError> {
    match expected {
        ExpectedAudience::Exactly(expected) if binding.audience.as_ref() != Some(expected) => {
            Err(VerifyError::Audience {
                expected: expected.clone(),
                found: binding.audience.clone(),
            })
        }
        _ => Ok(()),
    }
}

fn unix(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
