//! Who sent an envelope, and what may become of it: bytes in, a finding out.
//!
//! Nothing here writes the store; the caller applies what is found.

mod decision;
mod device;
mod stranger;

pub(crate) use decision::{ChainDecision, DeviceIdChoice};
pub(crate) use device::{DeviceKeys, Signed, SpkiSha256, by_device};
pub(crate) use stranger::{NotVouched, Stranger, stranger};

use gangplank_envelope::payload_signature;
use gangplank_envelope::{
    Envelope, Expect, ExpectedAudience, ExpectedForm, Freshness, PayloadType, VerifyError,
};
use gangplank_key::{CertificateId, PublicKey, UnixTime};

use crate::reached::Reached;
use crate::server::{BACKEND, PlainForm, Server};

/// What the caller has to look up before an onboarding request can be judged.
pub(crate) enum LookUp {
    /// The device that has this key. The envelope brought the certificate along.
    Key(PublicKey),
    /// The devices of this certificate id. There is no certificate to go by.
    ClaimedId(CertificateId),
}

/// Says what to look up.
///
/// With a certificate at hand the claimed id is not even looked at: the answer to an unregistered
/// certificate must not tell whether the id it claims exists.
pub(crate) fn look_up(envelope: &Envelope<'_>) -> Result<LookUp, gangplank_key::KeyError> {
    match envelope.claimed_certificates().first() {
        Some(leaf) => PublicKey::from_certificate(leaf, BACKEND).map(LookUp::Key),
        None => Ok(LookUp::ClaimedId(envelope.claimed_signer().clone())),
    }
}

impl Server {
    /// What the server insists on in an envelope of this type, from a device that reached it there.
    pub(crate) fn expect(
        &self,
        reached: &Reached,
        payload_type: PayloadType,
        now: UnixTime,
    ) -> Expect<'_> {
        Expect {
            form: match self.shared.plain_form {
                PlainForm::Refuse => ExpectedForm::Bound(payload_type),
                PlainForm::Accept => ExpectedForm::PlainOrBound(payload_type),
            },
            audience: ExpectedAudience::Exactly(reached.audience.clone()),
            freshness: Freshness::CreatedOrServerNonce(self.window(now), &self.shared.nonces),
        }
    }
}

/// Why an envelope is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Nobody who could have signed it is known.
    #[error("no registered device has the certificate id {0}")]
    UnknownId(CertificateId),
    /// Several tenants know the certificate id and nothing says which is meant.
    #[error("devices of several tenants have the certificate id {0}")]
    AmbiguousId(CertificateId),
    /// It does not verify, is not meant for this server, or is stale.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The body that a header signs does not verify.
    #[error(transparent)]
    Body(#[from] payload_signature::VerifyError),
    /// The HTTP message does not verify.
    #[cfg(feature = "message")]
    #[error(transparent)]
    Message(#[from] crate::message_signature::VerifyError),
}
