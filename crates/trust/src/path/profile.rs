use x509_cert::ext::pkix::KeyUsage;

use super::Need;

/// What is asked of a path beyond RFC 5280 §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathProfile {
    /// What every certificate below the anchor has to be good for.
    pub purpose: Purpose,
    /// How many intermediate certificates there may be; self-issued ones do not count (RFC 5280
    /// §4.2.1.9). More than [`MAX_INTERMEDIATES`] are never followed.
    pub max_intermediates: usize,
}

impl PathProfile {
    /// For `purpose`, with at most [`MAX_INTERMEDIATES`] intermediate certificates.
    pub const fn new(purpose: Purpose) -> Self {
        Self {
            purpose,
            max_intermediates: MAX_INTERMEDIATES,
        }
    }
}

/// What a certificate is used for (RFC 5280 §4.2.1.12): one without an extended key usage is good
/// for any purpose, one with it only for those it lists, or for all if `anyExtendedKeyUsage` is among
/// them. Intermediates are held to it too, as is usual though not in the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// `clientAuth`: what devices do.
    Client,
    /// `serverAuth`.
    Server,
    /// Whatever the certificates are for, which may be to issue others.
    Any,
}

impl Need for Purpose {
    fn name(&self) -> &'static str {
        match self {
            Self::Client => "client authentication",
            Self::Server => "server authentication",
            Self::Any => "any purpose",
        }
    }

    fn is_served_by(&self, listed: Option<&[&[u8]]>) -> bool {
        let wanted = match self {
            Self::Client => CLIENT_AUTH,
            Self::Server => SERVER_AUTH,
            Self::Any => return true,
        };
        listed.is_none_or(|listed| listed.contains(&wanted) || listed.contains(&ANY_PURPOSE))
    }

    fn allows_authority(&self) -> bool {
        *self == Self::Any
    }

    fn allows(&self, usage: KeyUsage) -> bool {
        let signs = usage.digital_signature() || usage.key_agreement();
        match self {
            Self::Client => signs,
            Self::Server => signs || usage.key_encipherment(),
            Self::Any => true,
        }
    }
}

/// Intermediate certificates in one path that another issued: as webpki and browsers have it.
pub const MAX_INTERMEDIATES: usize = 6;

/// 1.3.6.1.5.5.7.3.1, `id-kp-serverAuth`.
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
/// 1.3.6.1.5.5.7.3.2, `id-kp-clientAuth`.
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
/// 2.5.29.37.0, `anyExtendedKeyUsage`.
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0];
