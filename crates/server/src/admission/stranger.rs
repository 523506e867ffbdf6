use gangplank_envelope::{Envelope, Expect, Verified};
use gangplank_key::{PublicKey, TrustedKey, UnixTime};
use gangplank_trust::{
    ChainError, FoundBy, Reason, Tenant, TenantHint, TenantNotFound, VerifiedChain, verify,
};

use super::Refused;
use crate::server::BACKEND;
use crate::tenants::Snapshot;

/// An envelope that was signed with the key of a certificate nobody registered.
pub(crate) struct Stranger<'e, 't> {
    /// The envelope; that the signer has the id it claims is not proven.
    pub(crate) verified: Verified<'e>,
    /// The tenant whose anchor stands behind the certificate, and the chain that shows it.
    pub(crate) chain: Result<(&'t Tenant, VerifiedChain), NotVouched<'t>>,
}

/// Why no tenant's anchor stands behind a certificate.
pub(crate) enum NotVouched<'t> {
    /// The certificate leads to no anchor.
    NotTrusted {
        /// The tenant that the device named, if that was needed.
        named: Option<&'t Tenant>,
        error: ChainError,
    },
    /// Nothing says whose device it is, or what does names no tenant: so it is nobody's.
    NoTenant(Reason),
}

/// Verifies the envelope with the key it brought, which proves possession and no more, and looks
/// for a tenant whose anchor stands behind the certificate.
pub(crate) fn stranger<'e, 't>(
    envelope: &'e Envelope<'e>,
    leaf_key: PublicKey,
    tenants: &'t Snapshot,
    hint: TenantHint<'_>,
    expect: &Expect<'_>,
    now: UnixTime,
) -> Result<Stranger<'e, 't>, Refused> {
    let possession = TrustedKey::vouch(envelope.claimed_signer().clone(), leaf_key);
    let verified = envelope.verify(&possession, expect)?;
    let certificates = envelope.claimed_certificates();
    let chain = match tenants.index().candidates(certificates, hint) {
        Ok(found) => {
            let revocation = tenants.revocation(found.tenant);
            verify(certificates, found.tenant, revocation, BACKEND, now)
                .map(|chain| (found.tenant, chain))
                .map_err(|error| NotVouched::NotTrusted {
                    named: (found.by == FoundBy::Hint).then_some(found.tenant),
                    error,
                })
        }
        Err(TenantNotFound::Unknown) if hint == TenantHint::None => Err(NotVouched::NotTrusted {
            named: None,
            error: ChainError::NoAnchorForIssuer,
        }),
        Err(error) => Err(NotVouched::NoTenant(error.into())),
    };
    Ok(Stranger { verified, chain })
}
