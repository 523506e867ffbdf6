use gangplank_envelope::payload_signature::{self, PayloadSignature, VerifiedBody};
use gangplank_envelope::{Envelope, Expect, Limits, Verified, VerifyError};
use gangplank_key::{PublicKey, TrustedKey};
use gangplank_trust::{Bound, DistinguishedName, KnownDevice, PreparedName, ProvisionAs, Standing};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::Refused;
#[cfg(feature = "message")]
use crate::message_signature;
use crate::server::BACKEND;
use crate::store::{Device, DeviceState};

/// The keys that are registered for a device.
pub(crate) struct DeviceKeys(Vec<TrustedKey>);

impl DeviceKeys {
    /// Each key once, the newest first. A certificate that a later version of the server could not
    /// read any more is left out.
    pub(crate) fn of(device: &Device) -> Self {
        let mut keys: Vec<TrustedKey> = Vec::new();
        for certificate in device.certificates.iter().rev() {
            let key = PublicKey::from_certificate(&certificate.certificate, BACKEND);
            if let Ok(key) = key
                && !keys.iter().any(|known| *known.key() == key)
            {
                // The store holds the binding that an operator or a verified chain established.
                keys.push(TrustedKey::vouch(device.certificate_id.clone(), key));
            }
        }
        Self(keys)
    }

    /// Verifies with each key in turn. A device has two keys at most while it changes them.
    pub(crate) fn verify<'e>(
        &self,
        envelope: &'e Envelope<'e>,
        expect: &Expect<'_>,
    ) -> Result<Verified<'e>, VerifyError> {
        let mut refused = VerifyError::Signature;
        for key in &self.0 {
            match envelope.verify(key, expect) {
                // Another key may have made this signature, or belong to this certificate.
                Err(VerifyError::Signature | VerifyError::Certificate) => {}
                Err(error) => refused = error,
                Ok(verified) => return Ok(verified),
            }
        }
        Err(refused)
    }

    /// Verifies with the one of the keys that the header names, if it is one of them.
    pub(crate) fn verify_body<'b>(
        &'b self,
        header: &PayloadSignature,
        body: &'b [u8],
    ) -> Result<VerifiedBody<'b>, Refused> {
        let named = |key: &&TrustedKey| key.key().spki() == header.claimed_key();
        let key = self.0.iter().find(named).or(self.0.first());
        // Without any readable certificate nothing verifies.
        let key = key.ok_or(payload_signature::VerifyError::Signature)?;
        Ok(header.verify(body, key, &Limits::DEFAULT)?)
    }

    /// Verifies with each key in turn, since a message need not name its key.
    #[cfg(feature = "message")]
    pub(crate) fn verify_message<'r>(
        &self,
        request: &'r http::Request<bytes::Bytes>,
        expect: &message_signature::Expect<'_>,
    ) -> Result<message_signature::Verified<'r>, message_signature::VerifyError> {
        let keys = self.0.iter().map(TrustedKey::key);
        message_signature::verify(request, keys, expect)
    }
}

/// Finds which of the devices of one certificate id signed.
pub(crate) fn by_device<'e, 'd>(
    envelope: &'e Envelope<'e>,
    devices: &'d [Device],
    expect: &Expect<'_>,
) -> Result<(Verified<'e>, &'d Device), Refused> {
    let claimed = || envelope.claimed_signer().clone();
    let Some(first) = devices.first() else {
        return Err(Refused::UnknownId(claimed()));
    };
    // A plain envelope says nothing that would tell one tenant from another.
    if devices.len() > 1 && !envelope.is_bound() {
        return Err(Refused::AmbiguousId(claimed()));
    }
    let mut refused = None;
    for device in devices {
        match DeviceKeys::of(device).verify(envelope, expect) {
            Ok(verified) => return Ok((verified, device)),
            Err(error) if device.id == first.id => refused = Some(error),
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or(VerifyError::Signature).into())
}

impl Device {
    /// The device as a decision sees it.
    pub(crate) fn known(&self) -> KnownDevice {
        let certificates = self.certificates.iter();
        KnownDevice {
            tenant: self.tenant.clone(),
            device_id: self.id.to_string(),
            certificate_id: Some(self.certificate_id.clone()),
            auth_id: None,
            bound: Bound {
                issuer: self.issuer(),
                spki_sha256: certificates.clone().map(|one| one.spki_sha256).collect(),
                certificate_sha256: certificates.map(|one| one.fingerprint).collect(),
            },
            joined_as: ProvisionAs::Device,
            standing: match self.state {
                DeviceState::Rejected => Standing::Rejected,
                _ if self.disabled => Standing::Disabled,
                DeviceState::Pending => Standing::Pending,
                DeviceState::Registered | DeviceState::Aboard => Standing::Admitted,
            },
        }
    }

    /// The name of the authority that issued the certificate it joined with.
    fn issuer(&self) -> Option<PreparedName> {
        let joined_with = self.origin.as_ref()?.certificate_sha256;
        let mut certificates = self.certificates.iter();
        let found = certificates.find(|one| one.fingerprint == joined_with)?;
        let parsed = Certificate::from_der(&found.certificate).ok()?;
        let name = parsed.tbs_certificate().issuer().to_der().ok()?;
        Some(DistinguishedName::from_der(&name).ok()?.prepared())
    }
}
