use alloc::string::String;
use alloc::vec::Vec;

use gangplank_key::{CertificateDer, CertificateId, CertificateIdError};

use crate::base64_text::read_standard;
use crate::der::is_one_sequence;
use crate::form::{Binding, Form};
use crate::limits::{FORMAT_CERTIFICATES, SIGNATURE};
use crate::{
    Audience, AudienceError, Envelope, Limits, Nonce, NonceError, PayloadType, PayloadTypeError,
};

mod raw;
mod reader;

use raw::Raw;

impl<'w> Envelope<'w> {
    /// Reads an envelope: strict, bounded, and without believing any of it.
    ///
    /// `scratch` receives the decoded payload in place of what it held. A caller may use one buffer
    /// for many envelopes, and then nothing of a payload's size is allocated.
    ///
    /// # Errors
    /// [`DecodeError`]: the sender wrote no envelope, or a larger one than `limits` allows.
    pub fn decode(
        wire: &[u8],
        limits: &Limits,
        scratch: &'w mut Vec<u8>,
    ) -> Result<Self, DecodeError> {
        if wire.len() > limits.text() {
            return Err(DecodeError::TooLarge {
                length: wire.len(),
                limit: limits.text(),
            });
        }
        let raw = Raw::read(wire)?;
        let form = form(&raw, limits)?;
        let certificate_id = member("certificateId", CertificateId::parse(raw.certificate_id))?;
        let digest = member("digest", digest(raw.digest))?;
        let signature = member("signature", bytes(raw.signature, SIGNATURE))?;
        let payload = member("payload", payload(raw.payload, limits.payload, scratch))?;
        Ok(Self {
            payload,
            digest,
            signature,
            certificate_id,
            form,
        })
    }
}

/// Why a text is no envelope. The sender is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The text is longer than the verifier accepts.
    #[error("the envelope has {length} bytes, more than the {limit} accepted")]
    TooLarge {
        /// Bytes in the text.
        length: usize,
        /// Bytes accepted.
        limit: usize,
    },
    /// A backslash in a string: no value of an envelope needs an escape, so each has one spelling.
    #[error("the envelope has a backslash at byte {at}, which no value needs")]
    Backslash {
        /// Its byte offset.
        at: usize,
    },
    /// Not one JSON object with exactly the members of an envelope.
    #[error("the envelope is not a JSON object of its form: {reason} at byte {at}")]
    Json {
        /// The byte offset where that was noticed.
        at: usize,
        /// What is wrong.
        reason: JsonError,
    },
    /// One of `created`, `nonce`, `audience`, `certificates` without `type`.
    #[error("the envelope has no `type`, so it cannot have `{member}`")]
    TypeMissing {
        /// The member.
        member: &'static str,
    },
    /// A member's value is not of its form.
    #[error("the envelope's `{member}`: {reason}")]
    Member {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        reason: MemberError,
    },
}

/// Why a text is no JSON object of an envelope's form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Something else stands there, or the text ends.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A member that no envelope has; of a long name the first hundred characters.
    #[error("unknown member `{0}`")]
    Unknown(String),
    /// A member that was there before.
    #[error("repeated member `{0}`")]
    Repeated(&'static str),
    /// A member that every envelope has is not there.
    #[error("missing member `{0}`")]
    Missing(&'static str),
}

/// Why a member's value is not of its form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// Not base64 in its one canonical spelling.
    #[error("not canonical, padded base64 (RFC 4648 §4)")]
    Base64,
    /// There, but empty.
    #[error("empty; leave it out instead")]
    Empty,
    /// Larger than the verifier accepts.
    #[error("larger than the {limit} accepted")]
    TooLarge {
        /// Bytes, or elements of an array, accepted.
        limit: usize,
    },
    /// Not `sha256:` and 64 lower-case hexadecimal digits.
    #[error("not `sha256:` and 64 lower-case hexadecimal digits")]
    Digest,
    /// Beyond 2^53 - 1, where JSON readers disagree (RFC 7493 §2.2).
    #[error("beyond 2^53 - 1")]
    Created,
    /// Not one DER SEQUENCE, as each certificate is.
    #[error("not the DER of one certificate")]
    Certificate,
    /// No certificate id.
    #[error(transparent)]
    CertificateId(#[from] CertificateIdError),
    /// No payload type.
    #[error(transparent)]
    PayloadType(#[from] PayloadTypeError),
    /// No nonce.
    #[error(transparent)]
    Nonce(#[from] NonceError),
    /// No canonical audience.
    #[error(transparent)]
    Audience(#[from] AudienceError),
}

fn form(raw: &Raw<'_>, limits: &Limits) -> Result<Form, DecodeError> {
    let Some(payload_type) = raw.payload_type else {
        return match raw.bound_member() {
            Some(member) => Err(DecodeError::TypeMissing { member }),
            None => Ok(Form::Plain),
        };
    };
    Ok(Form::Bound(Binding {
        payload_type: member("type", PayloadType::parse(payload_type))?,
        created: member("created", raw.created.map(created).transpose())?,
        nonce: member("nonce", raw.nonce.map(Nonce::parse).transpose())?,
        audience: member("audience", raw.audience.map(Audience::parse).transpose())?,
        certificates: member(
            "certificates",
            certificates(raw.certificates.as_deref(), limits),
        )?,
    }))
}

fn member<T, E: Into<MemberError>>(
    member: &'static str,
    value: Result<T, E>,
) -> Result<T, DecodeError> {
    value.map_err(|reason| DecodeError::Member {
        member,
        reason: reason.into(),
    })
}

fn payload<'s>(
    text: &[u8],
    limit: usize,
    scratch: &'s mut Vec<u8>,
) -> Result<&'s [u8], MemberError> {
    // Three bytes for four characters, so this is known before anything is allocated.
    if text.len() / 4 > limit.div_ceil(3) {
        return Err(MemberError::TooLarge { limit });
    }
    read_standard(text, scratch).map_err(|_| MemberError::Base64)?;
    if scratch.len() > limit {
        return Err(MemberError::TooLarge { limit });
    }
    Ok(scratch)
}

fn bytes(text: &[u8], limit: usize) -> Result<Vec<u8>, MemberError> {
    if text.is_empty() {
        return Err(MemberError::Empty);
    }
    let mut bytes = Vec::new();
    payload(text, limit, &mut bytes)?;
    Ok(bytes)
}

fn digest(text: &[u8]) -> Result<[u8; 32], MemberError> {
    let hex = text.strip_prefix(b"sha256:").ok_or(MemberError::Digest)?;
    let mut digest = [0; 32];
    if hex.len() != 2 * digest.len() {
        return Err(MemberError::Digest);
    }
    for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
        for character in pair {
            let value = match character {
                b'0'..=b'9' => character - b'0',
                b'a'..=b'f' => character - b'a' + 10,
                _ => return Err(MemberError::Digest),
            };
            *byte = *byte * 16 + value;
        }
    }
    Ok(digest)
}

fn created(seconds: u64) -> Result<u64, MemberError> {
    if seconds < 1 << 53 {
        Ok(seconds)
    } else {
        Err(MemberError::Created)
    }
}

fn certificates(
    texts: Option<&[&[u8]]>,
    limits: &Limits,
) -> Result<Vec<CertificateDer<'static>>, MemberError> {
    let Some(texts) = texts else {
        return Ok(Vec::new());
    };
    let limit = limits.certificates.min(FORMAT_CERTIFICATES);
    match texts.len() {
        0 => Err(MemberError::Empty),
        count if count > limit => Err(MemberError::TooLarge { limit }),
        _ => texts
            .iter()
            .map(|text| {
                let der = bytes(text, limits.certificate)?;
                if is_one_sequence(&der) {
                    Ok(CertificateDer::from(der))
                } else {
                    Err(MemberError::Certificate)
                }
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests;
