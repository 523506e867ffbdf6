use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use gangplank_key::CertificateId;

use crate::base64_text::append_standard;
use crate::form::Form;
use crate::{Binding, Envelope};

impl Envelope<'_> {
    /// The one canonical text: compact, members in the order of the format, absent ones left out.
    ///
    /// Decoding it gives this envelope again.
    pub fn encode(&self) -> Vec<u8> {
        text(&Parts {
            payload: self.payload,
            digest: &self.digest,
            signature: &self.signature,
            certificate_id: &self.certificate_id,
            form: &self.form,
        })
    }
}

/// What is written, borrowed from wherever it is.
pub(crate) struct Parts<'p> {
    pub(crate) payload: &'p [u8],
    pub(crate) digest: &'p [u8; 32],
    pub(crate) signature: &'p [u8],
    pub(crate) certificate_id: &'p CertificateId,
    pub(crate) form: &'p Form,
}

pub(crate) fn text(parts: &Parts<'_>) -> Vec<u8> {
    let mut text = String::with_capacity(parts.payload.len().div_ceil(3) * 4 + 1024);
    text.push_str("{\"payload\":\"");
    append_standard(parts.payload, &mut text);
    text.push_str("\",\"digest\":\"sha256:");
    for byte in parts.digest {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str("\",\"signature\":\"");
    append_standard(parts.signature, &mut text);
    text.push_str("\",\"certificateId\":\"");
    text.push_str(parts.certificate_id.as_str());
    text.push('"');
    if let Form::Bound(binding) = parts.form {
        append_binding(binding, &mut text);
    }
    text.push('}');
    text.into_bytes()
}

fn append_binding(binding: &Binding, text: &mut String) {
    // No value needs an escape: each alphabet excludes the quotation mark and the backslash.
    let _ = write!(text, ",\"type\":\"{}\"", binding.payload_type);
    if let Some(created) = binding.created {
        let _ = write!(text, ",\"created\":{created}");
    }
    if let Some(nonce) = &binding.nonce {
        let _ = write!(text, ",\"nonce\":\"{nonce}\"");
    }
    if let Some(audience) = &binding.audience {
        let _ = write!(text, ",\"audience\":\"{audience}\"");
    }
    for (position, certificate) in binding.certificates.iter().enumerate() {
        text.push_str(if position == 0 {
            ",\"certificates\":[\""
        } else {
            "\",\""
        });
        append_standard(certificate, text);
    }
    if !binding.certificates.is_empty() {
        text.push_str("\"]");
    }
}
