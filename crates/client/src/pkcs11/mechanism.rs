//! How a token is asked for a signature.

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::slot::Slot;
use cryptoki::types::Ulong;
use gangplank_key::{Algorithm, PublicKey};

/// A mechanism, and what it is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The digest: a few bytes go to the token, whatever the message's size.
    Digest(MechanismType),
    /// The digest in the DigestInfo of RFC 8017 §9.2.
    DigestInfo,
    /// All of the message: the token hashes, or the algorithm does it twice (Ed25519).
    Message(MechanismType),
}

impl Way {
    /// The first way to sign with `algorithm` that the token offers. That a token is out of reach
    /// says nothing about what it offers, and is an error.
    pub(super) fn choose(
        module: &Pkcs11,
        slot: Slot,
        algorithm: Algorithm,
    ) -> Result<Option<Self>, Error> {
        for way in ways(algorithm) {
            match module.get_mechanism_info(slot, way.mechanism_type()) {
                Ok(info) if info.sign() => return Ok(Some(*way)),
                Ok(_) | Err(Error::Pkcs11(RvError::MechanismInvalid, _)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// What of `message` the token signs with `key`.
    pub(super) fn input(self, key: &PublicKey, message: &[u8]) -> Vec<u8> {
        let digest = || key.digest(message).unwrap_or_default();
        match self {
            Self::Digest(_) => digest(),
            Self::DigestInfo => [SHA256_INFO, &digest()].concat(),
            Self::Message(_) => message.to_vec(),
        }
    }

    /// `None` for a mechanism that is not among the ways of `algorithm`.
    pub(super) fn mechanism(self, algorithm: Algorithm) -> Option<Mechanism<'static>> {
        Some(match self.mechanism_type() {
            MechanismType::ECDSA => Mechanism::Ecdsa,
            MechanismType::ECDSA_SHA256 => Mechanism::EcdsaSha256,
            MechanismType::ECDSA_SHA384 => Mechanism::EcdsaSha384,
            MechanismType::EDDSA => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
            MechanismType::RSA_PKCS => Mechanism::RsaPkcs,
            MechanismType::SHA256_RSA_PKCS => Mechanism::Sha256RsaPkcs,
            MechanismType::RSA_PKCS_PSS => Mechanism::RsaPkcsPss(pss(algorithm)?),
            MechanismType::SHA256_RSA_PKCS_PSS => Mechanism::Sha256RsaPkcsPss(pss(algorithm)?),
            MechanismType::SHA512_RSA_PKCS_PSS => Mechanism::Sha512RsaPkcsPss(pss(algorithm)?),
            _ => return None,
        })
    }

    fn mechanism_type(self) -> MechanismType {
        match self {
            Self::Digest(mechanism) | Self::Message(mechanism) => mechanism,
            Self::DigestInfo => MechanismType::RSA_PKCS,
        }
    }
}

/// What costs the least transfer comes first.
fn ways(algorithm: Algorithm) -> &'static [Way] {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => &[
            Way::Digest(MechanismType::ECDSA),
            Way::Message(MechanismType::ECDSA_SHA256),
        ],
        Algorithm::EcdsaP384Sha384 => &[
            Way::Digest(MechanismType::ECDSA),
            Way::Message(MechanismType::ECDSA_SHA384),
        ],
        Algorithm::Ed25519 => &[Way::Message(MechanismType::EDDSA)],
        Algorithm::RsaPkcs1Sha256 => &[
            Way::DigestInfo,
            Way::Message(MechanismType::SHA256_RSA_PKCS),
        ],
        Algorithm::RsaPssSha256 => &[
            Way::Digest(MechanismType::RSA_PKCS_PSS),
            Way::Message(MechanismType::SHA256_RSA_PKCS_PSS),
        ],
        Algorithm::RsaPssSha512 => &[
            Way::Digest(MechanismType::RSA_PKCS_PSS),
            Way::Message(MechanismType::SHA512_RSA_PKCS_PSS),
        ],
        _ => &[],
    }
}

/// RFC 9421 §3.3.1: the mask's hash is that of the message, and the salt is as long as it.
fn pss(algorithm: Algorithm) -> Option<PkcsPssParams> {
    let (hash_alg, mgf, length) = match algorithm {
        Algorithm::RsaPssSha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32),
        Algorithm::RsaPssSha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64),
        _ => return None,
    };
    Some(PkcsPssParams {
        hash_alg,
        mgf,
        s_len: Ulong::new(length),
    })
}

/// RFC 8017 §9.2, note 1: what comes before a SHA-256 digest.
const SHA256_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
