use alloc::vec::Vec;

use gangplank_key::CertificateId;

use crate::base64_text::{append_standard, make_room, write_standard};
use crate::form::Form;
use crate::limits::base64_length;
use crate::{Binding, Envelope};

impl Envelope<'_> {
    /// The one canonical text: compact, members in the order of the format, absent ones left out.
    ///
    /// Decoding it gives this envelope again.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let parts = Parts {
            payload: self.payload,
            digest: &self.digest,
            signature: &self.signature,
            certificate_id: &self.certificate_id,
            form: &self.form,
        };
        parts.write(&mut text);
        text
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

impl Parts<'_> {
    /// Writes the text in place of what `text` held.
    pub(crate) fn write(&self, text: &mut Vec<u8>) {
        // The payload is written over what the buffer holds: wiping it first would take as long again.
        make_room(text, self.room());
        text.truncate(BEGIN.len() + base64_length(self.payload.len()));
        if let Some((begin, payload)) = text.split_at_mut_checked(BEGIN.len()) {
            begin.copy_from_slice(BEGIN);
            write_standard(self.payload, payload);
        }
        text.extend_from_slice(b"\",\"digest\":\"sha256:");
        text.extend(
            self.digest
                .iter()
                .flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]),
        );
        text.extend_from_slice(b"\",\"signature\":\"");
        append_standard(self.signature, text);
        text.extend_from_slice(b"\",\"certificateId\":\"");
        text.extend_from_slice(self.certificate_id.as_str().as_bytes());
        text.push(b'"');
        if let Form::Bound(binding) = self.form {
            append_binding(binding, text);
        }
        text.push(b'}');
    }

    /// As many bytes as the text has or some more, unless its audience is very long, so that it is
    /// allocated once.
    fn room(&self) -> usize {
        let certificates = match self.form {
            Form::Plain => &[],
            Form::Bound(binding) => binding.certificates.as_slice(),
        };
        let values = [self.payload, self.signature];
        let values = values
            .into_iter()
            .chain(certificates.iter().map(AsRef::as_ref));
        values
            .map(|value| base64_length(value.len()) + 3)
            .sum::<usize>()
            + SMALL_MEMBERS
    }
}

fn append_binding(binding: &Binding, text: &mut Vec<u8>) {
    // No value needs an escape: each alphabet excludes the quotation mark and the backslash.
    append_member(b"type", binding.payload_type.as_str(), text);
    if let Some(created) = binding.created {
        text.extend_from_slice(b",\"created\":");
        text.extend(decimal(created));
    }
    if let Some(nonce) = &binding.nonce {
        append_member(b"nonce", nonce.as_str(), text);
    }
    if let Some(audience) = &binding.audience {
        append_member(b"audience", audience.as_str(), text);
    }
    for (position, certificate) in binding.certificates.iter().enumerate() {
        text.extend_from_slice(if position == 0 {
            b",\"certificates\":[\""
        } else {
            b"\",\""
        });
        append_standard(certificate, text);
    }
    if !binding.certificates.is_empty() {
        text.extend_from_slice(b"\"]");
    }
}

fn append_member(name: &[u8], value: &str, text: &mut Vec<u8>) {
    for part in [b",\"", name, b"\":\"", value.as_bytes(), b"\""] {
        text.extend_from_slice(part);
    }
}

/// A number in decimal; `core::fmt`, for this alone, would be a twentieth of a device's program.
pub(crate) fn decimal(mut number: u64) -> Vec<u8> {
    let mut digits = Vec::with_capacity(20);
    loop {
        digits.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            digits.reverse();
            return digits;
        }
    }
}

fn hex(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' - 10 + nibble,
    }
}

const BEGIN: &[u8] = b"{\"payload\":\"";
/// Room for the names of the members, the digest, an id, a type, a time, a nonce and a usual
/// audience.
const SMALL_MEMBERS: usize = 768;
