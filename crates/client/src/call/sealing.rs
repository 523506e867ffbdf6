//! How what is sent becomes signed, in the form that the settings say.

use alloc::{boxed::Box, vec::Vec};
use core::mem;

use gangplank_envelope::{
    Binding, Envelope, Form, Nonce, PayloadType, payload_signature::PayloadSignature,
};
use gangplank_key::{CertificateDer, CryptoRng, PublicKey, Signature, UnixTime};

#[cfg(feature = "message")]
use gangplank_message::{Target, margo};

use super::Call;
use crate::{
    Now, ReportForm, RequestError, Step, Stopped,
    context::Context,
    plan::{Body, Sealed, SentNonce, Stage, Unsigned},
};

impl<T> Call<T> {
    pub(super) fn begin(
        &mut self,
        context: &mut Context,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<Step<T>, Stopped> {
        let unsigned = match &self.plan.body {
            Body::Bootstrap | Body::ClientCredentials => {
                return Ok(self.send(context, now, Sealed::default()));
            }
            Body::Nonce => {
                let sealed = Sealed {
                    nonce: Some(SentNonce::own(Nonce::random(rng))),
                    ..Sealed::default()
                };
                return Ok(self.send(context, now, sealed));
            }
            Body::Introduction(payload_type, payload) => {
                let contents = (payload_type.clone(), payload.clone());
                let certificates = context.settings.certificates.clone();
                self.envelope(context, now, rng, contents, certificates)
            }
            Body::Report(payload_type, payload) => match context.settings.report_form {
                ReportForm::Envelope => {
                    let contents = (payload_type.clone(), payload.clone());
                    self.envelope(context, now, rng, contents, Vec::new())
                }
                ReportForm::PayloadSignature => body(context, payload.clone()),
                #[cfg(feature = "message")]
                ReportForm::MessageSignature => {
                    self.signed_message(context, now, rng, payload.clone())
                }
            },
        }
        .map_err(Stopped::Request)?;
        let message = unsigned.message().to_vec();
        self.stage = Stage::Signing(Box::new(unsigned));
        Ok(Step::Sign(message))
    }

    pub(crate) fn signed(&mut self, signature: &Signature) {
        if let Stage::Signing(unsigned) = mem::take(&mut self.stage) {
            match seal(*unsigned, signature) {
                Ok(sealed) => self.stage = Stage::Sealed(sealed),
                Err(error) => self.outcome = Some(Err(Stopped::Request(error))),
            }
        }
    }

    fn envelope(
        &self,
        context: &mut Context,
        now: Now,
        rng: &mut dyn CryptoRng,
        (payload_type, payload): (PayloadType, Vec<u8>),
        certificates: Vec<CertificateDer<'static>>,
    ) -> Result<Unsigned, RequestError> {
        let (nonce, created) = self.freshness(context, now, rng);
        let mut binding = Binding::new(payload_type)
            .nonce(nonce.nonce.clone())
            .audience(context.audience.clone())
            .certificates(certificates);
        if let Some(created) = created {
            binding = binding.created(created);
        }
        let backend = context.settings.backend;
        let signer = &context.settings.certificate_id;
        Envelope::prepare_with(payload, Form::Bound(binding), signer, backend)
            .map(|envelope| Unsigned::Envelope(envelope, nonce))
            .map_err(RequestError::Prepare)
    }

    #[cfg(feature = "message")]
    fn signed_message(
        &self,
        context: &Context,
        now: Now,
        rng: &mut dyn CryptoRng,
        payload: Vec<u8>,
    ) -> Result<Unsigned, RequestError> {
        let created = context.time.created(now).ok_or(RequestError::NoClock)?;
        let target = Target::parse(&self.plan.url).map_err(RequestError::Target)?;
        let method = self.plan.body.method().as_str();
        let key = own_key(context)?;
        let nonce = Nonce::random(rng);
        margo::prepare(method, target, Some(&payload), created, &nonce, &key)
            .map(|request| Unsigned::Message(request, payload))
            .map_err(RequestError::PrepareMessage)
    }

    /// What proves to the server that the envelope is new. After a 401 its nonce alone, because
    /// `created` may be what was wrong; if that is not enough, both; else `created` where there is a
    /// clock, and a nonce of our own for the answer to echo.
    fn freshness(
        &self,
        context: &mut Context,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> (SentNonce, Option<UnixTime>) {
        let created = context.time.created(now);
        let wanted = self.tally.nonces > 0 || created.is_none();
        match context.server_nonce.take() {
            Some(nonce) if wanted => (nonce, created.filter(|_| self.tally.nonces > 1)),
            _ => (SentNonce::own(Nonce::random(rng)), created),
        }
    }
}

/// A report that the header signs; the header carries the key of the device's certificate.
fn body(context: &Context, payload: Vec<u8>) -> Result<Unsigned, RequestError> {
    PayloadSignature::prepare(payload, &own_key(context)?)
        .map(Unsigned::Body)
        .map_err(RequestError::PrepareBody)
}

/// The key of the device's certificate.
fn own_key(context: &Context) -> Result<PublicKey, RequestError> {
    let settings = &context.settings;
    // There is one: `Context::new` counted.
    let leaf = settings
        .certificates
        .first()
        .ok_or(RequestError::NoCertificate)?;
    PublicKey::from_certificate(leaf, settings.backend).map_err(RequestError::Key)
}

fn seal(unsigned: Unsigned, signature: &Signature) -> Result<Sealed, RequestError> {
    match unsigned {
        Unsigned::Envelope(envelope, nonce) => Ok(Sealed {
            body: envelope.complete(signature),
            nonce: Some(nonce),
            signed_by: Vec::new(),
        }),
        Unsigned::Body(body) => {
            let signed = body.complete(signature).map_err(RequestError::SealBody)?;
            Ok(Sealed {
                body: signed.body,
                nonce: None,
                signed_by: [(PayloadSignature::HEADER, signed.header)].into(),
            })
        }
        #[cfg(feature = "message")]
        Unsigned::Message(request, body) => {
            let signed = request
                .complete(signature)
                .map_err(RequestError::SealMessage)?;
            let content_digest = signed.content_digest.map(|value| ("content-digest", value));
            Ok(Sealed {
                body,
                nonce: None,
                signed_by: content_digest
                    .into_iter()
                    .chain([
                        ("signature-input", signed.signature_input),
                        ("signature", signed.signature),
                    ])
                    .collect(),
            })
        }
    }
}
