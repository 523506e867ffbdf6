//! One key, one payload and one binding for everybody.

use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use gangplank_envelope::{
    Audience, Binding, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Nonce, PayloadType,
    Window,
};
use gangplank_key::{
    AwsLcKey, Backend, CertificateId, PublicKey, SigningKey, SoftwareKey, TrustedKey, UnixTime,
};

/// A P-256 key in every representation that a contestant wants, parsed before the clock starts.
pub struct Material {
    /// DER PKCS#8.
    pub pkcs8: Vec<u8>,
    /// DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// The uncompressed point, 65 bytes.
    pub point: Vec<u8>,
    /// aws-lc-rs itself, signatures as DER.
    pub bare: EcdsaKeyPair,
    /// gangplank's key over aws-lc-rs.
    pub aws_lc: AwsLcKey,
    /// gangplank's key in pure Rust. It makes what is verified, since its signatures are always the
    /// same.
    pub software: SoftwareKey,
}

impl Material {
    /// Always the same key, so that instructions can be compared between runs.
    pub fn new() -> Self {
        let software = SoftwareKey::from_pem(KEY).unwrap();
        let pkcs8 = software.to_pkcs8_der().unwrap().to_vec();
        let bare = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8).unwrap();
        let aws_lc = AwsLcKey::from_pkcs8_der(&pkcs8).unwrap();
        Self {
            spki: aws_lc.public_key().spki().to_vec(),
            point: bare.public_key().as_ref().to_vec(),
            software,
            bare,
            aws_lc,
            pkcs8,
        }
    }

    /// The key as registered for [`id`].
    pub fn trusted(&self, backend: Backend) -> TrustedKey {
        TrustedKey::vouch(id(), PublicKey::from_spki(&self.spki, backend).unwrap())
    }
}

impl Default for Material {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes without a pattern that a base64 or JSON reader could profit from.
pub fn payload(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| byte()).collect()
}

/// Type, created, nonce and audience, as gangplank's own client sends them.
pub fn form() -> Form {
    Form::Bound(
        Binding::new(PayloadType::DEVICE_CAPABILITIES)
            .created(NOW)
            .nonce(Nonce::from_bytes(&[7; 16]).unwrap())
            .audience(audience()),
    )
}

/// What gangplank's own server insists on.
pub fn expect() -> Expect<'static> {
    Expect {
        form: ExpectedForm::Bound(PayloadType::DEVICE_CAPABILITIES),
        audience: ExpectedAudience::Exactly(audience()),
        freshness: Freshness::Created(window()),
    }
}

/// When everything is verified.
pub fn window() -> Window {
    Window {
        now: NOW,
        max_age: Duration::from_secs(300),
        max_lead: Duration::from_secs(60),
    }
}

/// The signer.
pub fn id() -> CertificateId {
    CertificateId::parse("SN-0001").unwrap()
}

fn audience() -> Audience {
    Audience::parse("https://wfm.example/margo").unwrap()
}

/// When everything is signed.
pub const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600));

const KEY: &str = include_str!("../../crates/key/tests/data/p256.key.pem");
