use crate::ChainError;

/// What one search for a path may cost. Whoever sends certificates decides how many paths they allow,
/// so all of it is counted, over the whole search and not for each path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    signatures: usize,
    steps: usize,
    comparisons: usize,
}

impl Budget {
    pub(crate) fn signature(&mut self) -> Result<(), ChainError> {
        spend(&mut self.signatures)
    }

    pub(crate) fn step(&mut self) -> Result<(), ChainError> {
        spend(&mut self.steps)
    }

    pub(crate) fn comparison(&mut self) -> Result<(), ChainError> {
        spend(&mut self.comparisons)
    }

    #[cfg(test)]
    pub(crate) fn of_comparisons(comparisons: usize) -> Self {
        Self {
            comparisons,
            ..Self::default()
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            signatures: MAX_SIGNATURES,
            steps: MAX_STEPS,
            comparisons: MAX_COMPARISONS,
        }
    }
}

fn spend(left: &mut usize) -> Result<(), ChainError> {
    *left = left.checked_sub(1).ok_or(ChainError::TooComplex)?;
    Ok(())
}

/// Signatures verified, of certificates and of revocation lists. None is verified twice, so eight
/// certificates under one anchor have at most 64; Go and webpki stop at 100, too. In pure Rust that is
/// 34 ms with P-256.
const MAX_SIGNATURES: usize = 100;

/// Issuers tried for a certificate. Eight certificates that all could have issued one another make
/// 8,660 partial paths of at most six intermediates, each with one anchor to try: 17,320, rounded up.
const MAX_STEPS: usize = 20_000;

/// Comparisons of a name and a constraint: as many as Go's crypto/x509 and webpki make.
const MAX_COMPARISONS: usize = 250_000;
