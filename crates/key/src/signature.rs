use alloc::vec::Vec;

use crate::Algorithm;

/// A signature, neutral between ECDSA's two encodings.
///
/// Only its form has been checked, not whether it verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    EcdsaP256(p256::ecdsa::Signature),
    Ed25519([u8; 64]),
}

impl Signature {
    /// Reads the encoding that certificates and envelopes use.
    ///
    /// ECDSA: DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3), both numbers in 1..n. Ed25519: the 64 bytes
    /// of RFC 8032 §5.1.6.
    ///
    /// # Errors
    /// [`SignatureError`] when `bytes` is not that encoding.
    pub fn from_wire(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, SignatureError> {
        match algorithm {
            Algorithm::EcdsaP256Sha256 => p256::ecdsa::Signature::from_der(bytes)
                .map(|signature| Self(Form::EcdsaP256(signature)))
                .map_err(|_| SignatureError(algorithm)),
            Algorithm::Ed25519 => Self::from_fixed(algorithm, bytes),
        }
    }

    /// Reads the fixed-length encoding: r‖s for ECDSA (RFC 9421 §3.3.4), R‖S for Ed25519.
    ///
    /// # Errors
    /// [`SignatureError`] when `bytes` has another length or a number out of range.
    pub fn from_fixed(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, SignatureError> {
        let form = match algorithm {
            Algorithm::EcdsaP256Sha256 => p256::ecdsa::Signature::from_slice(bytes)
                .map(Form::EcdsaP256)
                .ok(),
            Algorithm::Ed25519 => bytes.try_into().map(Form::Ed25519).ok(),
        };
        form.map(Self).ok_or(SignatureError(algorithm))
    }

    /// The encoding that [`from_wire`](Self::from_wire) reads.
    pub fn to_wire(&self) -> Vec<u8> {
        match &self.0 {
            Form::EcdsaP256(signature) => signature.to_der().as_bytes().to_vec(),
            Form::Ed25519(bytes) => bytes.to_vec(),
        }
    }

    /// The encoding that [`from_fixed`](Self::from_fixed) reads, 64 bytes.
    pub fn to_fixed(&self) -> Vec<u8> {
        match &self.0 {
            Form::EcdsaP256(signature) => signature.to_bytes().to_vec(),
            Form::Ed25519(bytes) => bytes.to_vec(),
        }
    }

    /// The algorithm whose form the signature has.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Form::EcdsaP256(_) => Algorithm::EcdsaP256Sha256,
            Form::Ed25519(_) => Algorithm::Ed25519,
        }
    }
}

/// The bytes are no signature of this algorithm: the sender encoded it wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not an encoded {0} signature")]
pub struct SignatureError(pub Algorithm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_one_signature() {
        let mut fixed = [0; 64];
        fixed[31] = 0x80; // r = 128 needs a leading zero in DER
        fixed[63] = 0x01;
        let signature = Signature::from_fixed(Algorithm::EcdsaP256Sha256, &fixed).unwrap();
        // X.690 §8.3 by hand: SEQUENCE { INTEGER 128, INTEGER 1 }.
        assert_eq!(signature.to_wire(), [0x30, 7, 2, 2, 0, 0x80, 2, 1, 1]);
        assert_eq!(signature.to_fixed(), fixed);
        assert_eq!(
            Signature::from_wire(Algorithm::EcdsaP256Sha256, &signature.to_wire()),
            Ok(signature)
        );
    }

    #[test]
    fn only_der_is_read() {
        let error = Err(SignatureError(Algorithm::EcdsaP256Sha256));
        let cases: [&[u8]; 7] = [
            b"",
            &[0x30, 7, 2, 2, 0, 0x80, 2, 1, 1, 0], // trailing byte
            &[0x30, 0x81, 7, 2, 2, 0, 0x80, 2, 1, 1], // long length, BER
            &[0x30, 7, 2, 2, 0, 0x01, 2, 1, 1],    // padded integer
            &[0x30, 6, 2, 1, 0x80, 2, 1, 1],       // negative
            &[0x30, 6, 2, 1, 0, 2, 1, 1],          // r = 0
            &[0; 64],
        ];
        for case in cases {
            assert_eq!(
                Signature::from_wire(Algorithm::EcdsaP256Sha256, case),
                error,
                "{case:x?}"
            );
        }
        assert!(Signature::from_wire(Algorithm::Ed25519, &[0; 63]).is_err());
    }
}
