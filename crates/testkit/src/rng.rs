//! Random numbers that are the same in every run.

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

/// A deterministic generator: SHA-256 over the seed and a counter.
///
/// It says of itself that it is fit for cryptography, since that is what the code under test asks
/// for; with a known seed it protects nothing.
#[derive(Clone, Debug)]
pub struct TestRng {
    seed: u64,
    counter: u64,
}

impl TestRng {
    /// Equal seeds give equal bytes, on every platform.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"gangplank-testkit rng");
        hash.update(self.seed.to_be_bytes());
        hash.update(self.counter.to_be_bytes());
        self.counter += 1;
        hash.finalize().into()
    }
}

impl TryRng for TestRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for chunk in destination.chunks_mut(32) {
            for (to, from) in chunk.iter_mut().zip(self.block()) {
                *to = from;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for TestRng {}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::*;
    use crate::python;

    #[test]
    fn same_seed_same_bytes() {
        let (mut one, mut other) = (TestRng::new(7), TestRng::new(7));
        let (mut a, mut b) = ([0; 70], [0; 70]);
        one.fill_bytes(&mut a);
        other.fill_bytes(&mut b);
        assert_eq!(a, b);
        one.fill_bytes(&mut b);
        assert_ne!(a, b);
    }

    #[test]
    fn bytes_are_those_python_computes() {
        let mut bytes = [0; 40];
        TestRng::new(1).fill_bytes(&mut bytes);
        let script = "import hashlib,sys\n\
            b=lambda n:hashlib.sha256(b'gangplank-testkit rng'+(1).to_bytes(8,'big')+n.to_bytes(8,'big')).digest()\n\
            sys.stdout.buffer.write((b(0)+b(1))[:40])";
        if let Some(expected) = python(script, b"") {
            assert_eq!(bytes.as_slice(), expected);
        }
    }
}
