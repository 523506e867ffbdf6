use crate::ChainError;

/// Of several paths that fail, the reason that tells most: that of the path which came nearest.
///
/// From the least telling: nobody has the issuer's name; a certificate sent cannot be read; somebody
/// has the name, and his key does not fit; an issuer whose signature or key was never looked at has
/// something against it by itself; the path is too long; it has a name that an authority does not
/// allow; it leads to an anchor that does not count now; it leads to an anchor, and a certificate is
/// revoked, or nobody knows. Among equals, the one met first.
pub(crate) fn keep_nearer(nearest: &mut ChainError, found: ChainError) {
    if nearness(&found) > nearness(nearest) {
        *nearest = found;
    }
}

fn nearness(error: &ChainError) -> u8 {
    match error {
        ChainError::NoAnchorForIssuer => 0,
        ChainError::Malformed { .. } => 1,
        ChainError::BadSignature => 2,
        ChainError::UnsupportedSignature => 3,
        ChainError::AuthorityKey(_) => 4,
        ChainError::PathTooLong => 6,
        ChainError::NameNotAllowed => 7,
        ChainError::AnchorExpired { .. } | ChainError::AnchorNotYetValid { .. } => 8,
        ChainError::RevocationUnknown { .. } => 9,
        ChainError::Revoked { .. } => 10,
        _ => 5,
    }
}
