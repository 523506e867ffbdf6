//! Devices: a key, a certificate, and a request signed with it.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use gangplank_envelope::{Audience, Binding, Envelope, Form, Limits, Nonce, PayloadType};
use gangplank_key::{Algorithm, Backend, CertificateDer, CertificateId, Signature, UnixTime};
use gangplank_onboarding::v2024::onboarding::OnboardingRequest;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rcgen::{CertificateParams, DnType};

use crate::Result;

pub struct Device {
    pub id: CertificateId,
    pub certificate: CertificateDer<'static>,
    key: EcdsaKeyPair,
}

impl Device {
    /// So many, with P-256 keys and self-signed certificates.
    pub fn make(count: usize) -> Result<Vec<Self>> {
        (0..count).map(|_| Self::one()).collect()
    }

    fn one() -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let id = format!("SN-{:08}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let mut parameters = CertificateParams::default();
        parameters
            .distinguished_name
            .push(DnType::CommonName, id.as_str());
        // aws-lc-rs's own key: gangplank's AwsLcKey checks more when it is loaded, which 30,000
        // devices would each do on their own machine.
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pair.serialize_der())?;
        assert!(!key.public_key().as_ref().is_empty());
        Ok(Self {
            id: CertificateId::parse(&id)?,
            certificate: parameters.self_signed(&pair)?.der().clone(),
            key,
        })
    }

    /// The onboarding request that gangplank's client sends: type, created, nonce, audience and the
    /// certificate; signed now.
    pub fn request(&self, audience: &Audience) -> Result<(Vec<u8>, Nonce)> {
        let nonce = Nonce::random(&mut UnwrapErr(SysRng));
        let binding = Binding::new(PayloadType::ONBOARDING_REQUEST)
            .created(UnixTime::now())
            .nonce(nonce.clone())
            .audience(audience.clone())
            .certificates(vec![self.certificate.clone()]);
        let payload = OnboardingRequest::default().encode();
        let form = Form::Bound(binding);
        let prepared = Envelope::prepare_with(payload, form, &self.id, Backend::AWS_LC_RS)?;
        let signature = self.key.sign(&SystemRandom::new(), prepared.message())?;
        let signature = Signature::from_wire(Algorithm::EcdsaP256Sha256, signature.as_ref())?;
        Ok((prepared.complete(&signature), nonce))
    }
}

/// Whether an answer is an envelope of the right type that echoes the nonce. Verifying it is a
/// device's cost, and would come off the two cores that the server has here.
pub fn is_answer(body: &[u8], nonce: &Nonce) -> bool {
    let mut scratch = Vec::new();
    Envelope::decode(body, &Limits::DEFAULT, &mut scratch).is_ok_and(|envelope| {
        envelope.claimed_type() == Some(&PayloadType::ONBOARDING_RESPONSE)
            && envelope.claimed_nonce() == Some(nonce)
    })
}
