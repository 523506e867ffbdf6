use alloc::vec::Vec;

use super::reader::Reader;
use super::{DecodeError, JsonError};

/// The members as they stand in the text. Unknown and repeated ones are refused, and so is null.
pub(super) struct Raw<'w> {
    pub(super) payload: &'w [u8],
    pub(super) digest: &'w [u8],
    pub(super) signature: &'w [u8],
    pub(super) certificate_id: &'w str,
    pub(super) payload_type: Option<&'w str>,
    pub(super) created: Option<u64>,
    pub(super) nonce: Option<&'w str>,
    pub(super) audience: Option<&'w str>,
    pub(super) certificates: Option<Vec<&'w [u8]>>,
}

impl<'w> Raw<'w> {
    /// Reads one object and nothing after it.
    pub(super) fn read(text: &'w [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(text);
        let mut members = Members::default();
        reader.take(b'{', "`{`")?;
        loop {
            let name = reader.string()?;
            reader.take(b':', "`:`")?;
            members.read(name, &mut reader)?;
            if !reader.another(b'}', "`,` or `}`")? {
                break;
            }
        }
        reader.end()?;
        members.complete(&reader)
    }

    /// The first member that only the bound form has, beside `type`.
    pub(super) fn bound_member(&self) -> Option<&'static str> {
        [
            ("created", self.created.is_some()),
            ("nonce", self.nonce.is_some()),
            ("audience", self.audience.is_some()),
            ("certificates", self.certificates.is_some()),
        ]
        .into_iter()
        .find_map(|(member, there)| there.then_some(member))
    }
}

/// What has been read so far.
#[derive(Default)]
struct Members<'w> {
    payload: Option<&'w [u8]>,
    digest: Option<&'w [u8]>,
    signature: Option<&'w [u8]>,
    certificate_id: Option<&'w str>,
    payload_type: Option<&'w str>,
    created: Option<u64>,
    nonce: Option<&'w str>,
    audience: Option<&'w str>,
    certificates: Option<Vec<&'w [u8]>>,
}

impl<'w> Members<'w> {
    fn read(&mut self, name: &[u8], from: &mut Reader<'w>) -> Result<(), DecodeError> {
        match name {
            b"payload" => once("payload", &mut self.payload, from, Reader::string),
            b"digest" => once("digest", &mut self.digest, from, Reader::string),
            b"signature" => once("signature", &mut self.signature, from, Reader::string),
            b"certificateId" => once(
                "certificateId",
                &mut self.certificate_id,
                from,
                Reader::text,
            ),
            b"type" => once("type", &mut self.payload_type, from, Reader::text),
            b"created" => once("created", &mut self.created, from, Reader::number),
            b"nonce" => once("nonce", &mut self.nonce, from, Reader::text),
            b"audience" => once("audience", &mut self.audience, from, Reader::text),
            b"certificates" => once(
                "certificates",
                &mut self.certificates,
                from,
                Reader::strings,
            ),
            unknown => Err(from.unknown(unknown)),
        }
    }

    fn complete(self, at: &Reader<'_>) -> Result<Raw<'w>, DecodeError> {
        let missing = |member| move || at.error(JsonError::Missing(member));
        Ok(Raw {
            payload: self.payload.ok_or_else(missing("payload"))?,
            digest: self.digest.ok_or_else(missing("digest"))?,
            signature: self.signature.ok_or_else(missing("signature"))?,
            certificate_id: self.certificate_id.ok_or_else(missing("certificateId"))?,
            payload_type: self.payload_type,
            created: self.created,
            nonce: self.nonce,
            audience: self.audience,
            certificates: self.certificates,
        })
    }
}

fn once<'w, T>(
    member: &'static str,
    value: &mut Option<T>,
    from: &mut Reader<'w>,
    read: impl FnOnce(&mut Reader<'w>) -> Result<T, DecodeError>,
) -> Result<(), DecodeError> {
    if value.is_some() {
        return Err(from.error(JsonError::Repeated(member)));
    }
    *value = Some(read(from)?);
    Ok(())
}
