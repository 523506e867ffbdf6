use alloc::vec::Vec;
use core::time::Duration;

use gangplank_key::{CertificateId, Signature, TrustedKey, UnixTime};

use crate::form::{Binding, Form};
use crate::prepare::{is_json_object, signing_input};
use crate::{
    Audience, Envelope, Expect, ExpectedAudience, ExpectedForm, Freshness, Nonce, NonceIssuer,
    NonceRefused, PayloadType, Window,
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
                    .verify(self.payload, &signature)
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
        key.key()
            .verify(&input, signature)
            .map_err(|_| VerifyError::Signature)?;
        check_audience(binding, &expect.audience)?;
        let seen = backend.sha256(&[
            b"gangplank seen message/1\0",
            self.certificate_id.as_str().as_bytes(),
            b"\0",
            &backend.sha256(&[&input]),
        ]);
        check_freshness(binding, &expect.freshness, seen)
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

/// A name that may be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnceKey {
    /// A hash, never the signature's bytes: ECDSA signatures can be changed and still verify.
    pub key: [u8; 32],
    /// It may be forgotten after this moment, since the envelope would then be stale anyway.
    pub until: UnixTime,
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
    /// It does not say when it was signed.
    #[error("the envelope does not say when it was created")]
    CreatedMissing,
    /// Signed too long ago.
    #[error("the envelope was created {age} s ago, more than the {max} s accepted")]
    TooOld {
        /// Seconds since `created`.
        age: u64,
        /// Seconds accepted.
        max: u64,
    },
    /// Signed in the future: one of the two clocks is wrong.
    #[error("the envelope was created {lead} s in the future, more than the {max} s accepted")]
    TooNew {
        /// Seconds until `created`.
        lead: u64,
        /// Seconds accepted.
        max: u64,
    },
    /// It has no nonce, or neither `created` nor a nonce.
    #[error("the envelope has no nonce")]
    NonceMissing,
    /// It answers another request.
    #[error("the envelope does not echo the request's nonce")]
    NotEchoed,
    /// Its nonce proves nothing.
    #[error(transparent)]
    Nonce(#[from] NonceRefused),
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

/// Checks what proves freshness; each proof that is used names what must be remembered of it.
fn check_freshness(
    binding: &Binding,
    freshness: &Freshness<'_>,
    seen: [u8; 32],
) -> Result<Vec<OnceKey>, VerifyError> {
    let by_time = |window: &Window| -> Result<OnceKey, VerifyError> {
        let until = in_window(binding, window)?;
        Ok(OnceKey { key: seen, until })
    };
    let by_nonce = |issuer: &NonceIssuer, now: UnixTime| -> Result<OnceKey, VerifyError> {
        let nonce = binding.nonce.as_ref().ok_or(VerifyError::NonceMissing)?;
        let until = issuer.check(nonce, now)?;
        // Only an issued nonce gets here: 32 bytes of our own making, so the key is itself.
        let key = nonce
            .as_bytes()
            .try_into()
            .map_err(|_| NonceRefused::NotOurs)?;
        Ok(OnceKey { key, until })
    };
    match freshness {
        Freshness::NotRequired => Ok(Vec::new()),
        Freshness::Echo(nonce) if binding.nonce.as_ref() == Some(*nonce) => Ok(Vec::new()),
        Freshness::Echo(_) => Err(VerifyError::NotEchoed),
        Freshness::Created(window) => Ok([by_time(window)?].into()),
        Freshness::ServerNonce(issuer, now) => Ok([by_nonce(issuer, *now)?].into()),
        Freshness::CreatedOrServerNonce(window, issuer) => Ok(match binding.created {
            Some(_) => [by_time(window)?].into(),
            None => [by_nonce(issuer, window.now)?].into(),
        }),
        Freshness::Both(window, issuer) => {
            Ok([by_time(window)?, by_nonce(issuer, window.now)?].into())
        }
    }
}

/// Until when `created` stays in the window.
fn in_window(binding: &Binding, window: &Window) -> Result<UnixTime, VerifyError> {
    let created = binding.created.ok_or(VerifyError::CreatedMissing)?;
    let now = window.now.as_secs();
    let (max_age, max_lead) = (window.max_age.as_secs(), window.max_lead.as_secs());
    if now > created.saturating_add(max_age) {
        return Err(VerifyError::TooOld {
            age: now.saturating_sub(created),
            max: max_age,
        });
    }
    if created > now.saturating_add(max_lead) {
        return Err(VerifyError::TooNew {
            lead: created.saturating_sub(now),
            max: max_lead,
        });
    }
    Ok(unix(created.saturating_add(max_age)))
}

fn unix(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
