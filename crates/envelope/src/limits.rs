/// How large an envelope may be before it is refused unread.
///
/// Decoding allocates no more than the input's length, whatever these numbers are; they bound the
/// input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the decoded payload.
    pub payload: usize,
    /// Certificates in the member `certificates`; more than 8 are never accepted.
    pub certificates: usize,
    /// Bytes of one DER certificate.
    pub certificate: usize,
}

impl Limits {
    /// 16 MiB of payload and 8 certificates of 16 KiB.
    ///
    /// 16 MiB is a thousand times the largest capabilities or status document of the generation;
    /// 8 certificates are a leaf, the six intermediates at which path builders give up, and a root;
    /// 16 KiB is ten times a usual certificate.
    pub const DEFAULT: Self = Self {
        payload: 16 << 20,
        certificates: FORMAT_CERTIFICATES,
        certificate: 16 << 10,
    };

    /// The longest text that an envelope within these limits can have, in bytes.
    ///
    /// Leaves 64 KiB for the small members and white space.
    pub fn text(&self) -> usize {
        let certificates = self
            .certificates
            .saturating_mul(base64_length(self.certificate).saturating_add(3));
        base64_length(self.payload)
            .saturating_add(certificates)
            .saturating_add(64 << 10)
    }
}

/// The format itself has at most this many `certificates`.
pub(crate) const FORMAT_CERTIFICATES: usize = 8;
/// Bytes of a signature: an RSA signature of 8192 bits, the largest that any algorithm makes.
pub(crate) const SIGNATURE: usize = 1024;
/// Bytes of a SubjectPublicKeyInfo. The largest key that can be registered, RSA of 8192 bits with an
/// exponent of 33, has 1,064; the format leaves twice the room.
pub(crate) const PUBLIC_KEY: usize = 2 * 1024 + 64;

/// Characters that so many bytes have as padded base64.
pub(crate) const fn base64_length(bytes: usize) -> usize {
    bytes.div_ceil(3).saturating_mul(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_documents() {
        // docs/payload-signature.md §1.
        assert_eq!(PUBLIC_KEY, 2112);
        // 16 MiB and 8 times 16 KiB in base64, three bytes around each certificate, and 64 KiB.
        assert_eq!(
            Limits::DEFAULT.text(),
            22_369_624 + 8 * (21_848 + 3) + 65_536
        );
    }
}
