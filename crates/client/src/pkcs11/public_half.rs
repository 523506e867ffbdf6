//! The public half of a private key, as the token tells it, turned into a SubjectPublicKeyInfo.

use cryptoki::object::{
    Attribute, AttributeType, CertificateType, KeyType, ObjectClass, ObjectHandle,
};
use cryptoki::session::Session;
use der::asn1::{AnyRef, BitString, ObjectIdentifier, OctetStringRef, UintRef};
use der::{Decode, Encode};
use gangplank_key::{Backend, CertificateDer, KeyError, PublicKey};
use spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::Pkcs11Error;

/// Looks for the public key object with the private key's CKA_ID, then for a certificate with it.
/// Without an id it is the label that binds them.
pub(super) fn find(
    session: &Session,
    private: ObjectHandle,
    token: &str,
    backend: Backend,
) -> Result<PublicKey, Pkcs11Error> {
    let binding = binding(session, private)?;
    let with = |class| [binding.as_slice(), &[Attribute::Class(class)]].concat();
    let mut found = Vec::new();
    for object in session.find_objects(&with(ObjectClass::PUBLIC_KEY))? {
        found.push(public_key(session, object, backend)?);
    }
    if found.is_empty() {
        let mut template = with(ObjectClass::CERTIFICATE);
        template.push(Attribute::CertificateType(CertificateType::X_509));
        for object in session.find_objects(&template)? {
            found.push(of_certificate(session, object, backend)?);
        }
    }
    let token = || token.to_owned();
    let first = found
        .pop()
        .ok_or_else(|| Pkcs11Error::NoPublicHalf { token: token() })?;
    if found.iter().any(|other| *other != first) {
        return Err(Pkcs11Error::SeveralPublicHalves { token: token() });
    }
    Ok(first)
}

fn binding(session: &Session, private: ObjectHandle) -> Result<Vec<Attribute>, Pkcs11Error> {
    let wanted = [AttributeType::Id, AttributeType::Label];
    let attributes = session.get_attributes(private, &wanted)?;
    let is_empty = |attribute: &Attribute| match attribute {
        Attribute::Id(bytes) | Attribute::Label(bytes) => bytes.is_empty(),
        _ => true,
    };
    let first = attributes
        .into_iter()
        .find(|attribute| !is_empty(attribute));
    Ok(first.into_iter().collect())
}

fn public_key(
    session: &Session,
    object: ObjectHandle,
    backend: Backend,
) -> Result<PublicKey, Pkcs11Error> {
    let wanted = [
        AttributeType::KeyType,
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let mut told = Told::default();
    for attribute in session.get_attributes(object, &wanted)? {
        match attribute {
            Attribute::KeyType(kind) => told.kind = Some(kind),
            Attribute::EcParams(bytes) => told.parameters = bytes,
            Attribute::EcPoint(bytes) => told.point = bytes,
            Attribute::Modulus(bytes) => told.modulus = bytes,
            Attribute::PublicExponent(bytes) => told.exponent = bytes,
            _ => {}
        }
    }
    let spki = told.spki().map_err(Pkcs11Error::Key)?;
    PublicKey::from_spki(&spki, backend).map_err(Pkcs11Error::Key)
}

fn of_certificate(
    session: &Session,
    object: ObjectHandle,
    backend: Backend,
) -> Result<PublicKey, Pkcs11Error> {
    let value = session.get_attributes(object, &[AttributeType::Value])?;
    let der = value.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(bytes) => Some(CertificateDer::from(bytes)),
        _ => None,
    });
    let der = der.ok_or(Pkcs11Error::Key(KeyError::Certificate))?;
    PublicKey::from_certificate(&der, backend).map_err(Pkcs11Error::Key)
}

/// What a public key object tells of itself.
#[derive(Default)]
struct Told {
    kind: Option<KeyType>,
    parameters: Vec<u8>,
    point: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Told {
    /// What is wrong with the numbers themselves is found by whoever reads the result.
    fn spki(&self) -> Result<Vec<u8>, KeyError> {
        match self.kind {
            Some(KeyType::RSA) => self.rsa(),
            Some(KeyType::EC) => self.ec(),
            Some(KeyType::EC_EDWARDS) => self.edwards(),
            _ => Err(KeyError::Malformed),
        }
    }

    /// RFC 8017 §A.1.1: SEQUENCE { modulus, publicExponent }. Tokens may put zeros in front of the numbers.
    fn rsa(&self) -> Result<Vec<u8>, KeyError> {
        let uint = |bytes| UintRef::new(bytes).map_err(|_| KeyError::Malformed);
        let key = [uint(&self.modulus)?, uint(&self.exponent)?].to_der();
        let key = key.map_err(|_| KeyError::Malformed)?;
        info(RSA_ENCRYPTION, Some(AnyRef::NULL), &key)
    }

    /// PKCS#11 v2.40 §2.3.3: CKA_EC_PARAMS is DER of the curve's name, as in RFC 5480.
    fn ec(&self) -> Result<Vec<u8>, KeyError> {
        let curve = AnyRef::from_der(&self.parameters).map_err(|_| KeyError::Malformed)?;
        let length = match curve.decode_as() {
            Ok(SECP256R1) => 65,
            Ok(SECP384R1) => 97,
            _ => 0,
        };
        info(EC_PUBLIC_KEY, Some(curve), self.point(length))
    }

    /// PKCS#11 v3.0 §2.3.5: the curve is its name as text, or its object identifier (RFC 8410).
    fn edwards(&self) -> Result<Vec<u8>, KeyError> {
        let curve = AnyRef::from_der(&self.parameters).map_err(|_| KeyError::Malformed)?;
        let is_25519 = curve.decode_as() == Ok(ED25519) || curve.value() == b"edwards25519";
        match is_25519 {
            true => info(ED25519, None, self.point(32)),
            false => Err(KeyError::Malformed),
        }
    }

    /// CKA_EC_POINT is DER of an OCTET STRING, but some tokens give what should be inside. As both
    /// may begin with 04, it is the length that tells.
    fn point(&self, length: usize) -> &[u8] {
        if self.point.len() == length {
            return &self.point;
        }
        <&OctetStringRef>::from_der(&self.point).map_or(&self.point, OctetStringRef::as_bytes)
    }
}

fn info(
    algorithm: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
    key: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let encode = || {
        SubjectPublicKeyInfo {
            algorithm: AlgorithmIdentifier {
                oid: algorithm,
                parameters,
            },
            subject_public_key: BitString::from_bytes(key)?,
        }
        .to_der()
    };
    encode().map_err(|_| KeyError::Malformed)
}

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
