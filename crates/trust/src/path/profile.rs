use alloc::vec::Vec;

use webpki::{
    Error, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage,
    RequiredEkuNotFoundContext,
};

use super::search::Named;

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
    /// Whatever the certificates are for.
    Any,
}

impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let (wanted, required) = match self {
            Self::Client => (CLIENT_AUTH, KeyUsage::client_auth()),
            Self::Server => (SERVER_AUTH, KeyUsage::server_auth()),
            Self::Any => return Ok(()),
        };
        let mut present = false;
        for purpose in purposes {
            let purpose = purpose?;
            if purpose == wanted || purpose == ANY_PURPOSE {
                return Ok(());
            }
            present = true;
        }
        if !present {
            return Ok(());
        }
        Err(Error::RequiredEkuNotFoundContext(
            RequiredEkuNotFoundContext {
                required,
                present: Vec::new(),
            },
        ))
    }
}

impl Named for Purpose {
    fn name(&self) -> &'static str {
        match self {
            Self::Client => "client authentication",
            Self::Server => "server authentication",
            Self::Any => "any purpose",
        }
    }

    fn allows(&self, usage: x509_cert::ext::pkix::KeyUsage) -> bool {
        let signs = usage.digital_signature() || usage.key_agreement();
        match self {
            Self::Client => signs,
            Self::Server => signs || usage.key_encipherment(),
            Self::Any => true,
        }
    }
}

/// Intermediate certificates in one path: webpki's own limit.
pub const MAX_INTERMEDIATES: usize = 6;

/// 1.3.6.1.5.5.7.3.1, `id-kp-serverAuth`.
const SERVER_AUTH: KeyPurposeId<'static> = KeyPurposeId::new(&[0x2b, 6, 1, 5, 5, 7, 3, 1]);
/// 1.3.6.1.5.5.7.3.2, `id-kp-clientAuth`.
const CLIENT_AUTH: KeyPurposeId<'static> = KeyPurposeId::new(&[0x2b, 6, 1, 5, 5, 7, 3, 2]);
/// 2.5.29.37.0, `anyExtendedKeyUsage`.
const ANY_PURPOSE: KeyPurposeId<'static> = KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0]);
