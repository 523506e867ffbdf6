//! Answers that the orchestrator signs.

use axum::response::{IntoResponse, Response};
use gangplank_envelope::{Binding, Envelope, Form, MEDIA_TYPE, Nonce, PayloadType};
use gangplank_key::CertificateId;
use gangplank_onboarding::ProblemName;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use super::Refusal;
use crate::reached::Reached;
use crate::server::{BACKEND, Server};

impl Server {
    /// Signs `payload` for one device, echoing its nonce, so that an old answer or another
    /// device's is not believed.
    pub(crate) fn signed_answer(
        &self,
        reached: &Reached,
        status: StatusCode,
        payload_type: PayloadType,
        payload: &[u8],
        device: &CertificateId,
        nonce: Option<&Nonce>,
    ) -> Result<Response, Refusal> {
        let internal =
            |error: &dyn core::fmt::Display| Refusal::new(ProblemName::InternalError, error);
        let signer = self.shared.authority.signer();
        let mut binding = Binding::new(payload_type)
            .created(self.now())
            .audience(
                reached
                    .audience_of(device)
                    .map_err(|error| internal(&error))?,
            )
            .certificates(vec![signer.certificate().clone()]);
        if let Some(nonce) = nonce {
            binding = binding.nonce(nonce.clone());
        }
        let envelope = Envelope::prepare_with(payload, Form::Bound(binding), signer.id(), BACKEND)
            .map_err(|error| internal(&error))?
            .sign_with(signer.key())
            .map_err(|error| internal(&error))?;
        let content_type = (CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        Ok((status, [content_type], envelope).into_response())
    }
}
