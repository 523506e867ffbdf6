//! A certificate request (PKCS#10, RFC 2986) and a certificate (RFC 5280), made by rcgen.
//!
//! The request is read by x509-cert and holds the key that signs it; the certificate goes through
//! webpki, as if the key were that of an authority.

use gangplank_key::{Algorithm, CertificateDer, PublicKey, SigningKey};
use gangplank_testkit::NOW;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer,
};
use rustls_pki_types::TrustAnchor;
use x509_cert::der::asn1::{AnyRef, BitString};
use x509_cert::der::{Decode, Encode, Header, Length, Tag};
use x509_cert::request::CertReq;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::{Purpose, Recorder, Signed};

pub(crate) struct Request;

impl Purpose for Request {
    fn name(&self) -> &'static str {
        "certificate request"
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        Signed::by(key, |key| {
            drop(parameters("press-7", bait).serialize_request(&RcgenKey::of(key)));
        })
    }

    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let Ok(request) = CertReq::from_der(&wrapped(signed)) else {
            return false;
        };
        request.info.public_key.to_der().unwrap() == key.spki()
            && request.info.to_der().unwrap() == signed.bytes
            && signed.verifies(key)
    }
}

pub(crate) struct Certificate;

impl Purpose for Certificate {
    fn name(&self) -> &'static str {
        "certificate"
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        Signed::by(key, |key| {
            let issuer = Issuer::new(authority(), RcgenKey::of(key));
            let subject = rcgen::KeyPair::generate().unwrap();
            let leaf = parameters("press-7", bait).signed_by(&subject, &issuer);
            drop(leaf.unwrap());
        })
    }

    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let der = CertificateDer::from(wrapped(signed));
        let Ok(leaf) = webpki::EndEntityCert::try_from(&der) else {
            return false;
        };
        let anchors = [anchor(key)];
        let path = leaf.verify_for_usage(
            key.backend().algorithms(),
            &anchors,
            &[],
            NOW,
            webpki::KeyUsage::client_auth(),
            None,
            None,
        );
        path.is_ok()
    }
}

/// `bytes`, the algorithm and the signature, as both structures have them.
fn wrapped(signed: &Signed) -> Vec<u8> {
    let algorithm: &[u8] = match signed.signature.algorithm() {
        // RFC 5758 §3.2, RFC 8410 §3, RFC 8017 appendix A.2.4.
        Algorithm::EcdsaP256Sha256 => b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
        Algorithm::EcdsaP384Sha384 => b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
        Algorithm::RsaPkcs1Sha256 => {
            b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"
        }
        Algorithm::Ed25519 => b"\x30\x05\x06\x03\x2b\x65\x70",
        other => panic!("no identifier for {other:?}"),
    };
    let signature = BitString::from_bytes(&signed.signature.to_wire()).unwrap();
    let content = [&signed.bytes, algorithm, &signature.to_der().unwrap()].concat();
    let header = Header::new(Tag::Sequence, Length::try_from(content.len()).unwrap());
    [header.to_der().unwrap(), content].concat()
}

/// The key as that of an authority with the name in [`authority`].
fn anchor(key: &PublicKey) -> TrustAnchor<'static> {
    let other_key = rcgen::KeyPair::generate().unwrap();
    let certificate = authority().self_signed(&other_key).unwrap();
    let named = webpki::anchor_from_trusted_cert(certificate.der()).unwrap();
    let spki = AnyRef::from_der(key.spki()).unwrap();
    TrustAnchor {
        subject_public_key_info: spki.value().to_vec().into(),
        ..named.to_owned()
    }
}

fn authority() -> CertificateParams {
    let mut parameters = parameters("Acme Device CA", b"");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
}

/// An attacker picks its name, and whatever an extension holds.
fn parameters(common_name: &str, bait: &[u8]) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    let note = String::from_utf8_lossy(bait);
    parameters.distinguished_name = DistinguishedName::new();
    let name = &mut parameters.distinguished_name;
    name.push(DnType::CommonName, common_name);
    name.push(DnType::OrganizationName, note.as_ref());
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let extension = CustomExtension::from_oid_content(&[2, 25, 1], bait.to_vec());
    parameters.custom_extensions.push(extension);
    parameters
}

/// Lets rcgen sign with one of our keys.
struct RcgenKey<'k> {
    key: &'k Recorder<'k>,
    public: Vec<u8>,
}

impl<'k> RcgenKey<'k> {
    fn of(key: &'k Recorder<'k>) -> Self {
        let public = raw_public_key(key.public_key());
        Self { key, public }
    }
}

impl rcgen::PublicKeyData for RcgenKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        match self.key.public_key().algorithm() {
            Algorithm::EcdsaP256Sha256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Algorithm::EcdsaP384Sha384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Algorithm::Ed25519 => &rcgen::PKCS_ED25519,
            Algorithm::RsaPkcs1Sha256 => &rcgen::PKCS_RSA_SHA256,
            other => panic!("rcgen has no name for {other:?}"),
        }
    }
}

impl rcgen::SigningKey for RcgenKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign(message).unwrap().to_wire())
    }
}

/// The content of the bit string in the SubjectPublicKeyInfo.
pub(crate) fn raw_public_key(key: &PublicKey) -> Vec<u8> {
    let spki = SubjectPublicKeyInfoRef::from_der(key.spki()).unwrap();
    spki.subject_public_key.raw_bytes().to_vec()
}
