use gangplank_envelope::payload_signature::{self, PayloadSignature, VerifiedBody};
use gangplank_envelope::{Envelope, Expect, Limits, Verified, VerifyError};
use gangplank_key::{PublicKey, TrustedKey, UnixTime};
use gangplank_trust::{
    AuthId, Bound, CredentialDocument, DeviceDocument, DistinguishedName, KnownDevice,
    PreparedName, ProvisionAs, Standing, claimed_issuer,
};

use super::Refused;
#[cfg(feature = "message")]
use crate::message_signature;
use crate::server::BACKEND;
use crate::store::{Credential, Device, DeviceCertificate, DeviceState, Voucher};

/// Which key it was: SHA-256 of its SubjectPublicKeyInfo.
pub(crate) type SpkiSha256 = [u8; 32];

/// The keys that are registered for a device.
pub(crate) struct DeviceKeys(Vec<TrustedKey>);

impl DeviceKeys {
    /// Each key once, the newest first. A certificate that a later version of the server could not
    /// read any more is left out.
    pub(crate) fn of(device: &Device) -> Self {
        let mut keys: Vec<TrustedKey> = Vec::new();
        // A device without a certificate id signs nothing that is verified here.
        let Some(id) = &device.certificate_id else {
            return Self(keys);
        };
        for certificate in device.certificates.iter().rev() {
            let key = PublicKey::from_certificate(&certificate.certificate, BACKEND);
            if let Ok(key) = key
                && !keys.iter().any(|known| *known.key() == key)
            {
                // The store holds the binding that an operator or a verified chain established.
                keys.push(TrustedKey::vouch(id.clone(), key));
            }
        }
        Self(keys)
    }

    /// Verifies with each key in turn, and says with which it did. A device has two keys at most while
    /// it changes them.
    pub(crate) fn verify<'e>(
        &self,
        envelope: &'e Envelope<'e>,
        expect: &Expect<'_>,
    ) -> Result<(Verified<'e>, SpkiSha256), VerifyError> {
        let mut refused = VerifyError::Signature;
        for key in &self.0 {
            match envelope.verify(key, expect) {
                // Another key may have made this signature, or belong to this certificate.
                Err(VerifyError::Signature | VerifyError::Certificate) => {}
                Err(error) => refused = error,
                Ok(verified) => return Ok((verified, key.key().spki_sha256())),
            }
        }
        Err(refused)
    }

    /// Verifies with the one of the keys that the header names, if it is one of them.
    pub(crate) fn verify_body<'b>(
        &'b self,
        header: &PayloadSignature,
        body: &'b [u8],
    ) -> Result<(VerifiedBody<'b>, SpkiSha256), Refused> {
        let named = |key: &&TrustedKey| key.key().spki() == header.claimed_key();
        let key = self.0.iter().find(named).or(self.0.first());
        // Without any readable certificate nothing verifies.
        let key = key.ok_or(payload_signature::VerifyError::Signature)?;
        let verified = header.verify(body, key, &Limits::DEFAULT)?;
        Ok((verified, key.key().spki_sha256()))
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

/// An envelope that a device signed, with this key of it.
pub(crate) struct Signed<'e, 'd> {
    pub(crate) verified: Verified<'e>,
    pub(crate) device: &'d Device,
    pub(crate) key: SpkiSha256,
}

/// Finds which of the devices of one certificate id signed.
pub(crate) fn by_device<'e, 'd>(
    envelope: &'e Envelope<'e>,
    devices: &'d [Device],
    expect: &Expect<'_>,
) -> Result<Signed<'e, 'd>, Refused> {
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
            Ok((verified, key)) => {
                return Ok(Signed {
                    verified,
                    device,
                    key,
                });
            }
            Err(error) if device.id == first.id => refused = Some(error),
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or(VerifyError::Signature).into())
}

impl Device {
    /// The device as a decision sees it now, with the credential that an authentication id finds.
    pub(crate) fn known(&self, auth_id: Option<&AuthId>, now: UnixTime) -> KnownDevice {
        let found = |one: &&Credential| auth_id.is_some_and(|id| id.names(&one.auth_id));
        self.known_by(self.credentials.iter().find(found), now)
    }

    /// The device as a decision sees it now, by the credential that it was found by.
    pub(crate) fn known_by(&self, credential: Option<&Credential>, now: UnixTime) -> KnownDevice {
        // Any other shows that the device is not the one that the certificate names.
        let credential = credential.or(self.credentials.first());
        KnownDevice {
            tenant: self.tenant.clone(),
            device_id: self.id.to_string(),
            certificate_id: self.certificate_id.clone(),
            auth_id: credential.map(|one| one.auth_id.clone()),
            bound: self.bound(),
            joined_as: self.joined_as(),
            standing: match self.state {
                DeviceState::Rejected => Standing::Rejected,
                _ if self.disabled => Standing::Disabled,
                DeviceState::Pending => Standing::Pending,
                _ if credential.is_some_and(|one| !one.is_usable(now)) => {
                    Standing::CredentialDisabled
                }
                DeviceState::Registered | DeviceState::Aboard => Standing::Admitted,
            },
        }
    }

    fn joined_as(&self) -> ProvisionAs {
        let document = DeviceDocument::from_stored(self.registration.as_bytes());
        match document.is_ok_and(|one| one.gateway(self.id.as_str()).may_provision) {
            true => ProvisionAs::Gateway,
            false => ProvisionAs::Device,
        }
    }

    /// Whether a trust anchor has to stand behind its certificate whenever it comes. One that an
    /// operator registered with its certificate is known by its key.
    pub(crate) fn comes_by_anchor(&self) -> bool {
        self.voucher == Voucher::Anchor
    }

    /// What it has come with. The certificate of a stranger that waits stands for nothing but its key.
    fn bound(&self) -> Bound {
        let certificates = self.certificates.iter();
        let spki_sha256 = certificates.clone().map(|one| one.spki_sha256).collect();
        if !self.is_vouched_for() {
            return Bound {
                spki_sha256,
                ..Bound::default()
            };
        }
        Bound {
            issuers: certificates.clone().map(issuer).collect(),
            spki_sha256,
            certificate_sha256: certificates.map(|one| one.fingerprint).collect(),
        }
    }
}

impl Credential {
    /// Whether it counts now. One that cannot be read counts never.
    fn is_usable(&self, now: UnixTime) -> bool {
        let document = CredentialDocument::from_stored(self.document.as_bytes());
        document.is_ok_and(|one| one.is_usable(now))
    }
}

/// Of a certificate that cannot be read, the empty name: no certificate that verifies has such an issuer,
/// so that a device held to its issuer has changed it.
fn issuer(certificate: &DeviceCertificate) -> PreparedName {
    let issuer = claimed_issuer(&certificate.certificate);
    issuer.unwrap_or(DistinguishedName::EMPTY).prepared()
}
