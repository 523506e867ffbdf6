use alloc::vec::Vec;

use der::asn1::UintRef;
use der::{Decode, Encode, Reader, SliceReader};

use crate::Algorithm;

/// A signature, neutral between ECDSA's two encodings.
///
/// Only its form has been checked, not whether it verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    algorithm: Algorithm,
    fixed: Vec<u8>,
}

impl Signature {
    /// Reads the encoding that certificates and envelopes use.
    ///
    /// ECDSA: DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3), both numbers positive. Ed25519: the 64 bytes
    /// of RFC 8032 §5.1.6. RSA: the bytes of RFC 8017, as many as the modulus has, which is for the
    /// key to see.
    ///
    /// # Errors
    /// [`SignatureError`] when `bytes` is not that encoding.
    pub fn from_wire(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, SignatureError> {
        let Some(width) = number_width(algorithm) else {
            return Self::from_fixed(algorithm, bytes);
        };
        let fixed = ecdsa_numbers(bytes)
            .and_then(|(r, s)| padded(r, s, width))
            .ok_or(SignatureError(algorithm))?;
        Self::from_fixed(algorithm, &fixed)
    }

    /// Reads the fixed-length encoding: r‖s for ECDSA (RFC 9421 §3.3.4), R‖S for Ed25519; for RSA
    /// it is the one of [`from_wire`](Self::from_wire).
    ///
    /// # Errors
    /// [`SignatureError`] when `bytes` has another length, or an ECDSA number is zero.
    pub fn from_fixed(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, SignatureError> {
        let well_formed = match number_width(algorithm) {
            Some(width) => {
                bytes.len() == 2 * width
                    && bytes
                        .chunks(width)
                        .all(|number| number.iter().any(|byte| *byte != 0))
            }
            None if algorithm == Algorithm::Ed25519 => bytes.len() == ED25519_LENGTH,
            None => (RSA_LEAST..=RSA_MOST).contains(&bytes.len()),
        };
        if !well_formed {
            return Err(SignatureError(algorithm));
        }
        Ok(Self {
            algorithm,
            fixed: bytes.to_vec(),
        })
    }

    /// The encoding that [`from_wire`](Self::from_wire) reads.
    pub fn to_wire(&self) -> Vec<u8> {
        match number_width(self.algorithm) {
            Some(width) => ecdsa_der(&self.fixed, width).unwrap_or_default(),
            None => self.fixed.clone(),
        }
    }

    /// The encoding that [`from_fixed`](Self::from_fixed) reads.
    pub fn to_fixed(&self) -> Vec<u8> {
        self.fixed.clone()
    }

    /// The encoding that [`from_fixed`](Self::from_fixed) reads, borrowed.
    pub fn as_fixed(&self) -> &[u8] {
        &self.fixed
    }

    /// The algorithm whose form the signature has.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// The bytes are no signature of this algorithm: the sender encoded it wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not an encoded {0} signature")]
pub struct SignatureError(pub Algorithm);

/// Bytes of each of the two numbers of an ECDSA signature.
fn number_width(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => Some(32),
        Algorithm::EcdsaP384Sha384 => Some(48),
        _ => None,
    }
}

/// Reads `SEQUENCE { r INTEGER, s INTEGER }` in DER; `UintRef` refuses negative and padded numbers.
fn ecdsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(der).ok()?;
    let numbers: Result<_, der::Error> = reader.sequence(|reader| {
        let r = UintRef::decode(reader)?;
        let s = UintRef::decode(reader)?;
        Ok((r.as_bytes(), s.as_bytes()))
    });
    let numbers = numbers.ok()?;
    reader.is_finished().then_some(numbers)
}

fn padded(r: &[u8], s: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut fixed = Vec::with_capacity(2 * width);
    for number in [r, s] {
        let zeros = width.checked_sub(number.len())?;
        fixed.resize(fixed.len() + zeros, 0);
        fixed.extend_from_slice(number);
    }
    Some(fixed)
}

/// `None` does not happen: the two numbers were checked when the signature was read.
fn ecdsa_der(fixed: &[u8], width: usize) -> Option<Vec<u8>> {
    let (r, s) = fixed.split_at_checked(width)?;
    [UintRef::new(r).ok()?, UintRef::new(s).ok()?].to_der().ok()
}

const ED25519_LENGTH: usize = 64;
/// A modulus of 2048 bits, the smallest accepted.
const RSA_LEAST: usize = 256;
/// A modulus of 8192 bits, the largest accepted.
const RSA_MOST: usize = 1024;

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
        for algorithm in [Algorithm::EcdsaP256Sha256, Algorithm::EcdsaP384Sha384] {
            let error = Err(SignatureError(algorithm));
            let long = [&[0x30, 0x36, 2, 0x31, 1][..], &[0; 48], &[2, 1, 1]].concat();
            let cases: [&[u8]; 9] = [
                b"",
                &[0x30, 7, 2, 2, 0, 0x80, 2, 1, 1, 0], // trailing byte
                &[0x30, 0x81, 7, 2, 2, 0, 0x80, 2, 1, 1], // long length, BER
                &[0x30, 7, 2, 2, 0, 0x01, 2, 1, 1],    // padded integer
                &[0x30, 6, 2, 1, 0x80, 2, 1, 1],       // negative
                &[0x30, 6, 2, 1, 0, 2, 1, 1],          // r = 0
                &[0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1], // three numbers
                &long,                                 // 49 bytes of r
                &[0; 64],
            ];
            for case in cases {
                assert_eq!(Signature::from_wire(algorithm, case), error, "{case:x?}");
            }
        }
    }

    #[test]
    fn lengths_are_those_of_the_algorithm() {
        for (algorithm, right, wrong) in [
            (Algorithm::EcdsaP256Sha256, vec![64], vec![0, 63, 65, 96]),
            (Algorithm::EcdsaP384Sha384, vec![96], vec![64, 95, 97]),
            (Algorithm::Ed25519, vec![64], vec![0, 63, 65]),
            (
                Algorithm::RsaPkcs1Sha256,
                vec![256, 1024],
                vec![0, 255, 1025],
            ),
            (Algorithm::RsaPssSha512, vec![256, 1024], vec![0, 255, 1025]),
        ] {
            for length in right {
                assert!(Signature::from_fixed(algorithm, &vec![1; length]).is_ok());
            }
            for length in wrong {
                let error = Err(SignatureError(algorithm));
                assert_eq!(Signature::from_fixed(algorithm, &vec![1; length]), error);
            }
        }
    }
}
