//! The bound envelope (docs/envelope.md §4).

use gangplank_envelope::{Binding, Envelope, Form, Nonce, PayloadType};
use gangplank_key::{Backend, PublicKey, SigningKey, UnixTime};

use crate::bodies::{id, opens};
use crate::{Purpose, Signed};

pub(crate) struct BoundEnvelope;

impl Purpose for BoundEnvelope {
    fn name(&self) -> &'static str {
        "envelope, bound"
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        // Payload and nonce are chosen by others; type and audience come from the signer's code.
        let mut nonce = bait.to_vec();
        nonce.resize(bait.len().clamp(16, 64), 0);
        let binding = Binding::new(PayloadType::DEPLOYMENT_STATUS)
            .created(UnixTime::since_unix_epoch(core::time::Duration::from_secs(
                1_767_225_600,
            )))
            .nonce(Nonce::from_bytes(&nonce).unwrap());
        let prepared = Envelope::prepare(bait.to_vec(), Form::Bound(binding), &id()).unwrap();
        Signed {
            beside: bait.to_vec(),
            ..Signed::by(key, |key| drop(prepared.sign_with(key)))
        }
    }

    /// The verifier rebuilds the signed bytes out of the members, so an attacker reads the members
    /// out of the bytes. Where they have none it can only guess.
    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let guess = Binding::new(PayloadType::DEPLOYMENT_STATUS);
        let binding = members(&signed.bytes).unwrap_or(guess);
        [&signed.beside, &signed.bytes].into_iter().any(|payload| {
            let form = Form::Bound(binding.clone());
            let prepared = Envelope::prepare_with(payload.clone(), form, &id(), Backend::PURE_RUST);
            let text = prepared.unwrap().complete(&signed.signature);
            opens(&text, key)
        })
    }
}

/// What a signing input says, if it is one of ours without certificates.
fn members(bytes: &[u8]) -> Option<Binding> {
    let mut rest = bytes.strip_prefix(PREFIX)?;
    let mut field = || {
        let (length, after) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (field, after) = after.split_at_checked(length)?;
        rest = after;
        core::str::from_utf8(field).ok()
    };
    let mut binding = Binding::new(PayloadType::parse(field()?).ok()?);
    let _signer = field()?;
    if let Ok(seconds) = field()?.parse() {
        binding = binding.created(UnixTime::since_unix_epoch(core::time::Duration::from_secs(
            seconds,
        )));
    }
    if let Ok(nonce) = Nonce::parse(field()?) {
        binding = binding.nonce(nonce);
    }
    Some(binding)
}

pub(crate) const PREFIX: &[u8] = b"\xFFgangplank-envelope/1";
