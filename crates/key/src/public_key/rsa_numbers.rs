use der::asn1::UintRef;
use der::{Decode, Reader, SliceReader};

use super::KeyError;

/// The two numbers of a DER `RSAPublicKey` (RFC 8017 §A.1.1), checked.
pub(crate) struct RsaNumbers<'k> {
    /// 2048 to 8192 bits, odd; big-endian without leading zeros.
    pub(crate) modulus: &'k [u8],
    /// 65537 or larger, odd, of at most 33 bits; big-endian without leading zeros.
    pub(crate) exponent: &'k [u8],
}

impl<'k> RsaNumbers<'k> {
    pub(crate) fn read(der: &'k [u8]) -> Result<Self, KeyError> {
        let numbers = Self::decode(der).ok_or(KeyError::Malformed)?;
        let bits = bits(numbers.modulus);
        if !(2048..=8192).contains(&bits) {
            return Err(KeyError::ModulusBits { bits });
        }
        if !is_odd(numbers.modulus) {
            return Err(KeyError::EvenModulus);
        }
        if !is_exponent(numbers.exponent) {
            return Err(KeyError::Exponent);
        }
        Ok(numbers)
    }

    fn decode(der: &'k [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(der).ok()?;
        let numbers: Result<_, der::Error> = reader.sequence(|reader| {
            Ok(Self {
                modulus: UintRef::decode(reader)?.as_bytes(),
                exponent: UintRef::decode(reader)?.as_bytes(),
            })
        });
        numbers.ok().filter(|_| reader.is_finished())
    }
}

fn bits(number: &[u8]) -> usize {
    let leading_zeros = number
        .first()
        .map_or(8, |first| first.leading_zeros() as usize);
    (8 * number.len()).saturating_sub(leading_zeros)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1)
}

/// SP 800-56B §6.2 wants an odd exponent above 2^16. Backends refuse those of more than 33 bits,
/// which nobody makes, so none is taken.
fn is_exponent(number: &[u8]) -> bool {
    is_odd(number) && (17..=33).contains(&bits(number))
}
